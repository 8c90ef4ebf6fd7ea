"""A problem in a document, and small helpers to read and show its values."""

import json
from typing import Any, NamedTuple

_MAX_QUOTED_LENGTH = 40  # characters


class Problem(NamedTuple):
    """One problem, with the path of the value: `items[0].files[1].md5sum`; the path is "" for the document itself.

    An error stops the order. A warning does not, because the value may still be right.
    """

    message: str
    path: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        """The problem on one line."""
        return f"{self.path}: {self.message}" if self.path else self.message


def join_path(path: str, name: str) -> str:
    """The path of a field of the object at `path`."""
    return f"{path}.{name}" if path else name


def quote_value(value: object) -> str:
    """A value in quotes, on one line, cut if it is long."""
    text = json.dumps(value if isinstance(value, str) else str(value), ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED_LENGTH else f'{text[: _MAX_QUOTED_LENGTH - 4]}…"'


def describe_value(value: object) -> str:
    """A value of the wrong type: `null`, `an object`, `the text "one"`, `the number 3`."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"the text {quote_value(value)}" if isinstance(value, str) else f"the number {value}"


def has_value(document: dict[str, Any], name: str) -> bool:
    """Whether a field has a value other than null, blank text and an empty list."""
    value = document.get(name)
    return value is not None and value != [] and not (isinstance(value, str) and not value.strip())


def get_text(document: dict[str, Any], name: str) -> str:
    """A text or number of an object as text; "" for anything else."""
    value = document.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
