"""The tables of signals: a row per field and a row per signal type.

Source: CloudSignal API 1.1 and 2.0, sections "Signal types" and "Bundle signals".
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

API_VERSIONS = ("1.1", "2.0")
LATEST_API_VERSION = "2.0"
_Versions = Mapping[str, Sequence[str]]  # signal type -> API versions
_NONE: _Versions = MappingProxyType({})


class FieldFormat(Enum):
    """What the values of a field look like. Checks of values and the reading of cells depend on it."""

    ID = auto()  # one word; spreadsheets may damage it
    CODE = auto()  # digits and letters, maybe with spaces; spreadsheets may damage it
    NAME = auto()
    TEXT = auto()
    HOURS = auto()


ID, CODE, NAME, TEXT, HOURS = FieldFormat


class FieldVariant(NamedTuple):
    """What may differ in a field between signal types."""

    meaning: str
    example: str
    metavar: str


class SignalField(NamedTuple):
    """One field of a signal; every value is a string on the wire.

    All code that knows fields reads these rows: the commands' options, the checks, CSV and JSON files, the help.
    `required` and `optional` map the signal types that have the field to the API versions in which they have it.
    `headings` are the column headings of files that mean this field, besides its name.
    """

    name: str
    metavar: str
    meaning: str
    format: FieldFormat
    max_length: int  # characters; CloudSignal documents no limit, these reject only what is certainly a mistake
    example: str
    required: _Versions = _NONE
    optional: _Versions = _NONE
    headings: tuple[str, ...] = ()
    default: str = ""
    variants: Mapping[str, FieldVariant] = MappingProxyType({})

    def variant_for(self, type_name: str) -> FieldVariant:
        """The field as one signal type has it."""
        return self.variants.get(type_name) or FieldVariant(self.meaning, self.example, self.metavar)


_PROBLEM_TYPES: _Versions = {"ItemDelay": ("2.0",), "ItemError": API_VERSIONS, "ItemCanceled": API_VERSIONS}
_ITEM_TYPES: _Versions = {
    "ItemRegistered": ("2.0",),
    **dict.fromkeys(("ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped"), API_VERSIONS),
    **_PROBLEM_TYPES,
}
_ORDER_HEADINGS = ("Order Number", "Order #", "Order ID", "Bestellnummer", "Auftragsnummer")
_ITEM_HEADINGS = (
    *("Item ID", "Order Item", "Reference 1", "Referenz 1", "Reference", "Referenz"),
    *("Kundenreferenz", "Sendungsreferenz", "CustRef"),
)
_TRACKING_HEADINGS = (
    *("Tracking Number", "Tracking Code", "PackageTrackingNumber", "Sendungsnummer", "Paketnummer"),
    *("Identcode", "Shipment Number", "Parcel Number", "Numéro de suivi"),
)
_CANCEL_CAUSE = FieldVariant("one of `cpctl signal causes`", "CancelBookSize", "CAUSE")
# fmt: off
# In the order in which the documents' examples write them.
_FIELDS = (
    SignalField("order", "ORDER", "full order id", ID, 128, "123456780000",
                required={"OrderRegistered": ("1.1",), **_ITEM_TYPES}, headings=_ORDER_HEADINGS),
    SignalField("item", "ITEM", "full item id", ID, 128, "123456780001",
                required=_ITEM_TYPES, headings=_ITEM_HEADINGS),
    SignalField("tracking", "CODE", "tracking code of the parcel", CODE, 512, "1A2B3C4D5E6F",
                required={"ItemShipped": API_VERSIONS}, headings=_TRACKING_HEADINGS),
    SignalField("shipping_option", "NAME", "carrier of the parcel, such as GLS", NAME, 128, "GLS",
                required={"ItemShipped": ("2.0",)}, default="the profile's"),
    SignalField("cause", "TEXT", "reason for the problem", TEXT, 1000, "Print error, reprint needed",
                optional=_PROBLEM_TYPES, headings=("Grund",), variants={"ItemCanceled": _CANCEL_CAUSE}),
    SignalField("message", "TEXT", "message for the client", TEXT, 1000, "Book has wrong width",
                optional={"ItemCanceled": API_VERSIONS}, headings=("Nachricht",)),
    SignalField("delay", "HOURS", "expected delay in whole hours", HOURS, 4, "24",
                optional=_PROBLEM_TYPES, headings=("Verzögerung",)),
)
# fmt: on
SIGNAL_FIELDS: dict[str, SignalField] = {row.name: row for row in _FIELDS}

# Every signal also has the time of the event; cpctl sets it.
DATETIME_FIELD = SignalField("datetime", "TIME", "time of the event, in GMT", TEXT, 23, "2016-01-20 13:00:00 GMT")


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
    def fields(self) -> list[SignalField]:
        """The fields besides order and item, in any version."""
        return [row for row in list(SIGNAL_FIELDS.values())[2:] if self.name in (*row.required, *row.optional)]

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
        return row is not None and version in (*row.required.get(self.name, ()), *row.optional.get(self.name, ()))


def make_signal_type(
    name: str, command: str, meaning: str, is_repeatable: bool = False, alias_by_version: Mapping[str, str] = {}
) -> SignalType:
    """A signal type with the fields that the rows of `SIGNAL_FIELDS` give it."""
    fields = SIGNAL_FIELDS.values()
    required = {
        version: tuple(field.name for field in fields if version in field.required.get(name, ()))
        for version in SIGNAL_FIELDS["order"].required[name]
    }
    optional = tuple(field.name for field in fields if name in field.optional)
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
        make_signal_type("ItemDelay", "delay", "the item will be late; production recovers from it", True),
        make_signal_type("ItemError", "error", "the item has a problem or an error", True, {"2.0": "ItemDelay"}),
        make_signal_type("ItemCanceled", "canceled", "the item will not be produced"),
    )
}


def fill_shipping_option(
    fields: Mapping[str, str | None],
    type_name: str,
    version: str,
    default: str,
    carrier: str = "",
    carrier_options: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str | None]:
    """The fields, with a shipping option if the signal requires one and the fields have none.

    It is the option of the carrier if there is one, else `default`; nothing is added if both are empty.
    """
    option = carrier_options.get(carrier) or default
    row = SIGNAL_TYPES.get(type_name)
    if not option or row is None or not row.requires(version, "shipping_option"):
        return dict(fields)
    return {**fields, "shipping_option": option if fields.get("shipping_option") is None else fields["shipping_option"]}
