"""What came back of one send, in the outbox's own words; whoever sends translates into it."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from cpctl.signals.signal import Signal


class Disposition(Enum):
    """What an answer means for the signals it is about."""

    DELIVERED = "delivered"
    RETRY = "later"  # try again by the schedule
    HOLD = "hold"  # pause the profile's queue: key or address is wrong, the signals may be right
    REFUSED = "refused"


class DeliveryResult(NamedTuple):
    """The answer to one post of one signal or one bundle.

    `whole_service` says that every other signal would fare alike just now; `may_have_landed`
    that the service may have taken the signals although no answer says so; `retry_after` is
    in seconds.
    """

    disposition: Disposition
    http_status: int | None = None
    message: str = ""
    retry_after: float | None = None
    affects_service: bool = False
    maybe_processed: bool = False


# Posts signals of one version and one order: one as it is, several as a bundle.
Send = Callable[[Sequence[Signal]], DeliveryResult]
