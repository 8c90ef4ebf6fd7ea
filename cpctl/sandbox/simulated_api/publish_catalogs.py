"""Catalogs, titles and product mixes of CloudPublish, and its counters.

Source: CloudPublish API 1.0, "Catalog endpoints", "Title endpoints", "Product Mix endpoints", "Handling errors".
"""

from http import HTTPStatus

from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.fixtures.product_options import OPTIONS
from cpctl.sandbox.model.publish_store import MIXES, Catalog, Title
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.request_fields import Body, required, shown, text
from cpctl.sandbox.simulated_api.sandbox_response import NOTHING, Answer, Refused, ok
from cpctl.sandbox.virtual_clock import iso

# Characters (the tables "Add a catalog" and "Add a title").
_LONGEST = {"catalog_reference": 128, "isbn": 128, "name": 64, "note": 256}


def counter(status: int, things: str, name: str, value: int) -> Answer:
    """What a change says: how many things it changed."""
    return Answer(status, {"status": {things: {name: value}}})


def _new(body: Body, name: str) -> str:
    """A value of something that is added, within its length."""
    value = required(body, name)
    if len(value) > _LONGEST[name]:
        raise Refused("invalid_parameter", f"{name} is longer than {_LONGEST[name]} characters")
    return value


def _conflict(state: State, things: str) -> Answer:
    """Something of that name is there already; the document writes `radded`, which can only be a slip."""
    return counter(HTTPStatus.CONFLICT, things, "added" if state.live else "radded", 0)


def list_catalogs(state: State, body: Body) -> Answer:
    """`catalogs`: no 204 is documented, so an empty list it is."""
    return ok({"catalogs": [_catalog(catalog) for catalog in state.publish.catalogs.values()]})


def _catalog(catalog: Catalog) -> dict[str, object]:
    return {
        "catalog_reference": catalog.reference,
        "name": catalog.name,
        "note": catalog.note,
        "create_date": iso(catalog.created),
        "modify_date": iso(catalog.created),
    }


def catalog_info(state: State, body: Body) -> Answer:
    """`catalogs/info`: one catalog and how many titles it has."""
    found = state.publish.catalogs.get(required(body, "catalog_reference"))
    if found is None:
        return NOTHING
    return ok({**_catalog(found), "titles": len(state.publish.titles_of(found.reference))})


def add_catalog(state: State, body: Body) -> Answer:
    """`catalogs/add`: everything is required."""
    reference, name, note = (_new(body, field) for field in ("catalog_reference", "name", "note"))
    if reference in state.publish.catalogs:
        return _conflict(state, "catalogs")
    state.publish.catalogs[reference] = Catalog(reference, name, note, state.now())
    return counter(HTTPStatus.OK, "catalogs", "added", 1)


def remove_catalog(state: State, body: Body) -> Answer:
    """`catalogs/remove`: its titles go with it."""
    reference = required(body, "catalog_reference")
    if reference not in state.publish.catalogs:
        return counter(HTTPStatus.GONE, "catalogs", "removed", 0)
    state.publish.remove_catalog(reference)
    return counter(HTTPStatus.OK, "catalogs", "removed", 1)


def list_titles(state: State, body: Body) -> Answer:
    """`titles`: those of one catalog where one is named, as the example does and the table does not."""
    catalog = text(body, "catalog_reference")
    titles = state.publish.titles_of(catalog) if catalog else state.publish.titles.values()
    return ok({"titles": [_title(state, title) for title in titles]})


def _title(state: State, title: Title) -> dict[str, object]:
    catalog = state.publish.catalogs.get(title.catalog)
    return {
        "isbn": title.isbn,
        "title": title.name,
        "version": title.version,
        "create_date": iso(title.created),
        "modify_date": iso(title.created),
        "catalog_reference": title.catalog,
        "catalog_name": catalog.name if catalog else "",
    }


def title_info(state: State, body: Body) -> Answer:
    """`titles/info`: one title with its files."""
    title = state.publish.titles.get(required(body, "isbn"))
    if title is None:
        return NOTHING
    return ok(
        {
            **_title(state, title),
            "pages": title.pages,
            "used_count": title.used,
            "product_mix_reference": title.mix,
            "files": [{**file._asdict(), "format": "pdf"} for file in title.files],
        }
    )


def add_title(state: State, body: Body) -> Answer:
    """`titles/add`: how a title gets its catalog, mix and files is not documented.

    Here it may name a catalog and a mix; else it has the first of each.
    """
    isbn, name, note = (_new(body, field) for field in ("isbn", "name", "note"))
    catalog, mix = text(body, "catalog_reference"), text(body, "product_mix_reference")
    if catalog and catalog not in state.publish.catalogs:
        raise Refused("catalog_unknown", shown(catalog))
    if mix and mix not in MIXES:
        raise Refused("product_mix_unknown", shown(mix))
    if isbn in state.publish.titles:
        return _conflict(state, "titles")
    catalog = catalog or next(iter(state.publish.catalogs), "")
    state.publish.titles[isbn] = Title(isbn, name, note, state.now(), catalog, mix or next(iter(MIXES)))
    return counter(HTTPStatus.OK, "titles", "added", 1)


def remove_title(state: State, body: Body) -> Answer:
    """`titles/remove`: 410 where there is no such title."""
    removed = state.publish.titles.pop(required(body, "isbn"), None) is not None
    return counter(HTTPStatus.OK if removed else HTTPStatus.GONE, "titles", "removed", int(removed))


def list_mixes(state: State, body: Body) -> Answer:
    """`products/mixes`: every mix of the account."""
    return ok(
        {
            "mixes": [
                {"product_mix_reference": mix.reference, "name": mix.name, "note": mix.note} for mix in MIXES.values()
            ]
        }
    )


def mix_info(state: State, body: Body) -> Answer:
    """`products/mixes/info`: a mix as the words of its product and options."""
    mix = MIXES.get(required(body, "product_mix_reference"))
    if mix is None:
        return NOTHING
    product, options = PRODUCTS[mix.product], [OPTIONS[name] for name in mix.options]
    return ok(
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
