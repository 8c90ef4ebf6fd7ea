"""Products and shipping of CloudCore: lists that do not change.

Source: CloudCore API 1.0, "Product calls" and "Shipping calls"; live answers for the fields the document lacks.
"""

from cpctl.sandbox.fixtures.destinations import COUNTRIES
from cpctl.sandbox.fixtures.product_catalog import Product, files_of, options_of
from cpctl.sandbox.fixtures.product_options import FAMILIES, Option
from cpctl.sandbox.fixtures.shipping_offers import LEVELS
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.request_fields import Body, required, shown
from cpctl.sandbox.simulated_api.sandbox_response import NOTHING, Answer, Refused, ok


def list_products(state: State, body: Body) -> Answer:
    """`products`: 204 where the account has none."""
    found = [_product(state, product) for product in state.products.values()]
    return ok(found) if found else NOTHING


def _product(state: State, product: Product) -> dict[str, object]:
    shown = {
        "name": product.name,
        "note": product.note,
        "reference": product.reference,
        "category": product.make.category,
    }
    if state.live:
        return {**shown, "availability": product.availability}
    return {**shown, "from_price": f"{product.base:.2f}", "currency": "EUR"}


def product_info(state: State, body: Body) -> Answer:
    """`products/info`: 204 where there is no such product."""
    product = state.products.get(required(body, "reference"))
    if product is None:
        return NOTHING
    return ok(_live_info(product) if state.live else _documented_info(product))


def _live_info(product: Product) -> dict[str, object]:
    return {
        "name": product.name,
        "note": product.note,
        "reference": product.reference,
        "availability": product.availability,
        "sub_category_type_id": product.make.category_id,
        "files": [_template(product, kind) for kind in files_of(product)],
        "options": [_live_option(product, option, default) for option, default in options_of(product)],
        "specs": [{"reference": ref, "note": note, "value": value} for ref, note, value in _specs(product)],
    }


def _template(product: Product, kind: str) -> dict[str, object]:
    address = f"https://resources.example.com/templates/{product.reference}/{kind}.zip"
    return {"type": kind, "format": "pdf", "template": address}


def _live_option(product: Product, option: Option, default: bool) -> dict[str, object]:
    kinds = [option.file] if option.file else ["product"] if "product" in product.make.files else ["book"]
    return {
        "type": option.family,
        "type_name": FAMILIES[option.family],
        "reference": option.reference,
        "note": option.note,
        "default": int(default),
        "availability": product.availability,
        "files": [{"type": kind, "format": "pdf"} for kind in kinds],
    }


def _documented_info(product: Product) -> dict[str, object]:
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
            for option, default in options_of(product)
        ],
        "specs": [{"note": note, "value": value} for _, note, value in _specs(product)],
    }


def _specs(product: Product) -> list[tuple[str, str, str]]:
    """Reference, note and value of every spec; only the notes and values are documented."""
    thing = "book" if product.has_pages else "item"
    ending = " after trimming" if product.has_pages else ""
    covered = (("cover_overlap", "Cover overlap in mm", "3"), ("cover_squeeze", "Cover squeeze in mm", "5"))
    wrapped = (*covered, ("cover_wrap", "Cover wrap in mm", "18")) if "CW" in product.make.technology else ()
    turned = "No" if product.orientation == "Square" else "Yes"
    return [
        ("binding", "Binding method / technology", product.make.technology),
        ("bleed", "Bleed in mm", "3"),
        *wrapped,
        ("orientation_dependent", "Is the product orientation dependent", turned),
        ("minimum_quantity", "Minimum order quantity", "1"),
        ("printable_sides", "Number of printable sides", str(product.make.sides)),
        ("orientation", "Orientation of the product", product.orientation),
        ("set_quantity", "Per set order quantity", "1"),
        ("size_category", "Size category", f"{product.width}x{product.height}"),
        ("height", f"The exact height of the {thing} in mm.{ending}", str(product.height)),
        ("width", f"The exact width of the {thing} in mm.{ending}", str(product.width)),
        ("safety_margin", "The page safety margin in mm", "10"),
        ("colors_back", "Colors on the back of the page", product.make.colors if product.make.sides > 1 else "-"),
        ("colors_front", "Colors on the front of the page", product.make.colors),
        ("technology", "Print technology", "Digital Toner"),
    ]


def list_levels(state: State, body: Body) -> Answer:
    """`shipping/levels`: the fastest first; the live service has one more than the document knows."""
    rows = sorted(LEVELS.values(), key=lambda level: -level.rank)
    return ok(
        [
            {
                "shipping_level_reference": level.reference,
                "shipping_level": level.reference,
                "name": level.live_name if state.live else level.name,
                "note": level.note,
            }
            for level in rows
            if state.live or level.documented
        ]
    )


def list_countries(state: State, body: Body) -> Answer:
    """`shipping/countries`: require_state is a number in the example, whatever the table says."""
    return ok(
        [
            {"country_reference": row.reference, "note": row.note, "require_state": int(row.requires_state)}
            for row in COUNTRIES.values()
        ]
    )


def list_states(state: State, body: Body) -> Answer:
    """`shipping/states`: an empty list for a country without any; what an unknown country gets is not documented."""
    country = required(body, "country_reference")
    if country not in COUNTRIES:
        raise Refused("country_unknown", shown(country))
    return ok(
        [
            {"state_reference": reference, "name": name, "note": name}
            for reference, name in COUNTRIES[country].states.items()
        ]
    )
