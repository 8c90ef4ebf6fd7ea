"""What is true of an item wherever it is sent, for a price or for an order: its product and its options.

Source: CloudCore API 1.0, "Order quote" and "Add order"; nine probes of the live service for the shape of options:
it reads `type`, else `option_reference`, as the reference of the option, and nothing else but `count`.
"""

from collections.abc import Iterable

from cpctl.sandbox.fixtures.product_catalog import Product
from cpctl.sandbox.fixtures.product_options import PRODUCT_OPTIONS, TOTAL_PAGES
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.request_fields import (
    Body,
    missing_parameter,
    read_objects,
    read_positive_int,
    read_text,
    shorten_value,
)
from cpctl.sandbox.simulated_api.sandbox_response import SandboxRefusal

# The suffix of an item's id has four digits.
MAX_ITEMS = 9_999


def check_item_references(references: Iterable[str]) -> None:
    """Refuse two items of one reference, and more items than have ids."""
    seen: set[str] = set()
    for reference in references:
        if reference in seen:
            raise SandboxRefusal("item_reference_not_unique", shorten_value(reference))
        seen.add(reference)
    if len(seen) > MAX_ITEMS:
        raise SandboxRefusal("invalid_parameter", f"items has more than {MAX_ITEMS} rows")


def find_product(state: SandboxState, item: Body) -> Product:
    """The product of an item; the live service takes `product_reference` as well."""
    name = read_text(item, "product") or read_text(item, "product_reference")
    if not name:
        raise missing_parameter("product")
    if name not in state.products:
        raise SandboxRefusal("product_unknown", shorten_value(name))
    return state.products[name]


def read_item_options(product: Product, item: Body) -> tuple[tuple[str, int], ...]:
    """The options of an item with their counts; those left out have the defaults of their families."""
    found: dict[str, int] = {}
    families: set[str] = set()
    for row in read_objects(item, "options"):
        name, count = _read_option(product, row)
        family = PRODUCT_OPTIONS[name].family if name in PRODUCT_OPTIONS else name
        if family in families:
            raise SandboxRefusal("option_type_not_unique", name)
        families.add(family)
        found[name] = count
    if product.has_pages and TOTAL_PAGES not in found:
        raise missing_parameter(TOTAL_PAGES)
    return tuple(found.items())


def _read_option(product: Product, row: Body) -> tuple[str, int]:
    name = read_text(row, "type") or read_text(row, "option_reference")
    if not name:
        raise SandboxRefusal("missing_required_parameter", "option_reference is missing")
    count = read_positive_int(row, "count")
    if name != TOTAL_PAGES and name not in product.method.option_references:
        raise SandboxRefusal("option_unknown", shorten_value(name))
    return name, count
