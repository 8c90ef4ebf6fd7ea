"""The schedule of an order in the sandbox, and the states of its items."""

from typing import NamedTuple


class ItemState(NamedTuple):
    """A state of an item. Only 25 has been observed; the others are guesses based on the states of orders."""

    number: int
    code: str


NEW, VERIFYING, VERIFIED, DOWNLOADED, DOWNLOAD_ERROR, UPLOADING, UPLOADED = 1, 5, 6, 15, 11, 40, 45
COMPLETE, CANCELED, SANDBOX_COMPLETE = 100, 500, 501
FINAL_STATES = (COMPLETE, CANCELED, SANDBOX_COMPLETE)

# State, and the seconds since the previous one. The times of the real service are not documented.
STATE_STEPS: tuple[tuple[int, int], ...] = tuple(
    (number, 5) for number in (VERIFYING, VERIFIED, 10, DOWNLOADED, 30, 32, 33, 34, 37, 38, UPLOADING, UPLOADED)
)
ITEM_CANCELED_SIGNAL, ITEM_SHIPPED_SIGNAL = "ItemCanceled", "ItemShipped"
# The signals that the simulated production sends for every item, this many seconds apart.
PRODUCTION_SIGNALS = ("ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", ITEM_SHIPPED_SIGNAL)
PRODUCTION_STEP_SECONDS = 120

ITEM_NEW = ItemState(1, "item_state_new")
ITEM_VERIFIED = ItemState(25, "item_state_verified")
ITEM_SHIPPED = ItemState(100, "item_state_shipped")
ITEM_CANCELED = ItemState(500, "item_state_canceled")


def is_cancelable(state: int) -> bool:
    """Whether an order can be canceled: until its files are uploaded to the production."""
    return state < UPLOADING
