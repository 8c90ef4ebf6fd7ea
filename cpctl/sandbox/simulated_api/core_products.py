"""Products and shipping of CloudCore: lists that do not change.

Source: CloudCore API 1.0, "Product calls" and "Shipping calls"; live answers for the fields the document lacks.
"""

from cpctl.reference_data.countries import COUNTRIES
from cpctl.reference_data.country_states import STATES_BY_COUNTRY
from cpctl.sandbox.fixtures.product_catalog import Product, ProductOption, list_product_options, required_file_types
from cpctl.sandbox.fixtures.shipping_offers import SHIPPING_LEVELS
from cpctl.sandbox.model.quotes import INVOICE_CURRENCY
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.api_messages import RequestBody, shorten


def list_products(state: SandboxState, body: RequestBody) -> object:
    """`products`: 204 if the account has none."""
    return [_product_row_json(product, state.is_live) for product in state.products.values()] or None


def _product_row_json(product: Product, is_live: bool) -> dict[str, object]:
    row = {**_product_names(product), "category": product.method.category}
    if is_live:
        return {**row, "availability": product.availability}
    return {**row, "from_price": f"{product.base_price:.2f}", "currency": INVOICE_CURRENCY}


def _product_names(product: Product) -> dict[str, object]:
    return {"name": product.name, "note": product.note, "reference": product.reference}


def product_info(state: SandboxState, body: RequestBody) -> object:
    """`products/info`: 204 if there is no such product."""
    product = state.products.get(body.required("reference"))
    if product is None:
        return None
    return {**_product_names(product), **(_live_product_json if state.is_live else _documented_product_json)(product)}


def _live_product_json(product: Product) -> dict[str, object]:
    return {
        "availability": product.availability,
        "sub_category_type_id": product.method.category_id,
        "files": [_file_template_json(product, file_type) for file_type in required_file_types(product)],
        "options": [_live_option_json(product, option, default) for option, default in list_product_options(product)],
        "specs": [{"reference": ref, "note": note, "value": value} for ref, note, value in _list_specs(product)],
    }


def _file_template_json(product: Product, file_type: str) -> dict[str, object]:
    url = f"https://resources.example.com/templates/{product.reference}/{file_type}.zip"
    return {"type": file_type, "format": "pdf", "template": url}


def _live_option_json(product: Product, option: ProductOption, default: bool) -> dict[str, object]:
    file_type = option.file_type or ("product" if "product" in product.method.file_types else "book")
    return {
        "type": option.family,
        "type_name": option.family_name,
        "reference": option.reference,
        "note": option.note,
        "default": int(default),
        "availability": product.availability,
        "files": [{"type": file_type, "format": "pdf"}],
    }


def _documented_product_json(product: Product) -> dict[str, object]:
    # The document calls prices deprecated and removed after 2025-03-01; its example shows only dashes in them.
    dashes = dict.fromkeys(("note", "reference", "currency", "price_unit", "price_unit_type", "type"), "-")
    return {
        "prices": [{"price": "-", "min": "100", "max": "9000", **dashes}],
        "options": [
            {"reference": option.reference, "note": option.note, "type": option.family, "default": int(default)}
            for option, default in list_product_options(product)
        ],
        "specs": [{"note": note, "value": value} for _, note, value in _list_specs(product)],
    }


def _list_specs(product: Product) -> list[tuple[str, str, str]]:
    """Reference, note and value of each spec; only the notes and values are documented."""
    subject, ending = ("book", " after trimming") if product.has_pages else ("item", "")
    overlaps = [("cover_overlap", "Cover overlap in mm", "3"), ("cover_squeeze", "Cover squeeze in mm", "5")]
    is_wrapped, is_square = "CW" in product.method.technology, product.orientation == "Square"
    return [
        ("binding", "Binding method / technology", product.method.technology),
        ("bleed", "Bleed in mm", "3"),
        *([*overlaps, ("cover_wrap", "Cover wrap in mm", "18")] if is_wrapped else ()),
        ("orientation_dependent", "Is the product orientation dependent", "No" if is_square else "Yes"),
        ("minimum_quantity", "Minimum order quantity", "1"),
        ("printable_sides", "Number of printable sides", str(product.method.sides)),
        ("orientation", "Orientation of the product", product.orientation),
        ("set_quantity", "Per set order quantity", "1"),
        ("size_category", "Size category", f"{product.width_mm}x{product.height_mm}"),
        ("height", f"The exact height of the {subject} in mm.{ending}", str(product.height_mm)),
        ("width", f"The exact width of the {subject} in mm.{ending}", str(product.width_mm)),
        ("safety_margin", "The page safety margin in mm", "10"),
        ("colors_back", "Colors on the back of the page", product.method.colors if product.method.sides > 1 else "-"),
        ("colors_front", "Colors on the front of the page", product.method.colors),
        ("technology", "Print technology", "Digital Toner"),
    ]


def list_shipping_levels(state: SandboxState, body: RequestBody) -> object:
    """`shipping/levels`: the fastest first; the live service has one more than the document."""
    return [
        {
            "shipping_level_reference": level.reference,
            "shipping_level": level.reference,
            "name": level.display_name(state.is_live),
            "note": f"{level.description} - Cloudprinter shared",
        }
        for level in sorted(SHIPPING_LEVELS.values(), key=lambda level: -level.rank)
        if state.is_live or level.is_documented
    ]


def list_shipping_countries(state: SandboxState, body: RequestBody) -> object:
    """`shipping/countries`: require_state is a number in the example, unlike in the table."""
    return [
        {"country_reference": code, "note": name, "require_state": int(code in STATES_BY_COUNTRY)}
        for code, name in COUNTRIES.items()
    ]


def list_shipping_states(state: SandboxState, body: RequestBody) -> object:
    """`shipping/states`: empty for a country without states; the response to an unknown country is a guess."""
    country = body.required("country_reference")
    if country not in COUNTRIES:
        raise body.refusal("country_unknown", shorten(country))
    states = STATES_BY_COUNTRY.get(country, {})
    return [{"state_reference": code, "name": name, "note": name} for code, name in states.items()]
