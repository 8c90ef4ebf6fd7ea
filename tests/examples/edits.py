"""Changes to example documents by path, such as `items[0].count` or `items.0.count`."""

import copy
import re
from collections.abc import Iterator
from typing import Any

REMOVED = object()


def path_steps(path: str) -> list[str | int]:
    """The keys and indexes of a path."""
    return [int(part) if re.fullmatch(r"\d+", part) else part for part in re.findall(r"[^.\[\]]+", path)]


def value_at(document: Any, path: str) -> Any:
    for step in path_steps(path):
        document = document[step]
    return document


def replace_value(document: dict[str, Any], path: str, value: object = REMOVED) -> dict[str, Any]:
    """A copy of the document with another value at that path, or without it."""
    changed = copy.deepcopy(document)
    *above, last = path_steps(path)
    parent: Any = changed
    for step in above:
        parent = parent[step]
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    return changed


def value_paths(document: Any, prefix: str = "") -> Iterator[str]:
    """The path of every value in a document, at any depth."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, value in pairs:
        yield f"{prefix}{step}"
        yield from value_paths(value, f"{prefix}{step}.")
