"""Delivery beside the bench: a thread with a store of its own, never in the path of a verdict."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

from cpctl.clock import utc_now
from cpctl.errors import StoreError
from cpctl.outbox.delivery_result import DeliveryResult, Disposition, Send
from cpctl.outbox.dispatcher import Dispatcher
from cpctl.outbox.models import QueuedSignal
from cpctl.outbox.outbox import Outbox
from cpctl.packing.bench_store import BenchStore
from cpctl.packing.models import ConnectionStatus
from cpctl.store.store import Store, Transaction

POLL_SECONDS = 1.0
STOP_TIMEOUT_SECONDS = 3.0  # a call under way may end, so that nobody has to doubt whether it arrived

Notice = ConnectionStatus | QueuedSignal | str
T = TypeVar("T")


class SerializedStore(Store):
    """A store whose writers in one process wait for each other here: SQLite would have them sleep and look again."""

    def __init__(self, path: Path, warn: Callable[[str], None], write_lock: Lock) -> None:
        super().__init__(path, warn)
        self._write_lock = write_lock

    def write(self, work: Callable[[Transaction], T]) -> T:
        """As the store's own."""
        with self._write_lock:
            return super().write(work)


class BackgroundSender:
    """Sends what is due, by the rules of `outbox flush --watch`, and tells what a bench has to know."""

    def __init__(
        self,
        path: Path,
        profile: str,
        station: str,
        send: Send | None,
        send_seconds: float,
        write_lock: Lock,
        unavailable_reason: str = "",
    ) -> None:
        """`send` is None where nothing can be sent, and `why_not` says so: then only the store is watched.

        `turn` is held by whoever writes; the bench's store shares it.
        """
        self._write_lock = write_lock
        self.notices: SimpleQueue[Notice] = SimpleQueue()
        self.on_notice: Callable[[], None] = lambda: None
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
        """Begin."""
        self._notify(self._connection)
        self._thread.start()

    def wake(self) -> None:
        """Look at once: something new was accepted."""
        self._wake_up.set()

    def stop(self) -> None:
        """End; waits a moment for a call that is under way."""
        self._stop.set()
        self._wake_up.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        store = SerializedStore(self._path, self._notify, self._write_lock)
        outbox = Outbox(store, self._profile)
        memory = BenchStore(outbox, self._station)
        told: set[int] | None = None
        probe = True
        while not self._stop.is_set():
            try:
                if told is None:
                    told = {entry.id for entry in memory.find_failed_signals()}
                self._flush(outbox, probe)
                fresh = [entry for entry in memory.find_failed_signals() if entry.id not in told]
                told |= {entry.id for entry in fresh}
                for entry in fresh:
                    self._notify(entry)
            except StoreError as error:
                self._update_connection(ConnectionStatus(stop_reason=error.message))
            except Exception as error:  # a bug must be seen at the bench, and must not end it
                self._update_connection(ConnectionStatus(stop_reason=f"{type(error).__name__}: {error}"))
            probe = False
            # Where nobody answers, one try a second is enough: each new signal would ask for another.
            (self._stop if self._connection.is_online is False else self._wake_up).wait(POLL_SECONDS)
            self._wake_up.clear()
        store.close()

    def _flush(self, outbox: Outbox, probe: bool) -> None:
        if self._send is None:
            return
        delivery = Dispatcher(outbox, self._send, self._send_seconds)
        for entry, reply in delivery.flush(probe=probe):
            self._update_connection(_connection_after(self._connection, reply, utc_now()))
            if reply.disposition is Disposition.DELIVERED:
                self._notify(f"{entry.id}")
            if self._stop.is_set():
                return
        if (pause := outbox.read_pause()) is not None:
            self._update_connection(ConnectionStatus(True, stop_reason=pause.message or f"answer {pause.http_status}"))
        elif self._connection.stop_reason:
            self._update_connection(self._connection._replace(stop_reason=""))

    def _update_connection(self, connection: ConnectionStatus) -> None:
        if connection != self._connection:
            self._connection = connection
            self._notify(connection)

    def _notify(self, notice: Notice) -> None:
        self.notices.put(notice)
        self.on_notice()


def _connection_after(previous: ConnectionStatus, reply: DeliveryResult, now: datetime) -> ConnectionStatus:
    """What one answer says of the connection. An error of one signal's own leaves it as it is."""
    if reply.disposition is Disposition.RETRY:
        if not reply.affects_service or previous.is_online is False:
            return previous
        return ConnectionStatus(False, now)
    return previous if previous.is_online and not previous.stop_reason else ConnectionStatus(True, now)
