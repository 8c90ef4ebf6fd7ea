"""The thread that writes to the store: all queued jobs are committed together.

A response is sent only after the commit of its event; many responses can share one commit.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
# Beyond this, requests get 503.
MAX_QUEUED_JOBS = 4096
_MAX_JOBS_PER_COMMIT = 512
# A transaction waits at most 20 s for a lock; one that takes longer than this will never end.
STUCK_SECONDS = 60.0


class QueueFull(Exception):
    """The writer accepts no more jobs: its queue is full, or it is stopping."""


class _Job(NamedTuple):
    work: Work | None
    event: Event | None
    future: "asyncio.Future[Any] | Future[Any]"


class Writer:
    """Runs jobs, each completely or not at all, in as few transactions as possible."""

    def __init__(
        self, make_store: Callable[[], Store], store_events: StoreEvents, stuck_seconds: float = STUCK_SECONDS
    ) -> None:
        """`store_events` stores all queued events at once.

        `make_store` is called in the writer's thread, because a store belongs to the thread that opens it.
        """
        self._make_store, self._store_events, self._stuck_seconds = make_store, store_events, stuck_seconds
        self._jobs: deque[_Job] = deque()
        self._loop_jobs: list[_Job] = []  # used by the event loop only, so it needs no lock
        self._condition = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="webhooks-writer", daemon=True)
        self._committed_file: FileIdentity | None = None  # the file of the last commit
        self._transaction_started_at: float | None = None  # None between transactions
        self.commit_count = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self, deadline: float) -> None:
        """Write the queued jobs until a time of the monotonic clock; jobs not written by then are not answered."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join(max(deadline - time.monotonic(), 0))

    @property
    def is_healthy(self) -> bool:
        started_at = self._transaction_started_at
        return self._thread.is_alive() and (started_at is None or time.monotonic() - started_at < self._stuck_seconds)

    async def store_event(self, event: Event) -> StoredEvent | None:
        """Store an event and return after the commit; None for an unknown order. Raises StoreError, QueueFull."""
        stored: StoredEvent | None = await self._enqueue(None, event)
        return stored

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction and return after the commit. Raises StoreError, QueueFull."""
        result: T = await self._enqueue(work, None)
        return result

    def _enqueue(self, work: Work | None, event: Event | None) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._stopping or len(self._jobs) + len(self._loop_jobs) >= MAX_QUEUED_JOBS:
            raise QueueFull
        if not self._loop_jobs:  # jobs of one turn of the loop are passed on together
            loop.call_soon(self._pass_loop_jobs)
        self._loop_jobs.append(_Job(work, event, future))
        return future

    def _pass_loop_jobs(self) -> None:
        with self._condition:
            self._jobs.extend(self._loop_jobs)
            self._loop_jobs.clear()
            self._condition.notify()

    def write_and_wait(self, work: Callable[[Transaction], T]) -> T:
        """The same for a thread. Raises StoreError, and QueueFull while stopping."""
        future: Future[T] = Future()
        with self._condition:
            if self._stopping:
                raise QueueFull
            self._jobs.append(_Job(work, None, future))
            self._condition.notify()
        return future.result()

    def _run(self) -> None:
        store = self._make_store()
        while jobs := self._next_jobs():
            self._transaction_started_at = time.monotonic()
            outcomes = self._commit(store, jobs)
            if outcomes is None:  # one of them failed: commit each by itself
                outcomes = [outcome for job in jobs for outcome in self._commit(store, [job]) or ()]
            self._transaction_started_at = None
            _resolve_jobs(outcomes)
        store.close()

    def _next_jobs(self) -> list[_Job]:
        """The queued jobs; waits for one. Empty once the writer is stopping and all jobs are written."""
        with self._condition:
            self._condition.wait_for(lambda: self._jobs or self._stopping)
            return [self._jobs.popleft() for _ in range(min(len(self._jobs), _MAX_JOBS_PER_COMMIT))]

    def _commit(self, store: Store, jobs: list[_Job]) -> "list[tuple[_Job, Any]] | None":
        """Commit all jobs together; returns each with its result or error. None if one of several failed."""
        try:
            results = store.write(lambda transaction: self._run_jobs(transaction, jobs))
            if (current_file := file_identity(store)) != self._committed_file:
                # The first commit; or the file was quarantined or deleted, and this commit went to the old one.
                if self._committed_file is not None:
                    store.close()
                    results = store.write(lambda transaction: self._run_jobs(transaction, jobs))
                    current_file = file_identity(store)
                self._committed_file = current_file
            self.commit_count += 1
            return list(zip(jobs, results, strict=True))
        except StoreError as error:
            return [(job, error) for job in jobs]
        except Exception as error:
            return None if len(jobs) > 1 else [(jobs[0], error)]

    def _run_jobs(self, transaction: Transaction, jobs: list[_Job]) -> list[Any]:
        """The result of each job: all events are stored at once, other work runs one by one."""
        events = [job.event for job in jobs if job.event is not None]
        stored = iter(self._store_events(transaction, events) if events else ())
        return [next(stored) if job.work is None else job.work(transaction) for job in jobs]


def file_identity(store: Store) -> FileIdentity | None:
    """Identifies the file of a store, whatever its name; None if it does not exist."""
    try:
        status = store.path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _resolve_jobs(outcomes: "list[tuple[_Job, Any]]") -> None:
    """Set the results; the event loop is woken once for all of its futures."""
    in_loop = [(job.future, outcome) for job, outcome in outcomes if isinstance(job.future, asyncio.Future)]
    _set_results((job.future, outcome) for job, outcome in outcomes if isinstance(job.future, Future))
    if in_loop:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            in_loop[0][0].get_loop().call_soon_threadsafe(_set_results, in_loop)


def _set_results(outcomes: "Iterable[tuple[asyncio.Future[Any] | Future[Any], Any]]") -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
