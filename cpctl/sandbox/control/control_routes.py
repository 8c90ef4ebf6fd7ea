"""The switches of the sandbox: what `/_sandbox/...` answers. Never faulted and never in the journal."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from cpctl.errors import InvalidInput
from cpctl.sandbox.control.webhook_trigger import trigger
from cpctl.sandbox.faults import Fault, read_fault
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.sandbox_response import Answer, error

PREFIX = "/_sandbox"
_HOSTS = ("127.0.0.1", "localhost")


class Switchable(Protocol):
    """What the panel switches: the sandbox."""

    state: State

    def add_fault(self, fault: Fault) -> None: ...

    def clear_faults(self) -> None: ...

    def reset(self, orders: object = None, items: object = None) -> None: ...


def is_panel(path: str) -> bool:
    """Whether that path is one of the sandbox's own."""
    return f"{path}/".startswith(f"{PREFIX}/")


def is_stranger(host: str | None, origin: str | None) -> bool:
    """Whether a request may come from a web page: a browser names the page, or a name of the page's own choice."""
    return origin is not None or (host or "").partition(":")[0].lower() not in _HOSTS


def switch(sandbox: Switchable, method: str, path: str, body: object) -> Answer:
    """Answer a request to the panel; a body that is not JSON comes as None, no body as an empty object."""
    rows = {way: work for (way, place), work in _SWITCHES.items() if place == path.removesuffix("/")}
    if not rows:
        return error(HTTPStatus.NOT_FOUND, "not_found", f"the sandbox has no {path}")
    if method not in rows:
        return error(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"{path} takes {', '.join(rows)}")
    try:
        return Answer(HTTPStatus.OK, rows[method](sandbox, body))
    except InvalidInput as wrong:
        return Answer(HTTPStatus.BAD_REQUEST, _refusal(wrong))


def _refusal(wrong: InvalidInput) -> object:
    return {"error": {"type": wrong.code, "info": wrong.message, "hint": wrong.hint}}


def _list_faults(sandbox: Switchable, body: object) -> object:
    return {"faults": [fault.as_json() for fault in sandbox.state.faults()]}


def _add_fault(sandbox: Switchable, body: object) -> object:
    sandbox.add_fault(read_fault(body))
    return _list_faults(sandbox, body)


def _clear_faults(sandbox: Switchable, body: object) -> object:
    sandbox.clear_faults()
    return _list_faults(sandbox, body)


def _reset(sandbox: Switchable, body: object) -> object:
    if not isinstance(body, Mapping) or not set(body) <= {"orders", "items"}:
        raise InvalidInput("A reset takes a JSON object.", "Valid names: orders, items.")
    sandbox.reset(body.get("orders"), body.get("items"))
    return {"orders": len(sandbox.state.orders), "items": len(sandbox.state.items)}


def _requests(sandbox: Switchable, body: object) -> object:
    return {"requests": sandbox.state.journal.listed()}


def _state(sandbox: Switchable, body: object) -> object:
    return sandbox.state.snapshot()


def _now(sandbox: Switchable, body: object) -> object:
    return {"now": sandbox.state.now().isoformat()}


def _advance(sandbox: Switchable, body: object) -> object:
    if not isinstance(body, Mapping) or set(body) != {"advance_seconds"}:
        raise InvalidInput("The clock is put forward by a JSON object.", 'Valid: {"advance_seconds": 3600}.')
    return {"now": sandbox.state.advance(body["advance_seconds"]).isoformat()}


def _webhooks(sandbox: Switchable, body: object) -> object:
    sandbox.state.settle()
    return {"webhooks": sandbox.state.webhooks.listed()}


def _send_webhooks(sandbox: Switchable, body: object) -> object:
    url = body.get("url") if isinstance(body, Mapping) and set(body) == {"url"} else None
    if not isinstance(url, str):
        raise InvalidInput(
            "The receiver of webhooks is set by a JSON object.", 'Valid: {"url": "https://127.0.0.1:8100/"}.'
        )
    sandbox.state.webhooks.send_to(url)
    return _webhooks(sandbox, body)


def _trigger(sandbox: Switchable, body: object) -> object:
    return {"webhook": trigger(sandbox.state, body)}


_SWITCHES: dict[tuple[str, str], Callable[[Switchable, object], object]] = {
    ("GET", f"{PREFIX}/faults"): _list_faults,
    ("POST", f"{PREFIX}/faults"): _add_fault,
    ("DELETE", f"{PREFIX}/faults"): _clear_faults,
    ("POST", f"{PREFIX}/reset"): _reset,
    ("GET", f"{PREFIX}/requests"): _requests,
    ("GET", f"{PREFIX}/state"): _state,
    ("GET", f"{PREFIX}/time"): _now,
    ("POST", f"{PREFIX}/time"): _advance,
    ("GET", f"{PREFIX}/webhooks"): _webhooks,
    ("POST", f"{PREFIX}/webhooks"): _send_webhooks,
    ("POST", f"{PREFIX}/trigger"): _trigger,
}
