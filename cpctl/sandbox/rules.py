"""Which endpoints the sandbox has, and what stands between a request and the work of one: path, method, key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from cpctl.sandbox.answers import Answer, Refused
from cpctl.sandbox.signal_rules import take_signals
from cpctl.sandbox.state import State

__all__ = ["ENDPOINTS", "Answer", "Endpoint", "answer"]

# Does the work and returns the answer, or raises Refused and changes nothing.
Work = Callable[[State, Mapping[str, object]], Answer]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: where it is, whose key it takes, and what it does."""

    path: str  # without the last slash
    key: str  # the name of the key in State.keys
    work: Work
    key_refused: int = HTTPStatus.UNAUTHORIZED


# CloudSignal 1.1 documents two addresses for one endpoint: most of its samples say /1.1/status/.
ENDPOINTS: dict[str, Endpoint] = {
    row.path: row
    for row in (
        Endpoint("/cloudsignal/2.0/status", "signal", partial(take_signals, "2.0")),
        Endpoint("/cloudsignal/1.1/status", "signal", partial(take_signals, "1.1")),
        Endpoint("/1.1/status", "signal", partial(take_signals, "1.1")),
    )
}


def answer(state: State, path: str, body: object, method: str = "POST") -> Answer:
    """What the service answers to a request, after its work is done; a body that is not JSON comes as None."""
    try:
        with state.lock:
            return _answer(state, path, body, method)
    except Refused as refused:
        return Answer(refused.answer.status, state.masked(refused.answer.body))


def _answer(state: State, path: str, body: object, method: str) -> Answer:
    endpoint = ENDPOINTS.get(path.removesuffix("/"))
    if endpoint is None:
        raise Refused("not_found", f"there is nothing at {path}", HTTPStatus.NOT_FOUND)
    if method != "POST":
        raise Refused("method_not_allowed", f"{method} is not POST", HTTPStatus.METHOD_NOT_ALLOWED)
    if not isinstance(body, Mapping):
        raise Refused("invalid_json", "the body is not a JSON object")
    _check_key(state, endpoint, body)
    return endpoint.work(state, body)


def _check_key(state: State, endpoint: Endpoint, body: Mapping[str, object]) -> None:
    """Every interface has a key of its own (CloudSignal 2.0, "Authentication")."""
    given = body.get("apikey")
    if given == state.keys[endpoint.key]:
        return
    others = [name for name, key in state.keys.items() if key == given]
    info = f"apikey is the {others[0]} key, not the {endpoint.key} key" if others else "apikey is unknown"
    raise Refused("authentication_failed", info if given else "apikey is missing", endpoint.key_refused)
