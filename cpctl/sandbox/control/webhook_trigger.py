"""A webhook of any type at a tester's request. It changes nothing in the sandbox."""

from collections.abc import Mapping

from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.model.order_models import SandboxItem, SandboxOrder
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.webhook_queue import subject_fields
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES

_NO_RECEIVER_HINT = "Set one with `cpctl sandbox webhooks --to http://127.0.0.1:8100/`."


def trigger_webhook(state: SandboxState, body: object) -> dict[str, object]:
    """Queue a webhook; returns it as the list of all webhooks shows it. Raises InvalidInput."""
    if not isinstance(body, Mapping):
        raise InvalidInput(
            "A webhook to send must be a JSON object.", "Valid names: type, order, item, and other fields."
        )
    webhook_type = body.get("type")
    if not isinstance(webhook_type, str) or webhook_type not in WEBHOOK_TYPES:
        name = "" if webhook_type is None else str(webhook_type)
        raise InvalidInput(f"There is no webhook {quote_value(name)}.", suggest(name, WEBHOOK_TYPES))
    if state.webhooks.endpoint is None:
        raise InvalidInput("This sandbox has no receiver of webhooks.", _NO_RECEIVER_HINT)
    given = {name: value for name, value in body.items() if name not in ("type", "apikey")}
    with state.lock:
        return state.webhooks.enqueue(webhook_type, _build_fields(state, webhook_type, given), state.now()).as_json()


def _build_fields(state: SandboxState, webhook_type: str, given: Mapping[str, object]) -> dict[str, object]:
    """The ids and references of the order and item, then example values, then the given fields.

    An unknown order or item is sent as given: receivers must cope with that.
    """
    row = WEBHOOK_TYPES[webhook_type]
    order = _find_order(state, given.get("order"))
    item = _find_item(order, given.get("item")) if row.is_about_item else None
    found = {"order": order, "item": item}
    # A reference given as the order or the item must not overwrite the id that was found by it.
    given = {name: value for name, value in given.items() if found.get(name) is None}
    return {**subject_fields(order, item, row.is_about_item), **row.fields, **given}


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
