"""All orders of the sandbox: seed orders, built on first use, and orders added by clients.

Seed orders are uploaded to the production, which has not reported anything about them yet.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import md5

from cpctl.sandbox.fixtures.product_catalog import PRODUCTS, TOTAL_PAGES, list_product_options, required_file_types
from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model import order_models as models
from cpctl.sandbox.model.order_models import OrderSummary, SandboxItem, SandboxOrder, format_order_id, make_items

# Seed orders are a second apart; the last of the largest number of orders must have reached its state, too.
_SEED_AGE = timedelta(days=2)
_ADDRESS_FIELDS = ("firstname", "lastname", "street1", "zip", "city", "state", "country")
_CUSTOMERS = (
    ("Anna", "Jansen", "Keizersgracht 12", "1015 CJ", "Amsterdam", "", "NL"),
    ("Max", "Weber", "Lindenstraße 5", "10969", "Berlin", "", "DE"),
    ("Camille", "Moreau", "12 rue des Lilas", "75020", "Paris", "", "FR"),
    ("Emma", "Peeters", "Kerkstraat 44", "2000", "Antwerpen", "", "BE"),
    ("Mary", "Miller", "400 Oak Avenue", "33101", "Miami", "FL", "US"),
    ("Noah", "Tremblay", "88 rue Sherbrooke", "H2X 1X4", "Montréal", "QC", "CA"),
    ("Oliver", "Brown", "7 High Street", "M1 1AA", "Manchester", "", "GB"),
    ("Sofia", "Nielsen", "Nørregade 3", "1165", "København", "", "DK"),
)
_ACTIVE_PRODUCTS = [product for product in PRODUCTS.values() if not product.method.category.startswith("z_")]


class OrderStore(Mapping[str, SandboxOrder]):
    """All orders by id. Everything about a seed order follows from its index."""

    def __init__(self, seed_count: int, items_per_seed: int, now: datetime) -> None:
        self._seed_count, self._items_per_seed = seed_count, items_per_seed
        self._first_created_at = now - _SEED_AGE
        self._orders: dict[str, SandboxOrder] = {}  # added orders, and the seed orders built so far
        self._ids_by_reference: dict[str, str] = {}  # of added orders, oldest first

    def __getitem__(self, id: str) -> SandboxOrder:
        if id not in self._orders:
            index = int(id[:8]) - models.FIRST_ORDER_NUMBER if re.fullmatch("[0-9]{8}0000", id) else -1
            if not 0 <= index < self._seed_count:
                raise KeyError(id)
            self._orders[id] = self._build_seed_order(id, index)
        return self._orders[id]

    def __iter__(self) -> Iterator[str]:
        yield from map(format_order_id, range(self._seed_count))
        yield from self._ids_by_reference.values()

    def __len__(self) -> int:
        return self._seed_count + len(self._ids_by_reference)

    def find(self, reference: str) -> SandboxOrder | None:
        """The order with that reference of the client."""
        if reference in self._ids_by_reference:
            return self[self._ids_by_reference[reference]]
        # At most six digits: no seed order has more, and int() is slow on very long numbers.
        match = re.fullmatch("order-([1-9][0-9]{0,5})", reference)
        if match is None or int(match[1]) > self._seed_count:
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
            yield OrderSummary(order.reference, order.created_at, order.state) if order else self._summarize_seed(index)

    def list_publish_orders(self) -> Iterator[SandboxOrder]:
        """The orders that CloudPublish added, oldest first."""
        return (order for id in self._ids_by_reference.values() if (order := self._orders[id]).is_publish_order)

    def list_items(self, id: str) -> Iterable[SandboxItem]:
        """The items of an order, without building a seed order."""
        return (self._orders[id].items if id in self._orders else make_items(id, self._items_per_seed)).values()

    def find_item(self, id: str) -> SandboxItem | None:
        order = self.get(f"{id[:8]}0000")
        return None if order is None else order.items.get(id)

    def count_items(self) -> int:
        added = sum(len(self._orders[id].items) for id in self._ids_by_reference.values())
        return self._seed_count * self._items_per_seed + added

    def _summarize_seed(self, index: int) -> OrderSummary:
        return OrderSummary(f"order-{index + 1}", self._first_created_at + timedelta(seconds=index), models.UPLOADED)

    def _build_seed_order(self, id: str, index: int) -> SandboxOrder:
        reference, created_at, state = self._summarize_seed(index)
        step = timedelta(seconds=models.STATE_STEP_SECONDS)
        states = enumerate((models.NEW, *models.STATES_TO_PRODUCTION))
        changes = [models.StateChange(number, created_at + n * step) for n, number in states]
        items, details = make_items(id, self._items_per_seed), _build_details(index, reference, self._items_per_seed)
        return SandboxOrder(id, items, reference, created_at, details, changes, state)


def _build_details(index: int, reference: str, item_count: int) -> models.OrderDetails:
    customer = dict(zip(_ADDRESS_FIELDS, _CUSTOMERS[index % len(_CUSTOMERS)], strict=True))
    email = f"{customer['firstname']}.{customer['lastname']}@example.com".lower()
    address = {"type": "delivery", **customer, "email": email, "phone": f"+3160000{index % 10000:04d}"}
    items = [_build_item(f"{reference}-{n + 1}", index + n, customer["country"]) for n in range(item_count)]
    return models.OrderDetails("support@example.com", [address], items)


def _build_item(reference: str, seed: int, country: str) -> models.OrderedItem:
    product = _ACTIVE_PRODUCTS[seed % len(_ACTIVE_PRODUCTS)]
    offers = list_offers(country)
    offer = offers[seed % len(offers)]
    chosen = tuple(option.reference for option, is_default in list_product_options(product) if is_default)
    pages = ((TOTAL_PAGES, 24 + 4 * (seed % 30)),) if product.has_pages else ()
    options = (*pages, *((name, 1) for name in chosen))
    files = tuple(_build_file(reference, file_type) for file_type in required_file_types(product, chosen))
    ordered = (reference, product.reference, product.name, 1 + seed % 3, "product")
    return models.OrderedItem(*ordered, offer.option, offer.reference, options, files)


def _build_file(reference: str, file_type: str) -> models.OrderFile:
    digest = md5(f"{reference}/{file_type}".encode(), usedforsecurity=False).hexdigest()
    return models.OrderFile(file_type, f"https://download.example.com/files/{digest}", digest)
