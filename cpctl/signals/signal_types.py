"""A row per production signal and a row per field: everything the wire knows of them.

Source: CloudSignal API 1.1 and 2.0, sections "Signal types" and "Bundle signals".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

VERSIONS = ("1.1", "2.0")
LATEST = "2.0"


class Field(NamedTuple):
    """One field of a signal's body; every value is a string on the wire."""

    name: str
    meaning: str
    longest: int  # characters; CloudSignal documents no limit, these refuse only what is certainly a mistake
    blanks: bool = True  # may hold blanks between its words
    example: str = ""


# In the order in which the documents' examples write them.
FIELDS: dict[str, Field] = {
    row.name: row
    for row in (
        Field("order", "the full order id", 128, blanks=False, example="123456780000"),
        Field("item", "the full item id", 128, blanks=False, example="123456780001"),
        Field("tracking", "the tracking code of the parcel", 512, example="1A2B3C4D5E6F"),
        Field("shipping_option", "who carries the parcel, such as GLS", 128, example="GLS"),
        Field(
            "cause",
            "why: words for a delay, a published code for a cancellation",
            1000,
            example="Print error, reprint needed",
        ),
        Field("message", "words for the client", 1000, example="Book has wrong width"),
        Field("delay", "expected delay in whole hours", 4, blanks=False, example="24"),
    )
}

# What every signal has beside its own fields; cpctl sets it.
TIME = Field("datetime", "when it happened, in GMT", 23, example="2016-01-20 13:00:00 GMT")

_ITEM = ("order", "item")


class Kind(NamedTuple):
    """One type of signal: what it says, and which fields each version of the API wants."""

    name: str
    command: str
    meaning: str
    required: Mapping[str, tuple[str, ...]]
    optional: tuple[str, ...] = ()
    repeats: bool = False  # may be said more than once of one item
    alias_of: Mapping[str, str] = MappingProxyType({})

    @property
    def about_item(self) -> bool:
        """True where the signal speaks of one item, False where it speaks of a whole order."""
        return any("item" in names for names in self.required.values())

    def knows(self, version: str, name: str) -> bool:
        """Whether this kind has a field of that name in that version."""
        return name in self.required[version] or name in self.optional


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "OrderRegistered",
            "order-registered",
            "the order is received and accepted by the production",
            {"1.1": ("order",)},
        ),
        Kind(
            "ItemRegistered",
            "registered",
            "the item is received and accepted by the production",
            {"2.0": _ITEM},
        ),
        Kind(
            "ItemProduce",
            "produce",
            "production of the item has started",
            {"1.1": _ITEM, "2.0": _ITEM},
        ),
        Kind(
            "ItemProduced",
            "produced",
            "production of the item is completed",
            {"1.1": _ITEM, "2.0": _ITEM},
        ),
        Kind(
            "ItemPacked",
            "packed",
            "the item is packed",
            {"1.1": _ITEM, "2.0": _ITEM},
        ),
        Kind(
            "ItemShipped",
            "shipped",
            "the item is on its way, with a tracking code",
            {"1.1": (*_ITEM, "tracking"), "2.0": (*_ITEM, "tracking", "shipping_option")},
        ),
        Kind(
            "ItemDelay",
            "delay",
            "the item will be late: something the production recovers from",
            {"2.0": _ITEM},
            optional=("cause", "delay"),
            repeats=True,
        ),
        Kind(
            "ItemError",
            "error",
            "the item has a problem or an error",
            {"1.1": _ITEM, "2.0": _ITEM},
            optional=("cause", "delay"),
            repeats=True,
            alias_of={"2.0": "ItemDelay"},
        ),
        Kind(
            "ItemCanceled",
            "canceled",
            "the item will not be produced",
            {"1.1": _ITEM, "2.0": _ITEM},
            optional=("cause", "message", "delay"),
        ),
    )
}
