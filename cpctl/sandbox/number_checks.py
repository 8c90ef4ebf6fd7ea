"""Checks of numbers that a tester sets."""

from cpctl.errors import InvalidInput
from cpctl.signals.signal import quote_value


def check_integer(name: str, value: object, low: int, high: int) -> int:
    """A whole number within the limits. Raises InvalidInput."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"Invalid {name}: {quote_value(str(value))}.", f"Use a whole number from {low} to {high}.")
    return value


def check_seconds(name: str, value: object, high: float) -> float:
    """A time to wait, from 0, in seconds. Raises InvalidInput."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= high:
        raise InvalidInput(f"Invalid {name}: {quote_value(str(value))}.", f"Use a number from 0 to {high:.0f}.")
    return float(value)
