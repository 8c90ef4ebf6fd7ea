"""From the outbox to the service: which signals go next, and what an answer does to them."""

import uuid
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cpctl import retry
from cpctl.clock import Clock, to_ms, utc_now
from cpctl.outbox.delivery_result import DeliveryResult, Disposition, Send
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import Outbox, resume_queue
from cpctl.store.store import Row, Transaction

# A lease must outlive the send it covers; beyond the timeout this leaves time for a slow disk.
LEASE_MARGIN_MS = 15_000
MAX_LEASE_MS = 3_600_000
MAX_BUNDLE_SIZE = 50
_FAR_FUTURE_MS = 1 << 62
DAMAGED_RESULT = DeliveryResult(Disposition.REFUSED, message="the disk has damaged it in the store; report it anew")
# So many answers of 5xx in a row, and the trouble is the service's, not one signal's.
MAX_CONSECUTIVE_FAILURES = 5

# Nobody is sending it, the service did not ask to wait, it was not tried in this run, and
# nothing of its item (or of its whole order) that came earlier still waits. A lease further
# away than any can be was written by a clock that has since been set back.
_SENDABLE_CONDITION = """
    s.lease_until NOT BETWEEN :now + 1 AND :now + :longest_lease AND s.not_before <= :now AND s.last_run <> :run
    AND NOT EXISTS (SELECT 1 FROM signals AS e
                WHERE e.profile = s.profile AND e.order_id = s.order_id AND e.item IN (s.item, '')
                  AND e.id < s.id AND e.state IN ('queued', 'held'))
"""
_NEXT_QUEUED_SQL = f"""
    SELECT s.* FROM signals AS s {{by}}
    WHERE s.profile = :profile AND s.state = 'queued' {{more}} AND {_SENDABLE_CONDITION}
    ORDER BY s.attempts, s.id LIMIT :most
"""
_NEXT_DUE_SQL = _NEXT_QUEUED_SQL.format(by="", more="AND s.next_attempt_at <= :now")
_PROBE_SQL = _NEXT_QUEUED_SQL.format(by="", more="")
# Left to itself SQLite walks the whole queue for each order: with 10,000 that wait, seconds become minutes.
_DUE_IN_ORDER_SQL = _NEXT_QUEUED_SQL.format(
    by="INDEXED BY signals_by_item",
    more="AND s.next_attempt_at <= :reach AND s.order_id = :order_id AND s.version = :version",
)
# The entries that a command named, and what must go before them; also out of a paused queue.
_BY_IDS_SQL = f"""
    SELECT s.* FROM signals AS s
    WHERE s.id IN (SELECT e.id FROM signals AS t
                   JOIN signals AS e ON e.profile = t.profile AND e.order_id = t.order_id
                                    AND e.item IN (t.item, '') AND e.id <= t.id
                   WHERE t.id IN (SELECT value FROM json_each(:ids)))
      AND (s.state = 'queued' OR (s.state = 'held' AND s.held_by = 'answer'))
      AND {_SENDABLE_CONDITION}
    ORDER BY s.id LIMIT :most
"""


class Pause(NamedTuple):
    """Why a profile's queue stands still."""

    http_status: int | None
    message: str
    paused_at: int


class Dispatcher:
    """Sends what an outbox keeps; several of these may work on one store at once.

    `send_seconds` is the longest one send may take: a claim on signals is valid a little
    longer, and a process killed in mid-send is followed by another after that.
    """

    def __init__(
        self, outbox: Outbox, send: Send, send_timeout_seconds: float, clock: Clock = utc_now, run_id: str = ""
    ) -> None:
        self._outbox = outbox
        self._store = outbox.store
        self._profile = outbox.profile
        self._send = send
        self._lease_ms = min(int(send_timeout_seconds * 1000) + LEASE_MARGIN_MS, MAX_LEASE_MS)
        self._clock = clock
        # Names this run in the store: a signal is tried once per run, what failed now is left to the
        # next. Several senders that work on one run together are given its name.
        self._run_id = run_id or uuid.uuid4().hex

    def deliver(self, ids: Sequence[int]) -> None:
        """Send the named entries, each after what is still undelivered of its item.

        Returns at the first answer that speaks for the whole service; every fate is in the store.
        """
        named = "[" + ",".join(str(key) for key in ids) + "]"
        while batch := self._store.write(lambda work: self._claim_by_ids(work, named)):
            replies = [reply for _, reply in self._send_bundle(batch)]
            if any(reply.affects_service for reply in replies):
                return

    def flush(self, probe: bool = True) -> Iterator[tuple[QueuedSignal, DeliveryResult]]:
        """Send all that is due, oldest first; yields each entry with its answer.

        Ends early when the service does not answer: one timeout, not one per signal. With
        `probe`, one entry that is not yet due is tried where nothing else was: when it gets
        through, the rest is due again. A paused queue sends nothing.
        """
        failures = 0
        sent = False
        while batch := self._claim_next(probe and not sent):
            sent = True
            last: DeliveryResult | None = None
            for entry, reply in self._send_bundle(batch):
                yield entry, reply
                if reply is not last:  # one answer to a bundle is one failure
                    failures = failures + 1 if reply.disposition is Disposition.RETRY else 0
                last = reply
            if reply.affects_service or failures >= MAX_CONSECUTIVE_FAILURES:
                return

    def get_pause(self) -> Pause | None:
        """Why the queue stands still, or None where it moves."""
        return self._store.read(self._read_pause)

    def _read_pause(self, transaction: Transaction) -> Pause | None:
        row = transaction.fetch_one("SELECT * FROM queues WHERE profile = :profile", profile=self._profile)
        if row is None or row["paused_at"] is None:
            return None
        return Pause(row["paused_status"], row["paused_message"], row["paused_at"])

    # --- claiming -------------------------------------------------------------------------

    def _claim_next(self, probe: bool) -> list[QueuedSignal]:
        return self._store.write(lambda work: self._claim_due(work, probe))

    def _claim_due(self, transaction: Transaction, probe: bool) -> list[QueuedSignal]:
        if self._read_pause(transaction) is not None:
            return []
        if first := self._select(transaction, _NEXT_DUE_SQL, most=1):
            return self._lease_bundle(transaction, first[0], due_before=self._now())
        if probe and (first := self._select(transaction, _PROBE_SQL, most=1)):
            return self._lease_bundle(transaction, first[0], due_before=_FAR_FUTURE_MS)
        return []

    def _lease_bundle(self, transaction: Transaction, first: Row, due_before: int) -> list[QueuedSignal]:
        """Lease a signal and, where its version knows bundles, its order's others that are due."""
        rows = [first]
        if _can_bundle(first):
            same = {"order_id": first["order_id"], "version": first["version"], "reach": due_before}
            others = self._select(transaction, _DUE_IN_ORDER_SQL, most=MAX_BUNDLE_SIZE, **same)
            rows += [row for row in others if row["id"] != first["id"] and _can_bundle(row)]
        return self._lease_rows(transaction, rows[:MAX_BUNDLE_SIZE])

    def _claim_by_ids(self, transaction: Transaction, ids_json: str) -> list[QueuedSignal]:
        rows = self._select(transaction, _BY_IDS_SQL, most=MAX_BUNDLE_SIZE, ids=ids_json)
        if not rows:
            return []
        first = rows[0]
        if not _can_bundle(first):
            return self._lease_rows(transaction, rows[:1])
        alike = (first["order_id"], first["version"])
        together = [row for row in rows if (row["order_id"], row["version"]) == alike and _can_bundle(row)]
        return self._lease_rows(transaction, together)

    def _select(self, transaction: Transaction, sql: str, **values: object) -> list[Row]:
        now = self._now()
        return transaction.fetch_all(
            sql, profile=self._profile, now=now, run=self._run_id, longest_lease=MAX_LEASE_MS, **values
        )

    def _lease_rows(self, transaction: Transaction, rows: Sequence[Row]) -> list[QueuedSignal]:
        """Put our lease on rows. One that still carries another's was being sent when that one was killed."""
        now = self._now()
        for row in rows:
            transaction.execute(
                "UPDATE signals SET attempts = attempts + 1, last_attempt_at = :now, last_run = :lease, lease = :lease,"
                " lease_until = :until, maybe_duplicate = max(maybe_duplicate, lease IS NOT NULL) WHERE id = :id",
                now=now,
                lease=self._run_id,
                until=now + self._lease_ms,
                id=row["id"],
            )
        return [_reload(transaction, row["id"]) for row in rows]

    # --- posting --------------------------------------------------------------------------

    def _send_bundle(self, bundle: Sequence[QueuedSignal]) -> Iterator[tuple[QueuedSignal, DeliveryResult]]:
        """Post one signal or one bundle; a refused bundle goes again one by one."""
        if damaged := [entry for entry in bundle if entry.is_damaged]:
            yield from ((entry, DAMAGED_RESULT) for entry in self._settle(damaged, DAMAGED_RESULT))
            bundle = [entry for entry in bundle if not entry.is_damaged]
            if not bundle:
                return
        reply = self._send_leased(bundle)
        if reply.disposition is Disposition.REFUSED and len(bundle) > 1:
            yield from self._send_one_by_one(bundle)
            return
        for entry in self._settle(bundle, reply):
            yield entry, reply

    def _send_one_by_one(self, bundle: Sequence[QueuedSignal]) -> Iterator[tuple[QueuedSignal, DeliveryResult]]:
        """One bad signal must never take the others of its bundle down."""
        for index, entry in enumerate(bundle):
            rest = bundle[index:]
            self._renew_leases(rest)
            reply = self._send_leased([entry])
            if reply.affects_service:
                # It speaks for those not yet posted too, but those cannot have landed.
                unsent = reply._replace(maybe_processed=False)
                settled = [*self._settle([entry], reply), *self._settle(rest[1:], unsent)]
                yield from ((done, reply) for done in settled)
                return
            yield from ((done, reply) for done in self._settle([entry], reply))

    def _send_leased(self, bundle: Sequence[QueuedSignal]) -> DeliveryResult:
        """Post; when we are stopped in mid-send, say so in the store before we go."""
        try:
            return self._send([entry.signal for entry in bundle])
        except BaseException:
            self._settle(
                bundle, DeliveryResult(Disposition.RETRY, message="interrupted while sending", maybe_processed=True)
            )
            raise

    def _renew_leases(self, bundle: Sequence[QueuedSignal]) -> None:
        """Make the leases of what is not posted yet last for one more post."""
        until = self._now() + self._lease_ms

        def work(transaction: Transaction) -> None:
            for entry in bundle:
                transaction.execute("UPDATE signals SET lease_until = :until WHERE id = :id", until=until, id=entry.id)

        self._store.write(work)

    # --- settling -------------------------------------------------------------------------

    def _settle(self, bundle: Sequence[QueuedSignal], result: DeliveryResult) -> list[QueuedSignal]:
        return self._store.write(lambda work: self._settle_bundle(work, bundle, result))

    def _settle_bundle(
        self, transaction: Transaction, bundle: Sequence[QueuedSignal], result: DeliveryResult
    ) -> list[QueuedSignal]:
        now = self._now()
        transaction.execute("INSERT OR IGNORE INTO queues (profile) VALUES (:profile)", profile=self._profile)
        if result.disposition is Disposition.RETRY:
            self._record_failure(transaction, bundle, result, now)
        elif result.disposition is Disposition.HOLD:
            self._record_pause(transaction, result, now)
        elif result.disposition is Disposition.DELIVERED:
            self._record_success(transaction, now)
        return [self._settle_one(transaction, entry, result, now) for entry in bundle]

    def _settle_one(
        self, transaction: Transaction, queued_signal: QueuedSignal, result: DeliveryResult, now: int
    ) -> QueuedSignal:
        state = _STATE_BY_DISPOSITION[result.disposition]
        if state is State.QUEUED and retry.SIGNALS.is_too_old(now - queued_signal.accepted_at):
            state = State.EXPIRED
        transaction.execute(
            "UPDATE signals SET state = :state, held_by = :held_by, http_status = :http_status, message = :message,"
            " maybe_duplicate = max(maybe_duplicate, :landed), lease = NULL, lease_until = 0,"
            " next_attempt_at = CASE WHEN :later THEN max(next_attempt_at, :again) ELSE next_attempt_at END,"
            " settled_at = CASE WHEN :waits THEN NULL ELSE :now END"
            " WHERE id = :id AND lease = :lease",
            state=state,
            held_by="answer" if state is State.HELD else "",
            http_status=result.http_status,
            message=result.message,
            landed=result.maybe_processed,
            later=result.disposition is Disposition.RETRY,
            again=now + retry.SIGNALS.delay_ms(queued_signal.attempts),
            waits=state in (State.QUEUED, State.HELD),
            now=now,
            id=queued_signal.id,
            lease=self._run_id,
        )
        return _reload(transaction, queued_signal.id)

    def _record_failure(
        self, transaction: Transaction, bundle: Sequence[QueuedSignal], result: DeliveryResult, now: int
    ) -> None:
        """When the whole service is in trouble, the whole queue waits: one try, not one per signal."""
        transaction.execute("UPDATE queues SET delayed = 1 WHERE profile = :profile", profile=self._profile)
        if not result.affects_service:
            return
        transaction.execute("UPDATE queues SET outages = outages + 1 WHERE profile = :profile", profile=self._profile)
        row = transaction.fetch_one("SELECT outages FROM queues WHERE profile = :profile", profile=self._profile)
        again = now + retry.SIGNALS.delay_ms(row["outages"] if row else 1)
        wish = min(result.retry_after or 0.0, retry.MAX_RETRY_AFTER_SECONDS)
        transaction.execute(
            "UPDATE signals SET next_attempt_at = max(next_attempt_at, :again), not_before = max(not_before, :not_before)"
            " WHERE profile = :profile AND state = 'queued'",
            again=again,
            not_before=now + int(wish * 1000) if wish > 0 else 0,
            profile=self._profile,
        )

    def _record_pause(self, transaction: Transaction, result: DeliveryResult, now: int) -> None:
        transaction.execute(
            "UPDATE queues SET paused_status = :status, paused_message = :message, paused_at = :now"
            " WHERE profile = :profile",
            status=result.http_status,
            message=result.message,
            now=now,
            profile=self._profile,
        )

    def _record_success(self, transaction: Transaction, now: int) -> None:
        """Anything that gets through ends the pause and makes all the rest due again."""
        row = transaction.fetch_one("SELECT * FROM queues WHERE profile = :profile", profile=self._profile)
        if row is None or (row["paused_at"] is None and not row["delayed"]):
            return
        resume_queue(transaction, self._profile, now)
        transaction.execute(
            "UPDATE signals SET next_attempt_at = :now WHERE profile = :profile AND state = 'queued' AND next_attempt_at > :now",
            now=now,
            profile=self._profile,
        )
        transaction.execute(
            "UPDATE queues SET outages = 0, delayed = 0 WHERE profile = :profile", profile=self._profile
        )

    def _now(self) -> int:
        return to_ms(self._clock())


_STATE_BY_DISPOSITION = {
    Disposition.DELIVERED: State.DELIVERED,
    Disposition.RETRY: State.QUEUED,
    Disposition.HOLD: State.HELD,
    Disposition.REFUSED: State.REFUSED,
}


def supports_bundles(version: str) -> bool:
    """Whether several signals may travel in one post (CloudSignal 2.0, "Bundle signals")."""
    return version != "1.1"


def _can_bundle(row: Row) -> bool:
    """What met a 5xx goes alone from then on: one signal that the service fails on must not hold up its bundle."""
    return supports_bundles(row["version"]) and (row["http_status"] or 0) < 500


def _reload(transaction: Transaction, signal_id: int) -> QueuedSignal:
    row = transaction.fetch_one("SELECT * FROM signals WHERE id = :id", id=signal_id)
    assert row is not None  # rows are never deleted, and we hold the transaction
    return QueuedSignal.from_row(row)
