"""The example bodies of the CloudSignal documents, without their key."""

from typing import Any

ORDER, ITEM, TIME = "123456780000", "123456780001", "2016-01-20 13:00:00 GMT"
_WHERE = {"order": ORDER, "item": ITEM}
_WHEN = {"datetime": TIME}
_LATE = {"cause": "Print error, reprint needed", "delay": "24"}


def plain(kind: str) -> dict[str, Any]:
    """A signal that says nothing but its type, item and time."""
    return {"type": kind, **_WHERE, **_WHEN}


EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "1.1": [
        {"type": "OrderRegistered", "order": ORDER, **_WHEN},
        plain("ItemProduce"),
        plain("ItemProduced"),
        plain("ItemPacked"),
        {"type": "ItemShipped", **_WHERE, "tracking": "1A2B3C4D5E6F", **_WHEN},
        {"type": "ItemError", **_WHERE, **_LATE, **_WHEN},
        {"type": "ItemCanceled", **_WHERE, "cause": "190", "message": "Example message", **_WHEN},
    ],
    "2.0": [
        plain("ItemRegistered"),
        plain("ItemProduce"),
        plain("ItemProduced"),
        plain("ItemPacked"),
        {"type": "ItemShipped", **_WHERE, "tracking": "1A2B3C4D5E6F", "shipping_option": "GLS", **_WHEN},
        {"type": "ItemDelay", **_WHERE, **_LATE, **_WHEN},
        {"type": "ItemError", **_WHERE, **_LATE, **_WHEN},
        {"type": "ItemCanceled", **_WHERE, "cause": "CancelBookSize", "message": "Book has wrong width", **_WHEN},
    ],
}

BUNDLE: dict[str, Any] = {
    "items": [
        {"type": "ItemRegistered", "order": ORDER, "item": "123456780001", "datetime": TIME},
        {"type": "ItemRegistered", "order": ORDER, "item": "123456780002", "datetime": TIME},
    ]
}

SHIPPED = EXAMPLES["2.0"][4]
CANCELED = EXAMPLES["2.0"][7]
PATHS = {"1.1": ["/1.1/status/", "/cloudsignal/1.1/status/"], "2.0": ["/cloudsignal/2.0/status/"]}
