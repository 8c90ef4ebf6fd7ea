"""What things weigh and cost. All of it follows from what is asked for, so that the same question has one answer.

Prices combine additively, per item, copy and page (Cloudprinter "CloudCore API base definitions", price unit types).
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from cpctl.sandbox.fixtures.product_catalog import Product
from cpctl.sandbox.fixtures.product_options import OPTIONS, TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import FACTORS, Offer, zone_of

FEE = Decimal("2.7500")  # per order
APP_FEE = Decimal("0.0000")
# The sandbox's account is French: Cloudprinter's invoice to it has VAT for what goes to France, and none beyond.
ACCOUNT_COUNTRY, VAT_RATE = "FR", 20
_CENT = Decimal("0.0001")
_KILO = 1000


class Wanted(NamedTuple):
    """An item somebody asks the price of."""

    reference: str
    product: Product
    copies: int
    options: tuple[tuple[str, int], ...]

    @property
    def pages(self) -> int:
        """How many pages it has, as far as anybody said."""
        return dict(self.options).get(TOTAL_PAGES, 0)


def rounded(value: Decimal) -> Decimal:
    """To four decimals, as the service writes money."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def vat_rate(country: str) -> int:
    """The rate of what goes to a country, in percent."""
    return VAT_RATE if country == ACCOUNT_COUNTRY else 0


def item_price(item: Wanted, country: str) -> Decimal:
    """What all copies of an item cost there, without VAT."""
    product = item.product
    each = product.base + product.make.per_page * item.pages
    for name, count in item.options:
        if name in OPTIONS:
            by_page = OPTIONS[name].family == "type_book_paper"
            each += OPTIONS[name].price * (count if by_page else 1)
    total = each * item.copies
    if product.many and item.copies >= product.many:
        total = product.setup + (each - product.base + product.each) * item.copies
    return rounded(total * FACTORS.get(zone_of(country), Decimal(1)))


def grams(items: Iterable[Wanted]) -> int:
    """What some items weigh together."""
    return sum(max(1, round(_grams(item))) * item.copies for item in items)


def _grams(item: Wanted) -> float:
    product, chosen = item.product, [OPTIONS[name] for name, _ in item.options if name in OPTIONS]
    area = product.width * product.height / 1_000_000
    paper = next((row.gsm for row in chosen if row.gsm), 0) or next(
        (OPTIONS[name].gsm for name in product.make.options if OPTIONS[name].gsm), 300
    )
    cover = area * 2 * 250 if product.has_pages else 0
    return area * paper * max(1, (item.pages + 1) // 2) + cover


def shipping_price(offer: Offer, weight: int) -> Decimal:
    """What an offer costs for so many grams, without VAT."""
    return rounded(offer.first + offer.more * max(0, -(-weight // _KILO) - 1))
