"""What things weigh and cost. All of it follows from what is asked for, so that the same question has one answer.

Prices combine additively, per item, copy and page (Cloudprinter "CloudCore API base definitions", price unit types).
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from cpctl.sandbox.fixtures.product_catalog import Product
from cpctl.sandbox.fixtures.product_options import PRODUCT_OPTIONS, TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import ZONE_PRICE_FACTORS, ShippingOffer, find_zone

ORDER_FEE = Decimal("2.7500")  # per order
APP_FEE = Decimal("0.0000")
# The sandbox's account is French: Cloudprinter's invoice to it has VAT for what goes to France, and none beyond.
ACCOUNT_COUNTRY, VAT_RATE_PERCENT = "FR", 20
_PRICE_PRECISION = Decimal("0.0001")
_GRAMS_PER_KILOGRAM = 1000


class QuotedItem(NamedTuple):
    """An item somebody asks the price of."""

    reference: str
    product: Product
    copies: int
    options: tuple[tuple[str, int], ...]

    @property
    def page_count(self) -> int:
        """How many pages it has, as far as anybody said."""
        return dict(self.options).get(TOTAL_PAGES, 0)


def round_price(value: Decimal) -> Decimal:
    """To four decimals, as the service writes money."""
    return value.quantize(_PRICE_PRECISION, ROUND_HALF_UP)


def find_vat_rate(country: str) -> int:
    """The rate of what goes to a country, in percent."""
    return VAT_RATE_PERCENT if country == ACCOUNT_COUNTRY else 0


def calculate_item_price(item: QuotedItem, country: str) -> Decimal:
    """What all copies of an item cost there, without VAT."""
    product = item.product
    each = product.base_price + product.method.price_per_page * item.page_count
    for name, count in item.options:
        if name in PRODUCT_OPTIONS:
            by_page = PRODUCT_OPTIONS[name].family == "type_book_paper"
            each += PRODUCT_OPTIONS[name].price * (count if by_page else 1)
    total = each * item.copies
    if product.bulk_min_copies and item.copies >= product.bulk_min_copies:
        total = product.bulk_setup_price + (each - product.base_price + product.bulk_copy_price) * item.copies
    return round_price(total * ZONE_PRICE_FACTORS.get(find_zone(country), Decimal(1)))


def calculate_weight_grams(items: Iterable[QuotedItem]) -> int:
    """What some items weigh together."""
    return sum(max(1, round(_calculate_copy_grams(item))) * item.copies for item in items)


def _calculate_copy_grams(item: QuotedItem) -> float:
    product, chosen = item.product, [PRODUCT_OPTIONS[name] for name, _ in item.options if name in PRODUCT_OPTIONS]
    area = product.width_mm * product.height_mm / 1_000_000
    paper = next((row.grams_per_m2 for row in chosen if row.grams_per_m2), 0) or next(
        (
            PRODUCT_OPTIONS[name].grams_per_m2
            for name in product.method.option_references
            if PRODUCT_OPTIONS[name].grams_per_m2
        ),
        300,
    )
    cover = area * 2 * 250 if product.has_pages else 0
    return area * paper * max(1, (item.page_count + 1) // 2) + cover


def calculate_shipping_price(offer: ShippingOffer, weight_grams: int) -> Decimal:
    """What an offer costs for so many grams, without VAT."""
    return round_price(
        offer.first_kilogram_price + offer.extra_kilogram_price * max(0, -(-weight_grams // _GRAMS_PER_KILOGRAM) - 1)
    )
