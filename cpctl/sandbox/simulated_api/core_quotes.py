"""Prices and quotes: `orders/quote`, `orders/quote/info`, `prices/lookup`.

Source: CloudCore API 1.0, "Order quote"; live answers for what the document leaves out or contradicts.
"""

from decimal import Decimal
from http import HTTPStatus
from typing import NamedTuple

from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model import quotes
from cpctl.sandbox.model.quotes import INVOICE_CURRENCY, QUOTE_LIFETIME, RATES_PER_EURO, Quote, QuotedItem, round_price
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api import order_validation as validation
from cpctl.sandbox.simulated_api.api_messages import RequestBody, SandboxRefusal
from cpctl.sandbox.virtual_clock import format_iso_time, format_live_expiry

# The live service fails with this text if `options` is missing, although the document says optional. The status is
# not known.
_MISSING_OPTIONS_ERROR = "foreach() argument must be of type array|object, null given"


class QuoteRequest(NamedTuple):
    country: str
    currency: str
    items: list[QuotedItem]

    @property
    def vat_rate(self) -> int:
        """In percent. Cloudprinter charges the sandbox's account, which is French, VAT on shipments to France only."""
        return 20 if self.country == "FR" else 0

    def calculate_vat(self, price: Decimal) -> Decimal:
        return round_price(price * self.vat_rate / 100)

    def convert_price(self, euros: Decimal) -> Decimal:
        return round_price(euros * RATES_PER_EURO[self.currency])


def _read_request(state: SandboxState, body: RequestBody) -> QuoteRequest:
    country, currency = validation.read_country(body), validation.read_currency(body) or INVOICE_CURRENCY
    if currency not in RATES_PER_EURO:
        raise body.refusal("currency_unknown", f"{currency} is none of {', '.join(RATES_PER_EURO)}")
    items = [_read_item(state, row) for row in body.required_objects("items")]
    validation.check_item_references(item.reference for item in items)
    return QuoteRequest(country, currency, items)


def _read_item(state: SandboxState, row: RequestBody) -> QuotedItem:
    reference = row.required("reference")
    product = validation.find_product(state, row)
    count = row.positive_integer("count")
    if row.values.get("options") is None:
        status = HTTPStatus.INTERNAL_SERVER_ERROR if state.is_live else HTTPStatus.BAD_REQUEST
        raise SandboxRefusal("internal_error", _MISSING_OPTIONS_ERROR, status)
    return QuotedItem(reference, product, count, validation.read_item_options(product, row))


def quote_order(state: SandboxState, body: RequestBody) -> object:
    """`orders/quote` and `prices/lookup`: prices, and every way to ship, each with a hash to order by."""
    request, now = _read_request(state, body), state.now()
    items = sum((quotes.calculate_item_price(item, request.country) for item in request.items), Decimal())
    parts = [request.convert_price(part) for part in (items, quotes.ORDER_FEE, quotes.APP_FEE)]
    subtotals = dict(zip(("items", "fee", "app_fee"), map(_format_amount, parts), strict=True))
    price = sum(parts, Decimal())
    vat = request.calculate_vat(price)
    plants: dict[str, list[QuotedItem]] = {}  # items of one plant are shipped together
    for item in request.items:
        plants.setdefault(item.product.method.plant, []).append(item)
    shipments = [_shipment_json(state, request, plants[plant]) for plant in sorted(plants)]
    expires, rate = now + QUOTE_LIFETIME, round_price(1 / RATES_PER_EURO[request.currency])
    live = {
        # The document says that VAT is included. It is not.
        "price": _format_amount(price),
        "vat": _format_amount(vat),
        "vat_rate": request.vat_rate,
        "currency": request.currency,
        "expire_date": format_live_expiry(expires),
        "production_sla_days": 2,
        "subtotals": {**subtotals, "currency": request.currency},
        "shipments": shipments,
        "invoice_currency": INVOICE_CURRENCY,
        "invoice_exchange_rate": _format_amount(rate),
    }
    if state.is_live:
        return live
    documented = {
        "price": _format_amount(price + vat),
        "vat": f"{vat:.2f}",  # as in the example of the document; every other amount has four decimals
        "expire_date": format_iso_time(expires),
        "subtotals": subtotals,
    }
    undocumented = ("vat_rate", "production_sla_days")
    return {name: value for name, value in (live | documented).items() if name not in undocumented}


def _format_amount(amount: Decimal) -> str:
    return f"{amount:.4f}"


def _shipment_json(state: SandboxState, request: QuoteRequest, items: list[QuotedItem]) -> dict[str, object]:
    weight = quotes.calculate_weight_grams(items)
    # The documents do not know limited levels.
    offers = [offer for offer in list_offers(request.country) if state.is_live or offer.level.is_documented]
    references = tuple((item.reference, item.product.reference) for item in items)
    expires = state.now() + QUOTE_LIFETIME
    rows = []
    for offer in offers:
        price = request.convert_price(quotes.calculate_shipping_price(offer, weight))
        quote = Quote(offer, references, price, request.calculate_vat(price), request.currency, expires)
        rows.append(_quote_json(state, state.quotes.add(quote), quote))
    return {"total_weight": str(weight), "items": [{"reference": item.reference} for item in items], "quotes": rows}


def _quote_json(state: SandboxState, quote_hash: str, quote: Quote) -> dict[str, object]:
    level, option = quote.offer.level, quote.offer.option
    return {
        "quote": quote_hash,
        "service": level.display_name(state.is_live),
        "shipping_level": level.reference,
        "shipping_option": option if state.is_live else option.rstrip(),
        "price": _format_amount(quote.price if state.is_live else quote.price + quote.vat),
        "vat": _format_amount(quote.vat),
        "currency": quote.currency,
    }


def quote_info(state: SandboxState, body: RequestBody) -> object:
    """`orders/quote/info`: known only from the official client libraries, which expect `quote` or nothing.

    The 204 for an unknown hash is a guess.
    """
    quote_hash = body.required("quote")
    quote = state.quotes.find(quote_hash, state.now())
    if quote is None:
        return None
    expires = (format_live_expiry if state.is_live else format_iso_time)(quote.expires_at)
    items = [{"reference": reference} for reference, _ in quote.items]
    return {**_quote_json(state, quote_hash, quote), "expire_date": expires, "items": items}
