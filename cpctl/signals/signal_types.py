"""A row per production signal and a row per field: everything the wire knows of them.

Source: CloudSignal API 1.1 and 2.0, sections "Signal types" and "Bundle signals".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

API_VERSIONS = ("1.1", "2.0")
LATEST_API_VERSION = "2.0"


class SignalField(NamedTuple):
    """One field of a signal's body; every value is a string on the wire."""

    name: str
    meaning: str
    max_length: int  # characters; CloudSignal documents no limit, these refuse only what is certainly a mistake
    allows_spaces: bool = True  # may hold blanks between its words
    example: str = ""


# In the order in which the documents' examples write them.
SIGNAL_FIELDS: dict[str, SignalField] = {
    row.name: row
    for row in (
        SignalField("order", "the full order id", 128, allows_spaces=False, example="123456780000"),
        SignalField("item", "the full item id", 128, allows_spaces=False, example="123456780001"),
        SignalField("tracking", "the tracking code of the parcel", 512, example="1A2B3C4D5E6F"),
        SignalField("shipping_option", "who carries the parcel, such as GLS", 128, example="GLS"),
        SignalField(
            "cause",
            "why: words for a delay, a published code for a cancellation",
            1000,
            example="Print error, reprint needed",
        ),
        SignalField("message", "words for the client", 1000, example="Book has wrong width"),
        SignalField("delay", "expected delay in whole hours", 4, allows_spaces=False, example="24"),
    )
}

# What every signal has beside its own fields; cpctl sets it.
DATETIME_FIELD = SignalField("datetime", "when it happened, in GMT", 23, example="2016-01-20 13:00:00 GMT")

_ITEM_FIELDS = ("order", "item")


class SignalType(NamedTuple):
    """One type of signal: what it says, and which fields each version of the API wants."""

    name: str
    command: str
    meaning: str
    required: Mapping[str, tuple[str, ...]]
    optional: tuple[str, ...] = ()
    is_repeatable: bool = False  # may be said more than once of one item
    alias_by_version: Mapping[str, str] = MappingProxyType({})

    @property
    def is_about_item(self) -> bool:
        """True where the signal speaks of one item, False where it speaks of a whole order."""
        return any("item" in names for names in self.required.values())

    def has_field(self, version: str, field_name: str) -> bool:
        """Whether this kind has a field of that name in that version."""
        return field_name in self.required[version] or field_name in self.optional


SIGNAL_TYPES: dict[str, SignalType] = {
    kind.name: kind
    for kind in (
        SignalType(
            "OrderRegistered",
            "order-registered",
            "the order is received and accepted by the production",
            {"1.1": ("order",)},
        ),
        SignalType(
            "ItemRegistered",
            "registered",
            "the item is received and accepted by the production",
            {"2.0": _ITEM_FIELDS},
        ),
        SignalType(
            "ItemProduce",
            "produce",
            "production of the item has started",
            {"1.1": _ITEM_FIELDS, "2.0": _ITEM_FIELDS},
        ),
        SignalType(
            "ItemProduced",
            "produced",
            "production of the item is completed",
            {"1.1": _ITEM_FIELDS, "2.0": _ITEM_FIELDS},
        ),
        SignalType(
            "ItemPacked",
            "packed",
            "the item is packed",
            {"1.1": _ITEM_FIELDS, "2.0": _ITEM_FIELDS},
        ),
        SignalType(
            "ItemShipped",
            "shipped",
            "the item is on its way, with a tracking code",
            {"1.1": (*_ITEM_FIELDS, "tracking"), "2.0": (*_ITEM_FIELDS, "tracking", "shipping_option")},
        ),
        SignalType(
            "ItemDelay",
            "delay",
            "the item will be late: something the production recovers from",
            {"2.0": _ITEM_FIELDS},
            optional=("cause", "delay"),
            is_repeatable=True,
        ),
        SignalType(
            "ItemError",
            "error",
            "the item has a problem or an error",
            {"1.1": _ITEM_FIELDS, "2.0": _ITEM_FIELDS},
            optional=("cause", "delay"),
            is_repeatable=True,
            alias_by_version={"2.0": "ItemDelay"},
        ),
        SignalType(
            "ItemCanceled",
            "canceled",
            "the item will not be produced",
            {"1.1": _ITEM_FIELDS, "2.0": _ITEM_FIELDS},
            optional=("cause", "message", "delay"),
        ),
    )
}
