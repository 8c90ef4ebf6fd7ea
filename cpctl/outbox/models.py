"""A signal in the store, with what became of it."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from cpctl.clock import format_iso, from_ms
from cpctl.errors import ExitCode
from cpctl.signals.signal import Signal, wire_time
from cpctl.signals.signal_types import SIGNAL_TYPES, SignalType


class State(StrEnum):
    """What became of a signal."""

    QUEUED = "queued"
    HELD = "held"
    DELIVERED = "delivered"
    REFUSED = "refused"
    EXPIRED = "expired"
    DROPPED = "dropped"
    # Only ever an answer to a command, never stored:
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


STATE_MEANINGS: dict[State, str] = {
    State.QUEUED: "safe in the store; sent by `outbox flush`",
    State.HELD: "safe in the store; not sent until it is released",
    State.DELIVERED: "the service has it",
    State.REFUSED: "the service says it is wrong; not sent again by itself",
    State.EXPIRED: "not delivered in 7 days; not sent again by itself",
    State.DROPPED: "taken out of the outbox by hand; never sent",
    State.DUPLICATE: "already accepted with the same content; nothing new is sent",
    State.CONFLICT: "already accepted with other content; nothing is sent",
}

STORED_STATES = tuple(state for state in State if state not in (State.DUPLICATE, State.CONFLICT))
WAITING_STATES = (State.QUEUED, State.HELD)
# What `outbox list` shows: all that is not delivered and that nobody has given up.
OPEN_STATES = (State.QUEUED, State.HELD, State.REFUSED, State.EXPIRED)


def sql_list(states: Iterable[State]) -> str:
    """States as the list of an SQL `IN`. SQLite uses the index of open signals only if all of OPEN_STATES is listed."""
    return ", ".join(repr(str(state)) for state in states)


class Origin(NamedTuple):
    """Who reported a signal, at which station, and which carrier its tracking code is of; "" where nobody knows."""

    operator: str = ""
    station: str = ""
    carrier: str = ""


class QueuedSignal(NamedTuple):
    """One accepted signal. Times are ms since 1970 in UTC; 0 or None where there is none yet."""

    id: int
    uid: str
    profile: str
    signal: Signal
    accepted_at: int
    state: State
    held_by: str
    attempts: int
    next_attempt_at: int
    not_before: int
    last_attempt_at: int
    settled_at: int | None
    http_status: int | None
    message: str
    maybe_duplicate: bool
    lease: str | None
    lease_until: int
    origin: Origin = Origin()
    is_damaged: bool = False  # the disk changed it; it can be shown, and must not be sent

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "QueuedSignal":
        """The entry a row of the table `signals` holds; of a damaged row what can be shown."""
        signal = _parse_signal(row)
        names = ("id", "uid", "profile", "accepted_at", "held_by", "attempts", "next_attempt_at", "not_before")
        more = ("last_attempt_at", "settled_at", "http_status", "message", "lease", "lease_until")
        return cls(
            signal=signal or _placeholder_signal(row),
            origin=Origin(row["operator"], row["station"], row["carrier"]),
            is_damaged=signal is None,
            state=State(row["state"]),
            maybe_duplicate=bool(row["maybe_duplicate"]),
            **{name: row[name] for name in names + more},
        )

    def to_dict(self, **overrides: Any) -> dict[str, Any]:
        """The entry as scripts see it; `other` replaces or adds values (interface of `signal` and `outbox`)."""
        said = {name: value for name, value in self.signal.fields.items() if name not in ("order", "item")}
        waits = self.state is State.QUEUED
        return {
            "id": str(self.id),
            "type": self.signal.type.name,
            "order": self.signal.order,
            "item": self.signal.item,
            "state": str(self.state),
            "attempts": self.attempts,
            "http_status": self.http_status,
            "message": self.message,
            "datetime": wire_time(self.signal.at),
            "fields": said,
            "api_version": self.signal.version,
            "profile": self.profile,
            "accepted_at": format_iso(self.accepted_at),
            "settled_at": format_iso(self.settled_at),
            "next_attempt_at": format_iso(max(self.next_attempt_at, self.not_before)) if waits else None,
            "maybe_duplicate": self.maybe_duplicate,
            "held_by": self.held_by or None,
            **self.origin._asdict(),
            "uid": self.uid,
        } | overrides


def _parse_signal(row: Mapping[str, Any]) -> Signal | None:
    """The signal in a row; None where the disk has made nonsense of it, and SQLite did not notice."""
    try:
        fields: dict[str, str] = json.loads(row["fields"])
        signal = Signal(SIGNAL_TYPES[row["type"]], row["version"], dict(fields), from_ms(row["event_at"]))
        whole = (signal.order, signal.item) == (row["order_id"], row["item"]) and row["version"] in signal.type.required
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None
    return signal if whole else None


def _placeholder_signal(row: Mapping[str, Any]) -> Signal:
    kind = SIGNAL_TYPES.get(str(row["type"])) or SignalType(str(row["type"]), "", "", {})
    return Signal(kind, str(row["version"]), {"order": str(row["order_id"]), "item": str(row["item"])}, from_ms(0))


_EXIT_CODE_BY_STATE: dict[str, ExitCode] = {
    State.QUEUED: ExitCode.DONE,
    State.DELIVERED: ExitCode.DONE,
    State.DUPLICATE: ExitCode.DONE,
    State.DROPPED: ExitCode.DONE,
    State.HELD: ExitCode.KEY_REFUSED,
    State.REFUSED: ExitCode.REFUSED,
    State.EXPIRED: ExitCode.TEMPORARY,
    State.CONFLICT: ExitCode.CONFLICT,
}


def exit_status(reports: list[dict[str, Any]], require_delivery: bool = False) -> ExitCode:
    """The exit status for the fate of one or several signals.

    One kind of trouble keeps its own number; where rows fared differently it is CONFLICT
    ("some rows failed"), except that waiting and delivered rows together are no trouble.
    """
    codes = {_single_exit_status(report, require_delivery) for report in reports}
    if len(codes) == 1:
        return codes.pop()
    codes.discard(ExitCode.DONE)
    if not codes or codes == {ExitCode.TEMPORARY}:
        return codes.pop() if codes else ExitCode.DONE
    return ExitCode.CONFLICT


def _single_exit_status(report: dict[str, Any], require_delivery: bool) -> ExitCode:
    state = report["state"]
    if state == State.HELD and report["http_status"] not in (401, 403):
        # Held by hand is the user's own wish; held by 404, 410 or a redirect is a refusal.
        return ExitCode.REFUSED if report["held_by"] == "answer" else ExitCode.DONE
    if state in (State.QUEUED, State.HELD) and require_delivery:
        return ExitCode.TEMPORARY if state == State.QUEUED else _EXIT_CODE_BY_STATE[state]
    return _EXIT_CODE_BY_STATE[state]
