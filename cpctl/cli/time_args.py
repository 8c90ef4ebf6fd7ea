"""Times and durations as people type them."""

import re
from datetime import UTC, datetime, timedelta

from cpctl.errors import InvalidInput

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_API_TIME = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?:GMT|UTC)")


def parse_time(text: str, option: str) -> datetime:
    """Parse a time in ISO 8601 or in CloudSignal's format; without an offset it is local time.

    Raises InvalidInput with the name of the option.
    """
    api_time = _API_TIME.fullmatch(text.strip())
    try:
        return datetime.fromisoformat(f"{api_time[1]}+00:00" if api_time else text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f'{option} "{text}" is not a time.', "Write it as 2026-01-20T13:00 (local) or 2026-01-20T13:00:00Z."
        ) from error


def parse_duration(text: str, option: str) -> timedelta:
    """Parse a duration such as 90s, 15m, 2h or 7d; the default unit is seconds. Raises InvalidInput."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd]?)", text.strip().lower())
    if match is None:
        raise InvalidInput(f'{option} "{text}" is not a span of time.', "Write it as 90s, 15m, 2h or 7d.")
    return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2] or "s"])


def parse_since(text: str, option: str, now: datetime) -> datetime:
    """Parse a time, or a duration before now: 2026-01-20, 2026-01-20T13:00, 2h, 7d. Raises InvalidInput."""
    if re.fullmatch(r"[0-9]+[smhd]", text.strip().lower()):
        return now - parse_duration(text, option)
    return parse_time(text, option)


def format_age(span: timedelta) -> str:
    """Format a duration for people: `40 s`, `12 min`, `5 h`, `3 days`."""
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"
