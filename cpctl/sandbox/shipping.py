"""Shipping levels, and who carries what at which level to where.

Source: CloudCore API 1.0, "List shipping levels" and the example of "Order quote"; live answers for the rest.
"""

from decimal import Decimal
from typing import NamedTuple


class Level(NamedTuple):
    """A shipping level. Where the one asked for is not to be had, the next higher one is taken."""

    reference: str
    rank: int
    name: str
    live_name: str  # as live quotes write it
    note: str
    documented: bool = True


LEVELS: dict[str, Level] = {
    row.reference: row
    for row in (
        Level(
            "cp_limited",
            0,
            "Limited",
            "Limited",
            "Limited  - Limited delivery - Cloudprinter shared",
            documented=False,
        ),
        Level(
            "cp_postal",
            1,
            "Postal - Untracked",
            "Postal - Untracked",
            "Postal  - Untracked delivery - Cloudprinter shared",
        ),
        Level(
            "cp_ground",
            2,
            "Express ground - Tracked",
            "Ground - Tracked",
            "Ground express - Fast ground delivery - Cloudprinter shared",
        ),
        Level(
            "cp_saver",
            3,
            "Express saver - Tracked",
            "Express saver - Tracked",
            "Saver express  - Fast saver tracked delivery - Cloudprinter shared",
        ),
        Level(
            "cp_fast",
            4,
            "Express fast - Tracked",
            "Express fast - Tracked",
            "Fast express - Fastest tracked delivery - Cloudprinter shared",
        ),
    )
}


class Offer(NamedTuple):
    """One way to a place: its level, its carrier, and what it costs."""

    level: str
    option: str  # as a quote writes it; some live ones end in a blank
    reference: str  # as orders and webhooks write it
    first: Decimal  # the first kilogram
    more: Decimal  # every further one


def _offer(level: str, option: str, reference: str, first: str, more: str) -> Offer:
    return Offer(level, option, reference, Decimal(first), Decimal(more))


OFFERS: dict[str, tuple[Offer, ...]] = {
    "NL": (
        _offer("cp_postal", "National Post - Int. Postal Untracked", "postal", "4.2000", "1.1000"),
        _offer("cp_ground", "National Post - Int. Postal Tracked", "postal_tracked", "6.2300", "1.4000"),
        _offer("cp_fast", "DHL - International Express", "dhl_international_express", "14.5000", "2.8000"),
    ),
    # Levels may come twice: two carriers at one price.
    "FR": (
        _offer("cp_ground", "Colissimo ", "colissimo", "9.2160", "1.6000"),
        _offer("cp_fast", "Chronopost ", "chronopost", "13.7000", "2.6000"),
        _offer("cp_fast", "DPD France", "dpd_france", "13.7000", "2.6000"),
        _offer("cp_limited", "Mondial Relay", "mondial_relay", "4.9000", "0.9000"),
    ),
    "BE": (_offer("cp_ground", "bpost ", "bpost", "7.8000", "1.5000"),),
    "europe": (
        _offer("cp_postal", "National Post - Int. Postal Untracked", "postal", "5.1000", "1.3000"),
        _offer("cp_ground", "GLS - Euro Business Parcel", "gls_euro", "8.4000", "1.7000"),
        _offer("cp_saver", "DHL - National Standard (DE)", "dhl_national_standard", "10.9000", "2.1000"),
        _offer("cp_fast", "DHL - International Express", "dhl_international_express", "17.5000", "3.2000"),
    ),
    "america": (
        _offer("cp_ground", "FedEx - Ground", "fedex_ground", "9.9000", "2.4000"),
        _offer("cp_saver", "FedEx - National 2 Day", "fedex_national_2_day", "14.2000", "3.3000"),
        _offer("cp_fast", "FedEx - Priority Overnight ", "fedex_priority_overnight", "26.8000", "5.0000"),
    ),
    "world": (
        _offer("cp_postal", "National Post - Int. Postal Untracked", "postal", "8.9000", "4.2000"),
        _offer("cp_fast", "DHL - International Express", "dhl_international_express", "38.0000", "9.5000"),
    ),
}
_ZONES = {
    "europe": "AD AT BG CH CY CZ DE DK EE ES FI GB GR HR HU IE IS IT LI LT LU LV MC MT NO PL PT RO SE SI SK SM VA",
    "america": "CA US",
}
_ZONE_OF = {code: zone for zone, codes in _ZONES.items() for code in codes.split()}
# What is printed far away costs more.
FACTORS = {"america": Decimal("1.10"), "world": Decimal("1.25")}
OPTIONS = {offer.reference for offers in OFFERS.values() for offer in offers}


def zone_of(country: str) -> str:
    """The zone whose offers hold for a country."""
    return country if country in OFFERS else _ZONE_OF.get(country, "world")


def offers_to(country: str) -> tuple[Offer, ...]:
    """Every way to a country."""
    return OFFERS[zone_of(country)]


def best_offer(country: str, level: str) -> Offer | None:
    """The way that an order at that level goes: the level itself or a higher one, whichever is cheapest."""
    wanted = LEVELS[level].rank
    fit = [offer for offer in offers_to(country) if LEVELS[offer.level].rank >= wanted]
    return min(fit, key=lambda offer: (offer.first, LEVELS[offer.level].rank), default=None)


def offer_of(country: str, reference: str) -> Offer | None:
    """The way to a country with that carrier."""
    return next((offer for offer in offers_to(country) if offer.reference == reference), None)
