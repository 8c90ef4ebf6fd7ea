"""How a request is read: fields that must be there, numbers that may be strings, lists of objects.

The service names the first field that is missing and stops there.
"""

import re
from collections.abc import Mapping

from cpctl.sandbox.simulated_api.sandbox_response import Refused
from cpctl.signals.signal import shorten

Body = Mapping[str, object]
_MOST = 1_000_000_000


def missing(name: str) -> Refused:
    """A refusal that names the missing field, as the service does."""
    return Refused("missing_required_parameter", name)


def wrong(name: str, why: str) -> Refused:
    """A refusal of a value."""
    return Refused("invalid_parameter", f"{name} {why}")


def text(body: Body, name: str) -> str:
    """A value as text, empty where there is none: the documents say string, and a number does as well."""
    value = body.get(name)
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, "is neither a string nor a number")
    return str(value)


def required(body: Body, name: str) -> str:
    """A value as text; refused where there is none."""
    value = text(body, name)
    if not value:
        raise missing(name)
    return value


def whole(body: Body, name: str) -> int:
    """A number from 1, as a number or a string."""
    value = required(body, name)
    if not re.fullmatch("[0-9]{1,10}", value) or not 1 <= int(value) <= _MOST:
        raise wrong(name, f"{shown(value)} is not a number from 1")
    return int(value)


def objects(body: Body, name: str) -> list[Body]:
    """A list of objects; empty where there is none."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(name, "is not an array")
    for index, row in enumerate(value):
        if not isinstance(row, Mapping):
            raise wrong(f"{name}[{index}]", "is not an object")
    return value


def required_objects(body: Body, name: str) -> list[Body]:
    """A list of objects; refused where it is missing or empty."""
    found = objects(body, name)
    if not found:
        raise missing(name)
    return found


def shown(value: str) -> str:
    """A value of the request, short enough to be shown."""
    return shorten(value)[1:-1]
