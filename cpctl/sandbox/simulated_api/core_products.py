"""Products and shipping of CloudCore: lists that do not change.

Source: CloudCore API 1.0, "Product calls" and "Shipping calls"; live answers for the fields the document lacks.
"""

from cpctl.sandbox.fixtures.destinations import DESTINATIONS
from cpctl.sandbox.fixtures.product_catalog import Product, list_product_options, required_file_types
from cpctl.sandbox.fixtures.product_options import OPTION_FAMILIES, ProductOption
from cpctl.sandbox.fixtures.shipping_offers import SHIPPING_LEVELS
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.request_fields import Body, read_required, shorten_value
from cpctl.sandbox.simulated_api.sandbox_response import NO_CONTENT, SandboxRefusal, SandboxResponse, ok_response


def list_products(state: SandboxState, body: Body) -> SandboxResponse:
    """`products`: 204 where the account has none."""
    found = [_product_json(state, product) for product in state.products.values()]
    return ok_response(found) if found else NO_CONTENT


def _product_json(state: SandboxState, product: Product) -> dict[str, object]:
    shown = {
        "name": product.name,
        "note": product.note,
        "reference": product.reference,
        "category": product.method.category,
    }
    if state.is_live:
        return {**shown, "availability": product.availability}
    return {**shown, "from_price": f"{product.base_price:.2f}", "currency": "EUR"}


def product_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`products/info`: 204 where there is no such product."""
    product = state.products.get(read_required(body, "reference"))
    if product is None:
        return NO_CONTENT
    return ok_response(_live_product_json(product) if state.is_live else _documented_product_json(product))


def _live_product_json(product: Product) -> dict[str, object]:
    return {
        "name": product.name,
        "note": product.note,
        "reference": product.reference,
        "availability": product.availability,
        "sub_category_type_id": product.method.category_id,
        "files": [_file_template_json(product, kind) for kind in required_file_types(product)],
        "options": [_live_option_json(product, option, default) for option, default in list_product_options(product)],
        "specs": [{"reference": ref, "note": note, "value": value} for ref, note, value in _list_specs(product)],
    }


def _file_template_json(product: Product, kind: str) -> dict[str, object]:
    address = f"https://resources.example.com/templates/{product.reference}/{kind}.zip"
    return {"type": kind, "format": "pdf", "template": address}


def _live_option_json(product: Product, option: ProductOption, default: bool) -> dict[str, object]:
    kinds = (
        [option.file_type] if option.file_type else ["product"] if "product" in product.method.file_types else ["book"]
    )
    return {
        "type": option.family,
        "type_name": OPTION_FAMILIES[option.family],
        "reference": option.reference,
        "note": option.note,
        "default": int(default),
        "availability": product.availability,
        "files": [{"type": kind, "format": "pdf"} for kind in kinds],
    }


def _documented_product_json(product: Product) -> dict[str, object]:
    # Deprecated, and removed after 2025-03-01, says the document, whose example shows nothing but dashes in it.
    names = ("note", "reference", "currency", "price_unit", "price_unit_type", "type")
    prices = {"price": "-", "min": "100", "max": "9000", **dict.fromkeys(names, "-")}
    return {
        "name": product.name,
        "note": product.note,
        "reference": product.reference,
        "prices": [prices],
        "options": [
            {"reference": option.reference, "note": option.note, "type": option.family, "default": int(default)}
            for option, default in list_product_options(product)
        ],
        "specs": [{"note": note, "value": value} for _, note, value in _list_specs(product)],
    }


def _list_specs(product: Product) -> list[tuple[str, str, str]]:
    """Reference, note and value of every spec; only the notes and values are documented."""
    thing = "book" if product.has_pages else "item"
    ending = " after trimming" if product.has_pages else ""
    covered = (("cover_overlap", "Cover overlap in mm", "3"), ("cover_squeeze", "Cover squeeze in mm", "5"))
    wrapped = (*covered, ("cover_wrap", "Cover wrap in mm", "18")) if "CW" in product.method.technology else ()
    turned = "No" if product.orientation == "Square" else "Yes"
    return [
        ("binding", "Binding method / technology", product.method.technology),
        ("bleed", "Bleed in mm", "3"),
        *wrapped,
        ("orientation_dependent", "Is the product orientation dependent", turned),
        ("minimum_quantity", "Minimum order quantity", "1"),
        ("printable_sides", "Number of printable sides", str(product.method.sides)),
        ("orientation", "Orientation of the product", product.orientation),
        ("set_quantity", "Per set order quantity", "1"),
        ("size_category", "Size category", f"{product.width_mm}x{product.height_mm}"),
        ("height", f"The exact height of the {thing} in mm.{ending}", str(product.height_mm)),
        ("width", f"The exact width of the {thing} in mm.{ending}", str(product.width_mm)),
        ("safety_margin", "The page safety margin in mm", "10"),
        ("colors_back", "Colors on the back of the page", product.method.colors if product.method.sides > 1 else "-"),
        ("colors_front", "Colors on the front of the page", product.method.colors),
        ("technology", "Print technology", "Digital Toner"),
    ]


def list_shipping_levels(state: SandboxState, body: Body) -> SandboxResponse:
    """`shipping/levels`: the fastest first; the live service has one more than the document knows."""
    rows = sorted(SHIPPING_LEVELS.values(), key=lambda level: -level.rank)
    return ok_response(
        [
            {
                "shipping_level_reference": level.reference,
                "shipping_level": level.reference,
                "name": level.live_name if state.is_live else level.name,
                "note": level.note,
            }
            for level in rows
            if state.is_live or level.is_documented
        ]
    )


def list_shipping_countries(state: SandboxState, body: Body) -> SandboxResponse:
    """`shipping/countries`: require_state is a number in the example, whatever the table says."""
    return ok_response(
        [
            {"country_reference": row.reference, "note": row.note, "require_state": int(row.requires_state)}
            for row in DESTINATIONS.values()
        ]
    )


def list_shipping_states(state: SandboxState, body: Body) -> SandboxResponse:
    """`shipping/states`: an empty list for a country without any; what an unknown country gets is not documented."""
    country = read_required(body, "country_reference")
    if country not in DESTINATIONS:
        raise SandboxRefusal("country_unknown", shorten_value(country))
    return ok_response(
        [
            {"state_reference": reference, "name": name, "note": name}
            for reference, name in DESTINATIONS[country].states.items()
        ]
    )
