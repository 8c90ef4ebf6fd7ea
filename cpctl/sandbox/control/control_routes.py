"""The control interface of the sandbox: requests to `/_sandbox/...`. Faults do not apply to it; nor is it journaled."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol, TypeVar

from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.faults import Fault, parse_fault
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.api_messages import SandboxResponse, error_response
from cpctl.sandbox.webhooks.webhook_queue import subject_fields
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES

CONTROL_PREFIX = "/_sandbox"
T = TypeVar("T")
_ALLOWED_HOSTS = ("127.0.0.1", "localhost")


class ControllableSandbox(Protocol):
    """The sandbox as the control interface sees it."""

    state: SandboxState

    def add_fault(self, fault: Fault) -> None: ...

    def clear_faults(self) -> None: ...

    def reset(self, orders: object = None, items: object = None) -> None: ...


def is_control_path(path: str) -> bool:
    return f"{path}/".startswith(f"{CONTROL_PREFIX}/")


def is_cross_origin(host: str | None, origin: str | None) -> bool:
    """Whether a web page may have sent a request: a browser adds an Origin, or a host name that the page chose."""
    return origin is not None or (host or "").partition(":")[0].lower() not in _ALLOWED_HOSTS


def run_control_request(sandbox: ControllableSandbox, method: str, path: str, body: object) -> SandboxResponse:
    """Run a control request; a body that is not JSON is None, an empty one is an empty object."""
    name = path.removesuffix("/").removeprefix(f"{CONTROL_PREFIX}/")
    handlers = {allowed: handler for (allowed, route), handler in _CONTROL_ROUTES.items() if route == name}
    if not handlers:
        return error_response(HTTPStatus.NOT_FOUND, "not_found", f"the sandbox has no {path}")
    if method not in handlers:
        info = f"{path} takes {', '.join(handlers)}"
        return error_response(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", info)
    try:
        return SandboxResponse(HTTPStatus.OK, handlers[method](sandbox, body))
    except InvalidInput as error:
        details = {"type": error.code, "info": error.message, "hint": error.hint}
        return SandboxResponse(HTTPStatus.BAD_REQUEST, {"error": details})


def _list_faults(sandbox: ControllableSandbox, body: object) -> object:
    return {"faults": [fault.as_json() for fault in sandbox.state.list_faults()]}


def _add_fault(sandbox: ControllableSandbox, body: object) -> object:
    sandbox.add_fault(parse_fault(body))
    return _list_faults(sandbox, body)


def _clear_faults(sandbox: ControllableSandbox, body: object) -> object:
    sandbox.clear_faults()
    return _list_faults(sandbox, body)


def _reset(sandbox: ControllableSandbox, body: object) -> object:
    if not isinstance(body, Mapping) or not set(body) <= {"orders", "items"}:
        raise InvalidInput("A reset must be a JSON object.", "Valid names: orders, items.")
    sandbox.reset(body.get("orders"), body.get("items"))
    return {"orders": len(sandbox.state.orders), "items": sandbox.state.orders.count_items()}


def _advance_clock(sandbox: ControllableSandbox, body: object) -> object:
    if not isinstance(body, Mapping) or set(body) != {"advance_seconds"}:
        raise InvalidInput("Invalid time to advance the clock by.", 'Send {"advance_seconds": 3600}.')
    return {"now": sandbox.state.advance(body["advance_seconds"]).isoformat()}


def _list_webhooks(sandbox: ControllableSandbox, body: object) -> object:
    sandbox.state.run_due_steps()
    return {"webhooks": sandbox.state.webhooks.list_deliveries()}


def _set_webhook_url(sandbox: ControllableSandbox, body: object) -> object:
    url = body.get("url") if isinstance(body, Mapping) and set(body) == {"url"} else None
    if not isinstance(url, str):
        raise InvalidInput("Invalid receiver of webhooks.", 'Send {"url": "https://127.0.0.1:8100/"}.')
    sandbox.state.webhooks.set_url(url)
    return _list_webhooks(sandbox, body)


def _trigger_webhook(state: SandboxState, body: object) -> dict[str, object]:
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
        raise InvalidInput(
            "This sandbox has no receiver of webhooks.",
            "Set one with `cpctl sandbox webhooks --to http://127.0.0.1:8100/`.",
        )
    given = {name: value for name, value in body.items() if name not in ("type", "apikey")}
    with state.lock:
        return state.webhooks.enqueue(webhook_type, _build_fields(state, webhook_type, given), state.now()).as_json()


def _build_fields(state: SandboxState, webhook_type: str, given: Mapping[str, object]) -> dict[str, object]:
    """The ids and references of the order and item, then example values, then the given fields.

    An unknown order or item is sent as given: receivers must cope with that.
    """
    row = WEBHOOK_TYPES[webhook_type]
    order = _find_subject(given.get("order"), state.orders, state.orders.find)
    item = _find_subject(given.get("item"), order.items, order.find_item) if order and row.is_about_item else None
    found = {"order": order, "item": item}
    # A reference given as the order or the item must not overwrite the id that was found by it.
    given = {name: value for name, value in given.items() if found.get(name) is None}
    return {**subject_fields(order, item, row.is_about_item), **row.fields, **given}


def _find_subject(given: object, by_id: Mapping[str, T], find_by_reference: Callable[[str], T | None]) -> T | None:
    """The one with that id or reference; the first of all if none is given."""
    if given is None:
        return next(iter(by_id.values()), None)
    return by_id.get(str(given)) or find_by_reference(str(given))


_CONTROL_ROUTES: dict[tuple[str, str], Callable[[ControllableSandbox, object], object]] = {
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "reset"): _reset,
    ("GET", "requests"): lambda sandbox, body: {"requests": sandbox.state.journal.list_entries()},
    ("GET", "state"): lambda sandbox, body: sandbox.state.snapshot(),
    ("GET", "time"): lambda sandbox, body: {"now": sandbox.state.now().isoformat()},
    ("POST", "time"): _advance_clock,
    ("GET", "webhooks"): _list_webhooks,
    ("POST", "webhooks"): _set_webhook_url,
    ("POST", "trigger"): lambda sandbox, body: {"webhook": _trigger_webhook(sandbox.state, body)},
}
