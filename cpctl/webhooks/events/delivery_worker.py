"""Hands events over to one target, beside the answers and never in their way."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from cpctl.errors import StoreError
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.deliveries import Due, HandoverState, claim, is_due, let_go, next_due, settle
from cpctl.webhooks.events.http_post import Unreached
from cpctl.webhooks.events.targets import Target
from cpctl.webhooks.server.access_log import Log
from cpctl.webhooks.server.metrics import Numbers
from cpctl.webhooks.server.writer import Busy, Writer, identity

T = TypeVar("T")
WORKERS = 4
# While a target cannot be reached at all, seconds between the tries of each worker.
_PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
_LONGEST_LOOK = 5.0  # seconds; another process may have put something back


class Courier:
    """Some threads that work for one target. They share the receiver's writer, so that nobody waits for a lock."""

    def __init__(
        self,
        target: Target,
        profile: str,
        writer: Writer,
        make_store: Callable[[], Store],
        log: Log,
        numbers: Numbers,
    ) -> None:
        self._target, self._profile, self._writer = target, profile, writer
        self._make_store, self._log, self._numbers = make_store, log, numbers
        self._news = threading.Condition()
        self._told = 0  # how often there was news
        self._stopping = threading.Event()
        self._unreached = 0  # tries in a row
        names = [f"webhooks-courier-{number}" for number in range(WORKERS)]
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for name in names]

    def start(self) -> None:
        """Begin, with what waits from before."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is a new event."""
        with self._news:
            self._told += 1
            self._news.notify()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()
        with self._news:
            self._news.notify_all()
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
                if (there := identity(store)) != seen:  # set aside or deleted; nothing is found in it any more
                    store.close()
                    seen = there
                self._work(store)
            except (StoreError, Busy) as error:
                self._log.say("the store cannot be used", {"target": name, "why": str(error)}, problem=True)
                self._stopping.wait(_LONGEST_LOOK)
        store.close()

    def _work(self, store: Store) -> None:
        """Hand one event over, or wait for one that is due."""
        name, now, told = self._target.name, _now(), self._told
        if store.read(lambda work: is_due(work, self._profile, name, now)):
            due = self._write(lambda work: claim(work, self._profile, name, now))
            if due is not None:  # else another worker was first
                self._hand_over(due)
            return
        soonest = store.read(lambda work: next_due(work, self._profile, name, now))
        wait = _LONGEST_LOOK if soonest is None else (soonest - now) / 1000
        with self._news:  # an event that came since the look above is not slept over
            self._news.wait_for(lambda: self._told != told or self._stopping.is_set(), min(wait, _LONGEST_LOOK))

    def _hand_over(self, due: Due) -> None:
        try:
            problem = self._target.hand_over(due)
        except Unreached as error:
            self._pause(due, str(error))
            return
        except Exception as error:  # a thread that ends hands nothing over any more
            problem = f"a bug in cpctl: {type(error).__name__}: {error}"
        self._unreached = 0
        self._tell(due, problem, self._settled(due, problem))
        self.wake()  # what waited for this one may go

    def _settled(self, due: Due, problem: str | None) -> HandoverState:
        """Write down what became of it, however long the store fails: else it would be handed over twice."""
        while True:
            try:
                return self._write(lambda work: settle(work, self._target.name, due, problem, _now()))
            except StoreError:
                if self._stopping.wait(1.0):
                    raise

    def _pause(self, due: Due, problem: str) -> None:
        """The target is not there: the event has lost nothing, and all wait for it to come back."""
        self._write(lambda work: let_go(work, self._target.name, due, problem, _now()))
        self._numbers.tried(self._target.name, False)
        if self._unreached == 0:
            self._log.say("target not reached", {"target": self._target.name, "why": problem}, problem=True)
        self._unreached += 1
        self._stopping.wait(_PAUSES[min(self._unreached // WORKERS, len(_PAUSES) - 1)])

    def _tell(self, due: Due, problem: str | None, state: HandoverState) -> None:
        self._numbers.tried(self._target.name, problem is None)
        facts = {"event": due.event, "type": due.type, "target": self._target.name, "attempt": due.attempt}
        if problem is None:
            self._log.say("handed over", facts)
        else:
            again = "given up" if state is HandoverState.FAILED else "tried again"
            self._log.say(f"not taken, {again}", {**facts, "why": problem}, problem=True)

    def _write(self, work: Callable[[Transaction], T]) -> T:
        return self._writer.write_and_wait(work)


def _now() -> int:
    """ms since 1970, UTC."""
    return int(time.time() * 1000)
