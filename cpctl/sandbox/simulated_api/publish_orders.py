"""Orders of CloudPublish: titles by their ISBN.

Source: CloudPublish API 1.0, "Order endpoints". The document puts info, add, cancel and log at the paths of CloudCore,
whose own calls differ; there the sandbox accepts both and distinguishes them by `order_reference` and `isbn`.
"""

from collections.abc import Mapping
from http import HTTPStatus

from cpctl.reference_data.order_states import ORDER_STATES
from cpctl.sandbox.fixtures.product_catalog import TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model.order_models import OrderDetails, OrderedItem, OrderFile, SandboxItem, SandboxOrder
from cpctl.sandbox.model.publish_store import PRODUCT_MIXES, Title
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api import order_validation as validation
from cpctl.sandbox.simulated_api.api_messages import RequestBody, SandboxResponse, shorten
from cpctl.sandbox.simulated_api.core_orders import find_tracking
from cpctl.sandbox.simulated_api.publish_catalogs import counter_response
from cpctl.sandbox.virtual_clock import format_iso_time


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
    addresses = validation.read_addresses(body)
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
        return counter_response(HTTPStatus.GONE, "orders", "cancelled", 0)
    if not order.is_cancelable:
        return counter_response(HTTPStatus.CONFLICT, "orders", "cancelled", 0)
    state.lifecycle.cancel_order(order, state.now())
    return counter_response(HTTPStatus.OK, "orders", "cancelled", 1)


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
