"""Orders and their items: those of the start, made when first asked for, and those that were added."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from cpctl.sandbox.model.order_schedule import NEW

# The number of the documents' example order; every further order counts up from it.
FIRST_ORDER = 12345678


class File(NamedTuple):
    """A file of an order or an item, by the address it is fetched from."""

    type: str
    url: str
    md5sum: str


class ItemDetail(NamedTuple):
    """What was ordered."""

    reference: str
    product: str
    title: str
    copies: int
    kind: str  # "product", or "stock" for what lies ready
    shipping_option: str
    shipping_option_reference: str
    options: tuple[tuple[str, int], ...] = ()
    files: tuple[File, ...] = ()
    catalog: str = ""
    isbn: str = ""


class Details(NamedTuple):
    """What a client said of an order, beside its reference."""

    email: str
    addresses: list[dict[str, str]]
    items: list[ItemDetail]
    files: tuple[File, ...] = ()


class Change(NamedTuple):
    """A state and the time at which it began."""

    state: int
    time: datetime


class Step(NamedTuple):
    """What will happen to an order, unless it is canceled before: another state, or a word of the production."""

    due: datetime
    state: int = 0
    item: str = ""
    signal: str = ""


@dataclass(slots=True)
class Item:
    """One thing to produce, and what was said of it."""

    id: str
    order: str
    signals: list[dict[str, object]] = field(default_factory=list)  # bodies as received, without the key
    latest: str = ""  # the type of the last signal

    @property
    def index(self) -> int:
        """Its place among the items of its order, from 0."""
        return int(self.id[-4:]) - 1

    def said(self, kind: str) -> dict[str, object] | None:
        """The latest signal of that type."""
        return next((signal for signal in reversed(self.signals) if signal["type"] == kind), None)


@dataclass(eq=False)
class Order:
    """An order and its items by id."""

    id: str
    items: dict[str, Item]
    reference: str
    born: datetime
    tell: Callable[[], Details]  # thousands of orders are listed for every one whose details are read
    log: list[Change]
    state: int = NEW
    plan: deque[Step] = field(default_factory=deque)
    added: bool = False  # by a client, not there from the start
    publish: bool = False  # added by CloudPublish
    ended: set[str] = field(default_factory=set)  # the items that are shipped or canceled

    @cached_property
    def details(self) -> Details:
        """What was ordered."""
        return self.tell()

    def detail(self, item: Item) -> ItemDetail:
        """What was ordered of one item."""
        return self.details.items[item.index]

    def item_named(self, reference: str) -> Item | None:
        """The item to which the client gave that reference."""
        for item, detail in zip(self.items.values(), self.details.items, strict=True):
            if detail.reference == reference:
                return item
        return None


class Summary(NamedTuple):
    """What the list of all orders says of one."""

    reference: str
    born: datetime
    state: int


class Orders(Mapping[str, Order]):
    """All orders by id. Those of the start have ids and references that follow from their number."""

    def __init__(self, count: int, items: int, make: Callable[[int, int], Order], glance: Callable[[int], Summary]):
        self._count, self._size = count, items
        self._make, self._glance = make, glance
        self._made: dict[str, Order] = {}
        self._by_reference: dict[str, str] = {}
        self._added = 0

    def __getitem__(self, id: str) -> Order:
        made = self._made.get(id)
        if made is None:
            index = self._index(id)
            made = self._made[id] = self._make(index, self._size)
        return made

    def _index(self, id: str) -> int:
        """The number of an order of the start; raises KeyError where the id is none."""
        if len(id) == 12 and id.isascii() and id.isdigit() and id.endswith("0000"):
            index = int(id[:8]) - FIRST_ORDER
            if 0 <= index < self._count:
                return index
        raise KeyError(id)

    def __iter__(self) -> Iterator[str]:
        yield from (order_id(index) for index in range(self._count))
        yield from (order_id(self._count + index) for index in range(self._added))

    def __len__(self) -> int:
        return self._count + self._added

    @property
    def item_count(self) -> int:
        """How many items there are in all."""
        added = (self._made[order_id(self._count + index)] for index in range(self._added))
        return self._count * self._size + sum(len(order.items) for order in added)

    def named(self, reference: str) -> Order | None:
        """The order to which the client gave that reference."""
        if reference in self._by_reference:
            return self[self._by_reference[reference]]
        word, _, number = reference.rpartition("-")
        # Up to six digits: no reference of the start has more, and a long one would be slow to read.
        if word == "order" and number.isascii() and number.isdigit() and len(number) <= 6 and number[0] != "0":
            return self.get(order_id(int(number) - 1)) if int(number) <= self._count else None
        return None

    def next_id(self) -> str:
        """The id of the next order that is added."""
        return order_id(self._count + self._added)

    def add(self, order: Order) -> None:
        """Take a new order under the next id."""
        self._added += 1
        self._made[order.id] = order
        self._by_reference[order.reference] = order.id

    def glances(self) -> Iterator[Summary]:
        """What the list of all orders shows, without making those that nobody has asked for."""
        for index, id in enumerate(self):
            made = self._made.get(id)
            yield self._glance(index) if made is None else Summary(made.reference, made.born, made.state)

    def publish(self) -> Iterator[Order]:
        """Those that CloudPublish added, oldest first."""
        return (self._made[id] for id in self._by_reference.values() if self._made[id].publish)

    def untouched(self, id: str) -> list[str] | None:
        """The ids of the items of an order that nobody has asked for; None where somebody has."""
        return None if id in self._made else item_ids(id, self._size)


class Items(Mapping[str, Item]):
    """All items of all orders by id."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def __getitem__(self, id: str) -> Item:
        return self._orders[f"{id[:8]}0000"].items[id]

    def __iter__(self) -> Iterator[str]:
        for order in self._orders.values():
            yield from order.items

    def __len__(self) -> int:
        return self._orders.item_count


def order_id(index: int) -> str:
    """The id of the order with that number, from 0: eight digits and four zeros."""
    return f"{FIRST_ORDER + index}0000"


def item_ids(order: str, count: int) -> list[str]:
    """The ids of the items of an order."""
    return [f"{order[:8]}{suffix:04d}" for suffix in range(1, count + 1)]
