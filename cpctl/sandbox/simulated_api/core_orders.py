"""Orders of CloudCore: list, info, add, cancel, log, each in the shape of the live service or of its document.

Source: CloudCore API 1.0, "Order calls"; live answers for the types and for what the document leaves out.
"""

from http import HTTPStatus

from cpctl.reference_data.order_states import ORDER_STATES
from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.model import order_models as models
from cpctl.sandbox.model.order_models import OrderedItem, SandboxItem, SandboxOrder
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.api_messages import EMPTY_OK, RequestBody, SandboxRefusal, SandboxResponse, shorten
from cpctl.sandbox.simulated_api.order_validation import read_order
from cpctl.sandbox.virtual_clock import format_order_time

_ADDRESS_FIELDS = ("type", "firstname", "lastname", "street1", "zip", "city", "state", "country")
_LIVE_ADDRESS_FIELDS = (*_ADDRESS_FIELDS, "email", "phone")
# States of an item. Only 25 has been observed; the others are guesses based on the states of orders.
_ITEM_NEW, _ITEM_VERIFIED, _ITEM_SHIPPED, _ITEM_CANCELED = 1, 25, 100, 500
_ITEM_STATES = {_ITEM_NEW: "new", _ITEM_VERIFIED: "verified", _ITEM_SHIPPED: "shipped", _ITEM_CANCELED: "canceled"}


def _format_number(state: SandboxState, value: int) -> int | str:
    """A number in live responses, a string in documented ones."""
    return value if state.is_live else str(value)


def list_orders(state: SandboxState, body: RequestBody) -> object:
    """`orders/`: all orders of the account, oldest first; 204 if there are none."""
    return [
        {
            "reference": order.reference,
            "order_date": format_order_time(order.created_at),
            "state": _format_number(state, order.state),
            "state_code": ORDER_STATES[order.state].code,
        }
        for order in state.orders.list_summaries()
    ] or None


def _find_order(state: SandboxState, body: RequestBody) -> SandboxOrder:
    reference = body.required("reference")
    order = state.orders.find(reference)
    if order is None:
        raise SandboxRefusal("order_unknown", shorten(reference), HTTPStatus.GONE)
    return order


def order_info(state: SandboxState, body: RequestBody) -> object:
    """`orders/info`: one order with all that is known of it; 410 if there is no such order."""
    order = _find_order(state, body)
    response: dict[str, object] = {
        "reference": order.reference,
        "state": _format_number(state, order.state),
        "state_code": ORDER_STATES[order.state].code,
        "order_date": format_order_time(order.created_at),
        "email": order.details.email,
    }
    if state.is_live:
        response |= {"is_cancelable": order.is_cancelable, "status_logs": _log_json(state, order)}
    address_fields = _LIVE_ADDRESS_FIELDS if state.is_live else _ADDRESS_FIELDS
    write_item = _live_item_json if state.is_live else _documented_item_json
    response["addresses"] = [{name: row[name] for name in address_fields} for row in order.details.addresses]
    response["items"] = [write_item(order, item, order.find_ordered_item(item)) for item in order.items.values()]
    return response


def add_order(state: SandboxState, body: RequestBody) -> SandboxResponse:
    """`orders/add`: 201 with the client's own reference; the response does not contain the id of the service."""
    reference, details = read_order(state, body)
    state.add_order(reference, details)
    return SandboxResponse(HTTPStatus.CREATED, {"order": reference})


def cancel_order(state: SandboxState, body: RequestBody) -> object:
    """`orders/cancel`: possible until the files are uploaded to the production; 409 after that."""
    order = _find_order(state, body)
    if not order.is_cancelable:
        info = f"order {shorten(order.reference)} is in state {order.state}"
        raise SandboxRefusal("order_state_not_valid", info, HTTPStatus.CONFLICT)
    state.lifecycle.cancel_order(order, state.now())
    if not state.is_live:
        return EMPTY_OK  # the document shows no body
    state_code = ORDER_STATES[order.state].code
    return {"reference": order.reference, "state": order.state, "state_code": state_code, "status": order.state}


def order_log(state: SandboxState, body: RequestBody) -> object:
    """`orders/log`: every state of an order, oldest first; 204, not 410, if there is no such order."""
    order = state.orders.find(body.required("reference"))
    return None if order is None else _log_json(state, order)


def _log_json(state: SandboxState, order: SandboxOrder) -> list[dict[str, object]]:
    return [
        {
            "reference": order.reference,
            "create_date": format_order_time(change.changed_at),
            "state": _format_number(state, change.state),
        }
        for change in order.state_changes
    ]


def _documented_item_json(order: SandboxOrder, item: SandboxItem, ordered: OrderedItem) -> dict[str, object]:
    return {
        "reference": ordered.reference,
        "name": ordered.product_reference,
        "count": str(ordered.copies),
        "shipping_option": ordered.shipping_option.rstrip(),
        "tracking": find_tracking(item),
        "options": _options_json(ordered),
        "files": [file._asdict() for file in ordered.files],
    }


def _live_item_json(order: SandboxOrder, item: SandboxItem, ordered: OrderedItem) -> dict[str, object]:
    state, tracking = _derive_item_state(order, item), find_tracking(item)
    return {
        "reference": ordered.reference,
        "name": PRODUCTS[ordered.product_reference].name,
        "product_reference": ordered.product_reference,
        "title": ordered.title,
        "type": ordered.item_type,
        "count": ordered.copies,
        "state": state,
        "state_code": f"item_state_{_ITEM_STATES[state]}",
        "shipping_option": ordered.shipping_option,
        "shipping_option_reference": ordered.shipping_option_reference,
        "is_reordable": state == _ITEM_SHIPPED,
        "options": _options_json(ordered),
        "files": [{"type": file.type, "format": "pdf", **file._asdict()} for file in ordered.files],
        # Live items that are not shipped have been seen without this field.
        **({"tracking": tracking} if tracking else {}),
    }


def _options_json(ordered: OrderedItem) -> list[dict[str, object]]:
    return [{"type": name, "count": str(count)} for name, count in ordered.options]


def find_tracking(item: SandboxItem) -> str:
    """The tracking code of an item, empty until it is shipped."""
    shipped = item.find_signal(models.ITEM_SHIPPED_SIGNAL)
    return "" if shipped is None else str(shipped["tracking"])


def _derive_item_state(order: SandboxOrder, item: SandboxItem) -> int:
    if item.find_signal(models.ITEM_CANCELED_SIGNAL) is not None or order.state == models.CANCELED:
        return _ITEM_CANCELED
    if item.find_signal(models.ITEM_SHIPPED_SIGNAL) is not None or order.state == models.SANDBOX_COMPLETE:
        return _ITEM_SHIPPED
    return _ITEM_NEW if order.state in (models.NEW, models.VERIFYING) else _ITEM_VERIFIED
