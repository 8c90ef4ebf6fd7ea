"""The clock, and times as milliseconds (stored) and ISO 8601 text (shown)."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """The current time in milliseconds since 1970, UTC."""
    return to_ms(utc_now())


def from_ms(ms: int) -> datetime:
    """The time this many milliseconds after 1970, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_ms(time: datetime) -> int:
    """A time in milliseconds since 1970, UTC."""
    return int(time.timestamp() * 1000)


def format_iso(ms: int | None) -> str | None:
    """A time in milliseconds as ISO 8601, `2026-01-20T13:00:00Z`; None for no time."""
    return f"{from_ms(ms):%Y-%m-%dT%H:%M:%SZ}" if ms else None
