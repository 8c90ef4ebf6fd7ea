"""A row per type of webhook: what it says, in which versions, and what a partner's signal becomes.

Source: CloudSignal Webhooks 2.0, "Signals". The deliveries are known from 2.1, whose document is not published whole.
"""

from collections.abc import Mapping
from typing import NamedTuple

WEBHOOK_VERSIONS = ("2.0", "2.1")


class WebhookKind(NamedTuple):
    """One type: whether it is about an item, which fields it has beyond the references, and what stands there else."""

    name: str
    about_item: bool = True
    fields: Mapping[str, str] = {}  # name -> what a triggered one says where nothing is said
    optional: tuple[str, ...] = ()


_WHY = {"cause": "CancelUserRequest", "message": "Example message"}
_SHIPPED = {"tracking": "1A2B3C4D5E6F", "shipping_option": "GLS"}

WEBHOOKS: dict[str, WebhookKind] = {
    row.name: row
    for row in (
        WebhookKind("CloudprinterOrderValidated", about_item=False),
        WebhookKind("CloudprinterOrderCanceled", about_item=False, fields=_WHY),
        WebhookKind("ItemValidated"),
        WebhookKind("ItemProduce"),
        WebhookKind("ItemProduced"),
        WebhookKind("ItemPacked"),
        WebhookKind("ItemShipped", fields=_SHIPPED),
        WebhookKind("ItemError", optional=("cause", "delay")),
        WebhookKind("ItemCanceled", optional=("cause", "message")),
        WebhookKind("ItemDeliveryStarted", optional=("message",)),
        WebhookKind("ItemDeliveryCompleted", optional=("message",)),
        WebhookKind("ItemDeliveryFailed", optional=("message",)),
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
