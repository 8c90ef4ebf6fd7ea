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
    ENDED,
    PATH,
    PRODUCTION,
    SANDBOX_COMPLETE,
    VERIFIED,
)
from cpctl.sandbox.model.order_store import Change, File, Item, Order, Step
from cpctl.sandbox.virtual_clock import gmt
from cpctl.signals.webhook_types import webhook_of

ITEM_CANCELED, ITEM_SHIPPED = "ItemCanceled", "ItemShipped"
_NO_FILE = "0" * 32
BY_CLIENT = {"cause": "CancelUserRequest", "message": "Canceled by the client"}
BY_PARTNER = {"cause": "CancelMiscError", "message": "All items are canceled"}
# Tells the client: the type of a webhook, the order, the item if it is about one, more fields, and the time.
Tell = Callable[[str, Order, Item | None, Mapping[str, object], datetime], None]


class Life:
    """Moves orders on. Whoever calls holds the lock of the state."""

    def __init__(self, orders: Mapping[str, Order], live: bool, tell: Tell) -> None:
        self._orders = orders
        self._live = live
        self._tell = tell
        # The next step of every order that has one, the soonest first; an order may have moved on since.
        self._agenda: list[tuple[datetime, int, Order, Step]] = []
        self._turn = count()

    def begin(self, order: Order) -> None:
        """Set a new order on its way."""
        due = order.born
        steps = []
        for state, seconds in PATH:
            due += timedelta(seconds=seconds)
            steps.append(Step(due, DOWNLOAD_ERROR if state == DOWNLOADED and _is_unreachable(order) else state))
            if steps[-1].state == DOWNLOAD_ERROR:
                order.plan = deque(steps)
                break
        else:
            order.plan = deque([*steps, *_production(order, due)])
        self._note(order)

    def _note(self, order: Order) -> None:
        if order.plan:
            heappush(self._agenda, (order.plan[0].due, next(self._turn), order, order.plan[0]))

    def settle(self, now: datetime) -> None:
        """Do everything that is due by now, in its order."""
        while self._agenda and self._agenda[0][0] <= now:
            _, _, order, step = heappop(self._agenda)
            if order.plan and order.plan[0] is step:
                order.plan.popleft()
                self._do(order, step)
                self._note(order)

    def next_due(self) -> datetime | None:
        """When the next thing happens by itself."""
        return self._agenda[0][0] if self._agenda else None

    def _do(self, order: Order, step: Step) -> None:
        if step.state:
            self._enter(order, step.state, step.due)
            if step.state == VERIFIED:
                self._tell("CloudprinterOrderValidated", order, None, {}, step.due)
            return
        item = order.items[step.item]
        # The tester may have said more already, as the partner that prints it.
        if item.id not in order.ended and item.said(step.signal) is None:
            self.signalled(item, _signal(order, item, step), step.due)

    def _enter(self, order: Order, state: int, time: datetime) -> None:
        order.state = state
        order.log.append(Change(state, time))

    def signalled(self, item: Item, body: Mapping[str, object], time: datetime) -> None:
        """Keep what was said of an item, tell the client, and end the order with its last item."""
        item.signals.append(dict(body))
        item.latest = str(body["type"])
        order = self._orders[item.order]
        self._tell(webhook_of(item.latest), order, item, body, time)
        if item.latest in (ITEM_CANCELED, ITEM_SHIPPED):
            order.ended.add(item.id)
            if len(order.ended) == len(order.items) and order.state not in ENDED:
                self._end(order, {name: body[name] for name in BY_PARTNER if body.get(name)}, time)

    def _end(self, order: Order, last: Mapping[str, object], time: datetime) -> None:
        order.plan.clear()
        if all(item.said(ITEM_CANCELED) for item in order.items.values()):
            # Nothing is left to complete. What the service does then is not documented.
            self._enter(order, CANCELED, time)
            self._tell("CloudprinterOrderCanceled", order, None, {**BY_PARTNER, **last}, time)
            return
        # An account in sandbox mode ends at 501; the documents' examples speak of live ones.
        self._enter(order, SANDBOX_COMPLETE if self._live or order.added else COMPLETE, time)

    def cancel(self, order: Order, time: datetime) -> None:
        """Cancel an order with all its items, as its client asked."""
        order.plan.clear()
        self._enter(order, CANCELED, time)
        self._tell("CloudprinterOrderCanceled", order, None, BY_CLIENT, time)
        for item in order.items.values():
            if item.said(ITEM_CANCELED) is None:
                said = {"type": ITEM_CANCELED, "order": order.id, "item": item.id, **BY_CLIENT, "datetime": gmt(time)}
                self.signalled(item, said, time)


def _production(order: Order, since: datetime) -> list[Step]:
    steps = []
    for kind, seconds in PRODUCTION:
        since += timedelta(seconds=seconds)
        steps += [Step(since, item=item, signal=kind) for item in order.items]
    return steps


def _signal(order: Order, item: Item, step: Step) -> dict[str, object]:
    """A word of the simulated production; the tracking code is the one that a real sandbox invents."""
    said: dict[str, object] = {"type": step.signal, "order": order.id, "item": item.id}
    if step.signal == ITEM_SHIPPED:
        said |= {"tracking": f"SANDBOX_{order.detail(item).reference}", "shipping_option": "postal"}
    return {**said, "datetime": gmt(step.due)}


def _is_unreachable(order: Order) -> bool:
    files = [*order.details.files, *(file for item in order.details.items for file in item.files)]
    return any(map(cannot_be_fetched, files))


def cannot_be_fetched(file: File) -> bool:
    """Whether the sandbox pretends that a file is not there; it never fetches any."""
    parts = urlsplit(file.url)
    host = (parts.hostname or "").rstrip(".")
    return host.endswith(".invalid") or host == "invalid" or "missing" in parts.path or file.md5sum == _NO_FILE
