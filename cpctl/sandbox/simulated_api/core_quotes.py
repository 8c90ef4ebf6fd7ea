"""Prices and quotes: `orders/quote`, `orders/quote/info`, `prices/lookup`.

Source: CloudCore API 1.0, "Order quote"; live answers for what the document leaves out or says otherwise.
"""

from decimal import Decimal
from http import HTTPStatus
from itertools import groupby

from cpctl.reference_data.currencies import CURRENCIES
from cpctl.sandbox.fixtures.destinations import DESTINATIONS
from cpctl.sandbox.fixtures.exchange_rates import INVOICE_CURRENCY, RATES_PER_EURO
from cpctl.sandbox.fixtures.shipping_offers import SHIPPING_LEVELS, ShippingOffer, list_offers
from cpctl.sandbox.model.quote_store import QUOTE_LIFETIME, Quote
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.item_validation import check_item_references, find_product, read_item_options
from cpctl.sandbox.simulated_api.pricing import (
    APP_FEE,
    ORDER_FEE,
    QuotedItem,
    calculate_item_price,
    calculate_shipping_price,
    calculate_weight_grams,
    find_vat_rate,
    round_price,
)
from cpctl.sandbox.simulated_api.request_fields import (
    Body,
    read_positive_int,
    read_required,
    read_required_objects,
    read_text,
    shorten_value,
)
from cpctl.sandbox.simulated_api.sandbox_response import NO_CONTENT, SandboxRefusal, SandboxResponse, ok_response
from cpctl.sandbox.virtual_clock import format_iso_time, format_live_expiry

# The live service fails so where `options` is left out, whatever the document says. Its status is not known.
_MISSING_OPTIONS_ERROR = "foreach() argument must be of type array|object, null given"


class QuoteRequest:
    """A request for a price, read and found right."""

    def __init__(self, state: SandboxState, body: Body) -> None:
        self.country = read_country(body)
        self.currency = _read_quote_currency(body)
        self.items = [_read_item(state, row) for row in read_required_objects(body, "items")]
        check_item_references(item.reference for item in self.items)
        self._exchange_rate = RATES_PER_EURO[self.currency]
        self._vat_percent = find_vat_rate(self.country)

    def calculate_vat(self, price: Decimal) -> Decimal:
        """The VAT on a price."""
        return round_price(price * self._vat_percent / 100)

    def convert_price(self, euros: Decimal) -> Decimal:
        """A price in the currency that was asked for."""
        return round_price(euros * self._exchange_rate)


def quote_order(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/quote` and `prices/lookup`: prices, and every way to ship, each with a hash to order by."""
    asked = QuoteRequest(state, body)
    now = state.now()
    state.quotes.remove_expired(now)
    items = asked.convert_price(sum((calculate_item_price(item, asked.country) for item in asked.items), Decimal()))
    fee, app_fee = asked.convert_price(ORDER_FEE), asked.convert_price(APP_FEE)
    price = items + fee + app_fee
    vat = asked.calculate_vat(price)
    subtotals = {"items": f"{items:.4f}", "fee": f"{fee:.4f}", "app_fee": f"{app_fee:.4f}"}
    expires = now + QUOTE_LIFETIME
    shipments = [_shipment_json(state, asked, list(group)) for group in _group_by_plant(asked.items)]
    if not state.is_live:
        return ok_response(
            {
                "price": f"{price + vat:.4f}",
                "vat": f"{vat:.2f}",  # so the example of the document; every other amount has four decimals
                "currency": asked.currency,
                "expire_date": format_iso_time(expires),
                "subtotals": subtotals,
                "shipments": shipments,
                "invoice_currency": INVOICE_CURRENCY,
                "invoice_exchange_rate": _format_exchange_rate(asked),
            }
        )
    return ok_response(
        {
            # The document says that VAT is included. It is not.
            "price": f"{price:.4f}",
            "vat": f"{vat:.4f}",
            "vat_rate": find_vat_rate(asked.country),
            "currency": asked.currency,
            "expire_date": format_live_expiry(expires),
            "production_sla_days": 2,
            "subtotals": {**subtotals, "currency": asked.currency},
            "shipments": shipments,
            "invoice_currency": INVOICE_CURRENCY,
            "invoice_exchange_rate": _format_exchange_rate(asked),
        }
    )


def _format_exchange_rate(request: QuoteRequest) -> str:
    return f"{round_price(1 / RATES_PER_EURO[request.currency]):.4f}"


def _group_by_plant(items: list[QuotedItem]) -> list[list[QuotedItem]]:
    """Items that are made in one plant travel together."""
    ordered = sorted(items, key=lambda item: item.product.method.plant)
    return [list(group) for _, group in groupby(ordered, key=lambda item: item.product.method.plant)]


def _shipment_json(state: SandboxState, request: QuoteRequest, items: list[QuotedItem]) -> dict[str, object]:
    weight = calculate_weight_grams(items)
    return {
        "total_weight": str(weight),
        "items": [{"reference": item.reference} for item in items],
        "quotes": [
            _quote_json(state, _store_quote(state, request, items, offer, weight))
            for offer in _list_offers(state, request.country)
        ],
    }


def _list_offers(state: SandboxState, country: str) -> list[ShippingOffer]:
    """The ways to a country; the documents know nothing of limited ones."""
    return [
        offer for offer in list_offers(country) if state.is_live or SHIPPING_LEVELS[offer.level_reference].is_documented
    ]


def _store_quote(
    state: SandboxState, request: QuoteRequest, items: list[QuotedItem], offer: ShippingOffer, weight: int
) -> Quote:
    price = request.convert_price(calculate_shipping_price(offer, weight))
    covers = tuple((item.reference, item.product.reference) for item in items)
    return state.quotes.add(
        offer, covers, price, request.calculate_vat(price), request.currency, state.now() + QUOTE_LIFETIME
    )


def _quote_json(state: SandboxState, quote: Quote) -> dict[str, object]:
    level = SHIPPING_LEVELS[quote.offer.level_reference]
    price = quote.price if state.is_live else quote.price + quote.vat
    return {
        "quote": quote.hash,
        "service": level.live_name if state.is_live else level.name,
        "shipping_level": level.reference,
        "shipping_option": quote.offer.option if state.is_live else quote.offer.option.rstrip(),
        "price": f"{price:.4f}",
        "vat": f"{quote.vat:.4f}",
        "currency": quote.currency,
    }


def quote_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/quote/info`: known from the official client libraries only, which want `quote` in the answer, or nothing.

    That an unknown hash is answered with 204 is a guess.
    """
    found = state.quotes.find(read_required(body, "quote"), state.now())
    if found is None:
        return NO_CONTENT
    time = format_live_expiry(found.expires_at) if state.is_live else format_iso_time(found.expires_at)
    items = [{"reference": reference} for reference, _ in found.items]
    return ok_response({**_quote_json(state, found), "expire_date": time, "items": items})


def read_country(body: Body) -> str:
    """The country of a request, with the state where the country has some.

    The document wants one in the US and in Canada; `require_state` names more countries, and here they all want one.
    """
    country = read_required(body, "country")
    row = DESTINATIONS.get(country)
    if row is None:
        raise SandboxRefusal("country_unknown", shorten_value(country))
    if row.requires_state and read_required(body, "state") not in row.states:
        raise SandboxRefusal("state_unknown", shorten_value(read_text(body, "state")))
    return country


def read_currency(body: Body) -> str:
    """A currency of ISO 4217, or nothing."""
    currency = read_text(body, "currency")
    if currency and currency not in CURRENCIES:
        raise SandboxRefusal("currency_unknown", shorten_value(currency))
    return currency


def _read_quote_currency(body: Body) -> str:
    currency = read_currency(body) or INVOICE_CURRENCY
    if currency not in RATES_PER_EURO:
        raise SandboxRefusal("currency_unknown", f"{currency} is none of {', '.join(RATES_PER_EURO)}")
    return currency


def _read_item(state: SandboxState, row: Body) -> QuotedItem:
    reference = read_required(row, "reference")
    product = find_product(state, row)
    count = read_positive_int(row, "count")
    if row.get("options") is None:
        status = HTTPStatus.INTERNAL_SERVER_ERROR if state.is_live else HTTPStatus.BAD_REQUEST
        raise SandboxRefusal("internal_error", _MISSING_OPTIONS_ERROR, status)
    return QuotedItem(reference, product, count, read_item_options(product, row))
