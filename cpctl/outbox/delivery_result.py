"""The result of one post, in terms of the outbox. Senders translate responses into it."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from cpctl.signals.signal import Signal


class Disposition(Enum):
    """What a result means for the signals that were posted."""

    DELIVERED = "delivered"
    RETRY = "later"  # post it again, by the schedule
    HOLD = "hold"  # pause the queue: the key or the address is wrong, the signals may be right
    REFUSED = "refused"


class DeliveryResult(NamedTuple):
    """The result of one post of one signal or one bundle.

    `affects_service`: every other signal would get the same result now. `maybe_processed`: the service may have
    processed the signals although no response says so. `retry_after` is in seconds.
    """

    disposition: Disposition
    http_status: int | None = None
    message: str = ""
    retry_after: float | None = None
    affects_service: bool = False
    maybe_processed: bool = False


# Posts signals of one version and one order: one as it is, several as a bundle.
Send = Callable[[Sequence[Signal]], DeliveryResult]
