"""Acceptance: writing a signal to the store, unless it repeats or contradicts an earlier one."""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cpctl.clock import to_ms
from cpctl.outbox.models import Origin, QueuedSignal, State
from cpctl.signals.signal import Signal
from cpctl.store.store import Transaction

# Those that count: not refused, expired or dropped.
_EARLIER_SQL = """
    SELECT * FROM signals WHERE profile = :profile AND order_id = :order_id AND item = :item AND type = :type
        AND state IN ('queued', 'held', 'delivered') ORDER BY id
"""


class AcceptedSignal(NamedTuple):
    """The outcome of accepting a signal: a new entry, or the earlier one that it repeats or contradicts."""

    queued_signal: QueuedSignal
    state: State  # QUEUED for a new entry, else DUPLICATE or CONFLICT
    signal: Signal

    @property
    def is_new(self) -> bool:
        """Whether the store has one signal more than before."""
        return self.state is State.QUEUED

    def to_dict(self) -> dict[str, Any]:
        """The outcome as scripts see it; a repeat carries the id of the signal it repeats."""
        if self.is_new:
            return self.queued_signal.to_dict()
        repeat = self.queued_signal._replace(signal=self.signal)
        return repeat.to_dict(state=str(self.state), message=self.describe())

    def describe(self) -> str:
        """A sentence about a repeat or a contradiction."""
        earlier = f"signal {self.queued_signal.id} ({self.queued_signal.state})"
        if self.state is State.DUPLICATE:
            return f"already accepted as {earlier}"
        old, new = self.queued_signal.signal.fields, self.signal.fields
        different = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return f"{earlier} says {_format_fields(old, different)}, this one says {_format_fields(new, different)}"


def _format_fields(fields: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name}={fields.get(name, '(nothing)')}" for name in names)


class AcceptanceRules(NamedTuple):
    """What holds for all signals that are accepted together. `now` is in ms.

    `force` accepts a signal that contradicts an earlier one; none is sent before `hold_seconds` have passed.
    """

    profile: str
    now: int
    force: bool = False
    hold_seconds: float = 0.0


def accept_signal(transaction: Transaction, signal: Signal, origin: Origin, rules: AcceptanceRules) -> AcceptedSignal:
    """Write a signal to the store, unless it repeats or contradicts an earlier one."""
    names = {"profile": rules.profile, "type": signal.type.name, "order_id": signal.order, "item": signal.item}
    earlier = [QueuedSignal.from_row(row) for row in transaction.fetch_all(_EARLIER_SQL, **names)]
    same = [queued for queued in earlier if queued.signal.content() == signal.content()]
    if same and (signal.type.is_repeatable or same[-1] is earlier[-1]):
        return AcceptedSignal(same[-1], State.DUPLICATE, signal)
    if earlier and not signal.type.is_repeatable:
        conflict = AcceptedSignal(earlier[-1], State.CONFLICT, signal)
        kind = "override" if rules.force else "conflict"
        record_audit_event(transaction, rules.profile, rules.now, kind, signal, origin, conflict.describe())
        if not rules.force:
            return conflict
    signal_id = transaction.insert(
        "signals",
        **names,
        uid=uuid.uuid4().hex,
        version=signal.version,
        fields=json.dumps(dict(signal.fields), ensure_ascii=False),
        tracking=signal.fields.get("tracking", ""),
        event_at=to_ms(signal.at),
        accepted_at=rules.now,
        state=State.QUEUED,
        next_attempt_at=rules.now,
        not_before=rules.now + int(rules.hold_seconds * 1000) if rules.hold_seconds else 0,
        **origin._asdict(),
    )
    row = transaction.fetch_one("SELECT * FROM signals WHERE id = :id", id=signal_id)
    assert row is not None  # inserted in this transaction
    return AcceptedSignal(QueuedSignal.from_row(row), State.QUEUED, signal)


def record_audit_event(
    transaction: Transaction, profile: str, now: int, kind: str, signal: Signal, origin: Origin, details: str
) -> None:
    """Record what happened besides the signals themselves: a conflict, an override, an undo at a bench."""
    transaction.insert(
        "audit_events",
        occurred_at=now,
        profile=profile,
        kind=kind,
        type=signal.type.name,
        order_id=signal.order,
        item=signal.item,
        operator=origin.operator,
        station=origin.station,
        details=details,
    )
