"""All orders and items of the sandbox: seed orders, built on first use, and orders added by clients."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cpctl.sandbox.model.order_models import (
    FIRST_ORDER_NUMBER,
    OrderSummary,
    SandboxItem,
    SandboxOrder,
    format_order_id,
    make_items,
)
from cpctl.sandbox.model.seed_orders import SeedOrders


class OrderStore(Mapping[str, SandboxOrder]):
    """All orders by id. The ids and references of seed orders follow from their index."""

    def __init__(self, seed: SeedOrders) -> None:
        self._seed = seed
        self._orders: dict[str, SandboxOrder] = {}  # added orders, and the seed orders built so far
        self._ids_by_reference: dict[str, str] = {}  # of added orders, oldest first

    def __getitem__(self, id: str) -> SandboxOrder:
        if id not in self._orders:
            self._orders[id] = self._seed.build_order(self._seed_index(id))
        return self._orders[id]

    def _seed_index(self, id: str) -> int:
        index = int(id[:8]) - FIRST_ORDER_NUMBER if re.fullmatch("[0-9]{8}0000", id) else -1
        if not 0 <= index < self._seed.order_count:
            raise KeyError(id)
        return index

    def __iter__(self) -> Iterator[str]:
        yield from map(format_order_id, range(self._seed.order_count))
        yield from self._ids_by_reference.values()

    def __len__(self) -> int:
        return self._seed.order_count + len(self._ids_by_reference)

    def find(self, reference: str) -> SandboxOrder | None:
        """The order with that reference of the client."""
        if reference in self._ids_by_reference:
            return self[self._ids_by_reference[reference]]
        # At most six digits: no seed order has more, and int() is slow on very long numbers.
        match = re.fullmatch("order-([1-9][0-9]{0,5})", reference)
        if match is None or int(match[1]) > self._seed.order_count:
            return None
        return self[format_order_id(int(match[1]) - 1)]

    def next_id(self) -> str:
        return format_order_id(len(self))

    def add(self, order: SandboxOrder) -> None:
        self._orders[order.id] = order
        self._ids_by_reference[order.reference] = order.id

    def list_summaries(self) -> Iterator[OrderSummary]:
        """All orders, without building seed orders."""
        for index, id in enumerate(self):
            order = self._orders.get(id)
            yield OrderSummary(order.reference, order.created_at, order.state) if order else self._seed.summarize(index)

    def list_publish_orders(self) -> Iterator[SandboxOrder]:
        """The orders that CloudPublish added, oldest first."""
        return (order for id in self._ids_by_reference.values() if (order := self._orders[id]).is_publish_order)

    def list_items(self, id: str) -> Iterable[SandboxItem]:
        """The items of an order, without building a seed order."""
        return (self._orders[id].items if id in self._orders else make_items(id, self._seed.items_per_order)).values()

    def find_item(self, id: str) -> SandboxItem | None:
        order = self.get(f"{id[:8]}0000")
        return None if order is None else order.items.get(id)

    def count_items(self) -> int:
        added = sum(len(self._orders[id].items) for id in self._ids_by_reference.values())
        return self._seed.order_count * self._seed.items_per_order + added
