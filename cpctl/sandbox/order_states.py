"""The states of orders and items, and how long the sandbox takes from one to the next.

Source: Cloudprinter "State definitions v1.0" for the numbers and their meanings.
"""

from typing import NamedTuple


class OrderState(NamedTuple):
    """A state as its number and its text."""

    number: int
    code: str
    known: bool = False  # whether a document or a live answer shows the text; the others follow its pattern


ORDER_STATES: dict[int, OrderState] = {
    row.number: row
    for row in (
        OrderState(1, "order_state_new", True),
        OrderState(5, "order_state_verify", True),
        OrderState(6, "order_state_verified", True),
        OrderState(7, "order_state_verify_error"),
        OrderState(10, "order_state_download"),
        OrderState(11, "order_state_download_error", True),
        OrderState(15, "order_state_downloaded"),
        OrderState(30, "order_state_render"),
        OrderState(31, "order_state_render_error"),
        OrderState(32, "order_state_rendered"),
        OrderState(33, "order_state_distribute"),
        OrderState(34, "order_state_distributed"),
        OrderState(35, "order_state_distribute_error"),
        OrderState(37, "order_state_create"),
        OrderState(38, "order_state_created"),
        OrderState(39, "order_state_create_error"),
        OrderState(40, "order_state_upload"),
        OrderState(41, "order_state_upload_error"),
        OrderState(45, "order_state_uploaded", True),
        OrderState(100, "order_state_complete"),
        OrderState(500, "order_state_canceled"),
        OrderState(501, "order_state_sandbox_complete"),
    )
}
NEW, VERIFIED, DOWNLOADED, DOWNLOAD_ERROR, UPLOAD, UPLOADED = 1, 6, 15, 11, 40, 45
COMPLETE, CANCELED, SANDBOX_COMPLETE = 100, 500, 501
ENDED = (COMPLETE, CANCELED, SANDBOX_COMPLETE)

# State, and the seconds after the one before. How long the real service takes is not documented.
PATH: tuple[tuple[int, int], ...] = tuple(
    (number, 5) for number in (5, VERIFIED, 10, DOWNLOADED, 30, 32, 33, 34, 37, 38, UPLOAD, UPLOADED)
)
# What the simulated production says of every item, and the seconds after the one before.
PRODUCTION: tuple[tuple[str, int], ...] = (
    ("ItemRegistered", 120),
    ("ItemProduce", 120),
    ("ItemProduced", 120),
    ("ItemPacked", 120),
    ("ItemShipped", 120),
)

# Of the states of items only 25 was ever seen; the others are guesses after the states of orders.
ITEM_NEW = OrderState(1, "item_state_new")
ITEM_VERIFIED = OrderState(25, "item_state_verified", True)
ITEM_SHIPPED = OrderState(100, "item_state_shipped")
ITEM_CANCELED = OrderState(500, "item_state_canceled")


def is_cancelable(state: int) -> bool:
    """Whether an order in that state may still be canceled: before its files go to the production."""
    return state < UPLOAD
