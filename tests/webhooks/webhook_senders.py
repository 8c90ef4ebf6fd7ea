"""Senders that keep a server busy, and remember what they were answered."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any

from webhook_server import Wire, event, request


class Senders:
    """Some connections that post events without a pause. `kept` holds the numbers of those answered 200."""

    def __init__(self, ports: Sequence[int], connections: int, make: Callable[[int], dict[str, Any]] = event) -> None:
        self.kept: list[int] = []
        self.statuses: list[int] = []
        self.unanswered = 0
        self._make, self._numbers, self._lock = make, itertools.count(1), Lock()
        self._over = Event()
        self._threads = [Thread(target=self._send, args=(ports[n % len(ports)],)) for n in range(connections)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more; what is under way is waited for."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a sender hangs"

    def _send(self, port: int) -> None:
        while not self._over.is_set():
            try:
                with Wire(port) as wire:
                    while not self._over.is_set() and self._sent(wire, next(self._numbers)):
                        pass
            except OSError:
                with self._lock:
                    self.unanswered += 1
                self._over.wait(0.01)

    def _sent(self, wire: Wire, number: int) -> bool:
        """Send one event; whether the connection stays open."""
        answer = wire.send(request(self._make(number))).answer()
        with self._lock:
            self.statuses.append(answer.status)
            if answer.status == 200:
                self.kept.append(number)
        return answer.headers.get("connection") != "close"


@contextmanager
def sending(*ports: int, connections: int = 4, make: Callable[[int], dict[str, Any]] = event) -> Iterator[Senders]:
    """Senders at work until the end of the block."""
    senders = Senders(ports, connections, make)
    senders.start()
    try:
        yield senders
    finally:
        senders.stop()
