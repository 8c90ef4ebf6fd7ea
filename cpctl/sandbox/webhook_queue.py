"""The webhooks of the sandbox: queued, posted by one thread, and repeated until the receiver accepts them.

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
from urllib.parse import urlsplit

from cpctl import retry
from cpctl.clock import to_ms
from cpctl.errors import InvalidInput, suggest
from cpctl.net import Unreachable, is_loopback, post
from cpctl.sandbox.model.order_models import SandboxItem, SandboxOrder
from cpctl.sandbox.virtual_clock import VirtualClock, format_iso_time
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES, WEBHOOK_VERSIONS

MAX_DELIVERIES = 100_000
_SUCCESS_STATUSES = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)
_POST_TIMEOUT_SECONDS = 10.0
_MAX_WAIT_SECONDS = 3600  # of one wait; the thread then looks again


@dataclass
class WebhookDelivery:
    """One webhook and the result of its attempts."""

    number: int
    webhook_type: str
    order_id: str
    item_id: str
    body: bytes
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: int = 0
    status: int | None = None  # of the latest response
    is_delivered: bool = False

    def as_json(self) -> dict[str, object]:
        """The webhook as `GET /_sandbox/webhooks` lists it."""
        return {
            "n": self.number,
            "type": self.webhook_type,
            "order": self.order_id,
            "item": self.item_id,
            "attempts": self.attempts,
            "status": self.status,
            "delivered": self.is_delivered,
            "next_attempt_at": None if self.next_attempt_at is None else format_iso_time(self.next_attempt_at),
        }

    def record_attempt(self, status: int | None, now: datetime) -> None:
        """Count an attempt and set the time of the next one; None is no response."""
        self.attempts += 1
        self.status = status
        self.is_delivered = status in _SUCCESS_STATUSES
        policy = retry.SANDBOX_WEBHOOKS
        next_at = now + timedelta(seconds=policy.delay_seconds(self.attempts))
        is_too_old = policy.is_too_old(to_ms(next_at) - to_ms(self.created_at))
        is_final = self.is_delivered or self.attempts == policy.max_attempts or is_too_old
        self.next_attempt_at = None if is_final else next_at


def subject_fields(order: SandboxOrder | None, item: SandboxItem | None, has_item: bool) -> dict[str, object]:
    """The fields that identify the order of a webhook and its item, if it is about one; empty where unknown."""
    ids = {"order": order.id if order else ""}
    references = {"order_reference": order.reference if order else ""}
    if has_item:
        ids["item"] = item.id if item else ""
        references["item_reference"] = order.find_ordered_item(item).reference if order and item else ""
    return {**ids, **references}


class WebhookQueue:
    """The queue of webhooks. Without a receiver nothing is queued."""

    def __init__(self, lock: RLock, clock: VirtualClock, key: str, url: str | None, version: str) -> None:
        """Raises InvalidInput for a receiver on another machine and for an unknown version."""
        if version not in WEBHOOK_VERSIONS:
            raise InvalidInput(f"Unknown webhook version: {quote_value(version)}.", suggest(version, WEBHOOK_VERSIONS))
        self.endpoint: str | None = _parse_url(url) if url else None
        self._key, self._version, self._clock = key, version, clock
        self._changed = Condition(lock)
        self._deliveries: deque[WebhookDelivery] = deque(maxlen=MAX_DELIVERIES)
        self._count = 0
        self._queue: list[tuple[datetime, int, WebhookDelivery]] = []  # a heap, by the time of the next attempt
        self._in_flight: WebhookDelivery | None = None
        self._thread: Thread | None = None
        self._run_due_steps: Callable[[], datetime | None] = lambda: None
        self._is_started = False

    def start(self, run_due_steps: Callable[[], datetime | None]) -> None:
        """Start to post. `run_due_steps` advances the orders and returns the time of their next step."""
        self._run_due_steps, self._is_started = run_due_steps, True
        if self.endpoint is None or self._thread is not None:
            return
        self._thread = Thread(target=self._deliver_all, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def set_url(self, url: str) -> None:
        """Set the receiver. Raises InvalidInput if it is not on this machine."""
        endpoint = _parse_url(url)
        with self._changed:
            self.endpoint = endpoint
            if self._is_started:
                self.start(self._run_due_steps)

    def stop(self) -> None:
        """Stop posting; a webhook that is being posted may still arrive."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(1)

    def clear(self) -> None:
        with self._changed:
            self._deliveries.clear()
            self._count = 0
            self._queue.clear()
            self._in_flight = None
            self._changed.notify_all()

    def wake(self) -> None:
        """Make the thread look again: time has passed, or an order has a new next step."""
        with self._changed:
            self._changed.notify_all()

    def list_deliveries(self) -> list[dict[str, object]]:
        with self._changed:
            return [delivery.as_json() for delivery in self._deliveries]

    def wait_until_idle(self, timeout: float = 10.0) -> bool:
        """Wait until no webhook is due; False after the timeout, in seconds."""
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
        """Queue the webhook of an event; `fields` are those of the production's signal, if there was one."""
        if self.endpoint is None:
            return
        row = WEBHOOK_TYPES[webhook_type]
        body = subject_fields(order, item, item is not None)
        body |= {name: str(fields[name]) for name in (*row.fields, *row.optional) if fields.get(name) not in (None, "")}
        if fields.get("datetime"):  # the production's own time
            body["datetime"] = re.sub(r"^(\S+) (\S+) GMT$", r"\1T\2+00:00", str(fields["datetime"]))
        self.enqueue(webhook_type, body, time)

    def enqueue(self, webhook_type: str, fields: Mapping[str, object], time: datetime) -> WebhookDelivery:
        """Queue one webhook with these fields; it is due at once."""
        body = {"apikey": self._key, "type": webhook_type, **fields}
        if self._version == "2.1" and webhook_type == "ItemShipped":
            body.setdefault("url", f"https://tracking.example.com/{body.get('tracking', '')}")
        body.setdefault("datetime", format_iso_time(time))
        with self._changed:
            now = self._clock.now()
            order, item = str(body.get("order", "")), str(body.get("item", ""))
            self._count += 1
            delivery = WebhookDelivery(self._count, webhook_type, order, item, json.dumps(body).encode(), now, now)
            self._deliveries.append(delivery)
            heappush(self._queue, (now, delivery.number, delivery))
            self._changed.notify_all()
        return delivery

    def _next_due(self) -> WebhookDelivery | None:
        if self._queue and self._queue[0][0] <= self._clock.now():
            return self._queue[0][2]
        return None

    def _deliver_all(self) -> None:
        while delivery := self._wait_for_due():
            assert self.endpoint is not None
            status = _post(self.endpoint, delivery.body)
            with self._changed:
                delivery.record_attempt(status, self._clock.now())
                if self._in_flight is delivery:  # not cleared in the meantime
                    self._in_flight = None
                    if delivery.next_attempt_at is not None:
                        heappush(self._queue, (delivery.next_attempt_at, delivery.number, delivery))
                self._changed.notify_all()

    def _wait_for_due(self) -> WebhookDelivery | None:
        """The next webhook, as soon as it is due; None when the queue was stopped."""
        with self._changed:
            while self._thread is current_thread():
                # Running due steps may queue webhooks, so it comes before the look at the queue.
                next_step_at = self._run_due_steps()
                if self._next_due() is not None:
                    self._in_flight = heappop(self._queue)[2]
                    return self._in_flight
                times = [time for time in (next_step_at, self._queue[0][0] if self._queue else None) if time]
                wait = (min(times) - self._clock.now()).total_seconds() if times else None
                self._changed.wait(wait if wait is None else min(max(wait, 0), _MAX_WAIT_SECONDS))
        return None


def _parse_url(url: str) -> str:
    """Return a URL that webhooks may be posted to. Raises InvalidInput if it is not http(s) on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    is_http = url.lower().startswith(("http://", "https://"))
    if not is_http or not is_loopback(host) or any(character <= " " or character > "~" for character in url):
        raise InvalidInput(
            f"{quote_value(url)} cannot receive the sandbox's webhooks: the sandbox never reaches another machine.",
            "Use a loopback URL, such as http://127.0.0.1:8901/webhooks.",
        )
    return url


def _post(url: str, body: bytes) -> int | None:
    try:
        return post(url, body, {"Content-Type": "application/json"}, _POST_TIMEOUT_SECONDS, loopback_only=True).status
    except Unreachable:
        return None
