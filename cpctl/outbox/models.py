"""A signal in the store: its state, its attempts, and the result of posting it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Any, NamedTuple, Self

from cpctl.clock import format_iso, from_ms
from cpctl.signals.signal import Signal, wire_time
from cpctl.signals.signal_types import SIGNAL_TYPES, SignalType


class State(StrEnum):
    """The state of a signal in the outbox, with its meaning."""

    meaning: str

    def __new__(cls, name: str, meaning: str = "") -> Self:
        member = str.__new__(cls, name)
        member._value_, member.meaning = name, meaning
        return member

    QUEUED = "queued", "safe in the store; sent by `outbox flush`"
    HELD = "held", "safe in the store; not sent until it is released"
    DELIVERED = "delivered", "the service has it"
    REFUSED = "refused", "the service says it is wrong; not sent again unless asked for"
    EXPIRED = "expired", "not delivered in 7 days; not sent again unless asked for"
    DROPPED = "dropped", "taken out of the outbox by hand; never sent"
    # Only reported by a command, never stored:
    DUPLICATE = "duplicate", "already accepted with the same content; nothing new is sent"
    CONFLICT = "conflict", "already accepted with other content; nothing is sent"


STATE_MEANINGS = {state: state.meaning for state in State}
STORED_STATES = tuple(state for state in State if state not in (State.DUPLICATE, State.CONFLICT))
WAITING_STATES = (State.QUEUED, State.HELD)
# What `outbox list` shows: not delivered, and not dropped by a person.
OPEN_STATES = (State.QUEUED, State.HELD, State.REFUSED, State.EXPIRED)


def sql_list(states: Iterable[State]) -> str:
    """States as the list of an SQL `IN`. SQLite uses the index of open signals only if all of OPEN_STATES is listed."""
    return ", ".join(repr(str(state)) for state in states)


class Origin(NamedTuple):
    """Who reported a signal, at which station, and the carrier of its tracking code; "" if unknown."""

    operator: str = ""
    station: str = ""
    carrier: str = ""


class QueuedSignal(NamedTuple):
    """One accepted signal. Times are ms since 1970 in UTC; 0 or None if there is none yet."""

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
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The signal in a row of the table `signals`; of a damaged row what can be shown."""
        signal = _parse_signal(row)
        return cls(
            signal=signal or _placeholder_signal(row),
            origin=Origin(row["operator"], row["station"], row["carrier"]),
            is_damaged=signal is None,
            state=State(row["state"]),
            maybe_duplicate=bool(row["maybe_duplicate"]),
            **{name: row[name] for name in _COLUMNS_AS_THEY_ARE},
        )

    def to_dict(self, **overrides: Any) -> dict[str, Any]:
        """The signal as scripts see it; `overrides` replaces values (interface of `signal` and `outbox`)."""
        signal = self.signal
        is_queued = self.state is State.QUEUED
        return {
            "id": str(self.id),
            "type": signal.type.name,
            "order": signal.order,
            "item": signal.item,
            "state": str(self.state),
            "attempts": self.attempts,
            "http_status": self.http_status,
            "message": self.message,
            "datetime": wire_time(signal.at),
            "fields": {name: value for name, value in signal.fields.items() if name not in ("order", "item")},
            "api_version": signal.version,
            "profile": self.profile,
            "accepted_at": format_iso(self.accepted_at),
            "settled_at": format_iso(self.settled_at),
            "next_attempt_at": format_iso(max(self.next_attempt_at, self.not_before)) if is_queued else None,
            "maybe_duplicate": self.maybe_duplicate,
            "held_by": self.held_by or None,
            **self.origin._asdict(),
            "uid": self.uid,
        } | overrides


_COLUMNS_AS_THEY_ARE = frozenset(QueuedSignal._fields) - {"signal", "origin", "is_damaged", "state", "maybe_duplicate"}


def _parse_signal(row: Mapping[str, Any]) -> Signal | None:
    """The signal in a row; None if the disk damaged it without SQLite noticing."""
    try:
        fields: dict[str, str] = json.loads(row["fields"])
        signal = Signal(SIGNAL_TYPES[row["type"]], row["version"], dict(fields), from_ms(row["event_at"]))
        agrees = (signal.order, signal.item) == (row["order_id"], row["item"])
        return signal if agrees and row["version"] in signal.type.required else None
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _placeholder_signal(row: Mapping[str, Any]) -> Signal:
    signal_type = SIGNAL_TYPES.get(str(row["type"])) or SignalType(str(row["type"]), "", "", {})
    fields = {"order": str(row["order_id"]), "item": str(row["item"])}
    return Signal(signal_type, str(row["version"]), fields, from_ms(0))


class Disposition(Enum):
    """What a result means for the signals that were posted."""

    DELIVERED = "delivered"
    RETRY = "later"  # post it again, by the schedule
    HOLD = "hold"  # pause the queue: the key or the address is wrong, the signals may be right
    REFUSED = "refused"


class DeliveryResult(NamedTuple):
    """The result of one post of one signal or one bundle.

    `affects_service`: every other signal would get the same result now. `maybe_processed`: the service may have
    processed the signals although no response says so. `retry_after` is in seconds.
    """

    disposition: Disposition
    http_status: int | None = None
    message: str = ""
    retry_after: float | None = None
    affects_service: bool = False
    maybe_processed: bool = False


# Posts signals of one version and one order: one as it is, several as a bundle.
Send = Callable[[Sequence[Signal]], DeliveryResult]
