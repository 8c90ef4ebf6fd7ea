"""What is true of an item wherever it is sent, for a price or for an order: its product and its options.

Source: CloudCore API 1.0, "Order quote" and "Add order"; nine probes of the live service for the shape of options:
it reads `type`, else `option_reference`, as the reference of the option, and nothing else but `count`.
"""

from collections.abc import Iterable

from cpctl.sandbox.fixtures.product_catalog import Product
from cpctl.sandbox.fixtures.product_options import OPTIONS, TOTAL_PAGES
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.request_fields import Body, missing, objects, shown, text, whole
from cpctl.sandbox.simulated_api.sandbox_response import Refused

# The suffix of an item's id has four digits.
MOST_ITEMS = 9_999


def check_unique(references: Iterable[str]) -> None:
    """Refuse two items of one reference, and more items than have ids."""
    seen: set[str] = set()
    for reference in references:
        if reference in seen:
            raise Refused("item_reference_not_unique", shown(reference))
        seen.add(reference)
    if len(seen) > MOST_ITEMS:
        raise Refused("invalid_parameter", f"items has more than {MOST_ITEMS} rows")


def product_of(state: State, item: Body) -> Product:
    """The product of an item; the live service takes `product_reference` as well."""
    name = text(item, "product") or text(item, "product_reference")
    if not name:
        raise missing("product")
    if name not in state.products:
        raise Refused("product_unknown", shown(name))
    return state.products[name]


def options_of_item(product: Product, item: Body) -> tuple[tuple[str, int], ...]:
    """The options of an item with their counts; those left out have the defaults of their families."""
    found: dict[str, int] = {}
    families: set[str] = set()
    for row in objects(item, "options"):
        name, count = _option(product, row)
        family = OPTIONS[name].family if name in OPTIONS else name
        if family in families:
            raise Refused("option_type_not_unique", name)
        families.add(family)
        found[name] = count
    if product.has_pages and TOTAL_PAGES not in found:
        raise missing(TOTAL_PAGES)
    return tuple(found.items())


def _option(product: Product, row: Body) -> tuple[str, int]:
    name = text(row, "type") or text(row, "option_reference")
    if not name:
        raise Refused("missing_required_parameter", "option_reference is missing")
    count = whole(row, "count")
    if name != TOTAL_PAGES and name not in product.make.options:
        raise Refused("option_unknown", shown(name))
    return name, count
