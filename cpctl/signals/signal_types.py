"""The tables of signals: a row per field and a row per signal type.

Source: CloudSignal API 1.1 and 2.0, sections "Signal types" and "Bundle signals".
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

API_VERSIONS = ("1.1", "2.0")
LATEST_API_VERSION = "2.0"
_NONE: Mapping[str, Sequence[str]] = MappingProxyType({})


class FieldFormat(Enum):
    """What the values of a field look like. Checks of values and the reading of cells depend on it."""

    ID = auto()  # one word; cells of spreadsheets may have damaged it
    CODE = auto()  # digits and letters, maybe with spaces; cells of spreadsheets may have damaged it
    NAME = auto()
    TEXT = auto()
    HOURS = auto()


class FieldVariant(NamedTuple):
    """What differs in a field for one signal type."""

    meaning: str
    example: str


class SignalField(NamedTuple):
    """One field of a signal; every value is a string on the wire.

    Everything that knows fields reads these rows: the commands' options, the checks, CSV and JSON files, the help.
    `required` and `optional` map the signal types that take the field to the API versions in which they do.
    `headings` are the column headings of files that mean this field, besides its name.
    """

    name: str
    meaning: str
    format: FieldFormat
    max_length: int  # characters; CloudSignal documents no limit, these reject only what is certainly a mistake
    example: str
    required: Mapping[str, Sequence[str]] = _NONE
    optional: Mapping[str, Sequence[str]] = _NONE
    headings: tuple[str, ...] = ()
    metavar: str = "TEXT"
    variants: Mapping[str, FieldVariant] = MappingProxyType({})

    def variant_for(self, type_name: str) -> FieldVariant:
        """The meaning and the example of this field in one signal type."""
        return self.variants.get(type_name) or FieldVariant(self.meaning, self.example)


_ITEM_SIGNALS: dict[str, Sequence[str]] = {
    "ItemRegistered": ("2.0",),
    "ItemProduce": API_VERSIONS,
    "ItemProduced": API_VERSIONS,
    "ItemPacked": API_VERSIONS,
    "ItemShipped": API_VERSIONS,
    "ItemDelay": ("2.0",),
    "ItemError": API_VERSIONS,
    "ItemCanceled": API_VERSIONS,
}
_PROBLEM_SIGNALS = {name: _ITEM_SIGNALS[name] for name in ("ItemDelay", "ItemError", "ItemCanceled")}

# In the order in which the documents' examples write them.
SIGNAL_FIELDS: dict[str, SignalField] = {
    row.name: row
    for row in (
        SignalField(
            "order",
            "full order id",
            FieldFormat.ID,
            128,
            "123456780000",
            required={"OrderRegistered": ("1.1",), **_ITEM_SIGNALS},
            headings=("Order Number", "Order #", "Order ID", "Bestellnummer", "Auftragsnummer"),
            metavar="ORDER",
        ),
        SignalField(
            "item",
            "full item id",
            FieldFormat.ID,
            128,
            "123456780001",
            required=_ITEM_SIGNALS,
            headings=(
                *("Item ID", "Order Item", "Reference 1", "Referenz 1", "Reference", "Referenz"),
                *("Kundenreferenz", "Sendungsreferenz", "CustRef"),
            ),
            metavar="ITEM",
        ),
        SignalField(
            "tracking",
            "tracking code of the parcel",
            FieldFormat.CODE,
            512,
            "1A2B3C4D5E6F",
            required={"ItemShipped": API_VERSIONS},
            headings=(
                *("Tracking Number", "Tracking Code", "PackageTrackingNumber", "Sendungsnummer", "Paketnummer"),
                *("Identcode", "Shipment Number", "Parcel Number", "Numéro de suivi"),
            ),
            metavar="CODE",
        ),
        SignalField(
            "shipping_option",
            "carrier of the parcel, such as GLS",
            FieldFormat.NAME,
            128,
            "GLS",
            required={"ItemShipped": ("2.0",)},
            metavar="NAME",
        ),
        SignalField(
            "cause",
            "reason for the problem",
            FieldFormat.TEXT,
            1000,
            "Print error, reprint needed",
            optional=_PROBLEM_SIGNALS,
            headings=("Grund",),
            variants={"ItemCanceled": FieldVariant("one of `cpctl signal causes`", "CancelBookSize")},
        ),
        SignalField(
            "message",
            "message for the client",
            FieldFormat.TEXT,
            1000,
            "Book has wrong width",
            optional={"ItemCanceled": API_VERSIONS},
            headings=("Nachricht",),
        ),
        SignalField(
            "delay",
            "expected delay in whole hours",
            FieldFormat.HOURS,
            4,
            "24",
            optional=_PROBLEM_SIGNALS,
            headings=("Verzögerung",),
            metavar="HOURS",
        ),
    )
}

# Every signal also has the time of the event; cpctl sets it.
DATETIME_FIELD = SignalField("datetime", "when it happened, in GMT", FieldFormat.TEXT, 23, "2016-01-20 13:00:00 GMT")


class SignalType(NamedTuple):
    """One signal type, with the fields that each version of the API requires and those that are optional."""

    name: str
    command: str
    meaning: str
    required: Mapping[str, tuple[str, ...]]
    optional: tuple[str, ...] = ()
    is_repeatable: bool = False  # may be reported more than once for one item
    alias_by_version: Mapping[str, str] = MappingProxyType({})

    @property
    def is_about_item(self) -> bool:
        """True if the signal is about one item, False if it is about a whole order."""
        return self.name in SIGNAL_FIELDS["item"].required

    def requires(self, version: str, field_name: str) -> bool:
        """Whether a version of the API requires this field."""
        return field_name in self.required.get(version, ())

    def has_field(self, version: str, field_name: str) -> bool:
        """Whether a version of the API has this field, required or optional."""
        row = SIGNAL_FIELDS.get(field_name)
        return row is not None and (
            version in row.required.get(self.name, ()) or version in row.optional.get(self.name, ())
        )


def make_signal_type(
    name: str,
    command: str,
    meaning: str,
    is_repeatable: bool = False,
    alias_by_version: Mapping[str, str] = MappingProxyType({}),
) -> SignalType:
    """A signal type with its fields, as the rows of `SIGNAL_FIELDS` name it."""
    rows = SIGNAL_FIELDS.values()
    required = {
        version: tuple(row.name for row in rows if version in row.required.get(name, ()))
        for version in SIGNAL_FIELDS["order"].required[name]
    }
    optional = tuple(row.name for row in rows if name in row.optional)
    return SignalType(name, command, meaning, required, optional, is_repeatable, alias_by_version)


SIGNAL_TYPES: dict[str, SignalType] = {
    row.name: row
    for row in (
        make_signal_type("OrderRegistered", "order-registered", "the order is received and accepted by the production"),
        make_signal_type("ItemRegistered", "registered", "the item is received and accepted by the production"),
        make_signal_type("ItemProduce", "produce", "production of the item has started"),
        make_signal_type("ItemProduced", "produced", "production of the item is completed"),
        make_signal_type("ItemPacked", "packed", "the item is packed"),
        make_signal_type("ItemShipped", "shipped", "the item is on its way, with a tracking code"),
        make_signal_type(
            "ItemDelay", "delay", "the item will be late; production recovers from it", is_repeatable=True
        ),
        make_signal_type(
            "ItemError",
            "error",
            "the item has a problem or an error",
            is_repeatable=True,
            alias_by_version={"2.0": "ItemDelay"},
        ),
        make_signal_type("ItemCanceled", "canceled", "the item will not be produced"),
    )
}


def fill_shipping_option(
    fields: Mapping[str, str | None],
    signal_type: SignalType,
    version: str,
    default: str,
    carrier: str = "",
    carrier_options: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str | None]:
    """The fields, with a shipping option if the signal requires one and the fields have none.

    It is the option of the carrier if there is one, else `default`; nothing is added if both are empty.
    """
    option = carrier_options.get(carrier) or default
    if fields.get("shipping_option") is not None or not option or not signal_type.requires(version, "shipping_option"):
        return dict(fields)
    return {**fields, "shipping_option": option}
