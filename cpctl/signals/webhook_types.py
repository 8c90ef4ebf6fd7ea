"""A row per type of webhook: what it says, in which versions, and what a partner's signal becomes.

Source: CloudSignal Webhooks 2.0, "Signals". The deliveries, and the address of ItemShipped, are known from
2.1, whose document is not published whole.
"""

from collections.abc import Mapping
from typing import NamedTuple

WEBHOOK_VERSIONS = ("2.0", "2.1")


class WebhookKind(NamedTuple):
    """One type: what it is about, which fields it has beyond the references, and its place in the life of an item.

    `fields` are those it always has, each with the example that a triggered one says where nothing is said.
    `stage` orders what happened in the same second: the higher came later.
    """

    name: str
    stage: int
    meaning: str
    about_item: bool = True
    fields: Mapping[str, str] = {}
    optional: tuple[str, ...] = ()
    since: str = "2.0"

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that it always has, beside the key."""
        item = ("item", "order_reference", "item_reference") if self.about_item else ("order_reference",)
        return ("type", "order", *item, *self.fields, "datetime")


_WHY = {"cause": "CancelUserRequest", "message": "Example message"}
_SHIPPED = {"tracking": "1A2B3C4D5E6F", "shipping_option": "GLS"}

WEBHOOKS: dict[str, WebhookKind] = {
    row.name: row
    for row in (
        WebhookKind("CloudprinterOrderValidated", 10, "the order is received and validated", about_item=False),
        WebhookKind("CloudprinterOrderCanceled", 90, "the order is canceled", about_item=False, fields=_WHY),
        WebhookKind("ItemValidated", 20, "the item is received and validated by the production"),
        WebhookKind("ItemProduce", 30, "production of the item has started"),
        WebhookKind("ItemProduced", 40, "the item is produced"),
        WebhookKind("ItemPacked", 50, "the item is packed"),
        WebhookKind("ItemShipped", 60, "the item is shipped", fields=_SHIPPED, optional=("url",)),
        WebhookKind("ItemError", 25, "the item has a problem or an error", optional=("cause", "delay")),
        WebhookKind("ItemCanceled", 90, "the item is canceled", optional=("cause", "message")),
        WebhookKind("ItemDeliveryStarted", 70, "the parcel is being delivered", optional=("message",), since="2.1"),
        WebhookKind("ItemDeliveryFailed", 75, "the parcel was not delivered", optional=("message",), since="2.1"),
        WebhookKind("ItemDeliveryCompleted", 80, "the parcel is delivered", optional=("message",), since="2.1"),
    )
}

# A partner's signal -> what the client is told; the others keep their names.
_RENAMED = {
    "OrderRegistered": "ItemValidated",
    "ItemRegistered": "ItemValidated",
    "ItemDelay": "ItemError",
}


def webhook_of(signal: str) -> str:
    """The type of webhook that a signal becomes."""
    return _RENAMED.get(signal, signal)
