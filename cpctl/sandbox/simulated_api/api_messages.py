"""Requests of the sandbox, with checked access to their fields, and responses and refusals.

The service names the first field that is missing or wrong and stops there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from cpctl.signals.signal import quote_value

_MAX_NUMBER = 1_000_000_000


@dataclass(frozen=True)
class SandboxResponse:
    """A status and a JSON body; None is an empty body."""

    status: int
    body: object = None


EMPTY_OK = SandboxResponse(HTTPStatus.OK)


class SandboxRefusal(Exception):
    """An endpoint refuses a request; nothing was changed."""

    def __init__(self, error_type: str, info: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(info)
        self.error_type, self.info, self.status = error_type, info, status


def error_response(status: int, error_type: str, info: str) -> SandboxResponse:
    """An error as CloudCore writes it: a code for programs, and details for people."""
    return SandboxResponse(status, {"error": {"type": error_type, "info": info}})


@dataclass(frozen=True)
class RequestBody:
    """A JSON object of a request; refusals of its fields begin with `path_prefix`, such as `items[1].`."""

    values: Mapping[str, object]
    path_prefix: str = ""

    def refusal(self, error_type: str, info: str) -> SandboxRefusal:
        return SandboxRefusal(error_type, f"{self.path_prefix}{info}")

    def missing(self, name: str) -> SandboxRefusal:
        return self.refusal("missing_required_parameter", name)

    def invalid(self, name: str, reason: str) -> SandboxRefusal:
        return self.refusal("invalid_parameter", f"{name} {reason}")

    def text(self, name: str) -> str:
        """A value as text, empty if there is none. The documents specify strings; numbers are accepted, too."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value.strip()
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.invalid(name, "is neither a string nor a number")
        return str(value)

    def required(self, name: str) -> str:
        """A value as text. Raises SandboxRefusal if there is none."""
        if value := self.text(name):
            return value
        raise self.missing(name)

    def positive_integer(self, name: str) -> int:
        """A number from 1, sent as a number or a string."""
        value = self.required(name)
        if not re.fullmatch("[0-9]{1,10}", value) or not 1 <= int(value) <= _MAX_NUMBER:
            raise self.invalid(name, f"{shorten(value)} is not a number from 1")
        return int(value)

    def objects(self, name: str) -> list["RequestBody"]:
        """A list of objects; empty if there is none."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.invalid(name, "is not an array")
        for index, row in enumerate(value):
            if not isinstance(row, Mapping):
                raise self.invalid(f"{name}[{index}]", "is not an object")
        return [RequestBody(row) for row in value]

    def required_objects(self, name: str) -> list["RequestBody"]:
        """A list of objects. Raises SandboxRefusal if it is missing or empty."""
        if found := self.objects(name):
            return found
        raise self.missing(name)


def shorten(value: str) -> str:
    """A value of the request, short and safe enough for an error."""
    return quote_value(value)[1:-1]
