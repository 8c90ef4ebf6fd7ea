"""What the sandbox knows: its keys, its time, orders with their items, requests received and faults. In memory only."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import RLock

from cpctl.clock import utc_now
from cpctl.errors import InvalidInput, suggest
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.key_masking import mask_keys
from cpctl.sandbox.model.order_lifecycle import OrderLifecycle
from cpctl.sandbox.model.order_schedule import NEW
from cpctl.sandbox.model.order_store import (
    ItemIndex,
    OrderDetails,
    OrderStore,
    SandboxItem,
    SandboxOrder,
    StateChange,
    list_item_ids,
)
from cpctl.sandbox.model.publish_store import PublishStore
from cpctl.sandbox.model.quote_store import QuoteStore
from cpctl.sandbox.model.seed_orders import SeedOrders
from cpctl.sandbox.request_journal import MAX_ENTRIES, Journal, JournalEntry
from cpctl.sandbox.virtual_clock import VirtualClock
from cpctl.sandbox.webhooks.webhook_queue import WebhookQueue

__all__ = [
    "API_KEYS",
    "DEFAULT_ITEMS_PER_ORDER",
    "DEFAULT_ORDERS",
    "DIALECTS",
    "SandboxItem",
    "SandboxOrder",
    "SandboxState",
]

DEFAULT_ORDERS = 2
DEFAULT_ITEMS_PER_ORDER = 3
_MAX_ORDERS = 100_000
_MAX_ITEMS_PER_ORDER = 9_999  # an item's suffix has four digits
_MAX_TOTAL_ITEMS = 1_000_000
API_KEYS = {"core": "sandbox-core-key", "signal": "sandbox-signal-key", "webhooks": "sandbox-webhook-key"}
# How the service answers, and how its documents say that it answers.
DIALECTS = ("live", "documented")


class SandboxState:
    """All that changes while the sandbox runs. `lock` makes several steps one."""

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
        if dialect not in DIALECTS:
            raise InvalidInput(f'There is no dialect "{dialect}".', suggest(dialect, DIALECTS))
        self.lock = RLock()
        self.api_keys = dict(API_KEYS)
        self.is_live = dialect == "live"
        self.clock = VirtualClock(real_now)
        self.journal = Journal(self.lock, max_journal_entries)
        self.webhooks = WebhookQueue(self.lock, self.clock, self.api_keys["webhooks"], webhook_url, webhook_version)
        self.products = dict(PRODUCTS)
        self._faults: list[Fault] = []
        self._seed_size = (orders, items)
        self.reset()

    def reset(self, orders: object = None, items: object = None) -> None:
        """Make all orders anew and forget everything else; None keeps the number there was.

        Raises InvalidInput where a number is out of range; nothing is forgotten then.
        """
        with self.lock:
            held = self._seed_size
            self._seed_size = _check_size(held[0] if orders is None else orders, held[1] if items is None else items)
            self.clock.reset()
            start = SeedOrders(self.clock.now())
            self.orders = OrderStore(*self._seed_size, start.build_order, start.summarize)
            self.items = ItemIndex(self.orders)
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
        """Put the clock forward and let happen what happens by then; raises InvalidInput."""
        with self.lock:
            self.clock.advance(seconds)
            self.run_due_steps()
            self.webhooks.wake()
            return self.now()

    def run_due_steps(self) -> datetime | None:
        """Let happen what is due; says when something is due by itself."""
        with self.lock:
            self.lifecycle.run_due_steps(self.now())
            return self.lifecycle.next_due_time()

    def add_order(self, reference: str, details: OrderDetails, is_publish_order: bool = False) -> SandboxOrder:
        """Take a new order, which goes its way from now on."""
        now, id = self.now(), self.orders.next_id()
        ids = list_item_ids(id, len(details.items))
        items = {name: SandboxItem(name, id) for name in ids}
        order = SandboxOrder(
            id,
            items,
            reference,
            now,
            lambda: details,
            [StateChange(NEW, now)],
            is_added=True,
            is_publish_order=is_publish_order,
        )
        self.orders.add(order)
        self.lifecycle.start_order(order)
        self.webhooks.wake()
        return order

    def record_signal(self, item: SandboxItem, body: Mapping[str, object]) -> None:
        """Keep what a signal said of an item, and what follows from it."""
        kept = self.mask_keys({name: value for name, value in body.items() if name != "apikey"})
        assert isinstance(kept, dict)
        with self.lock:
            self.lifecycle.record_signal(item, kept, self.now())

    def mask_keys(self, value: object) -> object:
        """The value without any key in it."""
        return mask_keys(value, self.api_keys.values())

    def record_request(
        self, method: str, path: str, body: object, raw_bytes: int | None, fault: str | None
    ) -> JournalEntry:
        """Note a request in the journal, keys masked."""
        return self.journal.add_entry(method, str(self.mask_keys(path)), self.mask_keys(body), raw_bytes, fault)

    def snapshot(self) -> dict[str, object]:
        """Orders, items and their signals, as JSON."""
        with self.lock:
            self.run_due_steps()
            return {"orders": [self._order_json(id) for id in self.orders]}

    def _order_json(self, id: str) -> dict[str, object]:
        names = self.orders.unbuilt_item_ids(id)
        items = [SandboxItem(name, id) for name in names] if names is not None else self.orders[id].items.values()
        return {"id": id, "items": [_item_json(item) for item in items]}

    def add_fault(self, fault: Fault) -> None:
        """Switch a fault on, behind those that are on already."""
        with self.lock:
            self._faults.append(fault)

    def list_faults(self) -> list[Fault]:
        """The faults that are on; the first that fits a request is the one it meets."""
        with self.lock:
            return list(self._faults)

    def clear_faults(self) -> None:
        """Switch all faults off."""
        with self.lock:
            self._faults.clear()

    def take_fault(self, path: str) -> Fault | None:
        """The fault a request to that path meets, if any; one of its times is used up."""
        with self.lock:
            for index, fault in enumerate(self._faults):
                if fault.kind != DOWN and fault.matches(path):
                    self._consume_fault(index, fault)
                    return fault
        return None

    def _consume_fault(self, index: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._faults[index]
        elif fault.times > 1:
            self._faults[index] = replace(fault, times=fault.times - 1)


def _item_json(item: SandboxItem) -> dict[str, object]:
    return {"id": item.id, "latest": item.latest_signal_type, "signals": list(item.signals)}


def _check_size(orders: object, items: object) -> tuple[int, int]:
    size = (_check_count("orders", orders, _MAX_ORDERS), _check_count("items", items, _MAX_ITEMS_PER_ORDER))
    if size[0] * size[1] > _MAX_TOTAL_ITEMS:
        raise InvalidInput(
            f"{size[0]} orders of {size[1]} items are too many.", f"Valid: {_MAX_TOTAL_ITEMS} items in all."
        )
    return size


def _check_count(name: str, value: object, maximum: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= maximum:
        raise InvalidInput(f'{name} "{value}" is not a number the sandbox can hold.', f"Valid: 1 to {maximum}.")
    return value
