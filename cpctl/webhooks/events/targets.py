"""Targets of events, a URL or a command, and the threads that deliver to them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from cpctl import retry
from cpctl.clock import now_ms
from cpctl.errors import StoreError
from cpctl.net import Unreachable, post
from cpctl.store.store import Store
from cpctl.webhooks.events import deliveries
from cpctl.webhooks.events.deliveries import DeliveryState, DueDelivery
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.metrics import ReceiverMetrics
from cpctl.webhooks.server.writer import QueueFull, Writer, file_identity

T = TypeVar("T")
THREADS_PER_TARGET = 4
# Longest sleep between two looks at the store: another process may have requeued events.
_MAX_POLL_SECONDS = 5.0
_OUTPUT_WAIT_SECONDS = 1.0
_MAX_OUTPUT_CHARS = 500  # of the end of a failing command's output
_MAX_VARIABLE_CHARS = 4096  # of an environment variable; the JSON has the whole value
_VARIABLE_FIELDS = (
    *("type", "order", "item", "order_reference", "item_reference"),
    *("datetime", "tracking", "shipping_option"),
)


class Target(Protocol):
    """Something that receives events. `name` identifies it, also after a restart."""

    name: str

    def deliver(self, due: DueDelivery) -> str | None:
        """Deliver one event: None if it was accepted, else why not. Raises Unreachable."""

    def stop(self) -> None:
        """End the deliveries in progress, as far as possible."""


class ForwardTarget:
    """A URL: the event is posted as it was received, without its key by default."""

    def __init__(self, url: str, read_key: Callable[[], str] | None, timeout_seconds: float) -> None:
        """`read_key` returns the webhook key to put into the body; without it the body has no key."""
        self.name = f"forward {url}"
        self._url, self._read_key, self._timeout_seconds = url, read_key, timeout_seconds

    def deliver(self, due: DueDelivery) -> str | None:
        """Post the event; any status but 2xx is a failure."""
        numbers = {"Cpctl-Event": str(due.event_id), "Cpctl-Attempt": str(due.attempt)}
        headers = {"Content-Type": "application/json", **numbers}
        key = {"apikey": self._read_key()} if self._read_key else {}
        response = post(self._url, json.dumps({**key, **due.payload}).encode(), headers, self._timeout_seconds)
        return None if 200 <= response.status < 300 else f"{response.status} {response.first_line}".strip()

    def stop(self) -> None:
        """Do nothing: a post ends within its time limit."""


class CommandTarget:
    """A command: it gets the event as JSON on standard input, and the most used fields as environment variables."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        command_text: str,
        timeout_seconds: float,
    ) -> None:
        """`environment` is what the command inherits; it must not contain a key."""
        self.name = f"exec {command_text}"
        self._argv, self._environment, self._timeout_seconds = list(argv), dict(environment), timeout_seconds
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def deliver(self, due: DueDelivery) -> str | None:
        """Run the command; any exit status but 0 is a failure."""
        body = json.dumps({"event": due.event_id, "attempt": due.attempt, **due.payload}).encode()
        try:
            child = subprocess.Popen(
                self._argv,
                env={**self._environment, **_event_variables(due)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Unreachable(f"cannot run {self._argv[0]}: {error}") from error
        with self._lock:
            self._running.add(child)
        try:
            return _wait_for_outcome(child, body, self._timeout_seconds)
        finally:
            with self._lock:
                self._running.discard(child)

    def stop(self) -> None:
        """Terminate the running commands; they run again after the next start."""
        with self._lock:
            running = list(self._running)
        for child in running:
            if child.poll() is None:
                _terminate(child, force=False)


def _wait_for_outcome(child: "subprocess.Popen[bytes]", body: bytes, timeout_seconds: float) -> str | None:
    tail = bytearray()
    threading.Thread(target=_write_input, args=(child, body), daemon=True).start()
    reader = threading.Thread(target=_read_output, args=(child, tail), daemon=True)
    reader.start()
    try:
        child.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        _terminate(child, force=True)
        child.wait()
        return f"not finished within {timeout_seconds:g} s"
    if child.returncode == 0:
        return None
    reader.join(_OUTPUT_WAIT_SECONDS)
    last_output = tail.decode("utf-8", "replace").strip()[-_MAX_OUTPUT_CHARS:]
    return f"status {child.returncode}{': ' if last_output else ''}{last_output}"


def _write_input(child: "subprocess.Popen[bytes]", body: bytes) -> None:
    assert child.stdin is not None
    with suppress(OSError), child.stdin as stream:  # a command need not read its input
        stream.write(body)


def _read_output(child: "subprocess.Popen[bytes]", tail: bytearray) -> None:
    assert child.stdout is not None
    with suppress(OSError), child.stdout as stream:
        while chunk := os.read(stream.fileno(), 65536):
            tail[:] = (tail + chunk)[-4 * _MAX_OUTPUT_CHARS :]  # a character may take four bytes


def _terminate(child: "subprocess.Popen[bytes]", force: bool) -> None:
    with suppress(OSError):
        if sys.platform != "win32":
            os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)  # it leads a session of its own
        else:
            child.kill()


def _event_variables(due: DueDelivery) -> dict[str, str]:
    """Fields as CPCTL_EVENT_… variables: no NUL, which no environment can hold, and of limited length."""
    values = {**{name: due.payload.get(name) for name in _VARIABLE_FIELDS}, "id": due.event_id, "attempt": due.attempt}
    texts = {name: "" if isinstance(value, dict | list | None) else str(value) for name, value in values.items()}
    return {
        f"CPCTL_EVENT_{name.upper()}": text.encode("utf-8", "replace").decode().replace("\0", "")[:_MAX_VARIABLE_CHARS]
        for name, text in texts.items()
    }


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
            due = self._writer.write_and_wait(lambda transaction: deliveries.claim(transaction, profile, target, now))
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
                return self._writer.write_and_wait(
                    lambda transaction: deliveries.settle(transaction, self._target.name, due, problem, now_ms())
                )
            except StoreError:
                if self._stopping.wait(1.0):
                    raise

    def _release_and_pause(self, due: DueDelivery, problem: str) -> None:
        """The target is unreachable: the attempt does not count, and this thread pauses."""
        name = self._target.name
        self._writer.write_and_wait(lambda transaction: deliveries.release(transaction, name, due, problem, now_ms()))
        self._metrics.count_attempt(name, False)
        if self._unreachable_count == 0:
            self._log.write("target unreachable", {"target": name, "reason": problem}, is_problem=True)
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
