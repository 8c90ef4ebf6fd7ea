"""Hands events over to one target, beside the answers and never in their way."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from cpctl import retry
from cpctl.clock import now_ms
from cpctl.errors import StoreError
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.deliveries import (
    DeliveryState,
    DueDelivery,
    claim,
    find_next_due_ms,
    has_due,
    release,
    settle,
)
from cpctl.webhooks.events.http_post import TargetUnreachable
from cpctl.webhooks.events.targets import Target
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.metrics import ReceiverMetrics
from cpctl.webhooks.server.writer import QueueFull, Writer, file_identity

T = TypeVar("T")
THREADS_PER_TARGET = 4
# While a target cannot be reached at all, seconds between the tries of each worker.
_MAX_POLL_SECONDS = 5.0  # seconds; another process may have put something back


class DeliveryWorker:
    """Some threads that work for one target. They share the receiver's writer, so that nobody waits for a lock."""

    def __init__(
        self,
        target: Target,
        profile: str,
        writer: Writer,
        make_store: Callable[[], Store],
        log: AccessLog,
        metrics: ReceiverMetrics,
    ) -> None:
        self._target, self._profile, self._writer = target, profile, writer
        self._make_store, self._log, self._metrics = make_store, log, metrics
        self._wake_condition = threading.Condition()
        self._wake_count = 0  # how often there was news
        self._stopping = threading.Event()
        self._unreachable_count = 0  # tries in a row
        names = [f"webhooks-courier-{number}" for number in range(THREADS_PER_TARGET)]
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for name in names]

    def start(self) -> None:
        """Begin, with what waits from before."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is a new event."""
        with self._wake_condition:
            self._wake_count += 1
            self._wake_condition.notify()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()
        with self._wake_condition:
            self._wake_condition.notify_all()
        self._target.stop()

    def join(self, deadline: float) -> None:
        """Wait for the end until a moment of the monotonic clock; what is under way then is tried again later."""
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _run(self) -> None:
        store, name = self._make_store(), self._target.name
        seen = None
        while not self._stopping.is_set():
            try:
                if (there := file_identity(store)) != seen:  # set aside or deleted; nothing is found in it any more
                    store.close()
                    seen = there
                self._deliver_next(store)
            except (StoreError, QueueFull) as error:
                self._log.write("the store cannot be used", {"target": name, "why": str(error)}, is_problem=True)
                self._stopping.wait(_MAX_POLL_SECONDS)
        store.close()

    def _deliver_next(self, store: Store) -> None:
        """Hand one event over, or wait for one that is due."""
        name, now, told = self._target.name, now_ms(), self._wake_count
        if store.read(lambda work: has_due(work, self._profile, name, now)):
            due = self._write(lambda work: claim(work, self._profile, name, now))
            if due is not None:  # else another worker was first
                self._deliver(due)
            return
        soonest = store.read(lambda work: find_next_due_ms(work, self._profile, name, now))
        wait = _MAX_POLL_SECONDS if soonest is None else (soonest - now) / 1000
        with self._wake_condition:  # an event that came since the look above is not slept over
            self._wake_condition.wait_for(
                lambda: self._wake_count != told or self._stopping.is_set(), min(wait, _MAX_POLL_SECONDS)
            )

    def _deliver(self, due: DueDelivery) -> None:
        try:
            problem = self._target.deliver(due)
        except TargetUnreachable as error:
            self._release_and_pause(due, str(error))
            return
        except Exception as error:  # a thread that ends hands nothing over any more
            problem = f"a bug in cpctl: {type(error).__name__}: {error}"
        self._unreachable_count = 0
        self._log_outcome(due, problem, self._settle(due, problem))
        self.wake()  # what waited for this one may go

    def _settle(self, due: DueDelivery, problem: str | None) -> DeliveryState:
        """Write down what became of it, however long the store fails: else it would be handed over twice."""
        while True:
            try:
                return self._write(lambda work: settle(work, self._target.name, due, problem, now_ms()))
            except StoreError:
                if self._stopping.wait(1.0):
                    raise

    def _release_and_pause(self, due: DueDelivery, problem: str) -> None:
        """The target is not there: the event has lost nothing, and all wait for it to come back."""
        self._write(lambda work: release(work, self._target.name, due, problem, now_ms()))
        self._metrics.count_attempt(self._target.name, False)
        if self._unreachable_count == 0:
            self._log.write("target not reached", {"target": self._target.name, "why": problem}, is_problem=True)
        self._unreachable_count += 1
        self._stopping.wait(retry.UNREACHABLE_TARGETS.delay_seconds(self._unreachable_count // THREADS_PER_TARGET + 1))

    def _log_outcome(self, due: DueDelivery, problem: str | None, state: DeliveryState) -> None:
        self._metrics.count_attempt(self._target.name, problem is None)
        facts = {"event": due.event_id, "type": due.type, "target": self._target.name, "attempt": due.attempt}
        if problem is None:
            self._log.write("handed over", facts)
        else:
            again = "given up" if state is DeliveryState.FAILED else "tried again"
            self._log.write(f"not taken, {again}", {**facts, "why": problem}, is_problem=True)

    def _write(self, work: Callable[[Transaction], T]) -> T:
        return self._writer.write_and_wait(work)
