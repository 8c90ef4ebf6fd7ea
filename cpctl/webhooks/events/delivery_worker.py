"""Delivering events to one target, in threads beside the server."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from cpctl import retry
from cpctl.clock import now_ms
from cpctl.errors import StoreError
from cpctl.net import Unreachable
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events import deliveries
from cpctl.webhooks.events.deliveries import DeliveryState, DueDelivery
from cpctl.webhooks.events.targets import Target
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.metrics import ReceiverMetrics
from cpctl.webhooks.server.writer import QueueFull, Writer, file_identity

T = TypeVar("T")
THREADS_PER_TARGET = 4
# Longest sleep between two looks at the store: another process may have requeued events.
_MAX_POLL_SECONDS = 5.0


class DeliveryWorker:
    """The threads that deliver to one target.

    They write through the receiver's writer, so that they never compete with it for the lock of the store.
    """

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
        self._wake_count = 0  # a thread that saw another count before its last look at the store must look again
        self._stopping = threading.Event()
        self._unreachable_count = 0  # attempts in a row, of all threads
        names = [f"webhooks-delivery-{number}" for number in range(THREADS_PER_TARGET)]
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for name in names]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look at the store again: there is a new event."""
        with self._wake_condition:
            self._wake_count += 1
            self._wake_condition.notify()

    def stop(self) -> None:
        """Start no more deliveries, and ask the target to end those in progress."""
        self._stopping.set()
        with self._wake_condition:
            self._wake_condition.notify_all()
        self._target.stop()

    def join(self, deadline: float) -> None:
        """Wait for the threads until a time of the monotonic clock; deliveries still in progress are retried later."""
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _run(self) -> None:
        store = self._make_store()
        opened_file = None
        while not self._stopping.is_set():
            try:
                if (current_file := file_identity(store)) != opened_file:
                    store.close()  # the file was quarantined or deleted; nothing is added to the open one any more
                    opened_file = current_file
                self._deliver_next(store)
            except (StoreError, QueueFull) as error:
                fields = {"target": self._target.name, "reason": str(error)}
                self._log.write("store unavailable", fields, is_problem=True)
                self._stopping.wait(_MAX_POLL_SECONDS)
        store.close()

    def _deliver_next(self, store: Store) -> None:
        # Read before the store: an event that arrives after the look below changes the count and ends the sleep.
        now, seen_count = now_ms(), self._wake_count
        profile, target = self._profile, self._target.name
        next_due = store.read(lambda transaction: deliveries.find_next_due_ms(transaction, profile, target))
        if next_due is not None and next_due <= now:
            due = self._write(lambda transaction: deliveries.claim(transaction, profile, target, now))
            if due is not None:  # else another thread was first
                self._deliver(due)
            return
        seconds = _MAX_POLL_SECONDS if next_due is None else min((next_due - now) / 1000, _MAX_POLL_SECONDS)
        with self._wake_condition:
            self._wake_condition.wait_for(lambda: self._wake_count != seen_count or self._stopping.is_set(), seconds)

    def _deliver(self, due: DueDelivery) -> None:
        try:
            problem = self._target.deliver(due)
        except Unreachable as error:
            self._release_and_pause(due, str(error))
            return
        except Exception as error:  # a bug must not end the thread
            problem = f"bug in cpctl: {type(error).__name__}: {error}"
        self._unreachable_count = 0
        self._log_outcome(due, problem, self._settle(due, problem))
        self.wake()  # later events of the same item may be due now

    def _settle(self, due: DueDelivery, problem: str | None) -> DeliveryState:
        """Record the outcome, and retry while the store fails: otherwise the event would be delivered twice."""
        while True:
            try:
                return self._write(
                    lambda transaction: deliveries.settle(transaction, self._target.name, due, problem, now_ms())
                )
            except StoreError:
                if self._stopping.wait(1.0):
                    raise

    def _release_and_pause(self, due: DueDelivery, problem: str) -> None:
        """The target is unreachable: the attempt does not count, and this thread pauses."""
        self._write(lambda transaction: deliveries.release(transaction, self._target.name, due, problem, now_ms()))
        self._metrics.count_attempt(self._target.name, False)
        if self._unreachable_count == 0:
            fields = {"target": self._target.name, "reason": problem}
            self._log.write("target unreachable", fields, is_problem=True)
        self._unreachable_count += 1
        self._stopping.wait(retry.UNREACHABLE_TARGETS.delay_seconds(self._unreachable_count // THREADS_PER_TARGET + 1))

    def _log_outcome(self, due: DueDelivery, problem: str | None, state: DeliveryState) -> None:
        self._metrics.count_attempt(self._target.name, problem is None)
        fields = {"event": due.event_id, "type": due.type, "target": self._target.name, "attempt": due.attempt}
        if problem is None:
            self._log.write("delivered", fields)
        else:
            message = "delivery failed" if state is DeliveryState.FAILED else "delivery attempt failed"
            self._log.write(message, {**fields, "reason": problem}, is_problem=True)

    def _write(self, work: Callable[[Transaction], T]) -> T:
        return self._writer.write_and_wait(work)
