"""The switches of the sandbox: what `/_sandbox/...` answers. Never faulted and never in the journal."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from cpctl.errors import InvalidInput
from cpctl.sandbox.control.webhook_trigger import trigger_webhook
from cpctl.sandbox.faults import Fault, parse_fault
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.sandbox_response import SandboxResponse, error_response

CONTROL_PREFIX = "/_sandbox"
_ALLOWED_HOSTS = ("127.0.0.1", "localhost")


class ControllableSandbox(Protocol):
    """What the panel switches: the sandbox."""

    state: SandboxState

    def add_fault(self, fault: Fault) -> None: ...

    def clear_faults(self) -> None: ...

    def reset(self, orders: object = None, items: object = None) -> None: ...


def is_control_path(path: str) -> bool:
    """Whether that path is one of the sandbox's own."""
    return f"{path}/".startswith(f"{CONTROL_PREFIX}/")


def is_cross_origin(host: str | None, origin: str | None) -> bool:
    """Whether a request may come from a web page: a browser names the page, or a name of the page's own choice."""
    return origin is not None or (host or "").partition(":")[0].lower() not in _ALLOWED_HOSTS


def run_control_request(sandbox: ControllableSandbox, method: str, path: str, body: object) -> SandboxResponse:
    """Answer a request to the panel; a body that is not JSON comes as None, no body as an empty object."""
    rows = {way: work for (way, place), work in _CONTROL_ROUTES.items() if place == path.removesuffix("/")}
    if not rows:
        return error_response(HTTPStatus.NOT_FOUND, "not_found", f"the sandbox has no {path}")
    if method not in rows:
        return error_response(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"{path} takes {', '.join(rows)}")
    try:
        return SandboxResponse(HTTPStatus.OK, rows[method](sandbox, body))
    except InvalidInput as wrong:
        return SandboxResponse(HTTPStatus.BAD_REQUEST, _error_json(wrong))


def _error_json(wrong: InvalidInput) -> object:
    return {"error": {"type": wrong.code, "info": wrong.message, "hint": wrong.hint}}


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
        raise InvalidInput("A reset takes a JSON object.", "Valid names: orders, items.")
    sandbox.reset(body.get("orders"), body.get("items"))
    return {"orders": len(sandbox.state.orders), "items": len(sandbox.state.items)}


def _list_requests(sandbox: ControllableSandbox, body: object) -> object:
    return {"requests": sandbox.state.journal.list_entries()}


def _show_state(sandbox: ControllableSandbox, body: object) -> object:
    return sandbox.state.snapshot()


def _show_time(sandbox: ControllableSandbox, body: object) -> object:
    return {"now": sandbox.state.now().isoformat()}


def _advance_clock(sandbox: ControllableSandbox, body: object) -> object:
    if not isinstance(body, Mapping) or set(body) != {"advance_seconds"}:
        raise InvalidInput("The clock is put forward by a JSON object.", 'Valid: {"advance_seconds": 3600}.')
    return {"now": sandbox.state.advance(body["advance_seconds"]).isoformat()}


def _list_webhooks(sandbox: ControllableSandbox, body: object) -> object:
    sandbox.state.run_due_steps()
    return {"webhooks": sandbox.state.webhooks.list_deliveries()}


def _set_webhook_url(sandbox: ControllableSandbox, body: object) -> object:
    url = body.get("url") if isinstance(body, Mapping) and set(body) == {"url"} else None
    if not isinstance(url, str):
        raise InvalidInput(
            "The receiver of webhooks is set by a JSON object.", 'Valid: {"url": "https://127.0.0.1:8100/"}.'
        )
    sandbox.state.webhooks.set_url(url)
    return _list_webhooks(sandbox, body)


def _trigger_webhook(sandbox: ControllableSandbox, body: object) -> object:
    return {"webhook": trigger_webhook(sandbox.state, body)}


_CONTROL_ROUTES: dict[tuple[str, str], Callable[[ControllableSandbox, object], object]] = {
    ("GET", f"{CONTROL_PREFIX}/faults"): _list_faults,
    ("POST", f"{CONTROL_PREFIX}/faults"): _add_fault,
    ("DELETE", f"{CONTROL_PREFIX}/faults"): _clear_faults,
    ("POST", f"{CONTROL_PREFIX}/reset"): _reset,
    ("GET", f"{CONTROL_PREFIX}/requests"): _list_requests,
    ("GET", f"{CONTROL_PREFIX}/state"): _show_state,
    ("GET", f"{CONTROL_PREFIX}/time"): _show_time,
    ("POST", f"{CONTROL_PREFIX}/time"): _advance_clock,
    ("GET", f"{CONTROL_PREFIX}/webhooks"): _list_webhooks,
    ("POST", f"{CONTROL_PREFIX}/webhooks"): _set_webhook_url,
    ("POST", f"{CONTROL_PREFIX}/trigger"): _trigger_webhook,
}
