"""The sandbox's clock: the real time plus what a tester advanced it by, and how the API writes times."""

from collections.abc import Callable
from datetime import datetime, timedelta

from cpctl.clock import utc_now
from cpctl.sandbox.number_checks import check_seconds

_MAX_ADVANCE_SECONDS = 366 * 86400.0


class VirtualClock:
    """A clock that can be advanced but never set back."""

    def __init__(self, real_now: Callable[[], datetime] = utc_now) -> None:
        self._real_now = real_now
        self._offset = timedelta()

    def now(self) -> datetime:
        """The sandbox's time, in UTC."""
        return self._real_now() + self._offset

    def advance(self, seconds: object) -> None:
        """Raises InvalidInput if that is not a time to wait."""
        self._offset += timedelta(seconds=check_seconds("advance_seconds", seconds, _MAX_ADVANCE_SECONDS))

    def reset(self) -> None:
        self._offset = timedelta()


def format_order_time(time: datetime) -> str:
    """A time in an order of CloudCore: `2015-08-05 10:00:00`."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def format_iso_time(time: datetime) -> str:
    """A time in CloudPublish, webhooks and documented quotes: `2018-10-10T06:58:10+00:00`."""
    return time.isoformat(timespec="seconds")


def format_live_expiry(time: datetime) -> str:
    """The expiry of a live quote: `2026-09-12T07:58:51.496394Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_signal_time(time: datetime) -> str:
    """A time in a production signal: `2016-01-20 13:00:00 GMT`."""
    return time.strftime("%Y-%m-%d %H:%M:%S GMT")
