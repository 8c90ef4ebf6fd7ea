"""What the sandbox knows: its keys, its time, orders with their items, requests received and faults. In memory only."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import RLock

from cpctl.errors import InvalidInput, nearest
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.fixtures.product_catalog import PRODUCTS
from cpctl.sandbox.key_masking import masked
from cpctl.sandbox.model.order_lifecycle import Life
from cpctl.sandbox.model.order_schedule import NEW
from cpctl.sandbox.model.order_store import Change, Details, Item, Items, Order, Orders, item_ids
from cpctl.sandbox.model.publish_store import PublishState
from cpctl.sandbox.model.quote_store import Quotes
from cpctl.sandbox.model.seed_orders import Start
from cpctl.sandbox.request_journal import KEPT, Entry, Journal
from cpctl.sandbox.virtual_clock import Clock, real_time
from cpctl.sandbox.webhooks.webhook_queue import Webhooks

__all__ = ["DIALECTS", "ITEMS", "KEYS", "ORDERS", "Item", "Order", "State"]

ORDERS = 2
ITEMS = 3
_MOST_ORDERS = 100_000
_MOST_ITEMS = 9_999  # an item's suffix has four digits
_MOST_OF_ALL = 1_000_000
KEYS = {"core": "sandbox-core-key", "signal": "sandbox-signal-key", "webhooks": "sandbox-webhook-key"}
# How the service answers, and how its documents say that it answers.
DIALECTS = ("live", "documented")


class State:
    """All that changes while the sandbox runs. `lock` makes several steps one."""

    def __init__(
        self,
        orders: int = ORDERS,
        items: int = ITEMS,
        kept: int = KEPT,
        dialect: str = "live",
        webhook_url: str | None = None,
        webhook_version: str = "2.0",
        clock: Callable[[], datetime] = real_time,
    ) -> None:
        if dialect not in DIALECTS:
            raise InvalidInput(f'There is no dialect "{dialect}".', nearest(dialect, DIALECTS))
        self.lock = RLock()
        self.keys = dict(KEYS)
        self.live = dialect == "live"
        self.clock = Clock(clock)
        self.journal = Journal(self.lock, kept)
        self.webhooks = Webhooks(self.lock, self.clock, self.keys["webhooks"], webhook_url, webhook_version)
        self.products = dict(PRODUCTS)
        self._faults: list[Fault] = []
        self._size = (orders, items)
        self.reset()

    def reset(self, orders: object = None, items: object = None) -> None:
        """Make all orders anew and forget everything else; None keeps the number there was.

        Raises InvalidInput where a number is out of range; nothing is forgotten then.
        """
        with self.lock:
            held = self._size
            self._size = _size(held[0] if orders is None else orders, held[1] if items is None else items)
            self.clock.reset()
            start = Start(self.clock.now())
            self.orders = Orders(*self._size, start.make, start.glance)
            self.items = Items(self.orders)
            self.life = Life(self.orders, self.live, self.webhooks.tell)
            self.quotes = Quotes()
            self.publish = PublishState()
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
            self.settle()
            self.webhooks.wake()
            return self.now()

    def settle(self) -> datetime | None:
        """Let happen what is due; says when something is due by itself."""
        with self.lock:
            self.life.settle(self.now())
            return self.life.next_due()

    def add_order(self, reference: str, details: Details, publish: bool = False) -> Order:
        """Take a new order, which goes its way from now on."""
        now, id = self.now(), self.orders.next_id()
        ids = item_ids(id, len(details.items))
        items = {name: Item(name, id) for name in ids}
        order = Order(id, items, reference, now, lambda: details, [Change(NEW, now)], added=True, publish=publish)
        self.orders.add(order)
        self.life.begin(order)
        self.webhooks.wake()
        return order

    def record(self, item: Item, body: Mapping[str, object]) -> None:
        """Keep what a signal said of an item, and what follows from it."""
        kept = self.masked({name: value for name, value in body.items() if name != "apikey"})
        assert isinstance(kept, dict)
        with self.lock:
            self.life.signalled(item, kept, self.now())

    def masked(self, value: object) -> object:
        """The value without any key in it."""
        return masked(value, self.keys.values())

    def begin(self, method: str, path: str, body: object, raw_bytes: int | None, fault: str | None) -> Entry:
        """Note a request in the journal, keys masked."""
        return self.journal.begin(method, str(self.masked(path)), self.masked(body), raw_bytes, fault)

    def snapshot(self) -> dict[str, object]:
        """Orders, items and their signals, as JSON."""
        with self.lock:
            self.settle()
            return {"orders": [self._order_json(id) for id in self.orders]}

    def _order_json(self, id: str) -> dict[str, object]:
        names = self.orders.untouched(id)
        items = [Item(name, id) for name in names] if names is not None else self.orders[id].items.values()
        return {"id": id, "items": [_item_json(item) for item in items]}

    def add_fault(self, fault: Fault) -> None:
        """Switch a fault on, behind those that are on already."""
        with self.lock:
            self._faults.append(fault)

    def faults(self) -> list[Fault]:
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
                if fault.kind != DOWN and fault.meets(path):
                    self._use(index, fault)
                    return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._faults[index]
        elif fault.times > 1:
            self._faults[index] = replace(fault, times=fault.times - 1)


def _item_json(item: Item) -> dict[str, object]:
    return {"id": item.id, "latest": item.latest, "signals": list(item.signals)}


def _size(orders: object, items: object) -> tuple[int, int]:
    size = (_counted("orders", orders, _MOST_ORDERS), _counted("items", items, _MOST_ITEMS))
    if size[0] * size[1] > _MOST_OF_ALL:
        raise InvalidInput(f"{size[0]} orders of {size[1]} items are too many.", f"Valid: {_MOST_OF_ALL} items in all.")
    return size


def _counted(name: str, value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidInput(f'{name} "{value}" is not a number the sandbox can hold.', f"Valid: 1 to {most}.")
    return value
