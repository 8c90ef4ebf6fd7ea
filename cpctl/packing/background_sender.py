"""Delivery beside the bench: a thread with its own store connection, so that no verdict waits for the network."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

from cpctl.clock import utc_now
from cpctl.errors import StoreError
from cpctl.outbox.dispatcher import Dispatcher
from cpctl.outbox.models import DeliveryResult, Disposition, Send
from cpctl.outbox.outbox import Outbox
from cpctl.packing.bench_store import BenchStore
from cpctl.packing.models import ConnectionStatus
from cpctl.packing.session import Notice
from cpctl.store.store import Store, Transaction

POLL_SECONDS = 1.0
STOP_TIMEOUT_SECONDS = 3.0  # lets a running call end, so that its signals are not marked as maybe sent

T = TypeVar("T")


class SerializedStore(Store):
    """A store whose writers share a lock: waiting for SQLite itself means polling, which delays verdicts."""

    def __init__(self, path: Path, warn: Callable[[str], None], write_lock: Lock) -> None:
        super().__init__(path, warn)
        self._write_lock = write_lock

    def write(self, work: Callable[[Transaction], T]) -> T:
        with self._write_lock:
            return super().write(work)


class BackgroundSender:
    """Sends what is due by the rules of `outbox flush --watch`, and puts what the bench has to know into `notices`."""

    def __init__(
        self,
        path: Path,
        profile: str,
        station: str,
        send: Send | None,
        send_seconds: float,
        write_lock: Lock,
        unavailable_reason: str = "",  # why there is no `send`
    ) -> None:
        """Without `send`, it only watches the store. `write_lock` is that of the bench's own SerializedStore."""
        self.notices: SimpleQueue[Notice] = SimpleQueue()
        self.on_notice: Callable[[], None] = lambda: None  # called in the sender's thread
        self._write_lock = write_lock
        self._path = path
        self._profile = profile
        self._station = station
        self._send = send
        self._send_seconds = send_seconds
        self._connection = ConnectionStatus(stop_reason=unavailable_reason)
        self._stop = Event()
        self._wake_up = Event()
        self._thread = Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        self._notify(self._connection)
        self._thread.start()

    def wake(self) -> None:
        """Send now: a new signal was accepted."""
        self._wake_up.set()

    def stop(self) -> None:
        """Stop the thread; waits up to STOP_TIMEOUT_SECONDS for a running call."""
        self._stop.set()
        self._wake_up.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        store = SerializedStore(self._path, self._notify, self._write_lock)
        outbox = Outbox(store, self._profile)
        bench_store = BenchStore(outbox, self._station)
        known_failures: set[int] | None = None  # None until the store was read: failures of earlier runs are no alerts
        probe = True
        while not self._stop.is_set():
            try:
                if known_failures is None:
                    known_failures = {entry.id for entry in bench_store.find_failed_signals()}
                self._flush(outbox, probe)
                for entry in bench_store.find_failed_signals():
                    if entry.id not in known_failures:
                        known_failures.add(entry.id)
                        self._notify(entry)
            except StoreError as error:
                self._update_connection(ConnectionStatus(stop_reason=error.message))
            except Exception as error:  # a bug must be visible at the bench, and must not end it
                self._update_connection(ConnectionStatus(stop_reason=f"{type(error).__name__}: {error}"))
            probe = False
            # Offline, new signals do not wake the sender: one attempt per second is enough.
            (self._stop if self._connection.is_online is False else self._wake_up).wait(POLL_SECONDS)
            self._wake_up.clear()
        store.close()

    def _flush(self, outbox: Outbox, probe: bool) -> None:
        if self._send is None:
            return
        for _, result in Dispatcher(outbox, self._send, self._send_seconds).flush(probe=probe):
            self._update_connection(_connection_after(self._connection, result, utc_now()))
            if result.disposition is Disposition.DELIVERED:
                self._notify(None)
            if self._stop.is_set():
                return
        if (pause := outbox.read_pause()) is not None:
            reason = pause.message or f"HTTP status {pause.http_status}"
            self._update_connection(ConnectionStatus(True, stop_reason=reason))
        elif self._connection.stop_reason:
            self._update_connection(self._connection._replace(stop_reason=""))

    def _update_connection(self, connection: ConnectionStatus) -> None:
        if connection != self._connection:
            self._connection = connection
            self._notify(connection)

    def _notify(self, notice: Notice) -> None:
        self.notices.put(notice)
        self.on_notice()


def _connection_after(previous: ConnectionStatus, result: DeliveryResult, now: datetime) -> ConnectionStatus:
    """The connection after one attempt. A failure of a single signal does not change it."""
    if result.disposition is Disposition.RETRY:
        if not result.affects_service or previous.is_online is False:
            return previous
        return ConnectionStatus(False, now)
    return previous if previous.is_online and not previous.stop_reason else ConnectionStatus(True, now)
