"""Orders of CloudPublish: titles by their ISBN.

Source: CloudPublish API 1.0, "Order endpoints". The document puts info, add, cancel and log at the addresses of
CloudCore, whose own calls are different ones; at those both are taken here, told apart by `order_reference` and `isbn`.
"""

from collections.abc import Mapping
from http import HTTPStatus

from cpctl.reference_data.order_states import ORDER_STATES
from cpctl.sandbox.fixtures.product_options import TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model.order_schedule import is_cancelable
from cpctl.sandbox.model.order_store import OrderDetails, OrderedItem, OrderFile, SandboxItem, SandboxOrder
from cpctl.sandbox.model.publish_store import PRODUCT_MIXES, Title
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.core_orders import find_tracking
from cpctl.sandbox.simulated_api.item_validation import check_item_references
from cpctl.sandbox.simulated_api.order_validation import (
    check_order_reference,
    read_addresses,
    read_email,
    select_offer_by_level,
)
from cpctl.sandbox.simulated_api.publish_catalogs import counter_response
from cpctl.sandbox.simulated_api.request_fields import (
    Body,
    missing_parameter,
    read_positive_int,
    read_required,
    read_required_objects,
    read_text,
    shorten_value,
)
from cpctl.sandbox.simulated_api.sandbox_response import NO_CONTENT, SandboxRefusal, SandboxResponse, ok_response
from cpctl.sandbox.virtual_clock import format_iso_time


def is_publish_call(state: SandboxState, body: Body) -> bool:
    """Whether a call at an address of CloudCore is one of CloudPublish."""
    if "order_reference" in body or _has_isbn(body.get("items")):
        return True
    # `orders/info` names the order by `reference` in both.
    reference = body.get("reference")
    if "items" in body or not isinstance(reference, str | int):
        return False
    order = state.orders.find(str(reference).strip())
    return order is not None and order.is_publish_order


def _has_isbn(items: object) -> bool:
    return isinstance(items, list) and any(isinstance(row, Mapping) and "isbn" in row for row in items)


def _find_order(state: SandboxState, body: Body, *names: str) -> SandboxOrder | None:
    """The order a call is about, by the first of these fields that is there."""
    reference = next((value for name in names if (value := read_text(body, name))), "")
    if not reference:
        raise missing_parameter(names[0])
    order = state.orders.find(reference)
    return order if order is not None and order.is_publish_order else None


def list_orders(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders`: those that were added by CloudPublish; 204 where there is none."""
    found = [
        {
            "order_reference": order.reference,
            "order_date": format_iso_time(order.created_at),
            "state_code": ORDER_STATES[order.state].code,
        }
        for order in state.orders.list_publish_orders()
    ]
    return ok_response({"orders": found}) if found else NO_CONTENT


def order_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/info`: asked for by `reference`, answered with `order_reference`."""
    order = _find_order(state, body, "reference", "order_reference")
    if order is None:
        return NO_CONTENT
    return ok_response(
        {
            "order_reference": order.reference,
            "state_code": ORDER_STATES[order.state].code,
            "order_date": format_iso_time(order.created_at),
            "email": order.details.email,
            "addresses": order.details.addresses,
            "items": [_item_json(order.find_ordered_item(item), item) for item in order.items.values()],
        }
    )


def _item_json(detail: OrderedItem, item: SandboxItem) -> dict[str, object]:
    return {
        "item_reference": detail.reference,
        "catalog_reference": detail.catalog_reference,
        "isbn": detail.isbn,
        "quantity": detail.copies,
        "tracking": find_tracking(item),
    }


def add_order(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/add`: 201 and `order`, as the example has it; the table calls it `order_reference`."""
    reference = read_required(body, "order_reference")
    check_order_reference(state, reference)
    mail = read_email(body)
    addresses = read_addresses(body)
    items = [_read_item(state, row, addresses[0]["country"]) for row in read_required_objects(body, "items")]
    check_item_references(item.reference for item in items)
    for item in items:
        state.publish_store.titles[item.isbn].used_count += 1
    state.add_order(reference, OrderDetails(mail, addresses, items), is_publish_order=True)
    return SandboxResponse(HTTPStatus.CREATED, {"order": reference})


def _read_item(state: SandboxState, row: Body, country: str) -> OrderedItem:
    reference, catalog = read_required(row, "item_reference"), read_required(row, "catalog_reference")
    title = _find_title(state, catalog, read_required(row, "isbn"))
    count = read_positive_int(row, "quantity")
    # The example has a level, the table has none.
    level = read_text(row, "shipping_level")
    offer = select_offer_by_level(level, country) if level else list_offers(country)[0]
    mix = PRODUCT_MIXES[title.mix_reference]
    options = ((TOTAL_PAGES, title.page_count), *((name, 1) for name in mix.option_references))
    files = tuple(OrderFile(file.type, file.url, file.md5sum) for file in title.files)
    return OrderedItem(
        reference,
        mix.product_reference,
        title.name,
        count,
        "product",
        offer.option,
        offer.reference,
        options,
        files,
        catalog,
        title.isbn,
    )


def _find_title(state: SandboxState, catalog: str, isbn: str) -> Title:
    if catalog not in state.publish_store.catalogs:
        raise SandboxRefusal("catalog_unknown", shorten_value(catalog))
    title = state.publish_store.titles.get(isbn)
    if title is None or title.catalog_reference != catalog:
        raise SandboxRefusal("isbn_unknown", shorten_value(isbn))
    return title


def cancel_order(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/cancel`: how many orders it canceled, with the two l of the document."""
    order = _find_order(state, body, "order_reference", "reference")
    if order is None:
        return counter_response(HTTPStatus.GONE, "orders", "cancelled", 0)
    if not is_cancelable(order.state):
        return counter_response(HTTPStatus.CONFLICT, "orders", "cancelled", 0)
    state.lifecycle.cancel_order(order, state.now())
    return counter_response(HTTPStatus.OK, "orders", "cancelled", 1)


def order_log(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/log`: every state of an order, oldest first, by its text only."""
    order = _find_order(state, body, "order_reference", "reference")
    if order is None:
        return NO_CONTENT
    return ok_response(
        {
            "logs": [
                {
                    "order_reference": order.reference,
                    "create_date": format_iso_time(entry.changed_at),
                    "state_code": ORDER_STATES[entry.state].code,
                }
                for entry in order.state_changes
            ]
        }
    )
