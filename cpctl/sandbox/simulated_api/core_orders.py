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
from cpctl.sandbox.model.order_store import File, Item, ItemDetail, Order
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.order_validation import read_order
from cpctl.sandbox.simulated_api.request_fields import Body, required, shown
from cpctl.sandbox.simulated_api.sandbox_response import DONE, NOTHING, Answer, Refused, ok
from cpctl.sandbox.virtual_clock import plain

_ADDRESS = ("type", "firstname", "lastname", "street1", "zip", "city", "state", "country")
_VERIFY = 5


def number(state: State, value: int) -> int | str:
    """A number as the live service writes it; the document makes strings of them."""
    return value if state.live else str(value)


def list_orders(state: State, body: Body) -> Answer:
    """`orders/`: all orders of the account, oldest first; 204 where there is none."""
    found = [
        {
            "reference": order.reference,
            "order_date": plain(order.born),
            "state": number(state, order.state),
            "state_code": ORDER_STATES[order.state].code,
        }
        for order in state.orders.glances()
    ]
    return ok(found) if found else NOTHING


def order_info(state: State, body: Body) -> Answer:
    """`orders/info`: one order with all that is known of it; 410 where there is none."""
    order = state.orders.named(required(body, "reference"))
    if order is None:
        raise _unknown(required(body, "reference"))
    return ok(_live_order(order) if state.live else _documented_order(order))


def add_order(state: State, body: Body) -> Answer:
    """`orders/add`: 201 with the client's own reference; the id of the service is never told here."""
    reference, details = read_order(state, body)
    state.add_order(reference, details)
    return Answer(HTTPStatus.CREATED, {"order": reference})


def cancel_order(state: State, body: Body) -> Answer:
    """`orders/cancel`: possible until the files go to the production."""
    order = state.orders.named(required(body, "reference"))
    if order is None:
        raise _unknown(required(body, "reference"))
    check_cancelable(order)
    state.life.cancel(order, state.now())
    if not state.live:
        return DONE  # the document shows no body
    code = ORDER_STATES[CANCELED].code
    return ok({"reference": order.reference, "state": CANCELED, "state_code": code, "status": CANCELED})


def check_cancelable(order: Order) -> None:
    """Refuse with 409 where it is too late, or done already."""
    if not is_cancelable(order.state):
        info = f"order {shown(order.reference)} is in state {order.state}"
        raise Refused("order_state_not_valid", info, HTTPStatus.CONFLICT)


def order_log(state: State, body: Body) -> Answer:
    """`orders/log`: every state of an order, oldest first; 204, not 410, where there is no such order."""
    order = state.orders.named(required(body, "reference"))
    return NOTHING if order is None else ok(_log(state, order))


def _log(state: State, order: Order) -> list[dict[str, object]]:
    return [
        {"reference": order.reference, "create_date": plain(entry.time), "state": number(state, entry.state)}
        for entry in order.log
    ]


def _unknown(reference: str) -> Refused:
    return Refused("order_unknown", shown(reference), HTTPStatus.GONE)


def _documented_order(order: Order) -> dict[str, object]:
    details = order.details
    return {
        "reference": order.reference,
        "state": str(order.state),
        "state_code": ORDER_STATES[order.state].code,
        "order_date": plain(order.born),
        "email": details.email,
        "addresses": [{name: row[name] for name in _ADDRESS} for row in details.addresses],
        "items": [_documented_item(order.detail(item), item) for item in order.items.values()],
    }


def _documented_item(detail: ItemDetail, item: Item) -> dict[str, object]:
    return {
        "reference": detail.reference,
        "name": detail.product,
        "count": str(detail.copies),
        "shipping_option": detail.shipping_option.rstrip(),
        "tracking": tracking(item),
        "options": _options(detail),
        "files": [{"type": file.type, "url": file.url, "md5sum": file.md5sum} for file in detail.files],
    }


def _live_order(order: Order) -> dict[str, object]:
    details = order.details
    return {
        "reference": order.reference,
        "state": order.state,
        "state_code": ORDER_STATES[order.state].code,
        "order_date": plain(order.born),
        "email": details.email,
        "is_cancelable": is_cancelable(order.state),
        "status_logs": [
            {"reference": order.reference, "state": entry.state, "create_date": plain(entry.time)}
            for entry in order.log
        ],
        "addresses": [{name: row[name] for name in (*_ADDRESS, "email", "phone")} for row in details.addresses],
        "items": [_live_item(order, order.detail(item), item) for item in order.items.values()],
    }


def _live_item(order: Order, detail: ItemDetail, item: Item) -> dict[str, object]:
    state = item_state(order, item)
    shown: dict[str, object] = {
        "reference": detail.reference,
        "name": PRODUCTS[detail.product].name,
        "product_reference": detail.product,
        "title": detail.title,
        "type": detail.kind,
        "count": detail.copies,
        "state": state.number,
        "state_code": state.code,
        "shipping_option": detail.shipping_option,
        "shipping_option_reference": detail.shipping_option_reference,
        "is_reordable": state is ITEM_SHIPPED,
        "options": _options(detail),
        "files": [_live_file(file) for file in detail.files],
    }
    code = tracking(item)
    # Orders that were not shipped have been seen without it.
    return {**shown, "tracking": code} if code else shown


def _options(detail: ItemDetail) -> list[dict[str, object]]:
    return [{"type": name, "count": str(count)} for name, count in detail.options]


def _live_file(file: File) -> dict[str, object]:
    return {"type": file.type, "format": "pdf", "url": file.url, "md5sum": file.md5sum}


def tracking(item: Item) -> str:
    """The tracking code of an item, once it is known."""
    shipped = item.said("ItemShipped")
    return "" if shipped is None else str(shipped["tracking"])


def item_state(order: Order, item: Item) -> ItemState:
    """The state of an item: what was said of it, else how far its order is."""
    if item.said("ItemCanceled") is not None or order.state == CANCELED:
        return ITEM_CANCELED
    if item.said("ItemShipped") is not None or order.state == SANDBOX_COMPLETE:
        return ITEM_SHIPPED
    return ITEM_NEW if order.state in (NEW, _VERIFY) else ITEM_VERIFIED
