"""Catalogs, titles and product mixes of CloudPublish, and its counters.

Source: CloudPublish API 1.0, "Catalog endpoints", "Title endpoints", "Product Mix endpoints", "Handling errors".
"""

from datetime import datetime
from http import HTTPStatus

from cpctl.sandbox.fixtures.product_catalog import PRODUCT_OPTIONS, PRODUCTS
from cpctl.sandbox.model.publish_store import PRODUCT_MIXES, Catalog, ProductMix, Title
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.api_messages import RequestBody, SandboxResponse, shorten
from cpctl.sandbox.virtual_clock import format_iso_time

# In characters (the tables "Add a catalog" and "Add a title").
_MAX_LENGTHS = {"catalog_reference": 128, "isbn": 128, "name": 64, "note": 256}


def counter_response(status: int, resource: str, change: str, count: int) -> SandboxResponse:
    """The response to a change: the number of resources it changed."""
    return SandboxResponse(status, {"status": {resource: {change: count}}})


def _read_new_values(body: RequestBody, *names: str) -> list[str]:
    """The required values of a new resource, within their lengths."""
    values = []
    for name in names:
        values.append(body.required(name))
        if len(values[-1]) > _MAX_LENGTHS[name]:
            raise body.invalid(name, f"is longer than {_MAX_LENGTHS[name]} characters")
    return values


def _conflict_response(state: SandboxState, resource: str) -> SandboxResponse:
    """A resource with that reference exists; the document writes `radded`, which must be a typo."""
    return counter_response(HTTPStatus.CONFLICT, resource, "added" if state.is_live else "radded", 0)


def list_catalogs(state: SandboxState, body: RequestBody) -> object:
    """`catalogs`: an empty list if there are none; no 204 is documented."""
    return {"catalogs": [_catalog_json(catalog) for catalog in state.publish_store.catalogs.values()]}


def _dates_json(time: datetime) -> dict[str, object]:
    return dict.fromkeys(("create_date", "modify_date"), format_iso_time(time))


def _catalog_json(catalog: Catalog) -> dict[str, object]:
    names = {"catalog_reference": catalog.reference, "name": catalog.name, "note": catalog.note}
    return {**names, **_dates_json(catalog.created_at)}


def catalog_info(state: SandboxState, body: RequestBody) -> object:
    """`catalogs/info`: one catalog and the number of its titles."""
    catalog = state.publish_store.catalogs.get(body.required("catalog_reference"))
    if catalog is None:
        return None
    return {**_catalog_json(catalog), "titles": len(state.publish_store.list_titles(catalog.reference))}


def add_catalog(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`catalogs/add`: every field is required."""
    reference, name, note = _read_new_values(body, "catalog_reference", "name", "note")
    if reference in state.publish_store.catalogs:
        return _conflict_response(state, "catalogs")
    state.publish_store.catalogs[reference] = Catalog(reference, name, note, state.now())
    return counter_response(HTTPStatus.OK, "catalogs", "added", 1)


def remove_catalog(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`catalogs/remove`: removes its titles, too."""
    reference = body.required("catalog_reference")
    if reference not in state.publish_store.catalogs:
        return counter_response(HTTPStatus.GONE, "catalogs", "removed", 0)
    state.publish_store.remove_catalog(reference)
    return counter_response(HTTPStatus.OK, "catalogs", "removed", 1)


def list_titles(state: SandboxState, body: RequestBody) -> object:
    """`titles`: those of one catalog if one is given, as in the example but not in the table."""
    catalog = body.text("catalog_reference")
    titles = state.publish_store.list_titles(catalog) if catalog else state.publish_store.titles.values()
    return {"titles": [_title_json(state, title) for title in titles]}


def _title_json(state: SandboxState, title: Title) -> dict[str, object]:
    catalog = state.publish_store.catalogs.get(title.catalog_reference)
    return {
        "isbn": title.isbn,
        "title": title.name,
        "version": title.version,
        **_dates_json(title.created_at),
        "catalog_reference": title.catalog_reference,
        "catalog_name": catalog.name if catalog else "",
    }


def title_info(state: SandboxState, body: RequestBody) -> object:
    """`titles/info`: one title with its files."""
    title = state.publish_store.titles.get(body.required("isbn"))
    if title is None:
        return None
    return {
        **_title_json(state, title),
        "pages": title.page_count,
        "used_count": title.used_count,
        "product_mix_reference": title.mix_reference,
        "files": [{**file._asdict(), "format": "pdf"} for file in title.files],
    }


def add_title(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`titles/add`: how a title gets its catalog, mix and files is not documented.

    Here it may name a catalog and a mix; the default is the first of each.
    """
    isbn, name, note = _read_new_values(body, "isbn", "name", "note")
    catalog, mix = body.text("catalog_reference"), body.text("product_mix_reference")
    if catalog and catalog not in state.publish_store.catalogs:
        raise body.refusal("catalog_unknown", shorten(catalog))
    if mix and mix not in PRODUCT_MIXES:
        raise body.refusal("product_mix_unknown", shorten(mix))
    if isbn in state.publish_store.titles:
        return _conflict_response(state, "titles")
    catalog = catalog or next(iter(state.publish_store.catalogs), "")
    state.publish_store.titles[isbn] = Title(isbn, name, note, state.now(), catalog, mix or next(iter(PRODUCT_MIXES)))
    return counter_response(HTTPStatus.OK, "titles", "added", 1)


def remove_title(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`titles/remove`: 410 if there is no such title."""
    removed = state.publish_store.titles.pop(body.required("isbn"), None) is not None
    return counter_response(HTTPStatus.OK if removed else HTTPStatus.GONE, "titles", "removed", int(removed))


def list_product_mixes(state: SandboxState, body: RequestBody) -> object:
    """`products/mixes`: every mix of the account."""
    return {"mixes": list(map(_mix_json, PRODUCT_MIXES.values()))}


def _mix_json(mix: ProductMix) -> dict[str, object]:
    return {"product_mix_reference": mix.reference, "name": mix.name, "note": mix.note}


def product_mix_info(state: SandboxState, body: RequestBody) -> object:
    """`products/mixes/info`: a mix with the names of its product and options."""
    mix = PRODUCT_MIXES.get(body.required("product_mix_reference"))
    if mix is None:
        return None
    product, options = PRODUCTS[mix.product_reference], [PRODUCT_OPTIONS[name] for name in mix.option_references]
    return {
        **_mix_json(mix),
        "product": {"name": product.name, "note": product.note},
        "options": [{"name": row.reference.replace("_", " ").capitalize(), "note": row.note} for row in options],
    }
