"""Senders that keep a server busy and record the responses."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any

from harness.webhooks.webhook_server import RawConnection, encode_request, webhook_body


class LoadGenerator:
    """Connections that post events without a pause. `accepted` has the numbers of those answered 200."""

    def __init__(
        self, ports: Sequence[int], connections: int, make_event: Callable[[int], dict[str, Any]] = webhook_body
    ) -> None:
        self.accepted: list[int] = []
        self.statuses: list[int] = []
        self.unanswered = 0
        self._make, self._numbers, self._lock = make_event, itertools.count(1), Lock()
        self._over = Event()
        self._threads = [Thread(target=self._send_loop, args=(ports[n % len(ports)],)) for n in range(connections)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop sending, and wait for the requests in progress."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a sender hangs"

    def _send_loop(self, port: int) -> None:
        while not self._over.is_set():
            try:
                with RawConnection(port) as wire:
                    while not self._over.is_set() and self._send_event(wire, next(self._numbers)):
                        pass
            except OSError:
                with self._lock:
                    self.unanswered += 1
                self._over.wait(0.01)

    def _send_event(self, wire: RawConnection, number: int) -> bool:
        """Send one event; returns whether the connection stays open."""
        answer = wire.send(encode_request(self._make(number))).read_response()
        with self._lock:
            self.statuses.append(answer.status)
            if answer.status == 200:
                self.accepted.append(number)
        return answer.headers.get("connection") != "close"


@contextmanager
def generate_load(
    *ports: int, connections: int = 4, make_event: Callable[[int], dict[str, Any]] = webhook_body
) -> Iterator[LoadGenerator]:
    """Run senders until the end of the block."""
    senders = LoadGenerator(ports, connections, make_event)
    senders.start()
    try:
        yield senders
    finally:
        senders.stop()
