"""The times of a shift, from the options of `cpctl signal report`."""

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from cpctl.clock import to_ms
from cpctl.errors import InvalidInput
from cpctl.outbox.statistics import HOUR_MS


class ShiftTimes(NamedTuple):
    """A shift from `start` until before `end`, both in local time."""

    day: date
    start: datetime
    end: datetime

    @property
    def hour_starts_ms(self) -> list[int]:
        """The start of each hour of the shift (ms); the first is a full hour of the clock."""
        past_hour = timedelta(minutes=self.start.minute, seconds=self.start.second)
        return list(range(to_ms(self.start - past_hour), to_ms(self.end), HOUR_MS))


def resolve_times(day_text: str, begin_text: str, end_text: str, today: date) -> ShiftTimes:
    """Return the times of a shift, from midnight to midnight unless given. Raises InvalidInput."""
    day = _parse_day(day_text, today)
    begin, end = _parse_clock_time(begin_text, "--from"), _parse_clock_time(end_text, "--to")
    try:
        last_day = day + timedelta(days=1) if end <= begin else day
        # A day begins and ends by the local clock: when that changes, the day has 23 or 25 hours.
        return ShiftTimes(day, datetime.combine(day, begin).astimezone(), datetime.combine(last_day, end).astimezone())
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f'--date "{day_text}" is outside the range of this machine\'s clock.') from error


def _parse_day(text: str, today: date) -> date:
    named = {"today": today, "yesterday": today - timedelta(days=1)}.get(text.strip().lower())
    if named:
        return named
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise InvalidInput(f'--date "{text}" is not a day.', "Write it as today, yesterday or 2026-01-20.")


def _parse_clock_time(text: str, option: str) -> time:
    """Parse a time of day; midnight if none is given."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text.strip() or "0:00")
    if match and (option, match[0]) == ("--to", "24:00"):
        return time()
    try:
        if match:
            return time(int(match[1]), int(match[2]))
    except ValueError:
        pass
    raise InvalidInput(f'{option} "{text}" is not a time of day.', "Write it as 22:00.")
