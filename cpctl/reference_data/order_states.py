"""The states of an order."""

from typing import NamedTuple


class OrderState(NamedTuple):
    """One state. `kind` is "running", "error" or "ended"; `documented` says whether its code was ever shown."""

    number: int
    code: str
    meaning: str
    kind: str = "running"
    documented: bool = False


# Source: "State definitions v1.0" for numbers and meanings. Documented codes come from the examples of CloudCore
# and CloudPublish and from live answers; the others follow their pattern.
ORDER_STATES: dict[int, OrderState] = {
    row.number: row
    for row in (
        OrderState(1, "order_state_new", "new, not processed", documented=True),
        OrderState(5, "order_state_verify", "being verified", documented=True),
        OrderState(6, "order_state_verified", "verified", documented=True),
        OrderState(7, "order_state_verify_error", "verification failed", "error"),
        OrderState(10, "order_state_download", "files are being downloaded"),
        OrderState(11, "order_state_download_error", "files could not be downloaded", "error", documented=True),
        OrderState(15, "order_state_downloaded", "files are downloaded"),
        OrderState(30, "order_state_render", "being rendered"),
        OrderState(31, "order_state_render_error", "rendering failed", "error"),
        OrderState(32, "order_state_rendered", "rendered"),
        OrderState(33, "order_state_distribute", "files are being distributed"),
        OrderState(34, "order_state_distributed", "files are distributed"),
        OrderState(35, "order_state_distribute_error", "files could not be distributed", "error"),
        OrderState(37, "order_state_create", "files are being created"),
        OrderState(38, "order_state_created", "files are created"),
        OrderState(39, "order_state_create_error", "files could not be created", "error"),
        OrderState(40, "order_state_upload", "files are being uploaded"),
        OrderState(41, "order_state_upload_error", "files could not be uploaded", "error"),
        OrderState(45, "order_state_uploaded", "files are uploaded; in production", documented=True),
        OrderState(100, "order_state_complete", "complete: all items shipped or delivered", "ended"),
        OrderState(500, "order_state_canceled", "canceled", "ended"),
        OrderState(501, "order_state_sandbox_complete", "complete, in the sandbox mode of a key", "ended"),
    )
}
COMPLETE_STATES = (100, 501)
CANCELED_STATE = 500


def order_state_number(value: object) -> int | None:
    """The number of a state given as a number, its text, or a code; None for an unknown code."""
    text = str(value)
    if text.isdigit():
        return int(text)
    return next((row.number for row in ORDER_STATES.values() if row.code == text), None)


def has_reached(wanted: int, actual: int) -> bool:
    """Whether an order in the state `actual` is in the state `wanted` or has passed it.

    Complete in the sandbox mode of a key counts as complete. Error states and canceled are
    reached only by being in them.
    """
    target, current = ORDER_STATES.get(wanted), ORDER_STATES.get(actual)
    if wanted == actual:
        return True
    if target is None or current is None or target.kind == "error" or wanted == CANCELED_STATE:
        return False
    if current.kind == "error" or actual == CANCELED_STATE:
        return False
    return actual in COMPLETE_STATES if wanted in COMPLETE_STATES else wanted < actual
