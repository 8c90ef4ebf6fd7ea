"""Checks that quotes and orders share: country, currency, products and options.

Source: CloudCore API 1.0, "Order quote" and "Add order"; nine probes of the live service for the shape of options:
it reads `type`, else `option_reference`, as the reference of the option, and nothing else but `count`.
"""

from collections.abc import Iterable

from cpctl.reference_data.countries import COUNTRIES
from cpctl.reference_data.country_states import STATES_BY_COUNTRY
from cpctl.reference_data.currencies import CURRENCIES
from cpctl.sandbox.fixtures.product_catalog import Product
from cpctl.sandbox.fixtures.product_options import PRODUCT_OPTIONS, TOTAL_PAGES
from cpctl.sandbox.model.order_models import MAX_ITEMS_PER_ORDER
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.request_body import RequestBody, shorten
from cpctl.sandbox.simulated_api.sandbox_response import SandboxRefusal


def read_country(body: RequestBody) -> str:
    """The country of a request, after a check of its state where one is required.

    The document requires a state in the US and in Canada, and `require_state` names more countries, such as AE. Here
    every country with a list of states requires one; the service's own list is longer.
    """
    country = body.required("country")
    if country not in COUNTRIES:
        raise body.refusal("country_unknown", shorten(country))
    if country in STATES_BY_COUNTRY and body.required("state") not in STATES_BY_COUNTRY[country]:
        raise body.refusal("state_unknown", shorten(body.text("state")))
    return country


def read_currency(body: RequestBody) -> str:
    """A currency of ISO 4217, or an empty text."""
    currency = body.text("currency")
    if currency and currency not in CURRENCIES:
        raise body.refusal("currency_unknown", shorten(currency))
    return currency


def check_item_references(references: Iterable[str]) -> None:
    """Refuse duplicate references of items, and more items than there are ids."""
    seen: set[str] = set()
    for reference in references:
        if reference in seen:
            raise SandboxRefusal("item_reference_not_unique", shorten(reference))
        seen.add(reference)
    if len(seen) > MAX_ITEMS_PER_ORDER:
        raise SandboxRefusal("invalid_parameter", f"items has more than {MAX_ITEMS_PER_ORDER} rows")


def find_product(state: SandboxState, item: RequestBody) -> Product:
    """The product of an item; the live service reads `product_reference`, too."""
    name = item.text("product") or item.text("product_reference")
    if not name:
        raise item.missing("product")
    if name not in state.products:
        raise item.refusal("product_unknown", shorten(name))
    return state.products[name]


def read_item_options(product: Product, item: RequestBody) -> tuple[tuple[str, int], ...]:
    """The options of an item with their counts; a family without an option has its default."""
    counts: dict[str, int] = {}
    families: set[str] = set()
    for row in item.objects("options"):
        name, count = _read_option(product, row)
        family = PRODUCT_OPTIONS[name].family if name in PRODUCT_OPTIONS else name
        if family in families:
            raise row.refusal("option_type_not_unique", name)
        families.add(family)
        counts[name] = count
    if product.has_pages and TOTAL_PAGES not in counts:
        raise item.missing(TOTAL_PAGES)
    return tuple(counts.items())


def _read_option(product: Product, row: RequestBody) -> tuple[str, int]:
    name = row.text("type") or row.text("option_reference")
    if not name:
        raise row.missing("option_reference is missing")
    count = row.positive_integer("count")
    if name != TOTAL_PAGES and name not in product.method.option_references:
        raise row.refusal("option_unknown", shorten(name))
    return name, count
