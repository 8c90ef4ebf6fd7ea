"""Quotes: weights and prices, which depend on nothing but the request, and the quotes given to clients.

Prices add up per item, copy and page (Cloudprinter "CloudCore API base definitions", price unit types).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import NamedTuple

from cpctl.sandbox.fixtures.product_catalog import BULK_COPIES, PRODUCT_OPTIONS, TOTAL_PAGES, Product, ProductOption
from cpctl.sandbox.fixtures.shipping_offers import ZONE_PRICE_FACTORS, ShippingOffer, find_zone

QUOTE_LIFETIME = timedelta(hours=48)  # CloudCore API 1.0, "Order quote", expire_date
_MAX_QUOTES = 100_000
INVOICE_CURRENCY = "EUR"
# The currencies of quotes: how much of each one euro buys. The rates are fixed.
RATES_PER_EURO = {INVOICE_CURRENCY: Decimal("1.0000"), "USD": Decimal("1.1000")}
ORDER_FEE = Decimal("2.7500")  # in euros, as all prices here
APP_FEE = Decimal("0.0000")
_DEFAULT_GRAMS_PER_M2, _COVER_GRAMS_PER_M2 = 300, 250


class QuotedItem(NamedTuple):
    reference: str
    product: Product
    copies: int
    options: tuple[tuple[str, int], ...]

    @property
    def page_count(self) -> int:
        return dict(self.options).get(TOTAL_PAGES, 0)

    @property
    def product_options(self) -> list[tuple[ProductOption, int]]:
        """The options with their counts, without the number of pages."""
        return [(PRODUCT_OPTIONS[name], count) for name, count in self.options if name in PRODUCT_OPTIONS]


def round_price(value: Decimal) -> Decimal:
    """Round to four decimals, as the service does."""
    return value.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def calculate_item_price(item: QuotedItem, country: str) -> Decimal:
    """The price of all copies of an item, without VAT."""
    product = item.product
    copy_price = product.base_price + product.method.price_per_page * item.page_count
    for option, count in item.product_options:
        copy_price += option.price * (count if option.family == "type_book_paper" else 1)  # paper is priced by page
    total = copy_price * item.copies
    if product.bulk_price and item.copies >= BULK_COPIES:
        setup, per_copy = product.bulk_price
        total = setup + (copy_price - product.base_price + per_copy) * item.copies
    return round_price(total * ZONE_PRICE_FACTORS.get(find_zone(country), Decimal(1)))


def calculate_weight_grams(items: Iterable[QuotedItem]) -> int:
    return sum(max(1, round(_calculate_copy_grams(item))) * item.copies for item in items)


def _calculate_copy_grams(item: QuotedItem) -> float:
    product = item.product
    options = [option for option, _ in item.product_options]
    options += [PRODUCT_OPTIONS[reference] for reference in product.method.option_references]
    paper = next((option.grams_per_m2 for option in options if option.grams_per_m2), _DEFAULT_GRAMS_PER_M2)
    area = product.width_mm * product.height_mm / 1_000_000
    cover = area * 2 * _COVER_GRAMS_PER_M2 if product.has_pages else 0
    return area * paper * max(1, (item.page_count + 1) // 2) + cover


def calculate_shipping_price(offer: ShippingOffer, weight_grams: int) -> Decimal:
    """The price of an offer, without VAT; further kilograms are rounded up."""
    extra_kilograms = max(0, -(-weight_grams // 1000) - 1)
    return round_price(offer.first_kilogram_price + offer.extra_kilogram_price * extra_kilograms)


class Quote(NamedTuple):
    """A price for shipping some items, until it expires."""

    offer: ShippingOffer
    items: tuple[tuple[str, str], ...]  # reference and product
    price: Decimal
    vat: Decimal
    currency: str
    expires_at: datetime


class QuoteStore:
    """Quotes by their hash, oldest first. The caller holds the lock of the state."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._count = 0

    def add(self, quote: Quote) -> str:
        """Store a quote; returns its new hash."""
        self._count += 1
        quote_hash = sha256(f"{self._count}|{quote.offer.reference}|{quote.items}".encode()).hexdigest()
        if len(self._quotes) >= _MAX_QUOTES:
            del self._quotes[next(iter(self._quotes))]
        self._quotes[quote_hash] = quote
        return quote_hash

    def find(self, quote_hash: str, now: datetime) -> Quote | None:
        """The quote with that hash unless it has expired."""
        quote = self._quotes.get(quote_hash)
        return quote if quote is not None and quote.expires_at > now else None
