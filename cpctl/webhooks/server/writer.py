"""One thread that writes to the store: whatever waits at the same time is committed together.

No answer leaves before the commit that holds its event, and 32 answers may share one commit.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from cpctl.errors import StoreError
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_store import StoredEvent

T = TypeVar("T")
FileIdentity = tuple[int, int]
Work = Callable[[Transaction], Any]
StoreEvents = Callable[[Transaction, list[Event]], Sequence[StoredEvent | None]]
# So many may wait for the disk; a sender beyond them is asked to come back.
MAX_QUEUED_JOBS = 4096
_MAX_JOBS_PER_COMMIT = 512
# A transaction waits 20 s at most for a lock; one that takes so long will never end.
STUCK_SECONDS = 60.0


class QueueFull(Exception):
    """Too much waits for the disk already."""


class _Job(NamedTuple):
    """A piece of work, or an event to keep; and who waits for it: a coroutine (its loop's future) or a thread."""

    work: Work | None
    event: Event | None
    future: "asyncio.Future[Any] | Future[Any]"


class Writer:
    """Runs pieces of work, each whole or not at all, in as few transactions as there can be."""

    def __init__(self, make_store: Callable[[], Store], store_events: StoreEvents) -> None:
        """`keep` keeps events, all that wait at once.

        `make_store` is called in the writing thread, because a store belongs to the thread that opens it.
        """
        self._make_store, self._store_events = make_store, store_events
        self._jobs: deque[_Job] = deque()
        self._loop_jobs: list[_Job] = []  # of the loop alone
        self._condition = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="webhooks-writer", daemon=True)
        self._committed_file: FileIdentity | None = None  # the file that holds what was committed
        self._transaction_started_at: float | None = None  # when the transaction under way began
        self.commit_count = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, deadline: float) -> None:
        """Write what waits, then end; no later than a moment of the monotonic clock. What is not written then is
        answered to nobody."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join(max(deadline - time.monotonic(), 0))

    @property
    def is_healthy(self) -> bool:
        """Whether the writing thread lives and gets on."""
        since = self._transaction_started_at
        return self._thread.is_alive() and (since is None or time.monotonic() - since < STUCK_SECONDS)

    async def store_event(self, event: Event) -> StoredEvent | None:
        """Keep an event and return when it is committed; None where it is not ours. Raises StoreError, Busy."""
        kept: StoredEvent | None = await self._enqueue(None, event)
        return kept

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction and return when it is committed. Raises StoreError, Busy."""
        result: T = await self._enqueue(work, None)
        return result

    def _enqueue(self, work: Work | None, event: Event | None) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Any] = loop.create_future()
        if self._stopping or len(self._jobs) + len(self._loop_jobs) >= MAX_QUEUED_JOBS:
            raise QueueFull
        if not self._loop_jobs:  # all that arrives in one turn of the loop is handed in together
            loop.call_soon(self._pass_loop_jobs)
        self._loop_jobs.append(_Job(work, event, waiting))
        return waiting

    def _pass_loop_jobs(self) -> None:
        with self._condition:
            self._jobs.extend(self._loop_jobs)
            self._loop_jobs.clear()
            self._condition.notify()

    def write_and_wait(self, work: Callable[[Transaction], T]) -> T:
        """The same for a thread. Raises StoreError, and Busy at the end."""
        waiting: Future[T] = Future()
        with self._condition:
            if self._stopping:
                raise QueueFull
            self._jobs.append(_Job(work, None, waiting))
            self._condition.notify()
        return waiting.result()

    def _run(self) -> None:
        store = self._make_store()
        while jobs := self._next_jobs():
            self._transaction_started_at = time.monotonic()
            done = self._commit(store, jobs)
            if done is None:  # one of them spoils it for all: each alone
                done = [each for job in jobs for each in self._commit(store, [job]) or ()]
            self._transaction_started_at = None
            _resolve_jobs(done)
        store.close()

    def _next_jobs(self) -> list[_Job]:
        """What waits, as soon as something does; nothing at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._jobs or self._stopping)
            return [self._jobs.popleft() for _ in range(min(len(self._jobs), _MAX_JOBS_PER_COMMIT))]

    def _commit(self, store: Store, jobs: list[_Job]) -> "list[tuple[_Job, Any]] | None":
        """Commit all the jobs; each with its result or failure. None where one of several spoils it for all."""
        try:
            results = store.write(lambda work: self._run_jobs(work, jobs))
            if (there := file_identity(store)) != self._committed_file:
                # The first commit; or the file was set aside or deleted, and what went into it is found by nobody.
                if self._committed_file is not None:
                    store.close()
                    results = store.write(lambda work: self._run_jobs(work, jobs))
                    there = file_identity(store)
                self._committed_file = there
            self.commit_count += 1
            return list(zip(jobs, results, strict=True))
        except StoreError as error:
            return [(job, error) for job in jobs]
        except Exception as error:
            return None if len(jobs) > 1 else [(jobs[0], error)]

    def _run_jobs(self, transaction: Transaction, jobs: list[_Job]) -> list[Any]:
        """What each job comes to, within one transaction: all events in one go, then the others one by one."""
        events = [job.event for job in jobs if job.event is not None]
        kept = iter(self._store_events(transaction, events) if events else ())
        return [next(kept) if job.work is None else job.work(transaction) for job in jobs]


def file_identity(store: Store) -> FileIdentity | None:
    """What tells the file of a store from every other file of that name; None where there is none."""
    try:
        found = store.path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _resolve_jobs(results: "list[tuple[_Job, Any]]") -> None:
    """Let those who wait go on; a loop is woken once for all that wait in it."""
    in_loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, outcome in results:
        if isinstance(job.future, Future):
            _resolve(job.future, outcome)
        else:
            in_loops.setdefault(job.future.get_loop(), []).append((job.future, outcome))
    for loop, settled in in_loops.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(_resolve_all, settled)


def _resolve_all(results: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    for waiting, outcome in results:
        if not waiting.done():
            _resolve(waiting, outcome)


def _resolve(waiting: "asyncio.Future[Any] | Future[Any]", outcome: Any) -> None:
    if isinstance(outcome, Exception):
        waiting.set_exception(outcome)
    else:
        waiting.set_result(outcome)
