"""The webhooks of the sandbox: what is told to the client, posted by one thread, and told again until it is heard.

Source: CloudSignal Webhooks 2.0, "Signals" and "Retry": at most 100 attempts over 7 days. The time between them is not
documented.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from http import HTTPStatus
from threading import Condition, RLock, Thread, current_thread

from cpctl.errors import InvalidInput, nearest
from cpctl.sandbox.model.order_store import Item, Order
from cpctl.sandbox.virtual_clock import Clock, iso
from cpctl.sandbox.webhooks.loopback_post import Receiver, post, read_receiver
from cpctl.signals.signal import shorten
from cpctl.signals.webhook_types import WEBHOOK_VERSIONS, WEBHOOKS

KEPT = 100_000
ATTEMPTS = 100
LIFETIME = timedelta(days=7)
_FIRST_WAIT, _LONGEST_WAIT = 60, 6000  # seconds; so that all attempts fit into the seven days
_HEARD = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)


@dataclass
class Delivery:
    """One webhook, and what became of it."""

    n: int
    type: str
    order: str
    item: str
    body: bytes
    born: datetime
    next_try: datetime | None
    attempts: int = 0
    status: int | None = None  # of the latest answer
    delivered: bool = False

    def as_json(self) -> dict[str, object]:
        """As `GET /_sandbox/webhooks` shows it."""
        return {
            "n": self.n,
            "type": self.type,
            "order": self.order,
            "item": self.item,
            "attempts": self.attempts,
            "status": self.status,
            "delivered": self.delivered,
            "next_try": None if self.next_try is None else iso(self.next_try),
        }

    def answered(self, status: int | None, now: datetime) -> None:
        """Note an attempt, and when the next one is."""
        self.attempts += 1
        self.status = status
        self.delivered = status in _HEARD
        wait = min(_FIRST_WAIT * 2 ** (self.attempts - 1), _LONGEST_WAIT)
        again = now + timedelta(seconds=wait)
        over = self.delivered or self.attempts >= ATTEMPTS or again > self.born + LIFETIME
        self.next_try = None if over else again


class Webhooks:
    """The queue of webhooks. Without an address nothing is queued."""

    def __init__(self, lock: RLock, clock: Clock, key: str, url: str | None, version: str) -> None:
        """Raises InvalidInput for an address beyond this machine and for an unknown version."""
        if version not in WEBHOOK_VERSIONS:
            raise InvalidInput(
                f"There is no version {shorten(version)} of the webhooks here.", nearest(version, WEBHOOK_VERSIONS)
            )
        self.receiver: Receiver | None = read_receiver(url) if url else None
        self._key, self._version, self._clock = key, version, clock
        self._changed = Condition(lock)
        self._deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self._count = 0
        self._queue: list[tuple[datetime, int, Delivery]] = []
        self._posting: Delivery | None = None
        self._thread: Thread | None = None
        self._settle: Callable[[], datetime | None] | None = None

    def start(self, settle: Callable[[], datetime | None]) -> None:
        """Post from now on. `settle` moves the orders on and says when something is due by itself."""
        self._settle = settle
        if self.receiver is None or self._thread is not None:
            return
        self._thread = Thread(target=self._run, args=(settle,), name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def send_to(self, url: str) -> None:
        """Send webhooks to that address from now on. Raises InvalidInput where it is not on this machine."""
        receiver = read_receiver(url)
        with self._changed:
            self.receiver = receiver
            if self._settle is not None:
                self.start(self._settle)

    def stop(self) -> None:
        """Post no more; what is on its way may still arrive."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(1)

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        with self._changed:
            self._deliveries.clear()
            self._count = 0
            self._queue.clear()
            self._posting = None
            self._changed.notify_all()

    def wake(self) -> None:
        """Say that time has passed, or that something is due sooner than before."""
        with self._changed:
            self._changed.notify_all()

    def listed(self) -> list[dict[str, object]]:
        """The newest webhooks, oldest first."""
        with self._changed:
            return [delivery.as_json() for delivery in self._deliveries]

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until nothing that is due is unsent; False where that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._posting is None and self._due() is None, timeout)

    def tell(self, kind: str, order: Order, item: Item | None, said: Mapping[str, object], time: datetime) -> None:
        """Queue what happened; `said` is the production's signal where there was one."""
        if self.receiver is None:
            return
        row = WEBHOOKS[kind]
        body: dict[str, object] = {"order": order.id}
        if item is not None:
            body["item"] = item.id
        body["order_reference"] = order.reference
        if item is not None:
            body["item_reference"] = order.detail(item).reference
        body |= {name: str(said[name]) for name in (*row.fields, *row.optional) if said.get(name) not in (None, "")}
        if said.get("datetime"):  # the production's own time
            body["datetime"] = re.sub(r"^(\S+) (\S+) GMT$", r"\1T\2+00:00", str(said["datetime"]))
        self.put(kind, body, time)

    def put(self, kind: str, fields: Mapping[str, object], time: datetime) -> Delivery:
        """Queue one webhook with those fields, to be posted at once."""
        said = {"apikey": self._key, "type": kind, **fields}
        if self._version == "2.1" and kind == "ItemShipped":
            said.setdefault("url", f"https://tracking.example.com/{said.get('tracking', '')}")
        said.setdefault("datetime", iso(time))
        with self._changed:
            now = self._clock.now()
            order, item = str(said.get("order", "")), str(said.get("item", ""))
            self._count += 1
            made = Delivery(self._count, kind, order, item, json.dumps(said).encode(), now, now)
            self._deliveries.append(made)
            heappush(self._queue, (now, made.n, made))
            self._changed.notify_all()
        return made

    def _due(self) -> Delivery | None:
        if self._queue and self._queue[0][0] <= self._clock.now():
            return self._queue[0][2]
        return None

    def _run(self, settle: Callable[[], datetime | None]) -> None:
        while delivery := self._next(settle):
            assert self.receiver is not None
            status = post(self.receiver, delivery.body)
            with self._changed:
                delivery.answered(status, self._clock.now())
                if self._posting is delivery:  # else everything was forgotten meanwhile
                    self._posting = None
                    if delivery.next_try is not None:
                        heappush(self._queue, (delivery.next_try, delivery.n, delivery))
                self._changed.notify_all()

    def _next(self, settle: Callable[[], datetime | None]) -> Delivery | None:
        """The next webhook, as soon as one is due; None when there shall be no more."""
        with self._changed:
            while self._thread is current_thread():
                wakes = [time for time in (settle(), self._queue[0][0] if self._queue else None) if time is not None]
                if self._due() is not None:
                    self._posting = heappop(self._queue)[2]
                    return self._posting
                left = (min(wakes) - self._clock.now()).total_seconds() if wakes else None
                self._changed.wait(left if left is None else min(max(left, 0), 3600))
        return None
