"""What is wrong with a document, and how a value of it is shown to a person."""

import json
from typing import Any, NamedTuple

_MAX_QUOTED_LENGTH = 40


class Problem(NamedTuple):
    """One thing that is wrong, with where it stands: `items[0].files[1].md5sum`.

    An error would be refused, or printed wrong; a warning may be right after all.
    """

    path: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        """The problem as one line."""
        return f"{self.path}: {self.message}" if self.path else self.message


def make_error(message: str) -> Problem:
    """An error of a value, whose place the caller knows."""
    return Problem("", message)


def make_warning(message: str) -> Problem:
    """A warning of a value, whose place the caller knows."""
    return Problem("", message, is_warning=True)


def join_path(path: str, name: str) -> str:
    """The path of a field within an object; the document itself has none."""
    return f"{path}.{name}" if path else name


def quote_value(value: object) -> str:
    """A value as a message quotes it: on one line, cut where it is long."""
    text = json.dumps(value if isinstance(value, str) else str(value), ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED_LENGTH else f'{text[: _MAX_QUOTED_LENGTH - 4]}…"'


def describe_type(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "a number"


def has_value(document: dict[str, Any], name: str) -> bool:
    """Whether a field says anything; nothing, blanks and an empty list do not."""
    value = document.get(name)
    return value is not None and value != [] and not (isinstance(value, str) and not value.strip())


def get_text(document: dict[str, Any], name: str) -> str:
    """A text or number of an object as text; empty for all else."""
    value = document.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
