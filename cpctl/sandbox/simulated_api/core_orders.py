"""Orders of CloudCore: list, info, add, cancel, log, each in the shape of the live service or of its document.

Source: CloudCore API 1.0, "Order calls"; live answers for the types and for what the document leaves out.
"""

from http import HTTPStatus

from cpctl.reference_data.order_states import ORDER_STATES
from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.model.order_schedule import (
    CANCELED,
    ITEM_CANCELED,
    ITEM_NEW,
    ITEM_SHIPPED,
    ITEM_VERIFIED,
    NEW,
    SANDBOX_COMPLETE,
    ItemState,
    is_cancelable,
)
from cpctl.sandbox.model.order_store import OrderedItem, OrderFile, SandboxItem, SandboxOrder
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.order_validation import read_order
from cpctl.sandbox.simulated_api.request_fields import Body, read_required, shorten_value
from cpctl.sandbox.simulated_api.sandbox_response import (
    EMPTY_OK,
    NO_CONTENT,
    SandboxRefusal,
    SandboxResponse,
    ok_response,
)
from cpctl.sandbox.virtual_clock import format_order_time

_ADDRESS_FIELDS = ("type", "firstname", "lastname", "street1", "zip", "city", "state", "country")
_VERIFYING = 5


def format_state_number(state: SandboxState, value: int) -> int | str:
    """A number as the live service writes it; the document makes strings of them."""
    return value if state.is_live else str(value)


def list_orders(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/`: all orders of the account, oldest first; 204 where there is none."""
    found = [
        {
            "reference": order.reference,
            "order_date": format_order_time(order.created_at),
            "state": format_state_number(state, order.state),
            "state_code": ORDER_STATES[order.state].code,
        }
        for order in state.orders.list_summaries()
    ]
    return ok_response(found) if found else NO_CONTENT


def order_info(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/info`: one order with all that is known of it; 410 where there is none."""
    order = state.orders.find(read_required(body, "reference"))
    if order is None:
        raise _order_unknown(read_required(body, "reference"))
    return ok_response(_live_order_json(order) if state.is_live else _documented_order_json(order))


def add_order(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/add`: 201 with the client's own reference; the id of the service is never told here."""
    reference, details = read_order(state, body)
    state.add_order(reference, details)
    return SandboxResponse(HTTPStatus.CREATED, {"order": reference})


def cancel_order(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/cancel`: possible until the files go to the production."""
    order = state.orders.find(read_required(body, "reference"))
    if order is None:
        raise _order_unknown(read_required(body, "reference"))
    check_cancelable(order)
    state.lifecycle.cancel_order(order, state.now())
    if not state.is_live:
        return EMPTY_OK  # the document shows no body
    code = ORDER_STATES[CANCELED].code
    return ok_response({"reference": order.reference, "state": CANCELED, "state_code": code, "status": CANCELED})


def check_cancelable(order: SandboxOrder) -> None:
    """Refuse with 409 where it is too late, or done already."""
    if not is_cancelable(order.state):
        info = f"order {shorten_value(order.reference)} is in state {order.state}"
        raise SandboxRefusal("order_state_not_valid", info, HTTPStatus.CONFLICT)


def order_log(state: SandboxState, body: Body) -> SandboxResponse:
    """`orders/log`: every state of an order, oldest first; 204, not 410, where there is no such order."""
    order = state.orders.find(read_required(body, "reference"))
    return NO_CONTENT if order is None else ok_response(_log_json(state, order))


def _log_json(state: SandboxState, order: SandboxOrder) -> list[dict[str, object]]:
    return [
        {
            "reference": order.reference,
            "create_date": format_order_time(entry.changed_at),
            "state": format_state_number(state, entry.state),
        }
        for entry in order.state_changes
    ]


def _order_unknown(reference: str) -> SandboxRefusal:
    return SandboxRefusal("order_unknown", shorten_value(reference), HTTPStatus.GONE)


def _documented_order_json(order: SandboxOrder) -> dict[str, object]:
    details = order.details
    return {
        "reference": order.reference,
        "state": str(order.state),
        "state_code": ORDER_STATES[order.state].code,
        "order_date": format_order_time(order.created_at),
        "email": details.email,
        "addresses": [{name: row[name] for name in _ADDRESS_FIELDS} for row in details.addresses],
        "items": [_documented_item_json(order.find_ordered_item(item), item) for item in order.items.values()],
    }


def _documented_item_json(detail: OrderedItem, item: SandboxItem) -> dict[str, object]:
    return {
        "reference": detail.reference,
        "name": detail.product_reference,
        "count": str(detail.copies),
        "shipping_option": detail.shipping_option.rstrip(),
        "tracking": find_tracking(item),
        "options": _options_json(detail),
        "files": [{"type": file.type, "url": file.url, "md5sum": file.md5sum} for file in detail.files],
    }


def _live_order_json(order: SandboxOrder) -> dict[str, object]:
    details = order.details
    return {
        "reference": order.reference,
        "state": order.state,
        "state_code": ORDER_STATES[order.state].code,
        "order_date": format_order_time(order.created_at),
        "email": details.email,
        "is_cancelable": is_cancelable(order.state),
        "status_logs": [
            {"reference": order.reference, "state": entry.state, "create_date": format_order_time(entry.changed_at)}
            for entry in order.state_changes
        ],
        "addresses": [{name: row[name] for name in (*_ADDRESS_FIELDS, "email", "phone")} for row in details.addresses],
        "items": [_live_item_json(order, order.find_ordered_item(item), item) for item in order.items.values()],
    }


def _live_item_json(order: SandboxOrder, detail: OrderedItem, item: SandboxItem) -> dict[str, object]:
    state = derive_item_state(order, item)
    shown: dict[str, object] = {
        "reference": detail.reference,
        "name": PRODUCTS[detail.product_reference].name,
        "product_reference": detail.product_reference,
        "title": detail.title,
        "type": detail.item_type,
        "count": detail.copies,
        "state": state.number,
        "state_code": state.code,
        "shipping_option": detail.shipping_option,
        "shipping_option_reference": detail.shipping_option_reference,
        "is_reordable": state is ITEM_SHIPPED,
        "options": _options_json(detail),
        "files": [_live_file_json(file) for file in detail.files],
    }
    code = find_tracking(item)
    # Orders that were not shipped have been seen without it.
    return {**shown, "tracking": code} if code else shown


def _options_json(detail: OrderedItem) -> list[dict[str, object]]:
    return [{"type": name, "count": str(count)} for name, count in detail.options]


def _live_file_json(file: OrderFile) -> dict[str, object]:
    return {"type": file.type, "format": "pdf", "url": file.url, "md5sum": file.md5sum}


def find_tracking(item: SandboxItem) -> str:
    """The tracking code of an item, once it is known."""
    shipped = item.find_signal("ItemShipped")
    return "" if shipped is None else str(shipped["tracking"])


def derive_item_state(order: SandboxOrder, item: SandboxItem) -> ItemState:
    """The state of an item: what was said of it, else how far its order is."""
    if item.find_signal("ItemCanceled") is not None or order.state == CANCELED:
        return ITEM_CANCELED
    if item.find_signal("ItemShipped") is not None or order.state == SANDBOX_COMPLETE:
        return ITEM_SHIPPED
    return ITEM_NEW if order.state in (NEW, _VERIFYING) else ITEM_VERIFIED
