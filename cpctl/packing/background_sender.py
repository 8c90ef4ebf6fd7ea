"""Delivery beside the bench: a thread with a store of its own, never in the path of a verdict."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

from cpctl.errors import StoreError
from cpctl.outbox.delivery_result import Reply, Send, Verdict
from cpctl.outbox.dispatcher import Delivery
from cpctl.outbox.models import Entry
from cpctl.outbox.outbox import Outbox, utc_now
from cpctl.packing.bench_store import Memory
from cpctl.packing.models import Line
from cpctl.store.store import Store, Transaction

POLL_SECONDS = 1.0
LEAVE_SECONDS = 3.0  # a call under way may end, so that nobody has to doubt whether it arrived

News = Line | Entry | str
T = TypeVar("T")


class Turns(Store):
    """A store whose writers in one process wait for each other here: SQLite would have them sleep and look again."""

    def __init__(self, path: Path, warn: Callable[[str], None], turn: Lock) -> None:
        super().__init__(path, warn)
        self._turn = turn

    def write(self, work: Callable[[Transaction], T]) -> T:
        """As the store's own."""
        with self._turn:
            return super().write(work)


class Courier:
    """Sends what is due, by the rules of `outbox flush --watch`, and tells what a bench has to know."""

    def __init__(
        self,
        path: Path,
        profile: str,
        station: str,
        send: Send | None,
        seconds: float,
        turn: Lock,
        why_not: str = "",
    ) -> None:
        """`send` is None where nothing can be sent, and `why_not` says so: then only the store is watched.

        `turn` is held by whoever writes; the bench's store shares it.
        """
        self._turn = turn
        self.news: SimpleQueue[News] = SimpleQueue()
        self.wake_reader: Callable[[], None] = lambda: None
        self._path = path
        self._profile = profile
        self._station = station
        self._send = send
        self._seconds = seconds
        self._line = Line(stopped=why_not)
        self._stop = Event()
        self._poke = Event()
        self._thread = Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._tell(self._line)
        self._thread.start()

    def poke(self) -> None:
        """Look at once: something new was accepted."""
        self._poke.set()

    def stop(self) -> None:
        """End; waits a moment for a call that is under way."""
        self._stop.set()
        self._poke.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_SECONDS)

    def _run(self) -> None:
        store = Turns(self._path, self._tell, self._turn)
        outbox = Outbox(store, self._profile)
        memory = Memory(outbox, self._station)
        told: set[int] | None = None
        probe = True
        while not self._stop.is_set():
            try:
                if told is None:
                    told = {entry.id for entry in memory.given_up()}
                self._flush(outbox, probe)
                fresh = [entry for entry in memory.given_up() if entry.id not in told]
                told |= {entry.id for entry in fresh}
                for entry in fresh:
                    self._tell(entry)
            except StoreError as error:
                self._note(Line(stopped=error.message))
            except Exception as error:  # a bug must be seen at the bench, and must not end it
                self._note(Line(stopped=f"{type(error).__name__}: {error}"))
            probe = False
            # Where nobody answers, one try a second is enough: each new signal would ask for another.
            (self._stop if self._line.online is False else self._poke).wait(POLL_SECONDS)
            self._poke.clear()
        store.close()

    def _flush(self, outbox: Outbox, probe: bool) -> None:
        if self._send is None:
            return
        delivery = Delivery(outbox, self._send, self._seconds)
        for entry, reply in delivery.flush(probe=probe):
            self._note(_line_after(self._line, reply, utc_now()))
            if reply.verdict is Verdict.DELIVERED:
                self._tell(f"{entry.id}")
            if self._stop.is_set():
                return
        if (pause := delivery.pause()) is not None:
            self._note(Line(True, stopped=pause.message or f"answer {pause.http_status}"))
        elif self._line.stopped:
            self._note(self._line._replace(stopped=""))

    def _note(self, line: Line) -> None:
        if line != self._line:
            self._line = line
            self._tell(line)

    def _tell(self, news: News) -> None:
        self.news.put(news)
        self.wake_reader()


def _line_after(before: Line, reply: Reply, now: datetime) -> Line:
    """What one answer says of the connection. An error of one signal's own leaves it as it is."""
    if reply.verdict is Verdict.LATER:
        if not reply.whole_service or before.online is False:
            return before
        return Line(False, now)
    return before if before.online and not before.stopped else Line(True, now)
