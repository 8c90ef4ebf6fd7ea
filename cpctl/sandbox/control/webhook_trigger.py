"""One webhook of any type at a tester's word: it says what is asked for, and changes nothing in the sandbox."""

from collections.abc import Mapping

from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.model.order_store import SandboxItem, SandboxOrder
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES

_NO_RECEIVER_HINT = "Say where to: `cpctl sandbox webhooks --to http://127.0.0.1:8100/`."


def trigger_webhook(state: SandboxState, body: object) -> dict[str, object]:
    """Queue a webhook; returns its line in the list of all. Raises InvalidInput."""
    if not isinstance(body, Mapping):
        raise InvalidInput("A webhook to send is a JSON object.", "Valid names: type, order, item, and its fields.")
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in WEBHOOK_TYPES:
        name = "" if kind is None else str(kind)
        raise InvalidInput(f"There is no webhook {quote_value(name)}.", suggest(name, WEBHOOK_TYPES))
    if state.webhooks.endpoint is None:
        raise InvalidInput("This sandbox has no receiver of webhooks.", _NO_RECEIVER_HINT)
    with state.lock:
        said = _build_fields(
            state, kind, {name: value for name, value in body.items() if name not in ("type", "apikey")}
        )
        return state.webhooks.enqueue(kind, said, state.now()).as_json()


def _build_fields(state: SandboxState, kind: str, given: Mapping[str, object]) -> dict[str, object]:
    """What the webhook says: the references of the order and the item, examples, and over both what was given.

    An order or item that nobody knows is sent as it is: a receiver has to cope with that.
    """
    row = WEBHOOK_TYPES[kind]
    order = _find_order(state, given.get("order"))
    said: dict[str, object] = {"order": order.id if order else ""}
    item = _find_item(order, given.get("item")) if row.is_about_item else None
    if row.is_about_item:
        said["item"] = item.id if item else ""
    said["order_reference"] = order.reference if order else ""
    if row.is_about_item:
        said["item_reference"] = order.find_ordered_item(item).reference if order and item else ""
    known = {"order": order, "item": item}
    # A reference given as the order or the item stands for its id.
    given = {name: value for name, value in given.items() if known.get(name) is None}
    return {**said, **row.fields, **given}


def _find_order(state: SandboxState, given: object) -> SandboxOrder | None:
    if given is None:
        return next(iter(state.orders.values()), None)
    return state.orders.get(str(given)) or state.orders.find(str(given))


def _find_item(order: SandboxOrder | None, given: object) -> SandboxItem | None:
    if order is None:
        return None
    if given is None:
        return next(iter(order.items.values()), None)
    return order.items.get(str(given)) or order.find_item(str(given))
