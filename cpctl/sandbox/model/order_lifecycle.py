"""The progress of orders over time: their states, and the signals of a simulated production.

Source: Cloudprinter "State definitions v1.0" for the sequence of states; the times are the sandbox's own. No thread
runs here: due steps are made up for whenever the sandbox is used.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from urllib.parse import urlsplit

from cpctl.sandbox.model import order_models as models
from cpctl.sandbox.model.order_models import OrderFile, SandboxItem, SandboxOrder, ScheduledStep, StateChange
from cpctl.sandbox.virtual_clock import format_signal_time
from cpctl.signals.webhook_types import webhook_type_for

_MISSING_FILE_MD5 = "0" * 32
CLIENT_CANCELLATION = {"cause": "CancelUserRequest", "message": "Canceled by the client"}
PARTNER_CANCELLATION = {"cause": "CancelMiscError", "message": "All items are canceled"}
# Queues a webhook: its type, the order, the item if it is about one, further fields, and the time.
NotifyClient = Callable[[str, SandboxOrder, SandboxItem | None, Mapping[str, object], datetime], None]


class OrderLifecycle:
    """Advances orders. The caller holds the lock of the state."""

    def __init__(self, orders: Mapping[str, SandboxOrder], is_live: bool, notify: NotifyClient) -> None:
        self._orders = orders
        self._is_live = is_live
        self._notify = notify
        # The next step of each order that has one, earliest first. An entry is stale if the order has left that step.
        self._schedule: list[tuple[datetime, int, SandboxOrder, ScheduledStep]] = []
        self._sequence = count()

    def start_order(self, order: SandboxOrder) -> None:
        due, steps = order.created_at, deque[ScheduledStep]()
        files = [*order.details.files, *(file for item in order.details.items for file in item.files)]
        for state in models.STATES_TO_PRODUCTION:
            due += timedelta(seconds=models.STATE_STEP_SECONDS)
            if state == models.DOWNLOADED and any(map(_is_unreachable_file, files)):
                steps.append(ScheduledStep(due, models.DOWNLOAD_ERROR))
                break
            steps.append(ScheduledStep(due, state))
        else:
            for signal_type in models.PRODUCTION_SIGNALS:
                due += timedelta(seconds=models.PRODUCTION_STEP_SECONDS)
                steps += [ScheduledStep(due, item_id=item, signal_type=signal_type) for item in order.items]
        order.pending_steps = steps
        self._schedule_next_step(order)

    def _schedule_next_step(self, order: SandboxOrder) -> None:
        if order.pending_steps:
            step = order.pending_steps[0]
            heappush(self._schedule, (step.due_at, next(self._sequence), order, step))

    def run_due_steps(self, now: datetime) -> None:
        """Run every step that is due, in order of time."""
        while self._schedule and self._schedule[0][0] <= now:
            _, _, order, step = heappop(self._schedule)
            if order.pending_steps and order.pending_steps[0] is step:
                order.pending_steps.popleft()
                self._run_step(order, step)
                self._schedule_next_step(order)

    def next_due_time(self) -> datetime | None:
        return self._schedule[0][0] if self._schedule else None

    def _run_step(self, order: SandboxOrder, step: ScheduledStep) -> None:
        if step.state:
            self._enter_state(order, step.state, step.due_at)
            if step.state == models.VERIFIED:
                self._notify("CloudprinterOrderValidated", order, None, {}, step.due_at)
            return
        item = order.items[step.item_id]
        # A tester who plays the production may have sent this signal, or ended the item, already.
        if item.id not in order.ended_item_ids and item.find_signal(step.signal_type) is None:
            fields = {}
            if step.signal_type == models.ITEM_SHIPPED_SIGNAL:  # the real sandbox invents such a tracking code, too
                tracking = f"SANDBOX_{order.find_ordered_item(item).reference}"
                fields = {"tracking": tracking, "shipping_option": "postal"}
            self.record_signal(item, _build_signal(step.signal_type, item, step.due_at, fields), step.due_at)

    def _enter_state(self, order: SandboxOrder, state: int, time: datetime) -> None:
        order.state = state
        order.state_changes.append(StateChange(state, time))

    def record_signal(self, item: SandboxItem, body: Mapping[str, object], time: datetime) -> None:
        """Store a signal, notify the client, and end the order with its last item."""
        item.signals.append(dict(body))
        order = self._orders[item.order_id]
        self._notify(webhook_type_for(item.latest_signal_type), order, item, body, time)
        if item.latest_signal_type in (models.ITEM_CANCELED_SIGNAL, models.ITEM_SHIPPED_SIGNAL):
            order.ended_item_ids.add(item.id)
            if len(order.ended_item_ids) == len(order.items) and order.state not in models.FINAL_STATES:
                self._end_order(order, {name: body[name] for name in PARTNER_CANCELLATION if body.get(name)}, time)

    def _end_order(self, order: SandboxOrder, last_cause: Mapping[str, object], time: datetime) -> None:
        order.pending_steps.clear()
        if all(item.find_signal(models.ITEM_CANCELED_SIGNAL) for item in order.items.values()):
            # What the service does with an order without items left is not documented.
            self._enter_state(order, models.CANCELED, time)
            self._notify("CloudprinterOrderCanceled", order, None, {**PARTNER_CANCELLATION, **last_cause}, time)
            return
        # An account in sandbox mode ends at 501; the documents' examples show live accounts.
        is_sandbox_mode = self._is_live or order.is_added
        self._enter_state(order, models.SANDBOX_COMPLETE if is_sandbox_mode else models.COMPLETE, time)

    def cancel_order(self, order: SandboxOrder, time: datetime) -> None:
        """Cancel an order and all its items at the client's request."""
        order.pending_steps.clear()
        self._enter_state(order, models.CANCELED, time)
        self._notify("CloudprinterOrderCanceled", order, None, CLIENT_CANCELLATION, time)
        for item in order.items.values():
            if item.find_signal(models.ITEM_CANCELED_SIGNAL) is None:
                signal = _build_signal(models.ITEM_CANCELED_SIGNAL, item, time, CLIENT_CANCELLATION)
                self.record_signal(item, signal, time)


def _build_signal(
    signal_type: str, item: SandboxItem, time: datetime, fields: Mapping[str, object]
) -> dict[str, object]:
    ids = {"type": signal_type, "order": item.order_id, "item": item.id}
    return {**ids, **fields, "datetime": format_signal_time(time)}


def _is_unreachable_file(file: OrderFile) -> bool:
    """Whether the sandbox pretends that a file is missing; it never fetches any."""
    parts = urlsplit(file.url)
    host = (parts.hostname or "").rstrip(".")
    return host.endswith(".invalid") or host == "invalid" or "missing" in parts.path or file.md5sum == _MISSING_FILE_MD5
