"""What becomes of orders as time goes by: states one after the other, and the words of a simulated production.

Source: Cloudprinter "State definitions v1.0" for the order of states; the times are the sandbox's own. Nothing runs:
what is due is done whenever somebody looks.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from urllib.parse import urlsplit

from cpctl.sandbox.model.order_schedule import (
    CANCELED,
    COMPLETE,
    DOWNLOAD_ERROR,
    DOWNLOADED,
    FINAL_STATES,
    PRODUCTION_STEPS,
    SANDBOX_COMPLETE,
    STATE_STEPS,
    VERIFIED,
)
from cpctl.sandbox.model.order_store import OrderFile, SandboxItem, SandboxOrder, ScheduledStep, StateChange
from cpctl.sandbox.virtual_clock import format_signal_time
from cpctl.signals.webhook_types import webhook_type_for

ITEM_CANCELED_SIGNAL, ITEM_SHIPPED_SIGNAL = "ItemCanceled", "ItemShipped"
_MISSING_FILE_MD5 = "0" * 32
CLIENT_CANCELLATION = {"cause": "CancelUserRequest", "message": "Canceled by the client"}
PARTNER_CANCELLATION = {"cause": "CancelMiscError", "message": "All items are canceled"}
# Tells the client: the type of a webhook, the order, the item if it is about one, more fields, and the time.
NotifyClient = Callable[[str, SandboxOrder, SandboxItem | None, Mapping[str, object], datetime], None]


class OrderLifecycle:
    """Moves orders on. Whoever calls holds the lock of the state."""

    def __init__(self, orders: Mapping[str, SandboxOrder], is_live: bool, notify: NotifyClient) -> None:
        self._orders = orders
        self._is_live = is_live
        self._notify = notify
        # The next step of every order that has one, the soonest first; an order may have moved on since.
        self._schedule: list[tuple[datetime, int, SandboxOrder, ScheduledStep]] = []
        self._sequence = count()

    def start_order(self, order: SandboxOrder) -> None:
        """Set a new order on its way."""
        due = order.created_at
        steps = []
        for state, seconds in STATE_STEPS:
            due += timedelta(seconds=seconds)
            steps.append(
                ScheduledStep(due, DOWNLOAD_ERROR if state == DOWNLOADED and _has_unreachable_file(order) else state)
            )
            if steps[-1].state == DOWNLOAD_ERROR:
                order.pending_steps = deque(steps)
                break
        else:
            order.pending_steps = deque([*steps, *_build_production_steps(order, due)])
        self._schedule_next_step(order)

    def _schedule_next_step(self, order: SandboxOrder) -> None:
        if order.pending_steps:
            heappush(
                self._schedule, (order.pending_steps[0].due_at, next(self._sequence), order, order.pending_steps[0])
            )

    def run_due_steps(self, now: datetime) -> None:
        """Do everything that is due by now, in its order."""
        while self._schedule and self._schedule[0][0] <= now:
            _, _, order, step = heappop(self._schedule)
            if order.pending_steps and order.pending_steps[0] is step:
                order.pending_steps.popleft()
                self._run_step(order, step)
                self._schedule_next_step(order)

    def next_due_time(self) -> datetime | None:
        """When the next thing happens by itself."""
        return self._schedule[0][0] if self._schedule else None

    def _run_step(self, order: SandboxOrder, step: ScheduledStep) -> None:
        if step.state:
            self._enter_state(order, step.state, step.due_at)
            if step.state == VERIFIED:
                self._notify("CloudprinterOrderValidated", order, None, {}, step.due_at)
            return
        item = order.items[step.item_id]
        # The tester may have said more already, as the partner that prints it.
        if item.id not in order.ended_item_ids and item.find_signal(step.signal_type) is None:
            self.record_signal(item, _build_signal(order, item, step), step.due_at)

    def _enter_state(self, order: SandboxOrder, state: int, time: datetime) -> None:
        order.state = state
        order.state_changes.append(StateChange(state, time))

    def record_signal(self, item: SandboxItem, body: Mapping[str, object], time: datetime) -> None:
        """Keep what was said of an item, tell the client, and end the order with its last item."""
        item.signals.append(dict(body))
        item.latest_signal_type = str(body["type"])
        order = self._orders[item.order_id]
        self._notify(webhook_type_for(item.latest_signal_type), order, item, body, time)
        if item.latest_signal_type in (ITEM_CANCELED_SIGNAL, ITEM_SHIPPED_SIGNAL):
            order.ended_item_ids.add(item.id)
            if len(order.ended_item_ids) == len(order.items) and order.state not in FINAL_STATES:
                self._end_order(order, {name: body[name] for name in PARTNER_CANCELLATION if body.get(name)}, time)

    def _end_order(self, order: SandboxOrder, last: Mapping[str, object], time: datetime) -> None:
        order.pending_steps.clear()
        if all(item.find_signal(ITEM_CANCELED_SIGNAL) for item in order.items.values()):
            # Nothing is left to complete. What the service does then is not documented.
            self._enter_state(order, CANCELED, time)
            self._notify("CloudprinterOrderCanceled", order, None, {**PARTNER_CANCELLATION, **last}, time)
            return
        # An account in sandbox mode ends at 501; the documents' examples speak of live ones.
        self._enter_state(order, SANDBOX_COMPLETE if self._is_live or order.is_added else COMPLETE, time)

    def cancel_order(self, order: SandboxOrder, time: datetime) -> None:
        """Cancel an order with all its items, as its client asked."""
        order.pending_steps.clear()
        self._enter_state(order, CANCELED, time)
        self._notify("CloudprinterOrderCanceled", order, None, CLIENT_CANCELLATION, time)
        for item in order.items.values():
            if item.find_signal(ITEM_CANCELED_SIGNAL) is None:
                said = {
                    "type": ITEM_CANCELED_SIGNAL,
                    "order": order.id,
                    "item": item.id,
                    **CLIENT_CANCELLATION,
                    "datetime": format_signal_time(time),
                }
                self.record_signal(item, said, time)


def _build_production_steps(order: SandboxOrder, since: datetime) -> list[ScheduledStep]:
    steps = []
    for kind, seconds in PRODUCTION_STEPS:
        since += timedelta(seconds=seconds)
        steps += [ScheduledStep(since, item_id=item, signal_type=kind) for item in order.items]
    return steps


def _build_signal(order: SandboxOrder, item: SandboxItem, step: ScheduledStep) -> dict[str, object]:
    """A word of the simulated production; the tracking code is the one that a real sandbox invents."""
    said: dict[str, object] = {"type": step.signal_type, "order": order.id, "item": item.id}
    if step.signal_type == ITEM_SHIPPED_SIGNAL:
        said |= {"tracking": f"SANDBOX_{order.find_ordered_item(item).reference}", "shipping_option": "postal"}
    return {**said, "datetime": format_signal_time(step.due_at)}


def _has_unreachable_file(order: SandboxOrder) -> bool:
    files = [*order.details.files, *(file for item in order.details.items for file in item.files)]
    return any(map(is_unreachable_file, files))


def is_unreachable_file(file: OrderFile) -> bool:
    """Whether the sandbox pretends that a file is not there; it never fetches any."""
    parts = urlsplit(file.url)
    host = (parts.hostname or "").rstrip(".")
    return host.endswith(".invalid") or host == "invalid" or "missing" in parts.path or file.md5sum == _MISSING_FILE_MD5
