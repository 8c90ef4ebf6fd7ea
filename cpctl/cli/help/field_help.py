"""A field of a call, as it is explained."""

from typing import Any, NamedTuple


class FieldHelp(NamedTuple):
    """One field of a call: `items[].files[].url` is one within lists. `versions` are those of signals that have it."""

    name: str
    type: str
    required: bool
    meaning: str
    example: Any = None
    versions: tuple[str, ...] = ()
