"""Orders and their items: those of the start, made when first asked for, and those that were added."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from cpctl.sandbox.model.order_schedule import NEW

# The number of the documents' example order; every further order counts up from it.
FIRST_ORDER_NUMBER = 12345678


class OrderFile(NamedTuple):
    """A file of an order or an item, by the address it is fetched from."""

    type: str
    url: str
    md5sum: str


class OrderedItem(NamedTuple):
    """What was ordered."""

    reference: str
    product_reference: str
    title: str
    copies: int
    item_type: str  # "product", or "stock" for what lies ready
    shipping_option: str
    shipping_option_reference: str
    options: tuple[tuple[str, int], ...] = ()
    files: tuple[OrderFile, ...] = ()
    catalog_reference: str = ""
    isbn: str = ""


class OrderDetails(NamedTuple):
    """What a client said of an order, beside its reference."""

    email: str
    addresses: list[dict[str, str]]
    items: list[OrderedItem]
    files: tuple[OrderFile, ...] = ()


class StateChange(NamedTuple):
    """A state and the time at which it began."""

    state: int
    changed_at: datetime


class ScheduledStep(NamedTuple):
    """What will happen to an order, unless it is canceled before: another state, or a word of the production."""

    due_at: datetime
    state: int = 0
    item_id: str = ""
    signal_type: str = ""


@dataclass(slots=True)
class SandboxItem:
    """One thing to produce, and what was said of it."""

    id: str
    order_id: str
    signals: list[dict[str, object]] = field(default_factory=list)  # bodies as received, without the key
    latest_signal_type: str = ""  # the type of the last signal

    @property
    def index(self) -> int:
        """Its place among the items of its order, from 0."""
        return int(self.id[-4:]) - 1

    def find_signal(self, signal_type: str) -> dict[str, object] | None:
        """The latest signal of that type."""
        return next((signal for signal in reversed(self.signals) if signal["type"] == signal_type), None)


@dataclass(eq=False)
class SandboxOrder:
    """An order and its items by id."""

    id: str
    items: dict[str, SandboxItem]
    reference: str
    created_at: datetime
    load_details: Callable[[], OrderDetails]  # thousands of orders are listed for every one whose details are read
    state_changes: list[StateChange]
    state: int = NEW
    pending_steps: deque[ScheduledStep] = field(default_factory=deque)
    is_added: bool = False  # by a client, not there from the start
    is_publish_order: bool = False  # added by CloudPublish
    ended_item_ids: set[str] = field(default_factory=set)  # the items that are shipped or canceled

    @cached_property
    def details(self) -> OrderDetails:
        """What was ordered."""
        return self.load_details()

    def find_ordered_item(self, item: SandboxItem) -> OrderedItem:
        """What was ordered of one item."""
        return self.details.items[item.index]

    def find_item(self, reference: str) -> SandboxItem | None:
        """The item to which the client gave that reference."""
        for item, detail in zip(self.items.values(), self.details.items, strict=True):
            if detail.reference == reference:
                return item
        return None


class OrderSummary(NamedTuple):
    """What the list of all orders says of one."""

    reference: str
    created_at: datetime
    state: int


class OrderStore(Mapping[str, SandboxOrder]):
    """All orders by id. Those of the start have ids and references that follow from their number."""

    def __init__(
        self,
        seed_count: int,
        items_per_order: int,
        build_order: Callable[[int, int], SandboxOrder],
        summarize: Callable[[int], OrderSummary],
    ):
        self._seed_count, self._items_per_order = seed_count, items_per_order
        self._build_order, self._summarize = build_order, summarize
        self._orders: dict[str, SandboxOrder] = {}
        self._ids_by_reference: dict[str, str] = {}
        self._added_count = 0

    def __getitem__(self, id: str) -> SandboxOrder:
        made = self._orders.get(id)
        if made is None:
            index = self._seed_index(id)
            made = self._orders[id] = self._build_order(index, self._items_per_order)
        return made

    def _seed_index(self, id: str) -> int:
        """The number of an order of the start; raises KeyError where the id is none."""
        if len(id) == 12 and id.isascii() and id.isdigit() and id.endswith("0000"):
            index = int(id[:8]) - FIRST_ORDER_NUMBER
            if 0 <= index < self._seed_count:
                return index
        raise KeyError(id)

    def __iter__(self) -> Iterator[str]:
        yield from (format_order_id(index) for index in range(self._seed_count))
        yield from (format_order_id(self._seed_count + index) for index in range(self._added_count))

    def __len__(self) -> int:
        return self._seed_count + self._added_count

    @property
    def item_count(self) -> int:
        """How many items there are in all."""
        added = (self._orders[format_order_id(self._seed_count + index)] for index in range(self._added_count))
        return self._seed_count * self._items_per_order + sum(len(order.items) for order in added)

    def find(self, reference: str) -> SandboxOrder | None:
        """The order to which the client gave that reference."""
        if reference in self._ids_by_reference:
            return self[self._ids_by_reference[reference]]
        word, _, number = reference.rpartition("-")
        # Up to six digits: no reference of the start has more, and a long one would be slow to read.
        if word == "order" and number.isascii() and number.isdigit() and len(number) <= 6 and number[0] != "0":
            return self.get(format_order_id(int(number) - 1)) if int(number) <= self._seed_count else None
        return None

    def next_id(self) -> str:
        """The id of the next order that is added."""
        return format_order_id(self._seed_count + self._added_count)

    def add(self, order: SandboxOrder) -> None:
        """Take a new order under the next id."""
        self._added_count += 1
        self._orders[order.id] = order
        self._ids_by_reference[order.reference] = order.id

    def list_summaries(self) -> Iterator[OrderSummary]:
        """What the list of all orders shows, without making those that nobody has asked for."""
        for index, id in enumerate(self):
            made = self._orders.get(id)
            yield self._summarize(index) if made is None else OrderSummary(made.reference, made.created_at, made.state)

    def list_publish_orders(self) -> Iterator[SandboxOrder]:
        """Those that CloudPublish added, oldest first."""
        return (self._orders[id] for id in self._ids_by_reference.values() if self._orders[id].is_publish_order)

    def unbuilt_item_ids(self, id: str) -> list[str] | None:
        """The ids of the items of an order that nobody has asked for; None where somebody has."""
        return None if id in self._orders else list_item_ids(id, self._items_per_order)


class ItemIndex(Mapping[str, SandboxItem]):
    """All items of all orders by id."""

    def __init__(self, orders: OrderStore) -> None:
        self._orders = orders

    def __getitem__(self, id: str) -> SandboxItem:
        return self._orders[f"{id[:8]}0000"].items[id]

    def __iter__(self) -> Iterator[str]:
        for order in self._orders.values():
            yield from order.items

    def __len__(self) -> int:
        return self._orders.item_count


def format_order_id(index: int) -> str:
    """The id of the order with that number, from 0: eight digits and four zeros."""
    return f"{FIRST_ORDER_NUMBER + index}0000"


def list_item_ids(order: str, count: int) -> list[str]:
    """The ids of the items of an order."""
    return [f"{order[:8]}{suffix:04d}" for suffix in range(1, count + 1)]
