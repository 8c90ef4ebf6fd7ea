"""What the sandbox knows: its keys, orders with their items, requests received and faults. In memory only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import RLock

from cpctl.errors import InvalidInput
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.journal import KEPT, Entry, Journal
from cpctl.sandbox.masking import masked

ORDERS = 2
ITEMS = 3
# The number of the documents' example order; every further order counts up from it.
FIRST_ORDER = 12345678
_MOST_ORDERS = 100_000
_MOST_ITEMS = 9_999  # an item's suffix has four digits
_MOST_OF_ALL = 1_000_000
KEYS = {"core": "sandbox-core-key", "signal": "sandbox-signal-key", "webhooks": "sandbox-webhook-key"}


@dataclass
class Item:
    """One thing to produce, and what was said of it."""

    id: str
    order: str
    signals: list[dict[str, object]] = field(default_factory=list)  # bodies as received, without the key
    latest: str = ""  # the type of the last signal


@dataclass
class Order:
    """An order and its items by id."""

    id: str
    items: dict[str, Item]


class State:
    """All that changes while the sandbox runs. `lock` makes several steps one."""

    def __init__(self, orders: int = ORDERS, items: int = ITEMS, kept: int = KEPT) -> None:
        self.lock = RLock()
        self.keys = dict(KEYS)
        self.journal = Journal(self.lock, kept)
        self.orders: dict[str, Order] = {}
        self.items: dict[str, Item] = {}
        self._faults: list[Fault] = []
        self._size = (orders, items)
        self.reset()

    def reset(self, orders: object = None, items: object = None) -> None:
        """Make all orders anew and forget requests and faults; None keeps the number there was.

        Raises InvalidInput where a number is out of range; nothing is forgotten then.
        """
        with self.lock:
            held = self._size
            self._size = _size(held[0] if orders is None else orders, held[1] if items is None else items)
            self.orders = {order.id: order for order in map(self._new_order, range(self._size[0]))}
            self.items = {item.id: item for order in self.orders.values() for item in order.items.values()}
            self.journal.clear()
            self._faults.clear()

    def _new_order(self, index: int) -> Order:
        number, order = FIRST_ORDER + index, f"{FIRST_ORDER + index}0000"
        ids = [f"{number}{suffix:04d}" for suffix in range(1, self._size[1] + 1)]
        return Order(order, {name: Item(name, order) for name in ids})

    def record(self, item: Item, body: Mapping[str, object]) -> None:
        """Keep what a signal said of an item."""
        kept = self.masked({name: value for name, value in body.items() if name != "apikey"})
        assert isinstance(kept, dict)
        with self.lock:
            item.signals.append(kept)
            item.latest = str(body["type"])

    def masked(self, value: object) -> object:
        """The value without any key in it."""
        return masked(value, self.keys.values())

    def begin(self, method: str, path: str, body: object, raw_bytes: int | None, fault: str | None) -> Entry:
        """Note a request in the journal, keys masked."""
        return self.journal.begin(method, str(self.masked(path)), self.masked(body), raw_bytes, fault)

    def snapshot(self) -> dict[str, object]:
        """Orders, items and their signals, as JSON."""
        with self.lock:
            return {"orders": [_order_json(order) for order in self.orders.values()]}

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


def _order_json(order: Order) -> dict[str, object]:
    items = [{"id": item.id, "latest": item.latest, "signals": list(item.signals)} for item in order.items.values()]
    return {"id": order.id, "items": items}


def _size(orders: object, items: object) -> tuple[int, int]:
    size = (_counted("orders", orders, _MOST_ORDERS), _counted("items", items, _MOST_ITEMS))
    if size[0] * size[1] > _MOST_OF_ALL:
        raise InvalidInput(f"{size[0]} orders of {size[1]} items are too many.", f"Valid: {_MOST_OF_ALL} items in all.")
    return size


def _counted(name: str, value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidInput(f'{name} "{value}" is not a number the sandbox can hold.', f"Valid: 1 to {most}.")
    return value
