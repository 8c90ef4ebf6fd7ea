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

from cpctl import retry
from cpctl.clock import to_ms
from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.model.order_store import SandboxItem, SandboxOrder
from cpctl.sandbox.virtual_clock import VirtualClock, format_iso_time
from cpctl.sandbox.webhooks.loopback_post import parse_webhook_url, post_webhook
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES, WEBHOOK_VERSIONS

MAX_DELIVERIES = 100_000
_SUCCESS_STATUSES = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)


@dataclass
class WebhookDelivery:
    """One webhook, and what became of it."""

    number: int
    webhook_type: str
    order_id: str
    item_id: str
    body: bytes
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: int = 0
    status: int | None = None  # of the latest answer
    is_delivered: bool = False

    def as_json(self) -> dict[str, object]:
        """As `GET /_sandbox/webhooks` shows it."""
        return {
            "n": self.number,
            "type": self.webhook_type,
            "order": self.order_id,
            "item": self.item_id,
            "attempts": self.attempts,
            "status": self.status,
            "delivered": self.is_delivered,
            "next_try": None if self.next_attempt_at is None else format_iso_time(self.next_attempt_at),
        }

    def record_attempt(self, status: int | None, now: datetime) -> None:
        """Note an attempt, and when the next one is."""
        self.attempts += 1
        self.status = status
        self.is_delivered = status in _SUCCESS_STATUSES
        policy = retry.SANDBOX_WEBHOOKS
        again = now + timedelta(seconds=policy.delay_seconds(self.attempts))
        age_ms = to_ms(again) - to_ms(self.created_at)
        over = self.is_delivered or self.attempts == policy.max_attempts or policy.is_too_old(age_ms)
        self.next_attempt_at = None if over else again


class WebhookQueue:
    """The queue of webhooks. Without an address nothing is queued."""

    def __init__(self, lock: RLock, clock: VirtualClock, key: str, url: str | None, version: str) -> None:
        """Raises InvalidInput for an address beyond this machine and for an unknown version."""
        if version not in WEBHOOK_VERSIONS:
            raise InvalidInput(
                f"There is no version {quote_value(version)} of the webhooks here.", suggest(version, WEBHOOK_VERSIONS)
            )
        self.endpoint: str | None = parse_webhook_url(url) if url else None
        self._key, self._version, self._clock = key, version, clock
        self._changed = Condition(lock)
        self._deliveries: deque[WebhookDelivery] = deque(maxlen=MAX_DELIVERIES)
        self._count = 0
        self._queue: list[tuple[datetime, int, WebhookDelivery]] = []
        self._in_flight: WebhookDelivery | None = None
        self._thread: Thread | None = None
        self._run_due_steps: Callable[[], datetime | None] | None = None

    def start(self, run_due_steps: Callable[[], datetime | None]) -> None:
        """Post from now on. `settle` moves the orders on and says when something is due by itself."""
        self._run_due_steps = run_due_steps
        if self.endpoint is None or self._thread is not None:
            return
        self._thread = Thread(target=self._deliver_all, args=(run_due_steps,), name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def set_url(self, url: str) -> None:
        """Send webhooks to that address from now on. Raises InvalidInput where it is not on this machine."""
        receiver = parse_webhook_url(url)
        with self._changed:
            self.endpoint = receiver
            if self._run_due_steps is not None:
                self.start(self._run_due_steps)

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
            self._in_flight = None
            self._changed.notify_all()

    def wake(self) -> None:
        """Say that time has passed, or that something is due sooner than before."""
        with self._changed:
            self._changed.notify_all()

    def list_deliveries(self) -> list[dict[str, object]]:
        """The newest webhooks, oldest first."""
        with self._changed:
            return [delivery.as_json() for delivery in self._deliveries]

    def wait_until_idle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing that is due is unsent; False where that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._in_flight is None and self._next_due() is None, timeout)

    def enqueue_event(
        self,
        webhook_type: str,
        order: SandboxOrder,
        item: SandboxItem | None,
        fields: Mapping[str, object],
        time: datetime,
    ) -> None:
        """Queue what happened; `said` is the production's signal where there was one."""
        if self.endpoint is None:
            return
        row = WEBHOOK_TYPES[webhook_type]
        body: dict[str, object] = {"order": order.id}
        if item is not None:
            body["item"] = item.id
        body["order_reference"] = order.reference
        if item is not None:
            body["item_reference"] = order.find_ordered_item(item).reference
        body |= {name: str(fields[name]) for name in (*row.fields, *row.optional) if fields.get(name) not in (None, "")}
        if fields.get("datetime"):  # the production's own time
            body["datetime"] = re.sub(r"^(\S+) (\S+) GMT$", r"\1T\2+00:00", str(fields["datetime"]))
        self.enqueue(webhook_type, body, time)

    def enqueue(self, webhook_type: str, fields: Mapping[str, object], time: datetime) -> WebhookDelivery:
        """Queue one webhook with those fields, to be posted at once."""
        said = {"apikey": self._key, "type": webhook_type, **fields}
        if self._version == "2.1" and webhook_type == "ItemShipped":
            said.setdefault("url", f"https://tracking.example.com/{said.get('tracking', '')}")
        said.setdefault("datetime", format_iso_time(time))
        with self._changed:
            now = self._clock.now()
            order, item = str(said.get("order", "")), str(said.get("item", ""))
            self._count += 1
            made = WebhookDelivery(self._count, webhook_type, order, item, json.dumps(said).encode(), now, now)
            self._deliveries.append(made)
            heappush(self._queue, (now, made.number, made))
            self._changed.notify_all()
        return made

    def _next_due(self) -> WebhookDelivery | None:
        if self._queue and self._queue[0][0] <= self._clock.now():
            return self._queue[0][2]
        return None

    def _deliver_all(self, run_due_steps: Callable[[], datetime | None]) -> None:
        while delivery := self._wait_for_due(run_due_steps):
            assert self.endpoint is not None
            status = post_webhook(self.endpoint, delivery.body)
            with self._changed:
                delivery.record_attempt(status, self._clock.now())
                if self._in_flight is delivery:  # else everything was forgotten meanwhile
                    self._in_flight = None
                    if delivery.next_attempt_at is not None:
                        heappush(self._queue, (delivery.next_attempt_at, delivery.number, delivery))
                self._changed.notify_all()

    def _wait_for_due(self, run_due_steps: Callable[[], datetime | None]) -> WebhookDelivery | None:
        """The next webhook, as soon as one is due; None when there shall be no more."""
        with self._changed:
            while self._thread is current_thread():
                wakes = [
                    time for time in (run_due_steps(), self._queue[0][0] if self._queue else None) if time is not None
                ]
                if self._next_due() is not None:
                    self._in_flight = heappop(self._queue)[2]
                    return self._in_flight
                left = (min(wakes) - self._clock.now()).total_seconds() if wakes else None
                self._changed.wait(left if left is None else min(max(left, 0), 3600))
        return None
