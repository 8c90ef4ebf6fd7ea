"""Which column of a file says what: a row per field, a row per program whose exports are known."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cpctl.errors import InvalidInput, nearest
from cpctl.signals.signal import shorten
from cpctl.signals.signal_types import KINDS, Kind

# Headings by which a field is found, whatever their case, blanks and umlauts. The first is its own name.
ALIASES: dict[str, tuple[str, ...]] = {
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
_FIRST_COUNTS = ("carrier", "datetime", "void")
# How a profile's map calls what the wire calls otherwise.
_MAP_NAMES = {"at": "datetime"}


class Preset(NamedTuple):
    """The export of one program: headings per field, the first that is there counts; and whose parcels they are."""

    meaning: str
    columns: Mapping[str, tuple[str, ...]]
    carrier: str = ""
    type: str = "ItemShipped"


PRESETS: dict[str, Preset] = {
    "ups-worldship": Preset(
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
    "dhl": Preset(
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
    "gls": Preset(
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
    "dpd": Preset(
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
    "sendcloud": Preset(
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
    "shipstation": Preset(
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


class Mapped(NamedTuple):
    """Which column holds which field, and what holds for every row."""

    columns: Mapping[str, int]
    carrier: str = ""
    type: str = ""


def fold(heading: str) -> str:
    """A heading without case, blanks, signs and accents; an umlaut may be written with or without its e."""
    plain = unicodedata.normalize("NFKD", heading.replace("ß", "ss")).casefold()
    letters = re.sub(r"[^a-z0-9]", "", "".join(each for each in plain if not unicodedata.combining(each)))
    return letters.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def kind_named(text: str) -> Kind | None:
    """The type a cell names: `ItemShipped`, or `shipped` as the command is called."""
    wanted = fold(text)
    return next((kind for kind in KINDS.values() if wanted in (fold(kind.name), fold(kind.command))), None)


def map_columns(headings: Sequence[str], name: str, shop_maps: Mapping[str, Mapping[str, str]]) -> Mapped:
    """Find the columns of a file. Raises InvalidInput where a map or a column is not there, or two would fit."""
    places: dict[str, list[int]] = {}
    for number, heading in enumerate(headings):
        places.setdefault(fold(heading), []).append(number)
    if not name:
        columns = _by_alias(headings, places)
        if not columns and any(map(str.strip, headings)):
            raise InvalidInput(  # else one row without a header would pass for a file without rows
                f"The file has no column of a signal; its first line is {shorten(', '.join(headings))}.",
                "That line must name the columns; where it is a row already: --no-header --columns item,tracking.",
            )
        return Mapped(columns)
    if name in shop_maps:
        return _by_shop(headings, places, name, shop_maps[name])
    if name not in PRESETS:
        raise InvalidInput(f'There is no map "{name}".', nearest(name, [*shop_maps, *PRESETS]))
    preset = PRESETS[name]
    found = {
        field: _only(headings, found)
        for field, names in preset.columns.items()
        if (found := next((places[fold(each)] for each in names if fold(each) in places), None))
    }
    if "tracking" not in found:
        wanted = ", ".join(preset.columns["tracking"])
        raise InvalidInput(f"The map {name} finds no tracking code: no column is called {wanted}.", _present(headings))
    return Mapped({**_by_name(headings, places), **found}, preset.carrier, preset.type)


def _by_alias(headings: Sequence[str], places: Mapping[str, Sequence[int]]) -> dict[str, int]:
    found = {}
    for field, names in ALIASES.items():
        fits = [places[fold(each)] for each in dict.fromkeys(names) if fold(each) in places]
        if not fits:
            continue
        own_name = fold(names[0]) in places
        if len(fits) > 1 and not own_name and field not in _FIRST_COUNTS:
            both = " and ".join(f'"{headings[each[0]]}"' for each in fits[:2])
            raise InvalidInput(
                f"{both} could both hold the {field}.",
                "Choose one: a map of your own in the profile (`maps:`), or --map with the program it is from.",
            )
        found[field] = _only(headings, fits[0])
    return found


def _by_name(headings: Sequence[str], places: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Fields that stand under their own names, beside those that a map names."""
    return {field: _only(headings, places[fold(field)]) for field in ALIASES if fold(field) in places}


def _by_shop(
    headings: Sequence[str], places: Mapping[str, Sequence[int]], name: str, said: Mapping[str, str]
) -> Mapped:
    found, kind = _by_name(headings, places), ""
    for given, heading in said.items():
        field = _MAP_NAMES.get(given, given)
        if field not in ALIASES:
            raise InvalidInput(f'The map "{name}" names the field "{given}".', nearest(given, ALIASES))
        if fold(heading) in places:
            found[field] = _only(headings, places[fold(heading)])
        elif field == "type" and (named := kind_named(heading)):
            kind = named.name
        else:
            raise InvalidInput(f'The map "{name}" wants a column "{heading}".', _present(headings))
    return Mapped(found, "", kind)


def _only(headings: Sequence[str], places: Sequence[int]) -> int:
    if len(places) > 1:
        raise InvalidInput(f'Two columns are called "{headings[places[0]]}".', "Rename one of them.")
    return places[0]


def _present(headings: Sequence[str]) -> str:
    return f"The file has: {', '.join(each.strip() for each in headings if each.strip())}."
