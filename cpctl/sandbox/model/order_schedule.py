"""How long the sandbox takes from one state of an order to the next, and the states of its items."""

from typing import NamedTuple


class ItemState(NamedTuple):
    """A state of an item. Only 25 was ever seen; the others are guesses after the states of orders."""

    number: int
    code: str


NEW, VERIFIED, DOWNLOADED, DOWNLOAD_ERROR, UPLOADING, UPLOADED = 1, 6, 15, 11, 40, 45
COMPLETE, CANCELED, SANDBOX_COMPLETE = 100, 500, 501
FINAL_STATES = (COMPLETE, CANCELED, SANDBOX_COMPLETE)

# State, and the seconds after the one before. How long the real service takes is not documented.
STATE_STEPS: tuple[tuple[int, int], ...] = tuple(
    (number, 5) for number in (5, VERIFIED, 10, DOWNLOADED, 30, 32, 33, 34, 37, 38, UPLOADING, UPLOADED)
)
# What the simulated production says of every item, and the seconds after the one before.
PRODUCTION_STEPS: tuple[tuple[str, int], ...] = (
    ("ItemRegistered", 120),
    ("ItemProduce", 120),
    ("ItemProduced", 120),
    ("ItemPacked", 120),
    ("ItemShipped", 120),
)

ITEM_NEW = ItemState(1, "item_state_new")
ITEM_VERIFIED = ItemState(25, "item_state_verified")
ITEM_SHIPPED = ItemState(100, "item_state_shipped")
ITEM_CANCELED = ItemState(500, "item_state_canceled")


def is_cancelable(state: int) -> bool:
    """Whether an order in that state may still be canceled: before its files go to the production."""
    return state < UPLOADING
