"""A row per webhook type, and the webhook type that each signal becomes.

Source: CloudSignal Webhooks 2.0, "Signals". The delivery types and the url of ItemShipped come from version 2.1,
whose document is not fully published.
"""

from collections.abc import Mapping
from typing import NamedTuple

WEBHOOK_VERSIONS = ("2.0", "2.1")


class WebhookType(NamedTuple):
    """One webhook type. `fields` are those it always has besides the references, with example values.

    `stage` orders events of the same second: the higher one came later.
    """

    name: str
    stage: int
    meaning: str
    is_about_item: bool = True
    fields: Mapping[str, str] = {}
    optional: tuple[str, ...] = ()
    since_version: str = "2.0"

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that it always has, besides the key."""
        item = ("item", "order_reference", "item_reference") if self.is_about_item else ("order_reference",)
        return ("type", "order", *item, *self.fields, "datetime")


_CAUSE_FIELDS = {"cause": "CancelUserRequest", "message": "Example message"}
_SHIPPING_FIELDS = {"tracking": "1A2B3C4D5E6F", "shipping_option": "GLS"}

_MESSAGE = ("message",)
WEBHOOK_TYPES: dict[str, WebhookType] = {
    row.name: row
    for row in (
        WebhookType("CloudprinterOrderValidated", 10, "the order is received and validated", False),
        WebhookType("CloudprinterOrderCanceled", 90, "the order is canceled", False, _CAUSE_FIELDS),
        WebhookType("ItemValidated", 20, "the item is received and validated by the production"),
        WebhookType("ItemProduce", 30, "production of the item has started"),
        WebhookType("ItemProduced", 40, "the item is produced"),
        WebhookType("ItemPacked", 50, "the item is packed"),
        WebhookType("ItemShipped", 60, "the item is shipped", fields=_SHIPPING_FIELDS, optional=("url",)),
        WebhookType("ItemError", 25, "the item has a problem or an error", optional=("cause", "delay")),
        WebhookType("ItemCanceled", 90, "the item is canceled", optional=("cause", "message")),
        WebhookType("ItemDeliveryStarted", 70, "the parcel is being delivered", True, {}, _MESSAGE, "2.1"),
        WebhookType("ItemDeliveryFailed", 75, "the parcel was not delivered", True, {}, _MESSAGE, "2.1"),
        WebhookType("ItemDeliveryCompleted", 80, "the parcel is delivered", True, {}, _MESSAGE, "2.1"),
    )
}

# Signals whose webhook has another name.
_WEBHOOK_TYPE_BY_SIGNAL_TYPE = {
    "OrderRegistered": "ItemValidated",
    "ItemRegistered": "ItemValidated",
    "ItemDelay": "ItemError",
}


def webhook_type_for(signal_type: str) -> str:
    """The webhook type that the client receives for a signal."""
    return _WEBHOOK_TYPE_BY_SIGNAL_TYPE.get(signal_type, signal_type)
