"""The state of a sandbox, in memory only: keys, clock, orders, quotes, catalogs, webhooks, journal and faults."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import RLock

from cpctl.clock import utc_now
from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.model import order_models as models
from cpctl.sandbox.model.order_lifecycle import OrderLifecycle
from cpctl.sandbox.model.order_models import OrderDetails, SandboxItem, SandboxOrder
from cpctl.sandbox.model.order_store import OrderStore
from cpctl.sandbox.model.publish_store import PublishStore
from cpctl.sandbox.model.quotes import QuoteStore
from cpctl.sandbox.number_checks import check_integer
from cpctl.sandbox.request_journal import MAX_ENTRIES, Journal, mask_keys
from cpctl.sandbox.virtual_clock import VirtualClock
from cpctl.sandbox.webhooks.webhook_queue import WebhookQueue

DEFAULT_ORDERS = 2
DEFAULT_ITEMS_PER_ORDER = 3
_MAX_ORDERS = 100_000
_MAX_TOTAL_ITEMS = 1_000_000
API_KEYS = {"core": "sandbox-core-key", "signal": "sandbox-signal-key", "webhooks": "sandbox-webhook-key"}
# Responses as the live service gives them, or as its documents describe them.
DIALECTS = ("live", "documented")


class SandboxState:
    """Everything that changes while a sandbox runs. Hold `lock` to make several steps atomic."""

    def __init__(
        self,
        orders: int = DEFAULT_ORDERS,
        items: int = DEFAULT_ITEMS_PER_ORDER,
        max_journal_entries: int = MAX_ENTRIES,
        dialect: str = "live",
        webhook_url: str | None = None,
        webhook_version: str = "2.0",
        real_now: Callable[[], datetime] = utc_now,
    ) -> None:
        """The dialect is that of the live service or of its documents. Webhooks are sent to this machine only.

        Raises InvalidInput if a value is out of range.
        """
        if dialect not in DIALECTS:
            raise InvalidInput(f'There is no dialect "{dialect}".', suggest(dialect, DIALECTS))
        self.lock = RLock()
        self.api_keys = dict(API_KEYS)
        self.is_live = dialect == "live"
        self.clock = VirtualClock(real_now)
        self.journal = Journal(self.lock, self.mask_keys, max_journal_entries)
        self.webhooks = WebhookQueue(self.lock, self.clock, self.api_keys["webhooks"], webhook_url, webhook_version)
        self.products = dict(PRODUCTS)
        self._faults: list[Fault] = []
        self._seed_size = (orders, items)
        self.reset()

    def reset(self, orders: object = None, items: object = None) -> None:
        """Recreate the seed orders and clear everything else; None keeps the current number.

        Raises InvalidInput if a number is out of range; nothing changes then.
        """
        with self.lock:
            counts = zip((orders, items), self._seed_size, strict=True)
            self._seed_size = _check_size(*(current if count is None else count for count, current in counts))
            self.clock.reset()
            self.orders = OrderStore(*self._seed_size, self.clock.now())
            self.lifecycle = OrderLifecycle(self.orders, self.is_live, self.webhooks.enqueue_event)
            self.quotes = QuoteStore()
            self.publish_store = PublishStore()
            self.journal.clear()
            self.webhooks.clear()
            self._faults.clear()

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.clock.now()

    def advance(self, seconds: object) -> datetime:
        """Advance the clock and run everything that is due by then. Raises InvalidInput."""
        with self.lock:
            self.clock.advance(seconds)
            self.run_due_steps()
            self.webhooks.wake()
            return self.now()

    def run_due_steps(self) -> datetime | None:
        """Run everything that is due; returns the time of the next step."""
        with self.lock:
            self.lifecycle.run_due_steps(self.now())
            return self.lifecycle.next_due_time()

    def add_order(self, reference: str, details: OrderDetails, is_publish_order: bool = False) -> SandboxOrder:
        now, id = self.now(), self.orders.next_id()
        items, changes = models.make_items(id, len(details.items)), [models.StateChange(models.NEW, now)]
        order = SandboxOrder(id, items, reference, now, details, changes, is_added=True)
        order.is_publish_order = is_publish_order
        self.orders.add(order)
        self.lifecycle.start_order(order)
        self.webhooks.wake()
        return order

    def record_signal(self, item: SandboxItem, body: Mapping[str, object]) -> None:
        """Store a signal about an item, keys masked, and apply its consequences."""
        masked = self.mask_keys({name: value for name, value in body.items() if name != "apikey"})
        assert isinstance(masked, dict)
        with self.lock:
            self.lifecycle.record_signal(item, masked, self.now())

    def mask_keys(self, value: object) -> object:
        return mask_keys(value, self.api_keys.values())

    def snapshot(self) -> dict[str, object]:
        with self.lock:
            self.run_due_steps()
            return {
                "orders": [{"id": id, "items": list(map(_item_json, self.orders.list_items(id)))} for id in self.orders]
            }

    def add_fault(self, fault: Fault) -> None:
        """Activate a fault, after those that are active already."""
        with self.lock:
            self._faults.append(fault)

    def list_faults(self) -> list[Fault]:
        """The active faults; the first that matches a request applies to it."""
        with self.lock:
            return list(self._faults)

    def clear_faults(self) -> None:
        with self.lock:
            self._faults.clear()

    def take_fault(self, path: str) -> Fault | None:
        """The fault that applies to a request to that path, if any; counts down its `times`."""
        with self.lock:
            for index, fault in enumerate(self._faults):
                if fault.kind != DOWN and fault.matches(path):
                    if fault.times == 1:
                        del self._faults[index]
                    elif fault.times > 1:
                        self._faults[index] = replace(fault, times=fault.times - 1)
                    return fault
        return None


def _item_json(item: SandboxItem) -> dict[str, object]:
    return {"id": item.id, "latest_signal": item.latest_signal_type, "signals": list(item.signals)}


def _check_size(orders: object, items: object) -> tuple[int, int]:
    order_count = check_integer("orders", orders, 1, _MAX_ORDERS)
    items_per_order = check_integer("items", items, 1, models.MAX_ITEMS_PER_ORDER)
    if order_count * items_per_order > _MAX_TOTAL_ITEMS:
        raise InvalidInput(
            f"Too many items: {order_count} orders of {items_per_order} items.",
            f"A sandbox holds at most {_MAX_TOTAL_ITEMS} items in all.",
        )
    return order_count, items_per_order
