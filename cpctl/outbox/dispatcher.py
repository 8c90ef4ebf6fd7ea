"""The dispatcher: claims signals in the outbox, posts them over 1..n connections, and records the results.

Any number of dispatchers, in any number of processes, may work on one store. These rules keep them apart:

- A signal is posted only under a lease: the id of a run and the time until which it holds, written in the transaction
  that selected the signal. A lease outlives the post that it covers, so no two running processes post one signal.
- A process that is killed leaves its leases behind. After their time the signals are claimed again, and marked
  `maybe_duplicate`, because the killed process may have posted them.
- Only the run that holds the lease changes a signal: a renewal or a result is written `WHERE lease = :run_id`.
  A process that slept through its lease must not overwrite what its successor has recorded.
- A leased signal stays `queued`, and no signal is claimed while an earlier one of its item, or of its whole order, is
  queued or held. So the order of an item holds across processes, and a result releases the next signal.
- A run claims a signal once (`last_run`): what failed is left to the next run.
"""

import json
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from cpctl import retry
from cpctl.clock import Clock, to_ms, utc_now
from cpctl.outbox.connections import Bundle, Connections
from cpctl.outbox.models import WAITING_STATES, DeliveryResult, Disposition, QueuedSignal, Send, State, sql_list
from cpctl.outbox.outbox import Outbox, get_pause, get_signal, pause_queue, record_failure, record_success
from cpctl.store.store import Row, Transaction

# Beyond the time of a post, a lease leaves room for a slow disk.
LEASE_MARGIN_MS = 15_000
MAX_LEASE_MS = 3_600_000
MAX_BUNDLE_SIZE = 50
# After this many failed posts in a row the service is in trouble, not one signal.
MAX_CONSECUTIVE_FAILURES = 5
_FAR_FUTURE_MS = 1 << 62

_DAMAGE_MESSAGE = "the disk has damaged it in the store; report the signal again"
DAMAGED_RESULT = DeliveryResult(Disposition.REFUSED, message=_DAMAGE_MESSAGE)
_STATE_BY_DISPOSITION = {
    Disposition.DELIVERED: State.DELIVERED,
    Disposition.RETRY: State.QUEUED,
    Disposition.HOLD: State.HELD,
    Disposition.REFUSED: State.REFUSED,
}
INTERRUPTED_RESULT = DeliveryResult(Disposition.RETRY, message="interrupted while sending", maybe_processed=True)

SendOutcome = tuple[QueuedSignal, DeliveryResult]
Claim = Callable[[Transaction, bool], Bundle]

# Not leased, not asked to wait by the service, not tried in this run, and first in its order (see above). A lease
# that ends later than any lease can was written before the clock was set back; it counts as expired.
_CLAIMABLE = f"""
    s.lease_until NOT BETWEEN :now + 1 AND :now + :max_lease AND s.not_before <= :now AND s.last_run <> :run_id
    AND NOT EXISTS (SELECT 1 FROM signals AS e
                WHERE e.profile = s.profile AND e.order_id = s.order_id AND e.item IN (s.item, '')
                  AND e.id < s.id AND e.state IN ({sql_list(WAITING_STATES)}))
"""
_DUE_SQL = f"""
    SELECT s.* FROM signals AS s
    WHERE s.profile = :profile AND s.state = 'queued' AND s.next_attempt_at <= :due_before AND {_CLAIMABLE}
    ORDER BY s.attempts, s.id LIMIT 1
"""
# The index is named because SQLite would walk the whole queue for each order: minutes for 10,000 signals.
_DUE_IN_ORDER_SQL = f"""
    SELECT s.* FROM signals AS s INDEXED BY signals_by_item
    WHERE s.profile = :profile AND s.state = 'queued' AND s.next_attempt_at <= :due_before
      AND s.order_id = :order_id AND s.version = :version AND {_CLAIMABLE}
    ORDER BY s.attempts, s.id LIMIT {MAX_BUNDLE_SIZE}
"""
# The named signals and those that go before them; also what a pause of the queue holds.
_BY_IDS_SQL = f"""
    SELECT s.* FROM signals AS s
    WHERE s.id IN (SELECT e.id FROM signals AS t
                   JOIN signals AS e ON e.profile = t.profile AND e.order_id = t.order_id
                                    AND e.item IN (t.item, '') AND e.id <= t.id
                   WHERE t.id IN (SELECT value FROM json_each(:ids)))
      AND (s.state = 'queued' OR (s.state = 'held' AND s.held_by = 'answer'))
      AND {_CLAIMABLE}
    ORDER BY s.id LIMIT {MAX_BUNDLE_SIZE}
"""
# A lease that is still there belonged to a process that was killed while it may have been sending.
_LEASE_SQL = """
    UPDATE signals SET attempts = attempts + 1, last_attempt_at = :now, last_run = :run_id, lease = :run_id,
        lease_until = :lease_until, maybe_duplicate = max(maybe_duplicate, lease IS NOT NULL)
    WHERE id = :id
"""
_RENEW_SQL = "UPDATE signals SET lease_until = :lease_until WHERE id = :id AND lease = :run_id"
_RELEASE_SQL = """
    UPDATE signals SET lease = NULL, lease_until = 0, attempts = attempts - 1 WHERE id = :id AND lease = :run_id
"""
_SETTLE_SQL = """
    UPDATE signals SET state = :state, held_by = :held_by, http_status = :http_status, message = :message,
        maybe_duplicate = max(maybe_duplicate, :maybe_processed), lease = NULL, lease_until = 0,
        next_attempt_at = max(next_attempt_at, :retry_at), settled_at = :settled_at
    WHERE id = :id AND lease = :run_id
"""


class _Progress:
    """The state of one `deliver` or `flush`."""

    def __init__(self, senders: Sequence[Send], claim: Claim) -> None:
        self.connections = Connections(senders)
        self.claim = claim
        self.is_first_claim = True
        self.singles: deque[QueuedSignal] = deque()  # of refused bundles, to be posted one by one
        self.leased_ids: set[int] = set()
        self.failures = 0  # in a row
        self.stop_result: DeliveryResult | None = None  # the service is in trouble, or the queue was paused
        self.error: BaseException | None = None  # raised by a sender

    @property
    def is_stopping(self) -> bool:
        return self.stop_result is not None or self.error is not None


class Dispatcher:
    """Sends the signals of an outbox, with a connection per sender. One post takes at most `send_timeout_seconds`."""

    def __init__(
        self, outbox: Outbox, send: Send | Sequence[Send], send_timeout_seconds: float, clock: Clock = utc_now
    ) -> None:
        self._store = outbox.store
        self._profile = outbox.profile
        self._senders = [send] if callable(send) else list(send)
        # With several connections, a claimed bundle may have to wait for one post before its own.
        posts = min(len(self._senders), 2)
        self._lease_ms = min(int(posts * send_timeout_seconds * 1000) + LEASE_MARGIN_MS, MAX_LEASE_MS)
        self._clock = clock
        self._run_id = uuid.uuid4().hex

    def deliver(self, ids: Iterable[int]) -> None:
        """Send the named signals, each after the undelivered ones of its item, even if the queue is paused.

        Ends early when the service is in trouble. The results are in the store. Raises StoreError.
        """
        ids_json = json.dumps(list(ids))
        for _ in self._dispatch(lambda transaction, _: self._claim_by_ids(transaction, ids_json)):
            pass

    def flush(self, probe: bool = True) -> Iterator[SendOutcome]:
        """Send everything that is due, oldest first; yields each signal with its result.

        Ends early when the service is in trouble: one that does not answer costs one timeout, not one per signal.
        If nothing is due, `probe` tries one signal all the same; if that gets through, the others are due again.
        A paused queue sends nothing. Raises StoreError.
        """
        return self._dispatch(lambda transaction, is_first: self._claim_due(transaction, probe and is_first))

    # --- the loop -------------------------------------------------------------------------

    def _dispatch(self, claim: Claim) -> Iterator[SendOutcome]:
        """Claim, post, record, until nothing is left to claim or the service is in trouble.

        Connections only post; this thread alone uses the store. It records the results that have arrived and claims
        the next signals in one transaction. Thus several posts share one commit, which waits for the disk; and a signal
        can be claimed as soon as its predecessor is delivered.
        """
        progress = _Progress(self._senders, claim)
        connections = progress.connections
        is_single = len(self._senders) == 1
        capacity = 1  # the first post goes alone: a dead service costs one timeout, on one connection
        try:
            while True:
                results = self._evaluate(progress)
                free = 0 if progress.is_stopping else capacity - len(connections.in_flight)
                # A single connection posts only when the caller asks for more. The caller may take its time, or stop:
                # nothing is claimed before it has seen these results, so that no lease runs out meanwhile.
                yield from self._record_and_claim(progress, results, 0 if is_single and results else free)
                if connections.in_flight:
                    connections.collect()
                    # Each of several connections has a bundle waiting, so that none waits for a commit.
                    capacity = 1 if is_single else 2 * len(self._senders)
                elif progress.is_stopping or not results:
                    break
            if progress.error is not None:
                raise progress.error
        finally:
            self._close(progress)

    def _evaluate(self, progress: _Progress) -> list[tuple[Bundle, DeliveryResult]]:
        """What each finished post means for its bundle; decides whether to stop. Writes nothing."""
        results = []
        for bundle, result, error in progress.connections.results:
            if result is None:
                progress.error = error
                results.append((bundle, INTERRUPTED_RESULT))
            elif result.disposition is Disposition.REFUSED and len(bundle) > 1:
                progress.singles.extend(bundle)  # one bad signal must not take down the others of its bundle
            else:
                # Several connections meet one outage at the same time; it is recorded once.
                is_repeat = progress.stop_result is not None
                results.append((bundle, result._replace(affects_service=False) if is_repeat else result))
                progress.failures = progress.failures + 1 if result.disposition is Disposition.RETRY else 0
                if not is_repeat and (result.affects_service or progress.failures >= MAX_CONSECUTIVE_FAILURES):
                    progress.stop_result = result
        if progress.is_stopping:
            progress.connections.cancel_pending()
        if progress.stop_result is not None:
            # It holds for the rest of a refused bundle too; but what was refused was certainly not processed.
            unsent = progress.stop_result._replace(affects_service=False, maybe_processed=False)
            results += [([signal], unsent) for signal in progress.singles]
            progress.singles.clear()
        return results

    def _record_and_claim(
        self, progress: _Progress, results: Iterable[tuple[Bundle, DeliveryResult]], free: int
    ) -> list[SendOutcome]:
        """Record results and claim up to `free` bundles, in one transaction; then submit these for posting."""

        def work(transaction: Transaction) -> tuple[list[SendOutcome], list[Bundle], list[QueuedSignal]]:
            outcomes = [outcome for bundle, result in results for outcome in self._settle(transaction, bundle, result)]
            singles = self._renew_leases(transaction, progress.singles) if free else list(progress.singles)
            bundles = [[signal] for signal in singles[:free]]
            while len(bundles) < free and (bundle := progress.claim(transaction, progress.is_first_claim)):
                # Noted before the commit: whatever interrupts us, `_close` knows of every lease.
                progress.leased_ids.update(signal.id for signal in bundle)
                damaged = [signal for signal in bundle if signal.is_damaged]
                outcomes += self._settle(transaction, damaged, DAMAGED_RESULT)
                if intact := [signal for signal in bundle if not signal.is_damaged]:
                    bundles.append(intact)
            progress.is_first_claim = False
            return outcomes, bundles, singles[free:]

        outcomes, bundles, singles = self._store.write(work)
        progress.connections.results.clear()
        progress.leased_ids.difference_update(signal.id for signal, _ in outcomes)
        progress.singles = deque(singles)
        for bundle in bundles:
            progress.connections.submit(bundle)
        return outcomes

    def _close(self, progress: _Progress) -> None:
        """Give up every lease. After an interruption, or if the caller stopped early, first record what is known.

        A bundle still in flight may have been processed; what was leased and not posted certainly was not, and is
        released as if it had never been claimed.
        """
        connections = progress.connections
        connections.cancel_pending()
        connections.collect(wait=False)
        connections.close()
        results = self._evaluate(progress)
        results += [(bundle, INTERRUPTED_RESULT) for bundle in connections.in_flight.values()]

        def work(transaction: Transaction) -> None:
            for bundle, result in results:
                self._settle(transaction, bundle, result)
            for signal_id in progress.leased_ids:  # of one that is settled the lease is gone, and nothing changes
                transaction.execute(_RELEASE_SQL, id=signal_id, run_id=self._run_id)

        if progress.leased_ids:
            self._store.write(work)

    # --- claiming -------------------------------------------------------------------------

    def _claim_due(self, transaction: Transaction, probe: bool) -> Bundle:
        if get_pause(transaction, self._profile) is not None:
            return []
        for due_before in (self._now(), _FAR_FUTURE_MS) if probe else (self._now(),):
            for head in self._select(transaction, _DUE_SQL, due_before=due_before):
                values = {"due_before": due_before, "order_id": head["order_id"], "version": head["version"]}
                others = self._select(transaction, _DUE_IN_ORDER_SQL, **values) if _can_bundle(head) else []
                return self._lease_bundle(transaction, head, others)
        return []

    def _claim_by_ids(self, transaction: Transaction, ids_json: str) -> Bundle:
        rows = self._select(transaction, _BY_IDS_SQL, ids=ids_json)
        return self._lease_bundle(transaction, rows[0], rows) if rows else []

    def _select(self, transaction: Transaction, sql: str, **values: object) -> list[Row]:
        values |= {"profile": self._profile, "now": self._now(), "run_id": self._run_id, "max_lease": MAX_LEASE_MS}
        return transaction.fetch_all(sql, **values)

    def _lease_bundle(self, transaction: Transaction, head: Row, candidates: Iterable[Row]) -> Bundle:
        """Lease a signal, and with it those candidates that can go in one post with it."""
        rows = [head]
        if _can_bundle(head):
            key = (head["order_id"], head["version"])
            alike = [row for row in candidates if (row["order_id"], row["version"]) == key and _can_bundle(row)]
            rows += [row for row in alike if row["id"] != head["id"]][: MAX_BUNDLE_SIZE - 1]
        now = self._now()
        values = {"run_id": self._run_id, "now": now, "lease_until": now + self._lease_ms}
        for row in rows:
            transaction.execute(_LEASE_SQL, id=row["id"], **values)
        return [get_signal(transaction, row["id"]) for row in rows]

    def _renew_leases(self, transaction: Transaction, signals: Iterable[QueuedSignal]) -> list[QueuedSignal]:
        """Make leases last for one more post; returns the signals whose lease is still ours.

        A signal whose lease ran out may be with another process by now. It must not be posted here as well.
        """
        values = {"run_id": self._run_id, "lease_until": self._now() + self._lease_ms}
        return [signal for signal in signals if transaction.execute(_RENEW_SQL, id=signal.id, **values)]

    # --- recording ------------------------------------------------------------------------

    def _settle(self, transaction: Transaction, bundle: Bundle, result: DeliveryResult) -> list[SendOutcome]:
        """Write a result to the queue and to each signal of the bundle whose lease is still ours."""
        now = self._now()
        is_retry = result.disposition is Disposition.RETRY
        if is_retry:
            record_failure(transaction, self._profile, result, now)
        elif result.disposition is Disposition.HOLD:
            pause_queue(transaction, self._profile, result, now)
        elif result.disposition is Disposition.DELIVERED:
            record_success(transaction, self._profile, now)
        for signal in bundle:
            is_expired = is_retry and retry.SIGNALS.is_too_old(now - signal.accepted_at)
            state = State.EXPIRED if is_expired else _STATE_BY_DISPOSITION[result.disposition]
            transaction.execute(
                _SETTLE_SQL,
                state=state,
                held_by="answer" if state is State.HELD else "",
                http_status=result.http_status,
                message=result.message,
                maybe_processed=result.maybe_processed,
                retry_at=now + retry.SIGNALS.delay_ms(signal.attempts) if is_retry else 0,
                settled_at=None if state in WAITING_STATES else now,
                id=signal.id,
                run_id=self._run_id,
            )
        return [(get_signal(transaction, signal.id), result) for signal in bundle]

    def _now(self) -> int:
        return to_ms(self._clock())


def supports_bundles(version: str) -> bool:
    """Whether several signals may go in one post (CloudSignal 2.0, "Bundle signals")."""
    return version != "1.1"


def _can_bundle(row: Row) -> bool:
    """A signal that met a 5xx goes alone from then on: one that the service fails on must not hold up its bundle."""
    return supports_bundles(row["version"]) and (row["http_status"] or 0) < 500
