"""How a request is read: fields that must be there, numbers that may be strings, lists of objects.

The service names the first field that is missing and stops there.
"""

import re
from collections.abc import Mapping

from cpctl.sandbox.simulated_api.sandbox_response import SandboxRefusal
from cpctl.signals.signal import quote_value

Body = Mapping[str, object]
_MAX_NUMBER = 1_000_000_000


def missing_parameter(name: str) -> SandboxRefusal:
    """A refusal that names the missing field, as the service does."""
    return SandboxRefusal("missing_required_parameter", name)


def invalid_parameter(name: str, reason: str) -> SandboxRefusal:
    """A refusal of a value."""
    return SandboxRefusal("invalid_parameter", f"{name} {reason}")


def read_text(body: Body, name: str) -> str:
    """A value as text, empty where there is none: the documents say string, and a number does as well."""
    value = body.get(name)
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_parameter(name, "is neither a string nor a number")
    return str(value)


def read_required(body: Body, name: str) -> str:
    """A value as text; refused where there is none."""
    value = read_text(body, name)
    if not value:
        raise missing_parameter(name)
    return value


def read_positive_int(body: Body, name: str) -> int:
    """A number from 1, as a number or a string."""
    value = read_required(body, name)
    if not re.fullmatch("[0-9]{1,10}", value) or not 1 <= int(value) <= _MAX_NUMBER:
        raise invalid_parameter(name, f"{shorten_value(value)} is not a number from 1")
    return int(value)


def read_objects(body: Body, name: str) -> list[Body]:
    """A list of objects; empty where there is none."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_parameter(name, "is not an array")
    for index, row in enumerate(value):
        if not isinstance(row, Mapping):
            raise invalid_parameter(f"{name}[{index}]", "is not an object")
    return value


def read_required_objects(body: Body, name: str) -> list[Body]:
    """A list of objects; refused where it is missing or empty."""
    found = read_objects(body, name)
    if not found:
        raise missing_parameter(name)
    return found


def shorten_value(value: str) -> str:
    """A value of the request, short enough to be shown."""
    return quote_value(value)[1:-1]
