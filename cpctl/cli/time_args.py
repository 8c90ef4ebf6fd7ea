"""Times and spans as people type them."""

import re
from datetime import UTC, datetime, timedelta

from cpctl.errors import InvalidInput

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_API_TIME = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?:GMT|UTC)")


def parse_time(text: str, option: str) -> datetime:
    """A moment in ISO 8601, or as CloudSignal writes it; without an offset it is local time.

    Raises InvalidInput naming the option.
    """
    wire = _API_TIME.fullmatch(text.strip())
    try:
        at = datetime.fromisoformat(f"{wire[1]}+00:00" if wire else text.strip())
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f'{option} "{text}" is not a time.', "Write it as 2026-01-20T13:00 (local) or 2026-01-20T13:00:00Z."
        ) from error


def parse_duration(text: str, option: str) -> timedelta:
    """A span such as 90s, 15m, 2h or 7d; without a unit in seconds. Raises InvalidInput naming the option."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd]?)", text.strip().lower())
    if match is None:
        raise InvalidInput(f'{option} "{text}" is not a span of time.', "Write it as 90s, 15m, 2h or 7d.")
    return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2] or "s"])


def parse_since(text: str, option: str, now: datetime) -> datetime:
    """A moment, or a span back from now: 2026-01-20, 2026-01-20T13:00, 2h, 7d. Raises InvalidInput."""
    if re.fullmatch(r"[0-9]+[smhd]", text.strip().lower()):
        return now - parse_duration(text, option)
    return parse_time(text, option)


def format_age(span: timedelta) -> str:
    """A span as people say it: `40 s`, `12 min`, `5 h`, `3 days`."""
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"
