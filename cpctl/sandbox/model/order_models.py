"""Orders and their items, as the sandbox stores them, and their states."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

NEW, VERIFYING, VERIFIED, DOWNLOADED, DOWNLOAD_ERROR, UPLOADING, UPLOADED = 1, 5, 6, 15, 11, 40, 45
COMPLETE, CANCELED, SANDBOX_COMPLETE = 100, 500, 501
FINAL_STATES = (COMPLETE, CANCELED, SANDBOX_COMPLETE)

# The states until production, this many seconds apart. The times of the real service are not documented.
STATES_TO_PRODUCTION = (VERIFYING, VERIFIED, 10, DOWNLOADED, 30, 32, 33, 34, 37, 38, UPLOADING, UPLOADED)
STATE_STEP_SECONDS = 5
ITEM_CANCELED_SIGNAL, ITEM_SHIPPED_SIGNAL = "ItemCanceled", "ItemShipped"
# The signals that the simulated production sends for every item, this many seconds apart.
PRODUCTION_SIGNALS = ("ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", ITEM_SHIPPED_SIGNAL)
PRODUCTION_STEP_SECONDS = 120

# The number of the example order in the documents; every further order counts up from it.
FIRST_ORDER_NUMBER = 12345678
MAX_ITEMS_PER_ORDER = 9_999  # the suffix of an item id has four digits


class OrderFile(NamedTuple):
    """A file of an order or an item, and the URL it is fetched from."""

    type: str
    url: str
    md5sum: str


class OrderedItem(NamedTuple):
    """An item as it was ordered."""

    reference: str
    product_reference: str
    title: str
    copies: int
    item_type: str  # "product" or "stock"
    shipping_option: str
    shipping_option_reference: str
    options: tuple[tuple[str, int], ...] = ()
    files: tuple[OrderFile, ...] = ()
    catalog_reference: str = ""
    isbn: str = ""


class OrderDetails(NamedTuple):
    """An order as it was placed, without its reference."""

    email: str
    addresses: list[dict[str, str]]
    items: list[OrderedItem]
    files: tuple[OrderFile, ...] = ()


class StateChange(NamedTuple):
    """A state and the time at which it began."""

    state: int
    changed_at: datetime


class ScheduledStep(NamedTuple):
    """The next state of an order, or a signal of the simulated production."""

    due_at: datetime
    state: int = 0
    item_id: str = ""
    signal_type: str = ""


@dataclass(slots=True)
class SandboxItem:
    """One item to produce, and the signals about it."""

    id: str
    order_id: str
    signals: list[dict[str, object]] = field(default_factory=list)  # bodies as received, without the key

    @property
    def latest_signal_type(self) -> str:
        return str(self.signals[-1]["type"]) if self.signals else ""

    def find_signal(self, signal_type: str) -> dict[str, object] | None:
        return next((signal for signal in reversed(self.signals) if signal["type"] == signal_type), None)


@dataclass(eq=False)
class SandboxOrder:
    """An order and its items by id."""

    id: str
    items: dict[str, SandboxItem]
    reference: str
    created_at: datetime
    details: OrderDetails
    state_changes: list[StateChange]
    state: int = NEW
    pending_steps: deque[ScheduledStep] = field(default_factory=deque)
    is_added: bool = False  # by a client; False for a seed order
    is_publish_order: bool = False  # added through CloudPublish
    ended_item_ids: set[str] = field(default_factory=set)  # shipped or canceled

    @property
    def is_cancelable(self) -> bool:
        """Whether it can be canceled: until its files are uploaded to the production."""
        return self.state < UPLOADING

    def find_ordered_item(self, item: SandboxItem) -> OrderedItem:
        return self.details.items[int(item.id[-4:]) - 1]

    def find_item(self, reference: str) -> SandboxItem | None:
        """The item with that reference of the client."""
        pairs = zip(self.items.values(), self.details.items, strict=True)
        return next((item for item, ordered in pairs if ordered.reference == reference), None)


class OrderSummary(NamedTuple):
    """An order in the list of all orders."""

    reference: str
    created_at: datetime
    state: int


def format_order_id(index: int) -> str:
    """The id of the order with that index, from 0: eight digits and four zeros."""
    return f"{FIRST_ORDER_NUMBER + index}0000"


def make_items(order_id: str, count: int) -> dict[str, SandboxItem]:
    """New items by id; an item id is that of its order with a suffix from 0001."""
    ids = (f"{order_id[:8]}{suffix:04d}" for suffix in range(1, count + 1))
    return {id: SandboxItem(id, order_id) for id in ids}
