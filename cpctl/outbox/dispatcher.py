"""From the outbox to the service: which signals go next, and what an answer does to them."""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cpctl.outbox.delivery_result import Reply, Send, Verdict
from cpctl.outbox.models import Entry, State, to_ms
from cpctl.outbox.outbox import Clock, Outbox, resume, utc_now
from cpctl.store.store import Row, Transaction

# Seconds before the next try, by how often it failed; the last one repeats.
SCHEDULE = (5, 15, 60, 300, 900, 3600)
JITTER = 0.1
LIFETIME_MS = 7 * 24 * 3600 * 1000
LONGEST_RETRY_AFTER = 24 * 3600.0
# A lease must outlive the send it covers; beyond the timeout this leaves time for a slow disk.
LEASE_MARGIN_MS = 15_000
LONGEST_LEASE_MS = 3_600_000
LARGEST_BUNDLE = 50
_WHENEVER = 1 << 62
DAMAGED = Reply(Verdict.REFUSED, message="the disk has damaged it in the store; report it anew")
# So many answers of 5xx in a row, and the trouble is the service's, not one signal's.
FAILURES_IN_A_ROW = 5

# Nobody is sending it, the service did not ask to wait, it was not tried in this run, and
# nothing of its item (or of its whole order) that came earlier still waits. A lease further
# away than any can be was written by a clock that has since been set back.
_FREE_TO_GO = """
    s.lease_until NOT BETWEEN :now + 1 AND :now + :longest_lease AND s.not_before <= :now AND s.last_run <> :run
    AND NOT EXISTS (SELECT 1 FROM signals AS e
                WHERE e.profile = s.profile AND e.order_id = s.order_id AND e.item IN (s.item, '')
                  AND e.id < s.id AND e.state IN ('queued', 'held'))
"""
_QUEUED_HEAD = f"""
    SELECT s.* FROM signals AS s {{by}}
    WHERE s.profile = :profile AND s.state = 'queued' {{more}} AND {_FREE_TO_GO}
    ORDER BY s.attempts, s.id LIMIT :most
"""
_DUE = _QUEUED_HEAD.format(by="", more="AND s.next_at <= :now")
_PROBE = _QUEUED_HEAD.format(by="", more="")
# Left to itself SQLite walks the whole queue for each order: with 10,000 that wait, seconds become minutes.
_OF_ORDER = _QUEUED_HEAD.format(
    by="INDEXED BY signals_by_item",
    more="AND s.next_at <= :reach AND s.order_id = :order_id AND s.version = :version",
)
# The entries that a command named, and what must go before them; also out of a paused queue.
_NAMED = f"""
    SELECT s.* FROM signals AS s
    WHERE s.id IN (SELECT e.id FROM signals AS t
                   JOIN signals AS e ON e.profile = t.profile AND e.order_id = t.order_id
                                    AND e.item IN (t.item, '') AND e.id <= t.id
                   WHERE t.id IN (SELECT value FROM json_each(:ids)))
      AND (s.state = 'queued' OR (s.state = 'held' AND s.held_by = 'answer'))
      AND {_FREE_TO_GO}
    ORDER BY s.id LIMIT :most
"""


class Pause(NamedTuple):
    """Why a profile's queue stands still."""

    http_status: int | None
    message: str
    paused_at: int


class Delivery:
    """Sends what an outbox keeps; several of these may work on one store at once.

    `send_seconds` is the longest one send may take: a claim on signals is valid a little
    longer, and a process killed in mid-send is followed by another after that.
    """

    def __init__(self, outbox: Outbox, send: Send, send_seconds: float, clock: Clock = utc_now, run: str = "") -> None:
        self._outbox = outbox
        self._store = outbox.store
        self._profile = outbox.profile
        self._send = send
        self._lease_ms = min(int(send_seconds * 1000) + LEASE_MARGIN_MS, LONGEST_LEASE_MS)
        self._clock = clock
        # Names this run in the store: a signal is tried once per run, what failed now is left to the
        # next. Several senders that work on one run together are given its name.
        self._run = run or uuid.uuid4().hex

    def deliver(self, ids: Sequence[int]) -> None:
        """Send the named entries, each after what is still undelivered of its item.

        Returns at the first answer that speaks for the whole service; every fate is in the store.
        """
        named = "[" + ",".join(str(key) for key in ids) + "]"
        while batch := self._store.write(lambda work: self._claim_named(work, named)):
            replies = [reply for _, reply in self._post(batch)]
            if any(reply.whole_service for reply in replies):
                return

    def flush(self, probe: bool = True) -> Iterator[tuple[Entry, Reply]]:
        """Send all that is due, oldest first; yields each entry with its answer.

        Ends early when the service does not answer: one timeout, not one per signal. With
        `probe`, one entry that is not yet due is tried where nothing else was: when it gets
        through, the rest is due again. A paused queue sends nothing.
        """
        failures = 0
        sent = False
        while batch := self._claim(probe and not sent):
            sent = True
            last: Reply | None = None
            for entry, reply in self._post(batch):
                yield entry, reply
                if reply is not last:  # one answer to a bundle is one failure
                    failures = failures + 1 if reply.verdict is Verdict.LATER else 0
                last = reply
            if reply.whole_service or failures >= FAILURES_IN_A_ROW:
                return

    def pause(self) -> Pause | None:
        """Why the queue stands still, or None where it moves."""
        return self._store.read(self._pause)

    def _pause(self, work: Transaction) -> Pause | None:
        row = work.one("SELECT * FROM queues WHERE profile = :profile", profile=self._profile)
        if row is None or row["paused_at"] is None:
            return None
        return Pause(row["paused_status"], row["paused_message"], row["paused_at"])

    # --- claiming -------------------------------------------------------------------------

    def _claim(self, probe: bool) -> list[Entry]:
        return self._store.write(lambda work: self._claim_due(work, probe))

    def _claim_due(self, work: Transaction, probe: bool) -> list[Entry]:
        if self._pause(work) is not None:
            return []
        if first := self._rows(work, _DUE, most=1):
            return self._lease_bundle(work, first[0], reach=self._now())
        if probe and (first := self._rows(work, _PROBE, most=1)):
            return self._lease_bundle(work, first[0], reach=_WHENEVER)
        return []

    def _lease_bundle(self, work: Transaction, first: Row, reach: int) -> list[Entry]:
        """Lease a signal and, where its version knows bundles, its order's others that are due."""
        rows = [first]
        if _may_bundle(first):
            same = {"order_id": first["order_id"], "version": first["version"], "reach": reach}
            others = self._rows(work, _OF_ORDER, most=LARGEST_BUNDLE, **same)
            rows += [row for row in others if row["id"] != first["id"] and _may_bundle(row)]
        return self._take(work, rows[:LARGEST_BUNDLE])

    def _claim_named(self, work: Transaction, named: str) -> list[Entry]:
        rows = self._rows(work, _NAMED, most=LARGEST_BUNDLE, ids=named)
        if not rows:
            return []
        first = rows[0]
        if not _may_bundle(first):
            return self._take(work, rows[:1])
        alike = (first["order_id"], first["version"])
        together = [row for row in rows if (row["order_id"], row["version"]) == alike and _may_bundle(row)]
        return self._take(work, together)

    def _rows(self, work: Transaction, sql: str, **values: object) -> list[Row]:
        now = self._now()
        return work.rows(sql, profile=self._profile, now=now, run=self._run, longest_lease=LONGEST_LEASE_MS, **values)

    def _take(self, work: Transaction, rows: Sequence[Row]) -> list[Entry]:
        """Put our lease on rows. One that still carries another's was being sent when that one was killed."""
        now = self._now()
        for row in rows:
            work.change(
                "UPDATE signals SET attempts = attempts + 1, last_attempt_at = :now, last_run = :lease, lease = :lease,"
                " lease_until = :until, maybe_duplicate = max(maybe_duplicate, lease IS NOT NULL) WHERE id = :id",
                now=now,
                lease=self._run,
                until=now + self._lease_ms,
                id=row["id"],
            )
        return [_reread(work, row["id"]) for row in rows]

    # --- posting --------------------------------------------------------------------------

    def _post(self, batch: Sequence[Entry]) -> Iterator[tuple[Entry, Reply]]:
        """Post one signal or one bundle; a refused bundle goes again one by one."""
        if damaged := [entry for entry in batch if entry.damaged]:
            yield from ((entry, DAMAGED) for entry in self._settle(damaged, DAMAGED))
            batch = [entry for entry in batch if not entry.damaged]
            if not batch:
                return
        reply = self._send_leased(batch)
        if reply.verdict is Verdict.REFUSED and len(batch) > 1:
            yield from self._post_singly(batch)
            return
        for entry in self._settle(batch, reply):
            yield entry, reply

    def _post_singly(self, batch: Sequence[Entry]) -> Iterator[tuple[Entry, Reply]]:
        """One bad signal must never take the others of its bundle down."""
        for index, entry in enumerate(batch):
            rest = batch[index:]
            self._renew(rest)
            reply = self._send_leased([entry])
            if reply.whole_service:
                # It speaks for those not yet posted too, but those cannot have landed.
                unsent = reply._replace(may_have_landed=False)
                settled = [*self._settle([entry], reply), *self._settle(rest[1:], unsent)]
                yield from ((done, reply) for done in settled)
                return
            yield from ((done, reply) for done in self._settle([entry], reply))

    def _send_leased(self, batch: Sequence[Entry]) -> Reply:
        """Post; when we are stopped in mid-send, say so in the store before we go."""
        try:
            return self._send([entry.signal for entry in batch])
        except BaseException:
            self._settle(batch, Reply(Verdict.LATER, message="interrupted while sending", may_have_landed=True))
            raise

    def _renew(self, batch: Sequence[Entry]) -> None:
        """Make the leases of what is not posted yet last for one more post."""
        until = self._now() + self._lease_ms

        def work(transaction: Transaction) -> None:
            for entry in batch:
                transaction.change("UPDATE signals SET lease_until = :until WHERE id = :id", until=until, id=entry.id)

        self._store.write(work)

    # --- settling -------------------------------------------------------------------------

    def _settle(self, batch: Sequence[Entry], reply: Reply) -> list[Entry]:
        return self._store.write(lambda work: self._settled(work, batch, reply))

    def _settled(self, work: Transaction, batch: Sequence[Entry], reply: Reply) -> list[Entry]:
        now = self._now()
        work.change("INSERT OR IGNORE INTO queues (profile) VALUES (:profile)", profile=self._profile)
        if reply.verdict is Verdict.LATER:
            self._note_trouble(work, batch, reply, now)
        elif reply.verdict is Verdict.HOLD:
            self._note_pause(work, reply, now)
        elif reply.verdict is Verdict.DELIVERED:
            self._note_success(work, now)
        return [self._settle_one(work, entry, reply, now) for entry in batch]

    def _settle_one(self, work: Transaction, entry: Entry, reply: Reply, now: int) -> Entry:
        state = _STATE_AFTER[reply.verdict]
        if state is State.QUEUED and now - entry.accepted_at > LIFETIME_MS:
            state = State.EXPIRED
        work.change(
            "UPDATE signals SET state = :state, held_by = :held_by, http_status = :http_status, message = :message,"
            " maybe_duplicate = max(maybe_duplicate, :landed), lease = NULL, lease_until = 0,"
            " next_at = CASE WHEN :later THEN max(next_at, :again) ELSE next_at END,"
            " settled_at = CASE WHEN :waits THEN NULL ELSE :now END"
            " WHERE id = :id AND lease = :lease",
            state=state,
            held_by="answer" if state is State.HELD else "",
            http_status=reply.http_status,
            message=reply.message,
            landed=reply.may_have_landed,
            later=reply.verdict is Verdict.LATER,
            again=now + backoff_ms(entry.attempts),
            waits=state in (State.QUEUED, State.HELD),
            now=now,
            id=entry.id,
            lease=self._run,
        )
        return _reread(work, entry.id)

    def _note_trouble(self, work: Transaction, batch: Sequence[Entry], reply: Reply, now: int) -> None:
        """When the whole service is in trouble, the whole queue waits: one try, not one per signal."""
        work.change("UPDATE queues SET delayed = 1 WHERE profile = :profile", profile=self._profile)
        if not reply.whole_service:
            return
        work.change("UPDATE queues SET outages = outages + 1 WHERE profile = :profile", profile=self._profile)
        row = work.one("SELECT outages FROM queues WHERE profile = :profile", profile=self._profile)
        again = now + backoff_ms(row["outages"] if row else 1)
        wish = min(reply.retry_after or 0.0, LONGEST_RETRY_AFTER)
        work.change(
            "UPDATE signals SET next_at = max(next_at, :again), not_before = max(not_before, :not_before)"
            " WHERE profile = :profile AND state = 'queued'",
            again=again,
            not_before=now + int(wish * 1000) if wish > 0 else 0,
            profile=self._profile,
        )

    def _note_pause(self, work: Transaction, reply: Reply, now: int) -> None:
        work.change(
            "UPDATE queues SET paused_status = :status, paused_message = :message, paused_at = :now"
            " WHERE profile = :profile",
            status=reply.http_status,
            message=reply.message,
            now=now,
            profile=self._profile,
        )

    def _note_success(self, work: Transaction, now: int) -> None:
        """Anything that gets through ends the pause and makes all the rest due again."""
        row = work.one("SELECT * FROM queues WHERE profile = :profile", profile=self._profile)
        if row is None or (row["paused_at"] is None and not row["delayed"]):
            return
        resume(work, self._profile, now)
        work.change(
            "UPDATE signals SET next_at = :now WHERE profile = :profile AND state = 'queued' AND next_at > :now",
            now=now,
            profile=self._profile,
        )
        work.change("UPDATE queues SET outages = 0, delayed = 0 WHERE profile = :profile", profile=self._profile)

    def _now(self) -> int:
        return to_ms(self._clock())


_STATE_AFTER = {
    Verdict.DELIVERED: State.DELIVERED,
    Verdict.LATER: State.QUEUED,
    Verdict.HOLD: State.HELD,
    Verdict.REFUSED: State.REFUSED,
}


def bundles(version: str) -> bool:
    """Whether several signals may travel in one post (CloudSignal 2.0, "Bundle signals")."""
    return version != "1.1"


def _may_bundle(row: Row) -> bool:
    """What met a 5xx goes alone from then on: one signal that the service fails on must not hold up its bundle."""
    return bundles(row["version"]) and (row["http_status"] or 0) < 500


def backoff_ms(failures: int, spread: Callable[[], float] = random.random) -> int:
    """How long to wait after that many failures in a row: the schedule, and up to a tenth more."""
    seconds = SCHEDULE[min(max(failures, 1), len(SCHEDULE)) - 1]
    return int(seconds * 1000 * (1 + JITTER * spread()))


def _reread(work: Transaction, key: int) -> Entry:
    row = work.one("SELECT * FROM signals WHERE id = :id", id=key)
    assert row is not None  # rows are never deleted, and we hold the transaction
    return Entry.from_row(row)
