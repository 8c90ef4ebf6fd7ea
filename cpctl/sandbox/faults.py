"""What can go wrong on the way to Cloudprinter and back: a row per fault, and the faults that are switched on."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from cpctl.errors import InvalidInput, suggest
from cpctl.signals.signal import quote_value

MAX_WAIT_SECONDS = 3600.0  # seconds


@dataclass(frozen=True)
class FaultKind:
    """One way to fail: what it does, whether the work is done all the same, and what it wants to know."""

    name: str
    description: str
    does_work: bool
    required_parameters: tuple[str, ...] = ()
    optional_parameters: Mapping[str, object] = field(default_factory=dict)  # name -> what holds when nothing is said

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of this kind, beside the path and the times that every kind takes."""
        return (*self.required_parameters, *self.optional_parameters)


DOWN = "down"

FAULT_KINDS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("latency", "the work is done at once, the answer comes late", True, ("seconds",)),
        FaultKind(
            "status",
            "the answer is that status; nothing is done",
            False,
            ("status",),
            {"retry_after": None},
        ),
        FaultKind("reset-before", "the connection is reset before the work is done", False),
        FaultKind("reset-after", "the work is done, then the connection is reset", True),
        FaultKind("truncated", "the work is done, the answer is cut off", True),
        FaultKind("invalid-json", "the work is done, the answer is not JSON", True),
        FaultKind(
            "slow-drip",
            "the work is done, the answer comes byte by byte",
            True,
            optional_parameters={"seconds": 0.5},
        ),
        FaultKind(DOWN, "the network is pulled: connections are cut and refused", False),
    )
}


@dataclass(frozen=True)
class Fault:
    """A fault that is switched on, for the paths that begin with `path`."""

    kind: str
    path: str = ""  # empty: every path of the API
    times: int = 0  # how many requests it still meets; 0: all, until it is cleared
    status: int | None = None
    retry_after: str | None = None  # the text of the header
    seconds: float | None = None

    def matches(self, path: str) -> bool:
        """Whether a request to that path meets this fault; a last slash makes no difference."""
        return f"{path.rstrip('/')}/".startswith(self.path)

    def as_json(self) -> dict[str, object]:
        """What `GET /_sandbox/faults` lists: what the kind takes, and nothing else."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def make_fault(
    kind: object,
    path: object = "",
    times: object = 0,
    status: object = None,
    retry_after: object = None,
    seconds: object = None,
) -> Fault:
    """Check what was asked for and build the fault; raises InvalidInput naming the value and what is valid.

    None stands for "not said". `down` takes no parameters: a path or times given with it mean nothing.
    """
    row = _find_fault_kind(kind)
    given = _select_parameters(row, {"status": status, "retry_after": retry_after, "seconds": seconds})
    fault = Fault(
        row.name,
        _check_path(path),
        _check_times(times),
        _check_status(given.get("status")),
        _check_retry_after(given.get("retry_after")),
        _check_seconds(given.get("seconds")),
    )
    return Fault(DOWN) if row.name == DOWN else fault


def parse_fault(body: object) -> Fault:
    """The fault a JSON object asks for; raises InvalidInput."""
    known = {row.name: row for row in fields(Fault)}
    if not isinstance(body, Mapping):
        raise InvalidInput("A fault is a JSON object.", f"Valid names: {', '.join(known)}.")
    for name in body:
        if name not in known:
            raise InvalidInput(f"A fault has no {quote_value(str(name))}.", suggest(str(name), known))
    return make_fault(**{"kind": None, **body})


def _find_fault_kind(kind: object) -> FaultKind:
    row = FAULT_KINDS.get(kind) if isinstance(kind, str) else None
    if row is None:
        name = "" if kind is None else str(kind)
        raise InvalidInput(f"There is no fault {quote_value(name)}.", suggest(name, FAULT_KINDS))
    return row


def _select_parameters(row: FaultKind, given: Mapping[str, object]) -> dict[str, object]:
    """What holds for this kind: what was said, or the default."""
    said = {name: value for name, value in given.items() if value is not None}
    takes = ", ".join((*row.parameters, "path", "times")) if row.name != DOWN else "no parameters"
    for name in said:
        if name not in row.parameters:
            raise InvalidInput(f"The fault {row.name} takes no {name}.", f"It takes {takes}.")
    for name in row.required_parameters:
        if name not in said:
            raise InvalidInput(f"The fault {row.name} needs {name}.", f"It takes {takes}.")
    return {**row.optional_parameters, **said}


def _check_path(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not value.startswith("/"):
        raise InvalidInput(
            f"path {quote_value(str(value))} is not the beginning of a path.",
            "Valid: /cloudsignal/2.0/, or nothing for all.",
        )
    return value


def _check_times(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(
            f"times {quote_value(str(value))} is not a number of requests.",
            "Valid: 1 and up, or 0 until it is cleared.",
        )
    return value


def _check_status(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise InvalidInput(f"status {quote_value(str(value))} is not the status of an answer.", "Valid: 200 to 599.")
    return value


def _check_retry_after(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    if not re.fullmatch(r"[\x20-\x7e]{1,100}", text):
        raise InvalidInput(
            f"retry_after {quote_value(text)} cannot stand in a header.",
            "Valid: seconds such as 30, or a date of HTTP.",
        )
    return text


def _check_seconds(value: object) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= MAX_WAIT_SECONDS:  # type: ignore[arg-type, operator]
        raise InvalidInput(
            f"seconds {quote_value(str(value))} is not a time to wait.",
            f"Valid: 0 to {MAX_WAIT_SECONDS:g}, such as 0.5.",
        )
    return float(value)  # type: ignore[arg-type]
