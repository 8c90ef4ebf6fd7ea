"""The connections of a dispatcher, with the queue of bundles that they post."""

from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from cpctl.outbox.models import DeliveryResult, QueuedSignal, Send

Bundle = list[QueuedSignal]


class PostResult(NamedTuple):
    """How the post of a bundle ended: with a result, or with an error that the sender raised."""

    bundle: Bundle
    result: DeliveryResult | None
    error: BaseException | None = None


class Connections:
    """Posts bundles: with one connection in the calling thread, with several in a thread for each.

    Every bundle is in `in_flight` from before it can be posted until after its result is in `results`. So after an
    interruption at any line, a bundle that may have been posted is found in one of them.
    """

    def __init__(self, senders: Sequence[Send]) -> None:
        self.results: list[PostResult] = []  # emptied by the dispatcher once they are recorded
        self.in_flight: dict[int, Bundle] = {}
        self._pending: SimpleQueue[Bundle | None] = SimpleQueue()
        self._finished: SimpleQueue[PostResult] = SimpleQueue()
        self._senders = senders
        threaded = senders if len(senders) > 1 else ()
        self._threads = [Thread(target=self._run_worker, args=(send,), daemon=True) for send in threaded]
        for thread in self._threads:
            thread.start()

    def submit(self, bundle: Bundle) -> None:
        """Add a bundle to the queue."""
        self.in_flight[bundle[0].id] = bundle
        self._pending.put(bundle)

    def collect(self, wait: bool = True) -> None:
        """Move finished posts to `results`: all there are, with `wait` at least one.

        A single connection makes its post here, and an error of its sender is raised here.
        """
        if wait and not self._threads and (bundle := self._pending.get()) is not None:
            self._finished.put(PostResult(bundle, self._senders[0]([signal.signal for signal in bundle])))
        with suppress(Empty):
            while True:
                finished = self._finished.get(block=wait)
                self.results.append(finished)
                del self.in_flight[finished.bundle[0].id]
                wait = False

    def cancel_pending(self) -> None:
        """Remove the bundles that no connection has begun to post."""
        with suppress(Empty):
            while (bundle := self._pending.get(block=False)) is not None:
                del self.in_flight[bundle[0].id]

    def close(self) -> None:
        """Let each thread end after the post that it is making."""
        for _ in self._threads:
            self._pending.put(None)

    def _run_worker(self, send: Send) -> None:
        while (bundle := self._pending.get()) is not None:
            try:
                self._finished.put(PostResult(bundle, send([signal.signal for signal in bundle])))
            except BaseException as error:  # raised again in the thread of the dispatcher
                self._finished.put(PostResult(bundle, None, error))
