"""Several senders on one outbox: they post side by side, one thread keeps the books.

Only the thread that flushes touches the store. In one transaction it settles all answers that have
come and claims what goes next, so that many posts share one commit.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from cpctl.clock import Clock, utc_now
from cpctl.outbox.delivery_result import DeliveryResult, Disposition, Send
from cpctl.outbox.dispatcher import DAMAGED_RESULT, MAX_CONSECUTIVE_FAILURES, Dispatcher
from cpctl.outbox.models import QueuedSignal
from cpctl.outbox.outbox import Outbox
from cpctl.store.store import Transaction

Bundle = list[QueuedSignal]
SendOutcome = tuple[QueuedSignal, DeliveryResult]
INTERRUPTED_RESULT = DeliveryResult(Disposition.RETRY, message="interrupted while sending", maybe_processed=True)
NOT_SENT_RESULT = DeliveryResult(Disposition.RETRY, message="interrupted before it was sent")


class _BundleResult(NamedTuple):
    bundle: Bundle
    result: DeliveryResult | None
    error: BaseException | None = None


class _WorkerPool:
    """Hands batches to threads that post them, and collects the answers."""

    def __init__(self, senders: Sequence[Send]) -> None:
        self._pending: SimpleQueue[Bundle | None] = SimpleQueue()
        self._results: SimpleQueue[_BundleResult] = SimpleQueue()
        self._in_flight: dict[int, Bundle] = {}
        self._thread_count = len(senders)
        for send in senders:
            Thread(target=self._run_worker, args=(send,), daemon=True).start()

    def __len__(self) -> int:
        return len(self._in_flight)

    def submit(self, bundle: Bundle) -> None:
        self._in_flight[bundle[0].id] = bundle
        self._pending.put(bundle)

    def collect(self, wait: bool = True) -> Iterator[_BundleResult]:
        """All answers that are there; with `wait` at least one."""
        try:
            while True:
                answer = self._results.get(block=wait)
                del self._in_flight[answer.bundle[0].id]
                yield answer
                wait = False
        except Empty:
            return

    def cancel_pending(self) -> list[Bundle]:
        """Take back what no thread has begun with."""
        taken = []
        try:
            while (batch := self._pending.get(block=False)) is not None:
                taken.append(self._in_flight.pop(batch[0].id))
        except Empty:
            pass
        return taken

    def shut_down(self) -> list[Bundle]:
        """Let the threads end after what they are at; returns that."""
        left = list(self._in_flight.values())
        self._in_flight.clear()
        for _ in range(self._thread_count):
            self._pending.put(None)
        return left

    def _run_worker(self, send: Send) -> None:
        while (batch := self._pending.get()) is not None:
            try:
                self._results.put(_BundleResult(batch, send([entry.signal for entry in batch])))
            except BaseException as error:  # raised again in the thread that can tell it
                self._results.put(_BundleResult(batch, None, error))


class ParallelDispatcher(Dispatcher):
    """A Delivery that flushes over several connections; all that holds for one holds for it."""

    def __init__(
        self,
        outbox: Outbox,
        senders: Sequence[Send],
        send_timeout_seconds: float,
        clock: Clock = utc_now,
        run_id: str = "",
    ) -> None:
        # What is claimed may wait for the post before it: its lease must outlive both.
        super().__init__(outbox, senders[0], 2 * send_timeout_seconds, clock, run_id)
        self._senders = senders
        self._singles: deque[QueuedSignal] = deque()  # of refused bundles, to be posted one by one
        self._consecutive_failures = 0
        self._stop_result: DeliveryResult | None = None
        self._worker_error: BaseException | None = None
        self._unrecorded: list[_BundleResult] = []

    def flush(self, probe: bool = True) -> Iterator[SendOutcome]:
        """Send all that is due; see `Delivery.flush`. The first post goes alone: a dead service costs one timeout."""
        desk = _WorkerPool(self._senders)
        room = 1
        self._stop_result, self._worker_error, self._consecutive_failures = None, None, 0
        try:
            yield from self._run_cycle(desk, room, probe)
            while len(desk):
                for answer in desk.collect():
                    self._unrecorded.append(answer)  # one by one: we may be stopped between two
                room = 2 * len(self._senders)  # half of them wait, so that no thread waits for a commit
                yield from self._run_cycle(desk, room, False)
            if self._worker_error is not None:
                raise self._worker_error
        finally:
            self._settle_remaining(desk)

    def _run_cycle(self, pool: _WorkerPool, capacity: int, probe: bool) -> list[SendOutcome]:
        """Judge what came, book it, claim what goes next: one transaction."""
        done = self._evaluate(self._unrecorded)
        if self._stop_result:
            done += [
                (batch, self._stop_result) for batch in [*pool.cancel_pending(), *([each] for each in self._singles)]
            ]
            self._singles.clear()
        singles = [self._singles.popleft() for _ in range(min(len(self._singles), max(capacity - len(pool), 0)))]
        most = 0 if self._stop_result else capacity - len(pool) - len(singles)
        fates, batches = self._store.write(lambda work: self._record_and_claim(work, done, singles, most, probe))
        self._unrecorded.clear()
        for batch in batches:
            pool.submit(batch)
        return fates

    def _evaluate(self, results: Sequence[_BundleResult]) -> list[tuple[Bundle, DeliveryResult]]:
        """What each answer does to its batch. The first that speaks for the whole service ends the claiming."""
        done = []
        for batch, reply, error in results:
            if reply is None:
                self._worker_error, self._stop_result = error, NOT_SENT_RESULT
                done.append((batch, INTERRUPTED_RESULT))
                continue
            if reply.disposition is Disposition.REFUSED and len(batch) > 1:
                self._singles.extend(batch)
                continue
            self._consecutive_failures = self._consecutive_failures + 1 if reply.disposition is Disposition.RETRY else 0
            # Several connections meet one outage together: it is noted once.
            done.append((batch, reply._replace(affects_service=False) if self._stop_result else reply))
            if reply.affects_service or self._consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                self._stop_result = self._stop_result or reply._replace(affects_service=False, maybe_processed=False)
        return done

    def _record_and_claim(
        self,
        transaction: Transaction,
        results: Sequence[tuple[Bundle, DeliveryResult]],
        singles: Sequence[QueuedSignal],
        limit: int,
        probe: bool,
    ) -> tuple[list[SendOutcome], list[Bundle]]:
        fates = [(entry, reply) for batch, reply in results for entry in self._settle_bundle(transaction, batch, reply)]
        until = self._now() + self._lease_ms
        for entry in singles:
            transaction.execute("UPDATE signals SET lease_until = :until WHERE id = :id", until=until, id=entry.id)
        batches = [[entry] for entry in singles]
        while limit > 0 and (batch := self._claim_due(transaction, probe)):
            if damaged := [entry for entry in batch if entry.is_damaged]:
                fates += [
                    (entry, DAMAGED_RESULT) for entry in self._settle_bundle(transaction, damaged, DAMAGED_RESULT)
                ]
                batch = [entry for entry in batch if not entry.is_damaged]
            if batch:
                batches.append(batch)
                limit -= 1
            probe = False
        return fates, batches

    def _settle_remaining(self, pool: _WorkerPool) -> None:
        """When we are stopped in mid-send, say so in the store before we go."""
        arrived = [
            (batch, _known_result(batch, reply)) for batch, reply, _ in [*self._unrecorded, *pool.collect(False)]
        ]
        unsent = [*pool.cancel_pending(), *([each] for each in self._singles)]
        left = [*arrived, *((batch, NOT_SENT_RESULT) for batch in unsent)]
        left += [(batch, INTERRUPTED_RESULT) for batch in pool.shut_down()]
        self._singles.clear()
        self._unrecorded.clear()
        if left:
            self._store.write(lambda work: [self._settle_bundle(work, batch, reply) for batch, reply in left])


def _known_result(bundle: Bundle, result: DeliveryResult | None) -> DeliveryResult:
    """What an answer means when nothing follows it: of a refused bundle nothing is known of any one signal."""
    if result is None:
        return INTERRUPTED_RESULT
    return NOT_SENT_RESULT if result.disposition is Disposition.REFUSED and len(bundle) > 1 else result
