"""The example bodies of the CloudSignal documents, without their key."""

from typing import Any

ORDER, ITEM, EVENT_TIME = "123456780000", "123456780001", "2016-01-20 13:00:00 GMT"
_ITEM_FIELDS = {"order": ORDER, "item": ITEM}
_TIME_FIELDS = {"datetime": EVENT_TIME}
_DELAY_FIELDS = {"cause": "Print error, reprint needed", "delay": "24"}


def simple_signal(signal_type: str) -> dict[str, Any]:
    """A signal with only its type, item and time."""
    return {"type": signal_type, **_ITEM_FIELDS, **_TIME_FIELDS}


SIGNAL_EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "1.1": [
        {"type": "OrderRegistered", "order": ORDER, **_TIME_FIELDS},
        simple_signal("ItemProduce"),
        simple_signal("ItemProduced"),
        simple_signal("ItemPacked"),
        {"type": "ItemShipped", **_ITEM_FIELDS, "tracking": "1A2B3C4D5E6F", **_TIME_FIELDS},
        {"type": "ItemError", **_ITEM_FIELDS, **_DELAY_FIELDS, **_TIME_FIELDS},
        {"type": "ItemCanceled", **_ITEM_FIELDS, "cause": "190", "message": "Example message", **_TIME_FIELDS},
    ],
    "2.0": [
        simple_signal("ItemRegistered"),
        simple_signal("ItemProduce"),
        simple_signal("ItemProduced"),
        simple_signal("ItemPacked"),
        {"type": "ItemShipped", **_ITEM_FIELDS, "tracking": "1A2B3C4D5E6F", "shipping_option": "GLS", **_TIME_FIELDS},
        {"type": "ItemDelay", **_ITEM_FIELDS, **_DELAY_FIELDS, **_TIME_FIELDS},
        {"type": "ItemError", **_ITEM_FIELDS, **_DELAY_FIELDS, **_TIME_FIELDS},
        {
            "type": "ItemCanceled",
            **_ITEM_FIELDS,
            "cause": "CancelBookSize",
            "message": "Book has wrong width",
            **_TIME_FIELDS,
        },
    ],
}

BUNDLE_EXAMPLE: dict[str, Any] = {
    "items": [
        {"type": "ItemRegistered", "order": ORDER, "item": "123456780001", "datetime": EVENT_TIME},
        {"type": "ItemRegistered", "order": ORDER, "item": "123456780002", "datetime": EVENT_TIME},
    ]
}

SHIPPED_EXAMPLE = SIGNAL_EXAMPLES["2.0"][4]
CANCELED_EXAMPLE = SIGNAL_EXAMPLES["2.0"][7]
SIGNAL_PATHS = {"1.1": ["/1.1/status/", "/cloudsignal/1.1/status/"], "2.0": ["/cloudsignal/2.0/status/"]}
