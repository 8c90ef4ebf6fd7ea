"""CloudPublish: its catalogs, titles and product mixes, and orders of titles by their ISBN.

Source: CloudPublish API 1.0. The document puts info, add, cancel and log of orders at the paths of CloudCore, whose own
calls differ; there the sandbox accepts both and distinguishes them by `order_reference` and `isbn`.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from cpctl.reference_data.order_states import ORDER_STATES
from cpctl.sandbox.fixtures.product_catalog import PRODUCT_OPTIONS, PRODUCTS, TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model.order_models import OrderDetails, OrderedItem, OrderFile, SandboxItem, SandboxOrder
from cpctl.sandbox.model.publish_store import PRODUCT_MIXES, Catalog, ProductMix, Title
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api import order_validation as validation
from cpctl.sandbox.simulated_api.api_messages import RequestBody, SandboxResponse, shorten
from cpctl.sandbox.simulated_api.core_orders import find_tracking
from cpctl.sandbox.virtual_clock import format_iso_time

# In characters (the tables "Add a catalog" and "Add a title").
_MAX_LENGTHS = {"catalog_reference": 128, "isbn": 128, "name": 64, "note": 256}


def _counter_response(status: int, resource: str, change: str, count: int) -> SandboxResponse:
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
    return _counter_response(HTTPStatus.CONFLICT, resource, "added" if state.is_live else "radded", 0)


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
    return _counter_response(HTTPStatus.OK, "catalogs", "added", 1)


def remove_catalog(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`catalogs/remove`: removes its titles, too."""
    reference = body.required("catalog_reference")
    if reference not in state.publish_store.catalogs:
        return _counter_response(HTTPStatus.GONE, "catalogs", "removed", 0)
    state.publish_store.remove_catalog(reference)
    return _counter_response(HTTPStatus.OK, "catalogs", "removed", 1)


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
    return _counter_response(HTTPStatus.OK, "titles", "added", 1)


def remove_title(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`titles/remove`: 410 if there is no such title."""
    removed = state.publish_store.titles.pop(body.required("isbn"), None) is not None
    return _counter_response(HTTPStatus.OK if removed else HTTPStatus.GONE, "titles", "removed", int(removed))


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


def is_publish_call(state: SandboxState, body: Mapping[str, object]) -> bool:
    """Whether a call at a path of CloudCore is one of CloudPublish."""
    items = body.get("items")
    has_isbn = isinstance(items, list) and any(isinstance(row, Mapping) and "isbn" in row for row in items)
    if "order_reference" in body or has_isbn:
        return True
    # `orders/info` has the order in `reference` in both services.
    reference = body.get("reference")
    if "items" in body or not isinstance(reference, str | int):
        return False
    order = state.orders.find(str(reference).strip())
    return order is not None and order.is_publish_order


def _find_order(state: SandboxState, body: RequestBody, *names: str) -> SandboxOrder | None:
    """The order of a call, by the first of these fields that is not empty."""
    reference = next((value for name in names if (value := body.text(name))), "")
    if not reference:
        raise body.missing(names[0])
    order = state.orders.find(reference)
    return order if order is not None and order.is_publish_order else None


def list_orders(state: SandboxState, body: RequestBody) -> object:
    """`orders`: the orders that CloudPublish added; 204 if there are none."""
    orders = [
        {
            "order_reference": order.reference,
            "order_date": format_iso_time(order.created_at),
            "state_code": ORDER_STATES[order.state].code,
        }
        for order in state.orders.list_publish_orders()
    ]
    return {"orders": orders} if orders else None


def order_info(state: SandboxState, body: RequestBody) -> object:
    """`orders/info`: requested by `reference`, answered with `order_reference`."""
    order = _find_order(state, body, "reference", "order_reference")
    if order is None:
        return None
    return {
        "order_reference": order.reference,
        "state_code": ORDER_STATES[order.state].code,
        "order_date": format_iso_time(order.created_at),
        "email": order.details.email,
        "addresses": order.details.addresses,
        "items": [_item_json(order.find_ordered_item(item), item) for item in order.items.values()],
    }


def _item_json(ordered: OrderedItem, item: SandboxItem) -> dict[str, object]:
    return {
        "item_reference": ordered.reference,
        "catalog_reference": ordered.catalog_reference,
        "isbn": ordered.isbn,
        "quantity": ordered.copies,
        "tracking": find_tracking(item),
    }


def add_order(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`orders/add`: 201 and `order`, as in the example; the table calls it `order_reference`."""
    reference = body.required("order_reference")
    validation.check_order_reference(state, reference)
    email = validation.read_email(body)
    addresses = [validation.read_address(row) for row in body.required_objects("addresses")]
    items = [_read_item(state, row, addresses[0]["country"]) for row in body.required_objects("items")]
    validation.check_item_references(item.reference for item in items)
    for item in items:
        state.publish_store.titles[item.isbn].used_count += 1
    state.add_order(reference, OrderDetails(email, addresses, items), is_publish_order=True)
    return SandboxResponse(HTTPStatus.CREATED, {"order": reference})


def _read_item(state: SandboxState, row: RequestBody, country: str) -> OrderedItem:
    reference, catalog = row.required("item_reference"), row.required("catalog_reference")
    title = _find_title(state, row, catalog, row.required("isbn"))
    count = row.positive_integer("quantity")
    # The example has a shipping level, the table has none.
    level = row.text("shipping_level")
    offer = validation.select_offer_by_level(level, country) if level else list_offers(country)[0]
    mix = PRODUCT_MIXES[title.mix_reference]
    options = ((TOTAL_PAGES, title.page_count), *((name, 1) for name in mix.option_references))
    files = tuple(OrderFile(file.type, file.url, file.md5sum) for file in title.files)
    ordered = (reference, mix.product_reference, title.name, count, "product")
    return OrderedItem(*ordered, offer.option, offer.reference, options, files, catalog, title.isbn)


def _find_title(state: SandboxState, row: RequestBody, catalog: str, isbn: str) -> Title:
    if catalog not in state.publish_store.catalogs:
        raise row.refusal("catalog_unknown", shorten(catalog))
    title = state.publish_store.titles.get(isbn)
    if title is None or title.catalog_reference != catalog:
        raise row.refusal("isbn_unknown", shorten(isbn))
    return title


def cancel_order(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`orders/cancel`: the number of orders it canceled, `cancelled` as the document spells it."""
    order = _find_order(state, body, "order_reference", "reference")
    if order is None:
        return _counter_response(HTTPStatus.GONE, "orders", "cancelled", 0)
    if not order.is_cancelable:
        return _counter_response(HTTPStatus.CONFLICT, "orders", "cancelled", 0)
    state.lifecycle.cancel_order(order, state.now())
    return _counter_response(HTTPStatus.OK, "orders", "cancelled", 1)


def order_log(state: SandboxState, body: RequestBody) -> object:
    """`orders/log`: every state of an order, oldest first, by its code only."""
    order = _find_order(state, body, "order_reference", "reference")
    if order is None:
        return None
    logs = [
        {
            "order_reference": order.reference,
            "create_date": format_iso_time(change.changed_at),
            "state_code": ORDER_STATES[change.state].code,
        }
        for change in order.state_changes
    ]
    return {"logs": logs}
