"""Everything that is wrong with an order or a quote, before it is sent."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cpctl.errors import closest
from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE, TOPS, Field, Level
from cpctl.order_documents.problems import Problem, filled, join, kind_of
from cpctl.order_documents.rules import missing

__all__ = ["Problem", "check_order", "check_publish_order", "check_quote"]

_UNKNOWN = "is no field of {} that cpctl knows, and is sent as it is."
# Words that mean the same without looking alike.
_SAME = (
    ("count", "quantity", "qty", "copies"),
    ("zip", "zipcode", "postcode", "postal_code"),
    ("street1", "street", "address", "address1"),
    ("product", "sku"),
)


def check_order(document: object) -> list[Problem]:
    """Every problem of a CloudCore order, in the order of the document."""
    return _checked(ORDER, document)


def check_publish_order(document: object) -> list[Problem]:
    """Every problem of a CloudPublish order, in the order of the document."""
    return _checked(PUBLISH_ORDER, document)


def check_quote(document: object) -> list[Problem]:
    """Every problem of a request for a quote or a price, in the order of the document."""
    return _checked(QUOTE, document)


def _checked(level: Level, document: object) -> list[Problem]:
    problems = list(_object(level, document, ""))
    if not problems:
        return []
    places = {path: n for n, path in enumerate(_paths(document, ""))}
    return sorted(problems, key=lambda problem: _place(problem.path, places))


def _place(path: str, places: dict[str, int]) -> int:
    """Where a path stands in the document; what is missing stands where its object begins."""
    while path not in places:
        path = path.rpartition(".")[0]
    return places[path]


def _paths(value: object, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _paths(child, join(path, name))
    elif isinstance(value, list):
        for n, child in enumerate(value):
            yield from _paths(child, f"{path}[{n}]")


def _object(level: Level, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"must be {level.what}, an object with its fields, not {kind_of(value)}.")
        return
    empty = [field for field in level.fields.values() if field.required and not filled(value, field.name)]
    for field in empty:
        yield missing(value, path, field.name, field.meaning)
    for name, child in value.items():
        known = level.fields.get(name)
        if known is None:
            yield _unknown(level, name)._replace(path=join(path, name))
        elif known not in empty:
            yield from _field(known, child, join(path, name))
    for rule in level.rules:
        yield from rule(value, path)


def _field(field: Field, value: Any, path: str) -> Iterator[Problem]:
    if value is None:
        return
    if field.each is not None:
        yield from _list(field.each, value, path)
    elif field.check is None:
        if not isinstance(value, dict | list):
            yield Problem(path, f"must be a list or an object, not {kind_of(value)}.")
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield Problem(path, f"must be text or a number, not {kind_of(value)}.")
    elif str(value).strip():
        problem = field.check(str(value))
        if problem is not None:
            yield problem._replace(path=path)


def _list(level: Level, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        hint = "; put it into a list" if isinstance(value, dict) else ""
        yield Problem(path, f"must be a list, not {kind_of(value)}{hint}.")
        return
    for n, child in enumerate(value):
        yield from _object(level, child, f"{path}[{n}]")


def _unknown(level: Level, name: str) -> Problem:
    if name.lower().replace("_", "").replace("-", "") == "apikey":
        return Problem("", "the key comes from the profile, not from a document; take it out.")
    return Problem("", f"{_UNKNOWN.format(level.what)}{_hint(level.what, name)}", warning=True)


@lru_cache(maxsize=1024)
def _hint(what: str, name: str) -> str:
    """What an unknown field may have been meant for; a slip may repeat in thousands of items."""
    top, level = next((top, level) for top in TOPS for level in _below(top) if level.what == what)
    same = [known for words in _SAME if name.lower() in words for known in words if known in level.fields]
    homes = {each.what for each in _below(top) if name in each.fields}
    if len(homes) == 1 and not same:
        return f" It belongs to {homes.pop()}."
    found = same[0] if same else closest(name, level.fields)
    return f' Did you mean "{found}"?' if found else ""


def _below(level: Level) -> Iterator[Level]:
    yield level
    for field in level.fields.values():
        if field.each is not None:
            yield from _below(field.each)
