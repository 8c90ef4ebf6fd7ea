"""Which column of a file holds which field: a row per field, and a preset per shipping program."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cpctl.errors import InvalidInput, suggest
from cpctl.signals.signal import quote_value
from cpctl.signals.signal_types import SIGNAL_FIELDS, SIGNAL_TYPES, SignalType

# The columns of a file and the headings that mean them; case, spaces and umlauts do not matter. The first is the name.
COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "type": ("type", "signal", "Signal Type"),
    **{row.name: (row.name, *row.headings) for row in SIGNAL_FIELDS.values()},
    "datetime": ("datetime", "at", "Ship Date", "Shipped At", "Versanddatum", "CollectionDate"),
    "carrier": ("carrier", "carrier_code", "Versandart", "Service"),
    "void": ("void", "VoidIndicator", "IsVoid", "Voided", "Storno", "Storniert", "Status"),
}
# If two columns fit one of these, the first is taken: a wrong choice is harmless or visible at once.
_FIRST_MATCH_FIELDS = ("carrier", "datetime", "void")


class MappingPreset(NamedTuple):
    """The export of one program: the headings of each field, the first one present counts, and the carrier."""

    meaning: str
    carrier: str
    columns: Mapping[str, tuple[str, ...]]
    type: str = "ItemShipped"


# fmt: off
PRESETS: dict[str, MappingPreset] = {
    "ups-worldship": MappingPreset("UPS WorldShip, exported automatically after processing", "ups", {
        "tracking": ("PackageTrackingNumber", "Tracking Number"),
        "item": ("PackageReference1", "Reference 1", "Reference Number 1"),
        "order": ("PackageReference2", "Reference 2", "Reference Number 2"),
        "datetime": ("PackageCollectionDate", "CollectionDate"),
        "void": ("PackageVoidIndicator", "VoidIndicator"),
    }),
    "dhl": MappingPreset("DHL business portal: list of shipments", "dhl-de", {
        "tracking": ("Sendungsnummer", "Identcode", "Shipment Number"),
        "item": ("Sendungsreferenz", "Referenz", "Reference", "Shipment Reference"),
        "order": ("Bestellnummer", "Auftragsnummer"),
        "datetime": ("Versanddatum", "Sendungsdatum"),
        "void": ("Storno", "Storniert"),
    }),
    "gls": MappingPreset("GLS: list of parcels", "gls", {
        "tracking": ("Paketnummer", "Parcel Number", "Track ID"),
        "item": ("Kundenreferenz", "Referenz", "Reference", "Customer Reference"),
        "order": ("Auftragsnummer", "Bestellnummer", "Order Number"),
        "datetime": ("Versanddatum", "Ship Date"),
        "void": ("Storno",),
    }),
    "dpd": MappingPreset("DPD: list of parcels", "dpd", {
        "tracking": ("Paketnummer", "Paketscheinnummer", "Parcel Number"),
        "item": ("Referenz 1", "Referenz", "Reference 1", "Kundenreferenz"),
        "order": ("Referenz 2", "Reference 2", "Auftragsnummer"),
        "datetime": ("Versanddatum", "Ship Date"),
        "void": ("Storno",),
    }),
    "sendcloud": MappingPreset("Sendcloud: report of parcels", "", {
        "tracking": ("tracking_number", "Tracking Number"),
        "item": ("reference", "external_reference", "Order Item"),
        "order": ("order_number", "Order Number"),
        "carrier": ("carrier_code", "carrier"),
        "datetime": ("shipped_at", "announced_at"),
        "void": ("status", "parcel_status"),
    }),
    "shipstation": MappingPreset("ShipStation: export of shipments", "", {
        "tracking": ("Tracking Number", "TrackingNumber", "Shipment - Tracking Number"),
        "item": ("Custom Field 1", "Order - Custom Field 1", "Item - SKU", "Item SKU"),
        "order": ("Order Number", "Order - Number", "Order #"),
        "carrier": ("Carrier", "Shipment - Carrier", "Carrier - Name"),
        "datetime": ("Ship Date", "Date - Shipped Date"),
        "void": ("IsVoid", "Voided", "Is Voided"),
    }),
}
# fmt: on


class ColumnMapping(NamedTuple):
    """The column number of each field, and what all rows have in common."""

    columns: Mapping[str, int]
    carrier: str = ""
    type: str = ""


def normalize_heading(heading: str) -> str:
    """A heading without case, spaces, punctuation and accents; umlauts may be written with or without their e."""
    plain = unicodedata.normalize("NFKD", heading.replace("ß", "ss")).casefold()
    letters = re.sub(r"[^a-z0-9]", "", "".join(sign for sign in plain if not unicodedata.combining(sign)))
    return letters.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def find_signal_type(text: str) -> SignalType | None:
    """The type that a cell names: `ItemShipped`, or `shipped` as the command is called."""
    name = normalize_heading(text)
    for row in SIGNAL_TYPES.values():
        if name in (normalize_heading(row.name), normalize_heading(row.command)):
            return row
    return None


def map_columns(
    headings: Sequence[str], mapping_name: str, shop_mappings: Mapping[str, Mapping[str, str]]
) -> ColumnMapping:
    """Find the columns of a file. Raises InvalidInput if a mapping or column is missing, or two columns would fit."""
    header = _Header(headings)
    if not mapping_name:
        return header.match_aliases()
    if mapping_name in shop_mappings:
        return header.apply_shop_mapping(mapping_name, shop_mappings[mapping_name])
    if mapping_name in PRESETS:
        return header.apply_preset(mapping_name, PRESETS[mapping_name])
    raise InvalidInput(f'There is no map "{mapping_name}".', suggest(mapping_name, [*shop_mappings, *PRESETS]))


def parse_constants(texts: Sequence[str]) -> dict[str, str]:
    """The fields that --set gives to every row. Raises InvalidInput."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in COLUMN_ALIASES:
            raise InvalidInput(f'--set "{text}" is not FIELD=VALUE.', suggest(name, COLUMN_ALIASES))
        found[name] = value.strip()
    return found


class _Header:
    """The header of a file, in which columns are found by any of their headings."""

    def __init__(self, headings: Sequence[str]) -> None:
        self._headings = headings
        self._positions: dict[str, list[int]] = {}
        for number, heading in enumerate(headings):
            self._positions.setdefault(normalize_heading(heading), []).append(number)

    def _find(self, *headings: str) -> list[list[int]]:
        names = dict.fromkeys(map(normalize_heading, headings))
        return [self._positions[name] for name in names if name in self._positions]

    def _only(self, positions: Sequence[int]) -> int:
        if len(positions) > 1:
            raise InvalidInput(f'Two columns are called "{self._headings[positions[0]]}".', "Rename one of them.")
        return positions[0]

    def _match_names(self) -> dict[str, int]:
        """The columns headed by the name of a field; they count besides those that a mapping names."""
        return {field: self._only(found[0]) for field in COLUMN_ALIASES if (found := self._find(field))}

    def _describe(self) -> str:
        return f"The file has: {', '.join(heading.strip() for heading in self._headings if heading.strip())}."

    def match_aliases(self) -> ColumnMapping:
        columns = {}
        for field, names in COLUMN_ALIASES.items():
            if not (found := self._find(*names)):
                continue
            if len(found) > 1 and not self._find(field) and field not in _FIRST_MATCH_FIELDS:
                both = " and ".join(f'"{self._headings[positions[0]]}"' for positions in found[:2])
                raise InvalidInput(
                    f"{both} could both hold the {field}.",
                    "Name one with --map: a mapping in the profile (`maps:`), or the program the file comes from.",
                )
            columns[field] = self._only(found[0])
        if not columns and any(map(str.strip, self._headings)):
            # Otherwise a file of one row and no header would pass for a file without rows.
            raise InvalidInput(
                f"The file has no column of a signal; its first line is {quote_value(', '.join(self._headings))}.",
                "The first line must name the columns. If it is a row: --no-header --columns item,tracking.",
            )
        return ColumnMapping(columns)

    def apply_preset(self, name: str, preset: MappingPreset) -> ColumnMapping:
        columns = {
            field: self._only(found[0]) for field, names in preset.columns.items() if (found := self._find(*names))
        }
        if "tracking" not in columns:
            names = ", ".join(preset.columns["tracking"])
            raise InvalidInput(f"The map {name} finds no tracking code: no column is called {names}.", self._describe())
        return ColumnMapping({**self._match_names(), **columns}, preset.carrier, preset.type)

    def apply_shop_mapping(self, name: str, mapping: Mapping[str, str]) -> ColumnMapping:
        columns, type_name = self._match_names(), ""
        for given, heading in mapping.items():
            field = "datetime" if given == "at" else given
            if field not in COLUMN_ALIASES:
                raise InvalidInput(
                    f'The map "{name}" names an unknown field "{given}".', suggest(given, COLUMN_ALIASES)
                )
            if found := self._find(heading):
                columns[field] = self._only(found[0])
            elif field == "type" and (signal_type := find_signal_type(heading)):
                type_name = signal_type.name
            else:
                raise InvalidInput(f'The map "{name}" needs a column "{heading}".', self._describe())
        return ColumnMapping(columns, "", type_name)
