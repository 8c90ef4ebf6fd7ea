"""The kinds of fault that the sandbox can inject, and the check of a requested fault."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.number_checks import check_integer, check_seconds
from cpctl.signals.signal import quote_value

MAX_WAIT_SECONDS = 3600.0
_MAX_TIMES = 1_000_000
DOWN = "down"


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault, whether the request is processed, and its parameters besides `path` and `times`."""

    name: str
    description: str
    does_work: bool
    required_parameters: tuple[str, ...] = ()
    optional_parameters: Mapping[str, object] = field(default_factory=dict)  # with their defaults


FAULT_KINDS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("latency", "the request is processed at once, the response is delayed", True, ("seconds",)),
        FaultKind(
            "status", "the response has that status; nothing is processed", False, ("status",), {"retry_after": None}
        ),
        FaultKind("reset-before", "the connection is reset before the request is processed", False),
        FaultKind("reset-after", "the request is processed, then the connection is reset", True),
        FaultKind("truncated", "the request is processed, the response is cut off", True),
        FaultKind("invalid-json", "the request is processed, the response is not JSON", True),
        FaultKind(
            "slow-drip", "the request is processed, the response arrives byte by byte", True, (), {"seconds": 0.5}
        ),
        FaultKind(DOWN, "the network is down: connections are cut and refused", False),
    )
}


@dataclass(frozen=True)
class Fault:
    """An active fault for the paths that begin with `path`."""

    kind: str
    path: str = ""  # empty: every path of the API
    times: int = 0  # the number of requests it still applies to; 0: all, until it is cleared
    status: int | None = None
    retry_after: str | None = None  # the value of the header
    seconds: float | None = None

    def matches(self, path: str) -> bool:
        """Whether the fault applies to a request to that path; a trailing slash makes no difference."""
        return f"{path.rstrip('/')}/".startswith(self.path)

    def as_json(self) -> dict[str, object]:
        """The fault as `GET /_sandbox/faults` lists it: only the parameters that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def make_fault(
    kind: object,
    path: object = "",
    times: object = 0,
    status: object = None,
    retry_after: object = None,
    seconds: object = None,
) -> Fault:
    """Check the parameters (None: not given) and build the fault. Raises InvalidInput.

    `down` has no parameters: a path or times given with it are ignored.
    """
    row = FAULT_KINDS.get(kind) if isinstance(kind, str) else None
    if row is None:
        name = "" if kind is None else str(kind)
        raise InvalidInput(f"There is no fault {quote_value(name)}.", suggest(name, FAULT_KINDS))
    given = _select_parameters(row, {"status": status, "retry_after": retry_after, "seconds": seconds})
    fault = Fault(
        row.name,
        _check_path(path),
        check_integer("times", times, 0, _MAX_TIMES),
        None if given.get("status") is None else check_integer("status", given["status"], 200, 599),
        _check_retry_after(given.get("retry_after")),
        None if given.get("seconds") is None else check_seconds("seconds", given["seconds"], MAX_WAIT_SECONDS),
    )
    return Fault(DOWN) if row.name == DOWN else fault


def parse_fault(body: object) -> Fault:
    """The fault that a JSON object describes. Raises InvalidInput."""
    known = [row.name for row in fields(Fault)]
    if not isinstance(body, Mapping):
        raise InvalidInput("A fault must be a JSON object.", f"Valid names: {', '.join(known)}.")
    for name in body:
        if name not in known:
            raise InvalidInput(f"A fault has no parameter {quote_value(str(name))}.", suggest(str(name), known))
    return make_fault(**{"kind": None, **body})


def _select_parameters(row: FaultKind, parameters: Mapping[str, object]) -> dict[str, object]:
    given = {name: value for name, value in parameters.items() if value is not None}
    known = (*row.required_parameters, *row.optional_parameters)
    hint = "It takes no parameters." if row.name == DOWN else f"It takes {', '.join((*known, 'path', 'times'))}."
    for name in given:
        if name not in known:
            raise InvalidInput(f"The fault {row.name} takes no {name}.", hint)
    for name in row.required_parameters:
        if name not in given:
            raise InvalidInput(f"The fault {row.name} needs {name}.", hint)
    return {**row.optional_parameters, **given}


def _check_path(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not value.startswith("/"):
        raise InvalidInput(
            f"Invalid path: {quote_value(str(value))}.", "Use the beginning of a path, such as /cloudsignal/2.0/."
        )
    return value


def _check_retry_after(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    # A line break would let the value add headers of its own.
    if not re.fullmatch(r"[\x20-\x7e]{1,100}", text):
        raise InvalidInput(f"Invalid retry_after: {quote_value(text)}.", "Use seconds, such as 30, or an HTTP date.")
    return text
