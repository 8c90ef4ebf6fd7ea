"""The outbox: accepts signals, keeps them, changes them by hand, and pauses. The dispatcher sends them."""

from collections.abc import Sequence
from typing import NamedTuple

from cpctl import retry
from cpctl.clock import Clock, to_ms, utc_now
from cpctl.errors import Conflict, NotFound, StoreError
from cpctl.outbox.acceptance import AcceptanceRules, AcceptedSignal, accept_signal, record_audit_event
from cpctl.outbox.models import OPEN_STATES, DeliveryResult, Origin, QueuedSignal, State, sql_list
from cpctl.signals.signal import Signal
from cpctl.store.store import Store, Transaction

_DUE_NOW = "state = 'queued', held_by = '', next_attempt_at = :now, not_before = 0"

# SQLite uses the index of open signals only for a query that contains the whole list of open states.
_RESUME_SQL = f"""
    UPDATE signals INDEXED BY signals_open SET {_DUE_NOW}
    WHERE profile = :profile AND state IN ({sql_list(OPEN_STATES)}) AND state = 'held' AND held_by = 'answer'
"""
_POSTPONE_SQL = """
    UPDATE signals SET next_attempt_at = max(next_attempt_at, :retry_at), not_before = max(not_before, :not_before)
    WHERE profile = :profile AND state = 'queued'
"""
_ALL_DUE_SQL = """
    UPDATE signals SET next_attempt_at = :now
    WHERE profile = :profile AND state = 'queued' AND next_attempt_at > :now
"""
_PAUSE_SQL = """
    INSERT INTO queues (profile, paused_status, paused_message, paused_at) VALUES (:profile, :status, :message, :now)
    ON CONFLICT (profile) DO UPDATE SET paused_status = :status, paused_message = :message, paused_at = :now
"""
_FAILURE_SQL = """
    INSERT INTO queues (profile, delayed, outages) VALUES (:profile, 1, :outage)
    ON CONFLICT (profile) DO UPDATE SET delayed = 1, outages = outages + :outage
"""


class Pause(NamedTuple):
    """Why a profile's queue is paused, and since when (ms)."""

    http_status: int | None
    message: str
    paused_at: int


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

        All in one transaction. The same signal again is a DUPLICATE; other content for the same type and item is a
        CONFLICT and is not accepted, unless `force`. `origins` belong to the signals one by one; none is sent
        before `hold_seconds` have passed. Raises StoreError, and then none is accepted.
        """
        pairs = list(zip(signals, origins or [Origin()] * len(signals), strict=True))
        rules = AcceptanceRules(self.profile, to_ms(self._clock()), force, hold_seconds)
        try:
            return self.store.write(lambda transaction: [accept_signal(transaction, *pair, rules) for pair in pairs])
        except StoreError as error:
            raise StoreError(f"NOT ACCEPTED, nothing sent: {error.message}", error.hint) from error

    def record_audit_event(
        self, transaction: Transaction, kind: str, signal: Signal, origin: Origin, details: str
    ) -> None:
        """Record what happened besides the signals themselves: a conflict, an override, an undo at a bench."""
        record_audit_event(transaction, self.profile, to_ms(self._clock()), kind, signal, origin, details)

    def get_by_ids(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """The signals with these ids, in the order of the ids. Raises NotFound, StoreError."""
        return self.store.read(lambda transaction: [self._get_own(transaction, each) for each in ids])

    def _get_own(self, transaction: Transaction, signal_id: int) -> QueuedSignal:
        queued = get_signal(transaction, signal_id)
        if queued.profile != self.profile:
            raise NotFound(
                f'Signal {signal_id} belongs to the profile "{queued.profile}", not to "{self.profile}".',
                f"Add --profile {queued.profile}.",
            )
        return queued

    def hold(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Hold signals until they are released. Raises Conflict for one that is being sent, or sent already."""
        return self._update(ids, (State.QUEUED, State.HELD), "state = 'held', held_by = 'user'", "held")

    def release(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Queue held signals again, due now. Raises Conflict."""
        return self._update(ids, (State.HELD, State.QUEUED), _DUE_NOW, "released")

    def retry(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Queue signals again, due now: refused and expired ones too. Raises Conflict.

        `accepted_at` stays, because it says when responsibility was taken. So an expired signal gets one attempt.
        """
        return self._update(ids, OPEN_STATES, f"{_DUE_NOW}, settled_at = NULL", "retried")

    def drop(self, ids: Sequence[int]) -> list[QueuedSignal]:
        """Give up signals for good; they stay in the history as dropped. Raises Conflict."""
        setting = "state = 'dropped', held_by = '', settled_at = :now"
        return self._update(ids, (*OPEN_STATES, State.DROPPED), setting, "dropped")

    def read_pause(self) -> Pause | None:
        """Why the queue is paused, or None if it is not. Raises StoreError."""
        return self.store.read(lambda transaction: get_pause(transaction, self.profile))

    def release_queue(self) -> int:
        """End the pause that a refused key or a wrong address caused; returns how many signals are due again."""
        return self.store.write(lambda transaction: resume_queue(transaction, self.profile, to_ms(self._clock())))

    def _update(
        self, ids: Sequence[int], states: Sequence[State], assignments: str, past_participle: str
    ) -> list[QueuedSignal]:
        """Change all of the named signals, or none. A signal under a valid lease may be on its way: it is refused."""

        def work(transaction: Transaction) -> list[QueuedSignal]:
            now = to_ms(self._clock())
            for signal_id in ids:
                queued = self._get_own(transaction, signal_id)
                if queued.state not in states:
                    message = f"Signal {signal_id} is {queued.state}; it cannot be {past_participle}."
                    raise Conflict(f"{message} Nothing was changed.")
                if queued.lease and queued.lease_until > now:
                    raise Conflict(
                        f"Signal {signal_id} is being sent right now; nothing was changed.",
                        f"Check its state with `cpctl outbox show {signal_id}`.",
                    )
                transaction.execute(f"UPDATE signals SET {assignments} WHERE id = :id", id=signal_id, now=now)
            return [get_signal(transaction, signal_id) for signal_id in ids]

        return self.store.write(work)


def get_signal(transaction: Transaction, signal_id: int) -> QueuedSignal:
    """The signal with this id, whatever its profile. Raises NotFound."""
    row = transaction.fetch_one("SELECT * FROM signals WHERE id = :id", id=signal_id)
    if row is None:
        raise NotFound(f"There is no signal {signal_id} in this store.", "`cpctl signal history` lists them.")
    return QueuedSignal.from_row(row)


def get_pause(transaction: Transaction, profile: str) -> Pause | None:
    """Why the queue is paused, or None if it is not."""
    sql = "SELECT * FROM queues WHERE profile = :profile AND paused_at IS NOT NULL"
    row = transaction.fetch_one(sql, profile=profile)
    return Pause(row["paused_status"], row["paused_message"], row["paused_at"]) if row else None


def pause_queue(transaction: Transaction, profile: str, result: DeliveryResult, now: int) -> None:
    """Stop sending: the key or the address is wrong, and the signals may be right."""
    transaction.execute(_PAUSE_SQL, status=result.http_status, message=result.message, now=now, profile=profile)


def resume_queue(transaction: Transaction, profile: str, now: int) -> int:
    """End a pause: what it held is queued again and due now. Returns how many signals that are."""
    sql = "UPDATE queues SET paused_status = NULL, paused_message = '', paused_at = NULL WHERE profile = :profile"
    transaction.execute(sql, profile=profile)
    return transaction.execute(_RESUME_SQL, profile=profile, now=now)


def record_failure(transaction: Transaction, profile: str, result: DeliveryResult, now: int) -> None:
    """Note a failed post. In an outage of the service every queued signal waits, not only those of the post."""
    transaction.execute(_FAILURE_SQL, outage=result.affects_service, profile=profile)
    if not result.affects_service:
        return
    row = transaction.fetch_one("SELECT outages FROM queues WHERE profile = :profile", profile=profile)
    retry_after_ms = int(min(result.retry_after or 0.0, retry.MAX_RETRY_AFTER_SECONDS) * 1000)
    transaction.execute(
        _POSTPONE_SQL,
        retry_at=now + retry.SIGNALS.delay_ms(row["outages"] if row else 1),
        not_before=now + retry_after_ms if retry_after_ms > 0 else 0,
        profile=profile,
    )


def record_success(transaction: Transaction, profile: str, now: int) -> None:
    """A delivered signal proves that the service is well: it ends a pause and makes every queued signal due."""
    row = transaction.fetch_one("SELECT paused_at, delayed FROM queues WHERE profile = :profile", profile=profile)
    # While all is well, nothing needs to be written: a large queue is not rewritten after every delivery.
    if row is None or (row["paused_at"] is None and not row["delayed"]):
        return
    resume_queue(transaction, profile, now)
    transaction.execute(_ALL_DUE_SQL, profile=profile, now=now)
    transaction.execute("UPDATE queues SET outages = 0, delayed = 0 WHERE profile = :profile", profile=profile)
