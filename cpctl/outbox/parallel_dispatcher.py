"""Several senders on one outbox: they post side by side, one thread keeps the books.

Only the thread that flushes touches the store. In one transaction it settles all answers that have
come and claims what goes next, so that many posts share one commit.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from cpctl.outbox.delivery_result import Reply, Send, Verdict
from cpctl.outbox.dispatcher import DAMAGED, FAILURES_IN_A_ROW, Delivery
from cpctl.outbox.models import Entry
from cpctl.outbox.outbox import Clock, Outbox, utc_now
from cpctl.store.store import Transaction

Batch = list[Entry]
Fate = tuple[Entry, Reply]
INTERRUPTED = Reply(Verdict.LATER, message="interrupted while sending", may_have_landed=True)
NEVER_LEFT = Reply(Verdict.LATER, message="interrupted before it was sent")


class _Answer(NamedTuple):
    batch: Batch
    reply: Reply | None
    error: BaseException | None = None


class _Desk:
    """Hands batches to threads that post them, and collects the answers."""

    def __init__(self, sends: Sequence[Send]) -> None:
        self._todo: SimpleQueue[Batch | None] = SimpleQueue()
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._under_way: dict[int, Batch] = {}
        self._threads = len(sends)
        for send in sends:
            Thread(target=self._work, args=(send,), daemon=True).start()

    def __len__(self) -> int:
        return len(self._under_way)

    def put(self, batch: Batch) -> None:
        self._under_way[batch[0].id] = batch
        self._todo.put(batch)

    def answers(self, wait: bool = True) -> Iterator[_Answer]:
        """All answers that are there; with `wait` at least one."""
        try:
            while True:
                answer = self._answers.get(block=wait)
                del self._under_way[answer.batch[0].id]
                yield answer
                wait = False
        except Empty:
            return

    def withdraw(self) -> list[Batch]:
        """Take back what no thread has begun with."""
        taken = []
        try:
            while (batch := self._todo.get(block=False)) is not None:
                taken.append(self._under_way.pop(batch[0].id))
        except Empty:
            pass
        return taken

    def abandon(self) -> list[Batch]:
        """Let the threads end after what they are at; returns that."""
        left = list(self._under_way.values())
        self._under_way.clear()
        for _ in range(self._threads):
            self._todo.put(None)
        return left

    def _work(self, send: Send) -> None:
        while (batch := self._todo.get()) is not None:
            try:
                self._answers.put(_Answer(batch, send([entry.signal for entry in batch])))
            except BaseException as error:  # raised again in the thread that can tell it
                self._answers.put(_Answer(batch, None, error))


class Crew(Delivery):
    """A Delivery that flushes over several connections; all that holds for one holds for it."""

    def __init__(
        self, outbox: Outbox, sends: Sequence[Send], send_seconds: float, clock: Clock = utc_now, run: str = ""
    ) -> None:
        # What is claimed may wait for the post before it: its lease must outlive both.
        super().__init__(outbox, sends[0], 2 * send_seconds, clock, run)
        self._sends = sends
        self._singles: deque[Entry] = deque()  # of refused bundles, to be posted one by one
        self._failures = 0
        self._stopped: Reply | None = None
        self._broken: BaseException | None = None
        self._unbooked: list[_Answer] = []

    def flush(self, probe: bool = True) -> Iterator[Fate]:
        """Send all that is due; see `Delivery.flush`. The first post goes alone: a dead service costs one timeout."""
        desk = _Desk(self._sends)
        room = 1
        self._stopped, self._broken, self._failures = None, None, 0
        try:
            yield from self._turn(desk, room, probe)
            while len(desk):
                for answer in desk.answers():
                    self._unbooked.append(answer)  # one by one: we may be stopped between two
                room = 2 * len(self._sends)  # half of them wait, so that no thread waits for a commit
                yield from self._turn(desk, room, False)
            if self._broken is not None:
                raise self._broken
        finally:
            self._leave(desk)

    def _turn(self, desk: _Desk, room: int, probe: bool) -> list[Fate]:
        """Judge what came, book it, claim what goes next: one transaction."""
        done = self._judged(self._unbooked)
        if self._stopped:
            done += [(batch, self._stopped) for batch in [*desk.withdraw(), *([each] for each in self._singles)]]
            self._singles.clear()
        singles = [self._singles.popleft() for _ in range(min(len(self._singles), max(room - len(desk), 0)))]
        most = 0 if self._stopped else room - len(desk) - len(singles)
        fates, batches = self._store.write(lambda work: self._book(work, done, singles, most, probe))
        self._unbooked.clear()
        for batch in batches:
            desk.put(batch)
        return fates

    def _judged(self, answers: Sequence[_Answer]) -> list[tuple[Batch, Reply]]:
        """What each answer does to its batch. The first that speaks for the whole service ends the claiming."""
        done = []
        for batch, reply, error in answers:
            if reply is None:
                self._broken, self._stopped = error, NEVER_LEFT
                done.append((batch, INTERRUPTED))
                continue
            if reply.verdict is Verdict.REFUSED and len(batch) > 1:
                self._singles.extend(batch)
                continue
            self._failures = self._failures + 1 if reply.verdict is Verdict.LATER else 0
            # Several connections meet one outage together: it is noted once.
            done.append((batch, reply._replace(whole_service=False) if self._stopped else reply))
            if reply.whole_service or self._failures >= FAILURES_IN_A_ROW:
                self._stopped = self._stopped or reply._replace(whole_service=False, may_have_landed=False)
        return done

    def _book(
        self, work: Transaction, done: Sequence[tuple[Batch, Reply]], singles: Sequence[Entry], most: int, probe: bool
    ) -> tuple[list[Fate], list[Batch]]:
        fates = [(entry, reply) for batch, reply in done for entry in self._settled(work, batch, reply)]
        until = self._now() + self._lease_ms
        for entry in singles:
            work.change("UPDATE signals SET lease_until = :until WHERE id = :id", until=until, id=entry.id)
        batches = [[entry] for entry in singles]
        while most > 0 and (batch := self._claim_due(work, probe)):
            if damaged := [entry for entry in batch if entry.damaged]:
                fates += [(entry, DAMAGED) for entry in self._settled(work, damaged, DAMAGED)]
                batch = [entry for entry in batch if not entry.damaged]
            if batch:
                batches.append(batch)
                most -= 1
            probe = False
        return fates, batches

    def _leave(self, desk: _Desk) -> None:
        """When we are stopped in mid-send, say so in the store before we go."""
        arrived = [
            (batch, _as_far_as_known(batch, reply)) for batch, reply, _ in [*self._unbooked, *desk.answers(False)]
        ]
        unsent = [*desk.withdraw(), *([each] for each in self._singles)]
        left = [*arrived, *((batch, NEVER_LEFT) for batch in unsent)]
        left += [(batch, INTERRUPTED) for batch in desk.abandon()]
        self._singles.clear()
        self._unbooked.clear()
        if left:
            self._store.write(lambda work: [self._settled(work, batch, reply) for batch, reply in left])


def _as_far_as_known(batch: Batch, reply: Reply | None) -> Reply:
    """What an answer means when nothing follows it: of a refused bundle nothing is known of any one signal."""
    if reply is None:
        return INTERRUPTED
    return NEVER_LEFT if reply.verdict is Verdict.REFUSED and len(batch) > 1 else reply
