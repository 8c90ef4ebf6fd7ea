"""The outbox: signals are accepted here, kept, held and given up. Sending is in `sending`."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.clock import Clock, to_ms, utc_now
from cpctl.errors import Conflict, NotFound, StoreError
from cpctl.outbox.models import OPEN_STATES, WAITING_STATES, Origin, QueuedSignal, State, sql_list
from cpctl.outbox.queue_state import Pause, get_pause, resume_queue
from cpctl.signals.signal import Signal
from cpctl.store.store import Store, Transaction

INSERT_SIGNAL = """
    INSERT INTO signals (uid, profile, version, type, order_id, item, fields, event_at, accepted_at,
                         state, held_by, attempts, next_attempt_at, not_before, maybe_duplicate, operator, station, carrier)
    VALUES (:uid, :profile, :version, :type, :order_id, :item, :fields, :event_at, :accepted_at,
            :state, :held_by, :attempts, :next_attempt_at, :not_before, :maybe_duplicate, :operator, :station, :carrier)
"""


class AcceptedSignal(NamedTuple):
    """What accepting one signal came to: a new entry, or the earlier one it repeats or contradicts."""

    queued_signal: QueuedSignal
    state: State  # QUEUED for a new entry, else DUPLICATE or CONFLICT
    signal: Signal

    @property
    def is_new(self) -> bool:
        """True where the store has one signal more than before."""
        return self.state is State.QUEUED

    def to_dict(self) -> dict[str, Any]:
        """The outcome as scripts see it; a repeat carries the id of the entry it repeats."""
        if self.is_new:
            return self.queued_signal.to_dict()
        said = self.queued_signal._replace(signal=self.signal).to_dict()
        return said | {"state": str(self.state), "message": self.describe()}

    def describe(self) -> str:
        """A sentence about a repeat or a contradiction."""
        known = f"signal {self.queued_signal.id} ({self.queued_signal.state})"
        if self.state is State.DUPLICATE:
            return f"already accepted as {known}"
        told, now = self.queued_signal.signal.fields, self.signal.fields
        differs = [name for name in {**told, **now} if told.get(name) != now.get(name)]
        return f"{known} says {_format_fields(told, differs)}, this one says {_format_fields(now, differs)}"


def _format_fields(fields: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name}={fields.get(name, '(nothing)')}" for name in names)


class Outbox:
    """The signals of one profile in one store."""

    def __init__(self, store: Store, profile: str, clock: Clock = utc_now) -> None:
        self.store = store
        self.profile = profile
        self._clock = clock

    def accept(
        self, signals: Sequence[Signal], force: bool = False, origins: Sequence[Origin] = (), hold_seconds: float = 0.0
    ) -> list[AcceptedSignal]:
        """Take responsibility: when this returns, every new signal survives a power cut.

        All in one transaction. The same signal again is a DUPLICATE; another content for the
        same type and item is a CONFLICT and is not taken, unless `force`. `origins` stand beside
        the signals; none are sent for `hold_back` seconds. Raises StoreError, and then none is
        taken.
        """
        pairs = list(zip(signals, origins or [Origin()] * len(signals), strict=True))
        try:
            return self.store.write(
                lambda work: [self._accept_one(work, signal, force, origin, hold_seconds) for signal, origin in pairs]
            )
        except StoreError as error:
            what = "NOT ACCEPTED, nothing sent: " + error.message
            raise StoreError(what, error.hint) from error

    def _accept_one(
        self, transaction: Transaction, signal: Signal, force: bool, origin: Origin, hold_seconds: float
    ) -> AcceptedSignal:
        earlier = self._find_earlier(transaction, signal)
        same = [entry for entry in earlier if entry.signal.content() == signal.content()]
        if signal.type.is_repeatable:
            if same:
                return AcceptedSignal(same[-1], State.DUPLICATE, signal)
        elif earlier:
            if earlier[-1] in same:
                return AcceptedSignal(earlier[-1], State.DUPLICATE, signal)
            refused = AcceptedSignal(earlier[-1], State.CONFLICT, signal)
            self.record_audit_event(
                transaction, "override" if force else "conflict", signal, origin, refused.describe()
            )
            if not force:
                return refused
        return AcceptedSignal(self._insert(transaction, signal, origin, hold_seconds), State.QUEUED, signal)

    def record_audit_event(
        self, transaction: Transaction, kind: str, signal: Signal, origin: Origin, details: str
    ) -> None:
        """Keep what happened beside the signals themselves: a conflict, an override, one that was taken back."""
        transaction.insert(
            "INSERT INTO audit_events (occurred_at, profile, kind, type, order_id, item, operator, station, details) VALUES"
            " (:occurred_at, :profile, :kind, :type, :order_id, :item, :operator, :station, :details)",
            occurred_at=to_ms(self._clock()),
            profile=self.profile,
            kind=kind,
            type=signal.type.name,
            order_id=signal.order,
            item=signal.item,
            operator=origin.operator,
            station=origin.station,
            details=details,
        )

    def _find_earlier(self, transaction: Transaction, signal: Signal) -> list[QueuedSignal]:
        """Accepted signals of that type and item which count: not refused, expired or dropped."""
        rows = transaction.fetch_all(
            "SELECT * FROM signals WHERE profile = :profile AND order_id = :order_id AND item = :item"
            " AND type = :type AND state IN ('queued', 'held', 'delivered') ORDER BY id",
            profile=self.profile,
            order_id=signal.order,
            item=signal.item,
            type=signal.type.name,
        )
        return [QueuedSignal.from_row(row) for row in rows]

    def _insert(self, transaction: Transaction, signal: Signal, origin: Origin, hold_seconds: float) -> QueuedSignal:
        now = to_ms(self._clock())
        key = transaction.insert(
            INSERT_SIGNAL,
            uid=uuid.uuid4().hex,
            profile=self.profile,
            version=signal.version,
            type=signal.type.name,
            order_id=signal.order,
            item=signal.item,
            fields=json.dumps(dict(signal.fields), ensure_ascii=False),
            event_at=to_ms(signal.at),
            accepted_at=now,
            state=State.QUEUED,
            held_by="",
            attempts=0,
            next_attempt_at=now,
            not_before=now + int(hold_seconds * 1000) if hold_seconds else 0,
            maybe_duplicate=0,
            **origin._asdict(),
        )
        return get_signal(transaction, key)

    def get_by_ids(self, ids: Iterable[int]) -> list[QueuedSignal]:
        """The entries with these ids, in the order of the ids. Raises NotFound, StoreError."""
        wanted = list(ids)
        return self.store.read(lambda work: [self._get_own(work, key) for key in wanted])

    def _get_own(self, transaction: Transaction, signal_id: int) -> QueuedSignal:
        """An entry that somebody named by its id: of this profile, and no other."""
        entry = get_signal(transaction, signal_id)
        if entry.profile != self.profile:
            raise NotFound(
                f'Signal {signal_id} belongs to the profile "{entry.profile}", not to "{self.profile}".',
                f"Add --profile {entry.profile}.",
            )
        return entry

    def hold(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Keep entries back until they are released. Raises Conflict for one that is being sent or is settled."""
        return self._update(ids, (State.QUEUED, State.HELD), "state = 'held', held_by = 'user'", "held")

    def release(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Let held entries go again."""
        return self._update(
            ids,
            (State.HELD, State.QUEUED),
            "state = 'queued', held_by = '', next_attempt_at = :now, not_before = 0",
            "released",
        )

    def retry(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Put entries back as due now: refused and expired ones too."""
        # accepted_at stays: it says when responsibility was taken. An expired one gets its tries by being asked for.
        return self._update(
            ids,
            OPEN_STATES,
            "state = 'queued', held_by = '', next_attempt_at = :now, not_before = 0, settled_at = NULL",
            "retried",
        )

    def drop(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Give entries up for good; they stay in the history as dropped."""
        setting = "state = 'dropped', held_by = '', settled_at = :now"
        return self._update(ids, (*OPEN_STATES, State.DROPPED), setting, "dropped")

    def read_pause(self) -> Pause | None:
        """Why the queue is paused, or None if it is not. Raises StoreError."""
        return self.store.read(lambda transaction: get_pause(transaction, self.profile))

    def release_queue(self) -> int:
        """End the pause that a refused key or a wrong address caused; returns how many signals are due again."""
        now = to_ms(self._clock())
        return self.store.write(lambda work: resume_queue(work, self.profile, now))

    def _update(
        self, ids: Sequence[int], states: Sequence[State], assignments: str, past_participle: str
    ) -> list[QueuedSignal]:
        """Change all of the named entries, or none."""

        def work(transaction: Transaction) -> list[QueuedSignal]:
            now = to_ms(self._clock())
            for key in ids:
                entry = self._get_own(transaction, key)
                if entry.state not in states:
                    raise Conflict(
                        f"Signal {key} is {entry.state}; it cannot be {past_participle}. Nothing was changed."
                    )
                if entry.lease and entry.lease_until > now:
                    raise Conflict(
                        f"Signal {key} is being sent right now; nothing was changed.",
                        f"Look again with `cpctl outbox show {key}`.",
                    )
                transaction.execute(f"UPDATE signals SET {assignments} WHERE id = :id AND :now = :now", id=key, now=now)
            return [get_signal(transaction, key) for key in ids]

        return self.store.write(work)


def get_signal(transaction: Transaction, signal_id: int) -> QueuedSignal:
    """The signal with this id, whatever its profile. Raises NotFound."""
    row = transaction.fetch_one("SELECT * FROM signals WHERE id = :id", id=signal_id)
    if row is None:
        raise NotFound(f"There is no signal {signal_id} in this store.", "`cpctl signal history` lists them.")
    return QueuedSignal.from_row(row)
