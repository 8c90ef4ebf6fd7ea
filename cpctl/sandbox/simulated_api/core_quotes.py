"""Prices and quotes: `orders/quote`, `orders/quote/info`, `prices/lookup`.

Source: CloudCore API 1.0, "Order quote"; live answers for what the document leaves out or says otherwise.
"""

from decimal import Decimal
from http import HTTPStatus
from itertools import groupby

from cpctl.reference_data.currencies import CURRENCIES
from cpctl.sandbox.fixtures.destinations import COUNTRIES
from cpctl.sandbox.fixtures.exchange_rates import INVOICE, RATES
from cpctl.sandbox.fixtures.shipping_offers import LEVELS, Offer, offers_to
from cpctl.sandbox.model.quote_store import LIFETIME, Quote
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.item_validation import check_unique, options_of_item, product_of
from cpctl.sandbox.simulated_api.pricing import (
    APP_FEE,
    FEE,
    Wanted,
    grams,
    item_price,
    rounded,
    shipping_price,
    vat_rate,
)
from cpctl.sandbox.simulated_api.request_fields import Body, required, required_objects, shown, text, whole
from cpctl.sandbox.simulated_api.sandbox_response import NOTHING, Answer, Refused, ok
from cpctl.sandbox.virtual_clock import iso, zulu

# The live service fails so where `options` is left out, whatever the document says. Its status is not known.
_NO_OPTIONS = "foreach() argument must be of type array|object, null given"


class Question:
    """A request for a price, read and found right."""

    def __init__(self, state: State, body: Body) -> None:
        self.country = read_place(body)
        self.currency = _currency(body)
        self.items = [_wanted(state, row) for row in required_objects(body, "items")]
        check_unique(item.reference for item in self.items)
        self._rate = RATES[self.currency]
        self._percent = vat_rate(self.country)

    def vat(self, price: Decimal) -> Decimal:
        """The VAT on a price."""
        return rounded(price * self._percent / 100)

    def money(self, euros: Decimal) -> Decimal:
        """A price in the currency that was asked for."""
        return rounded(euros * self._rate)


def quote(state: State, body: Body) -> Answer:
    """`orders/quote` and `prices/lookup`: prices, and every way to ship, each with a hash to order by."""
    asked = Question(state, body)
    now = state.now()
    state.quotes.forget(now)
    items = asked.money(sum((item_price(item, asked.country) for item in asked.items), Decimal()))
    fee, app_fee = asked.money(FEE), asked.money(APP_FEE)
    price = items + fee + app_fee
    vat = asked.vat(price)
    subtotals = {"items": f"{items:.4f}", "fee": f"{fee:.4f}", "app_fee": f"{app_fee:.4f}"}
    expires = now + LIFETIME
    shipments = [_shipment(state, asked, list(group)) for group in _bundles(asked.items)]
    if not state.live:
        return ok(
            {
                "price": f"{price + vat:.4f}",
                "vat": f"{vat:.2f}",  # so the example of the document; every other amount has four decimals
                "currency": asked.currency,
                "expire_date": iso(expires),
                "subtotals": subtotals,
                "shipments": shipments,
                "invoice_currency": INVOICE,
                "invoice_exchange_rate": _exchange(asked),
            }
        )
    return ok(
        {
            # The document says that VAT is included. It is not.
            "price": f"{price:.4f}",
            "vat": f"{vat:.4f}",
            "vat_rate": vat_rate(asked.country),
            "currency": asked.currency,
            "expire_date": zulu(expires),
            "production_sla_days": 2,
            "subtotals": {**subtotals, "currency": asked.currency},
            "shipments": shipments,
            "invoice_currency": INVOICE,
            "invoice_exchange_rate": _exchange(asked),
        }
    )


def _exchange(asked: Question) -> str:
    return f"{rounded(1 / RATES[asked.currency]):.4f}"


def _bundles(items: list[Wanted]) -> list[list[Wanted]]:
    """Items that are made in one plant travel together."""
    ordered = sorted(items, key=lambda item: item.product.make.plant)
    return [list(group) for _, group in groupby(ordered, key=lambda item: item.product.make.plant)]


def _shipment(state: State, asked: Question, items: list[Wanted]) -> dict[str, object]:
    weight = grams(items)
    return {
        "total_weight": str(weight),
        "items": [{"reference": item.reference} for item in items],
        "quotes": [
            _offer_json(state, _kept(state, asked, items, offer, weight)) for offer in _offers(state, asked.country)
        ],
    }


def _offers(state: State, country: str) -> list[Offer]:
    """The ways to a country; the documents know nothing of limited ones."""
    return [offer for offer in offers_to(country) if state.live or LEVELS[offer.level].documented]


def _kept(state: State, asked: Question, items: list[Wanted], offer: Offer, weight: int) -> Quote:
    price = asked.money(shipping_price(offer, weight))
    covers = tuple((item.reference, item.product.reference) for item in items)
    return state.quotes.add(offer, covers, price, asked.vat(price), asked.currency, state.now() + LIFETIME)


def _offer_json(state: State, quote: Quote) -> dict[str, object]:
    level = LEVELS[quote.offer.level]
    price = quote.price if state.live else quote.price + quote.vat
    return {
        "quote": quote.hash,
        "service": level.live_name if state.live else level.name,
        "shipping_level": level.reference,
        "shipping_option": quote.offer.option if state.live else quote.offer.option.rstrip(),
        "price": f"{price:.4f}",
        "vat": f"{quote.vat:.4f}",
        "currency": quote.currency,
    }


def quote_info(state: State, body: Body) -> Answer:
    """`orders/quote/info`: known from the official client libraries only, which want `quote` in the answer, or nothing.

    That an unknown hash is answered with 204 is a guess.
    """
    found = state.quotes.find(required(body, "quote"), state.now())
    if found is None:
        return NOTHING
    time = zulu(found.expires) if state.live else iso(found.expires)
    items = [{"reference": reference} for reference, _ in found.items]
    return ok({**_offer_json(state, found), "expire_date": time, "items": items})


def read_place(body: Body) -> str:
    """The country of a request, with the state where the country has some.

    The document wants one in the US and in Canada; `require_state` names more countries, and here they all want one.
    """
    country = required(body, "country")
    row = COUNTRIES.get(country)
    if row is None:
        raise Refused("country_unknown", shown(country))
    if row.requires_state and required(body, "state") not in row.states:
        raise Refused("state_unknown", shown(text(body, "state")))
    return country


def read_currency(body: Body) -> str:
    """A currency of ISO 4217, or nothing."""
    currency = text(body, "currency")
    if currency and currency not in CURRENCIES:
        raise Refused("currency_unknown", shown(currency))
    return currency


def _currency(body: Body) -> str:
    currency = read_currency(body) or INVOICE
    if currency not in RATES:
        raise Refused("currency_unknown", f"{currency} is none of {', '.join(RATES)}")
    return currency


def _wanted(state: State, row: Body) -> Wanted:
    reference = required(row, "reference")
    product = product_of(state, row)
    count = whole(row, "count")
    if row.get("options") is None:
        status = HTTPStatus.INTERNAL_SERVER_ERROR if state.live else HTTPStatus.BAD_REQUEST
        raise Refused("internal_error", _NO_OPTIONS, status)
    return Wanted(reference, product, count, options_of_item(product, row))
