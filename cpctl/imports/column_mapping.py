"""Which column of a file says what: a row per field, a row per program whose exports are known."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cpctl.errors import InvalidInput, suggest
from cpctl.signals.signal import quote_value
from cpctl.signals.signal_types import SIGNAL_TYPES, SignalType

# Headings by which a field is found, whatever their case, blanks and umlauts. The first is its own name.
COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "type": ("type", "signal", "Signal Type"),
    "order": ("order", "Order Number", "Order #", "Order ID", "Bestellnummer", "Auftragsnummer"),
    "item": (
        "item",
        "Item ID",
        "Order Item",
        "Reference 1",
        "Referenz 1",
        "Reference",
        "Referenz",
        "Kundenreferenz",
        "Sendungsreferenz",
        "CustRef",
    ),
    "tracking": (
        "tracking",
        "Tracking Number",
        "Tracking Code",
        "PackageTrackingNumber",
        "Sendungsnummer",
        "Paketnummer",
        "Identcode",
        "Shipment Number",
        "Parcel Number",
        "Numéro de suivi",
    ),
    "shipping_option": ("shipping_option",),
    "carrier": ("carrier", "carrier_code", "Versandart", "Service"),
    "cause": ("cause", "Grund"),
    "message": ("message", "Nachricht"),
    "delay": ("delay", "Verzögerung"),
    "datetime": ("datetime", "at", "Ship Date", "Shipped At", "Versanddatum", "CollectionDate"),
    "void": ("void", "VoidIndicator", "IsVoid", "Voided", "Storno", "Storniert", "Status"),
}
# Of these a wrong column is harmless or shows at once; of the others two that fit are a question, not a choice.
_FIRST_MATCH_FIELDS = ("carrier", "datetime", "void")
# How a profile's map calls what the wire calls otherwise.
_FIELD_SYNONYMS = {"at": "datetime"}


class MappingPreset(NamedTuple):
    """The export of one program: headings per field, the first that is there counts; and whose parcels they are."""

    meaning: str
    columns: Mapping[str, tuple[str, ...]]
    carrier: str = ""
    type: str = "ItemShipped"


PRESETS: dict[str, MappingPreset] = {
    "ups-worldship": MappingPreset(
        "UPS WorldShip, exported automatically after processing",
        {
            "tracking": ("PackageTrackingNumber", "Tracking Number"),
            "item": ("PackageReference1", "Reference 1", "Reference Number 1"),
            "order": ("PackageReference2", "Reference 2", "Reference Number 2"),
            "datetime": ("PackageCollectionDate", "CollectionDate"),
            "void": ("PackageVoidIndicator", "VoidIndicator"),
        },
        "ups",
    ),
    "dhl": MappingPreset(
        "DHL business portal: list of shipments",
        {
            "tracking": ("Sendungsnummer", "Identcode", "Shipment Number"),
            "item": ("Sendungsreferenz", "Referenz", "Reference", "Shipment Reference"),
            "order": ("Bestellnummer", "Auftragsnummer"),
            "datetime": ("Versanddatum", "Sendungsdatum"),
            "void": ("Storno", "Storniert"),
        },
        "dhl-de",
    ),
    "gls": MappingPreset(
        "GLS: list of parcels",
        {
            "tracking": ("Paketnummer", "Parcel Number", "Track ID"),
            "item": ("Kundenreferenz", "Referenz", "Reference", "Customer Reference"),
            "order": ("Auftragsnummer", "Bestellnummer", "Order Number"),
            "datetime": ("Versanddatum", "Ship Date"),
            "void": ("Storno",),
        },
        "gls",
    ),
    "dpd": MappingPreset(
        "DPD: list of parcels",
        {
            "tracking": ("Paketnummer", "Paketscheinnummer", "Parcel Number"),
            "item": ("Referenz 1", "Referenz", "Reference 1", "Kundenreferenz"),
            "order": ("Referenz 2", "Reference 2", "Auftragsnummer"),
            "datetime": ("Versanddatum", "Ship Date"),
            "void": ("Storno",),
        },
        "dpd",
    ),
    "sendcloud": MappingPreset(
        "Sendcloud: report of parcels",
        {
            "tracking": ("tracking_number", "Tracking Number"),
            "item": ("reference", "external_reference", "Order Item"),
            "order": ("order_number", "Order Number"),
            "carrier": ("carrier_code", "carrier"),
            "datetime": ("shipped_at", "announced_at"),
            "void": ("status", "parcel_status"),
        },
    ),
    "shipstation": MappingPreset(
        "ShipStation: export of shipments",
        {
            "tracking": ("Tracking Number", "TrackingNumber", "Shipment - Tracking Number"),
            "item": ("Custom Field 1", "Order - Custom Field 1", "Item - SKU", "Item SKU"),
            "order": ("Order Number", "Order - Number", "Order #"),
            "carrier": ("Carrier", "Shipment - Carrier", "Carrier - Name"),
            "datetime": ("Ship Date", "Date - Shipped Date"),
            "void": ("IsVoid", "Voided", "Is Voided"),
        },
    ),
}


class ColumnMapping(NamedTuple):
    """Which column holds which field, and what holds for every row."""

    columns: Mapping[str, int]
    carrier: str = ""
    type: str = ""


def normalize_heading(heading: str) -> str:
    """A heading without case, blanks, signs and accents; an umlaut may be written with or without its e."""
    plain = unicodedata.normalize("NFKD", heading.replace("ß", "ss")).casefold()
    letters = re.sub(r"[^a-z0-9]", "", "".join(each for each in plain if not unicodedata.combining(each)))
    return letters.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def find_signal_type(text: str) -> SignalType | None:
    """The type a cell names: `ItemShipped`, or `shipped` as the command is called."""
    wanted = normalize_heading(text)
    return next(
        (
            kind
            for kind in SIGNAL_TYPES.values()
            if wanted in (normalize_heading(kind.name), normalize_heading(kind.command))
        ),
        None,
    )


def map_columns(
    headings: Sequence[str], mapping_name: str, shop_mappings: Mapping[str, Mapping[str, str]]
) -> ColumnMapping:
    """Find the columns of a file. Raises InvalidInput where a map or a column is not there, or two would fit."""
    places: dict[str, list[int]] = {}
    for number, heading in enumerate(headings):
        places.setdefault(normalize_heading(heading), []).append(number)
    if not mapping_name:
        columns = _match_aliases(headings, places)
        if not columns and any(map(str.strip, headings)):
            raise InvalidInput(  # else one row without a header would pass for a file without rows
                f"The file has no column of a signal; its first line is {quote_value(', '.join(headings))}.",
                "That line must name the columns; where it is a row already: --no-header --columns item,tracking.",
            )
        return ColumnMapping(columns)
    if mapping_name in shop_mappings:
        return _apply_shop_mapping(headings, places, mapping_name, shop_mappings[mapping_name])
    if mapping_name not in PRESETS:
        raise InvalidInput(f'There is no map "{mapping_name}".', suggest(mapping_name, [*shop_mappings, *PRESETS]))
    preset = PRESETS[mapping_name]
    found = {
        field: _single_position(headings, found)
        for field, names in preset.columns.items()
        if (
            found := next(
                (places[normalize_heading(each)] for each in names if normalize_heading(each) in places), None
            )
        )
    }
    if "tracking" not in found:
        wanted = ", ".join(preset.columns["tracking"])
        raise InvalidInput(
            f"The map {mapping_name} finds no tracking code: no column is called {wanted}.", _list_headings(headings)
        )
    return ColumnMapping({**_match_field_names(headings, places), **found}, preset.carrier, preset.type)


def _match_aliases(headings: Sequence[str], positions: Mapping[str, Sequence[int]]) -> dict[str, int]:
    found = {}
    for field, names in COLUMN_ALIASES.items():
        fits = [
            positions[normalize_heading(each)] for each in dict.fromkeys(names) if normalize_heading(each) in positions
        ]
        if not fits:
            continue
        own_name = normalize_heading(names[0]) in positions
        if len(fits) > 1 and not own_name and field not in _FIRST_MATCH_FIELDS:
            both = " and ".join(f'"{headings[each[0]]}"' for each in fits[:2])
            raise InvalidInput(
                f"{both} could both hold the {field}.",
                "Choose one: a map of your own in the profile (`maps:`), or --map with the program it is from.",
            )
        found[field] = _single_position(headings, fits[0])
    return found


def _match_field_names(headings: Sequence[str], positions: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Fields that stand under their own names, beside those that a map names."""
    return {
        field: _single_position(headings, positions[normalize_heading(field)])
        for field in COLUMN_ALIASES
        if normalize_heading(field) in positions
    }


def _apply_shop_mapping(
    headings: Sequence[str], positions: Mapping[str, Sequence[int]], name: str, shop_mapping: Mapping[str, str]
) -> ColumnMapping:
    found, kind = _match_field_names(headings, positions), ""
    for given, heading in shop_mapping.items():
        field = _FIELD_SYNONYMS.get(given, given)
        if field not in COLUMN_ALIASES:
            raise InvalidInput(f'The map "{name}" names the field "{given}".', suggest(given, COLUMN_ALIASES))
        if normalize_heading(heading) in positions:
            found[field] = _single_position(headings, positions[normalize_heading(heading)])
        elif field == "type" and (named := find_signal_type(heading)):
            kind = named.name
        else:
            raise InvalidInput(f'The map "{name}" wants a column "{heading}".', _list_headings(headings))
    return ColumnMapping(found, "", kind)


def _single_position(headings: Sequence[str], positions: Sequence[int]) -> int:
    if len(positions) > 1:
        raise InvalidInput(f'Two columns are called "{headings[positions[0]]}".', "Rename one of them.")
    return positions[0]


def _list_headings(headings: Sequence[str]) -> str:
    return f"The file has: {', '.join(each.strip() for each in headings if each.strip())}."
