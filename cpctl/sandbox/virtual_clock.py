"""The sandbox's own time: the real clock, which a tester may put forward but never back."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from cpctl.clock import utc_now
from cpctl.errors import InvalidInput
from cpctl.signals.signal import quote_value

_MAX_ADVANCE_SECONDS = 366 * 86400.0  # seconds


class VirtualClock:
    """The real time and what it was put forward by."""

    def __init__(self, real_now: Callable[[], datetime] = utc_now) -> None:
        self._real_now = real_now
        self._offset = timedelta()

    def now(self) -> datetime:
        """The sandbox's time, in UTC."""
        return self._real_now() + self._offset

    def advance(self, seconds: object) -> None:
        """Put the clock forward; raises InvalidInput where that is no time to wait."""
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not math.isfinite(seconds) or not 0 <= seconds <= _MAX_ADVANCE_SECONDS:  # type: ignore[arg-type, operator]
            raise InvalidInput(
                f"advance_seconds {quote_value(str(seconds))} is not a time to put the clock forward by.",
                f"Valid: 0 to {_MAX_ADVANCE_SECONDS:.0f}, such as 3600.",
            )
        self._offset += timedelta(seconds=float(seconds))  # type: ignore[arg-type]

    def reset(self) -> None:
        """Back to the real time."""
        self._offset = timedelta()


def format_order_time(time: datetime) -> str:
    """As CloudCore writes the times of orders: `2015-08-05 10:00:00`."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def format_iso_time(time: datetime) -> str:
    """As CloudPublish, the webhooks and the quotes of the document write it: `2018-10-10T06:58:10+00:00`."""
    return time.isoformat(timespec="seconds")


def format_live_expiry(time: datetime) -> str:
    """As the live service writes the end of a quote: `2026-09-12T07:58:51.496394Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_signal_time(time: datetime) -> str:
    """As a production signal writes it: `2016-01-20 13:00:00 GMT`."""
    return time.strftime("%Y-%m-%d %H:%M:%S GMT")
