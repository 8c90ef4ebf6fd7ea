"""Catalogs, titles and product mixes of CloudPublish, and its counters.

Source: CloudPublish API 1.0, "Catalog endpoints", "Title endpoints", "Product Mix endpoints", "Handling errors".
"""

from http import HTTPStatus

from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.fixtures.product_options import PRODUCT_OPTIONS
from cpctl.sandbox.model.publish_store import PRODUCT_MIXES, Catalog, Title
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.request_fields import Body, read_required, read_text, shorten_value
from cpctl.sandbox.simulated_api.sandbox_response import NO_CONTENT, SandboxRefusal, SandboxResponse, ok_response
from cpctl.sandbox.virtual_clock import format_iso_time

# Characters (the tables "Add a catalog" and "Add a title").
_MAX_LENGTHS = {"catalog_reference": 128, "isbn": 128, "name": 64, "note": 256}


def counter_response(status: int, resource: str, change: str, count: int) -> SandboxResponse:
    """What a change says: how many things it changed."""
    return SandboxResponse(status, {"status": {resource: {change: count}}})


def _read_new_value(body: Body, name: str) -> str:
    """A value of something that is added, within its length."""
    value = read_required(body, name)
    if len(value) > _MAX_LENGTHS[name]:
        raise SandboxRefusal("invalid_parameter", f"{name} is longer than {_MAX_LENGTHS[name]} characters")
    return value


def _conflict_response(state: SandboxState, resource: str) -> SandboxResponse:
    """Something of that name is there already; the document writes `radded`, which can only be a slip."""
    return counter_response(HTTPStatus.CONFLICT, resource, "added" if state.is_live else "radded", 0)


def list_catalogs(state: SandboxState, body: Body) -> SandboxResponse:
    """`catalogs`: no 204 is documented, so an empty list it is."""
    return ok_response({"catalogs": [_catalog_json(catalog) for catalog in state.publish_store.catalogs.values()]})


def _catalog_json(catalog: Catalog) -> dict[str, object]:
    return {
        "catalog_reference": catalog.reference,
        "name": catalog.name,
        "note": catalog.note,
        "create_date": format_iso_time(catalog.created_at),
        "modify_date": format_iso_time(catalog.created_at),
    }


def catalog_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`catalogs/info`: one catalog and how many titles it has."""
    found = state.publish_store.catalogs.get(read_required(body, "catalog_reference"))
    if found is None:
        return NO_CONTENT
    return ok_response({**_catalog_json(found), "titles": len(state.publish_store.list_titles(found.reference))})


def add_catalog(state: SandboxState, body: Body) -> SandboxResponse:
    """`catalogs/add`: everything is required."""
    reference, name, note = (_read_new_value(body, field) for field in ("catalog_reference", "name", "note"))
    if reference in state.publish_store.catalogs:
        return _conflict_response(state, "catalogs")
    state.publish_store.catalogs[reference] = Catalog(reference, name, note, state.now())
    return counter_response(HTTPStatus.OK, "catalogs", "added", 1)


def remove_catalog(state: SandboxState, body: Body) -> SandboxResponse:
    """`catalogs/remove`: its titles go with it."""
    reference = read_required(body, "catalog_reference")
    if reference not in state.publish_store.catalogs:
        return counter_response(HTTPStatus.GONE, "catalogs", "removed", 0)
    state.publish_store.remove_catalog(reference)
    return counter_response(HTTPStatus.OK, "catalogs", "removed", 1)


def list_titles(state: SandboxState, body: Body) -> SandboxResponse:
    """`titles`: those of one catalog where one is named, as the example does and the table does not."""
    catalog = read_text(body, "catalog_reference")
    titles = state.publish_store.list_titles(catalog) if catalog else state.publish_store.titles.values()
    return ok_response({"titles": [_title_json(state, title) for title in titles]})


def _title_json(state: SandboxState, title: Title) -> dict[str, object]:
    catalog = state.publish_store.catalogs.get(title.catalog_reference)
    return {
        "isbn": title.isbn,
        "title": title.name,
        "version": title.version,
        "create_date": format_iso_time(title.created_at),
        "modify_date": format_iso_time(title.created_at),
        "catalog_reference": title.catalog_reference,
        "catalog_name": catalog.name if catalog else "",
    }


def title_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`titles/info`: one title with its files."""
    title = state.publish_store.titles.get(read_required(body, "isbn"))
    if title is None:
        return NO_CONTENT
    return ok_response(
        {
            **_title_json(state, title),
            "pages": title.page_count,
            "used_count": title.used_count,
            "product_mix_reference": title.mix_reference,
            "files": [{**file._asdict(), "format": "pdf"} for file in title.files],
        }
    )


def add_title(state: SandboxState, body: Body) -> SandboxResponse:
    """`titles/add`: how a title gets its catalog, mix and files is not documented.

    Here it may name a catalog and a mix; else it has the first of each.
    """
    isbn, name, note = (_read_new_value(body, field) for field in ("isbn", "name", "note"))
    catalog, mix = read_text(body, "catalog_reference"), read_text(body, "product_mix_reference")
    if catalog and catalog not in state.publish_store.catalogs:
        raise SandboxRefusal("catalog_unknown", shorten_value(catalog))
    if mix and mix not in PRODUCT_MIXES:
        raise SandboxRefusal("product_mix_unknown", shorten_value(mix))
    if isbn in state.publish_store.titles:
        return _conflict_response(state, "titles")
    catalog = catalog or next(iter(state.publish_store.catalogs), "")
    state.publish_store.titles[isbn] = Title(isbn, name, note, state.now(), catalog, mix or next(iter(PRODUCT_MIXES)))
    return counter_response(HTTPStatus.OK, "titles", "added", 1)


def remove_title(state: SandboxState, body: Body) -> SandboxResponse:
    """`titles/remove`: 410 where there is no such title."""
    removed = state.publish_store.titles.pop(read_required(body, "isbn"), None) is not None
    return counter_response(HTTPStatus.OK if removed else HTTPStatus.GONE, "titles", "removed", int(removed))


def list_product_mixes(state: SandboxState, body: Body) -> SandboxResponse:
    """`products/mixes`: every mix of the account."""
    return ok_response(
        {
            "mixes": [
                {"product_mix_reference": mix.reference, "name": mix.name, "note": mix.note}
                for mix in PRODUCT_MIXES.values()
            ]
        }
    )


def product_mix_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`products/mixes/info`: a mix as the words of its product and options."""
    mix = PRODUCT_MIXES.get(read_required(body, "product_mix_reference"))
    if mix is None:
        return NO_CONTENT
    product, options = PRODUCTS[mix.product_reference], [PRODUCT_OPTIONS[name] for name in mix.option_references]
    return ok_response(
        {
            "product_mix_reference": mix.reference,
            "name": mix.name,
            "note": mix.note,
            "product": {"name": product.name, "note": product.note},
            "options": [
                {"name": option.reference.replace("_", " ").capitalize(), "note": option.note} for option in options
            ],
        }
    )
