"""Everything that is wrong with an order or a quote, before it is sent."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cpctl.errors import find_closest
from cpctl.order_documents.fields import DOCUMENTS, ORDER, PUBLISH_ORDER, QUOTE, DocumentField, DocumentSection
from cpctl.order_documents.problems import Problem, describe_type, has_value, join_path
from cpctl.order_documents.rules import missing_field

__all__ = ["Problem", "check_order", "check_publish_order", "check_quote"]

_UNKNOWN_FIELD = "is no field of {} that cpctl knows, and is sent as it is."
# Words that mean the same without looking alike.
_SYNONYMS = (
    ("count", "quantity", "qty", "copies"),
    ("zip", "zipcode", "postcode", "postal_code"),
    ("street1", "street", "address", "address1"),
    ("product", "sku"),
)


def check_order(document: object) -> list[Problem]:
    """Every problem of a CloudCore order, in the order of the document."""
    return _find_problems(ORDER, document)


def check_publish_order(document: object) -> list[Problem]:
    """Every problem of a CloudPublish order, in the order of the document."""
    return _find_problems(PUBLISH_ORDER, document)


def check_quote(document: object) -> list[Problem]:
    """Every problem of a request for a quote or a price, in the order of the document."""
    return _find_problems(QUOTE, document)


def _find_problems(level: DocumentSection, document: object) -> list[Problem]:
    problems = list(_check_object(level, document, ""))
    if not problems:
        return []
    places = {path: n for n, path in enumerate(_iter_paths(document, ""))}
    return sorted(problems, key=lambda problem: _position(problem.path, places))


def _position(path: str, places: dict[str, int]) -> int:
    """Where a path stands in the document; what is missing stands where its object begins."""
    while path not in places:
        path = path.rpartition(".")[0]
    return places[path]


def _iter_paths(value: object, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _iter_paths(child, join_path(path, name))
    elif isinstance(value, list):
        for n, child in enumerate(value):
            yield from _iter_paths(child, f"{path}[{n}]")


def _check_object(level: DocumentSection, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"must be {level.label}, an object with its fields, not {describe_type(value)}.")
        return
    empty = [field for field in level.fields.values() if field.required and not has_value(value, field.name)]
    for field in empty:
        yield missing_field(value, path, field.name, field.meaning)
    for name, child in value.items():
        known = level.fields.get(name)
        if known is None:
            yield _unknown_field(level, name)._replace(path=join_path(path, name))
        elif known not in empty:
            yield from _check_field(known, child, join_path(path, name))
    for rule in level.rules:
        yield from rule(value, path)


def _check_field(field: DocumentField, value: Any, path: str) -> Iterator[Problem]:
    if value is None:
        return
    if field.section is not None:
        yield from _check_list(field.section, value, path)
    elif field.check is None:
        if not isinstance(value, dict | list):
            yield Problem(path, f"must be a list or an object, not {describe_type(value)}.")
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield Problem(path, f"must be text or a number, not {describe_type(value)}.")
    elif str(value).strip():
        problem = field.check(str(value))
        if problem is not None:
            yield problem._replace(path=path)


def _check_list(level: DocumentSection, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        hint = "; put it into a list" if isinstance(value, dict) else ""
        yield Problem(path, f"must be a list, not {describe_type(value)}{hint}.")
        return
    for n, child in enumerate(value):
        yield from _check_object(level, child, f"{path}[{n}]")


def _unknown_field(level: DocumentSection, name: str) -> Problem:
    if name.lower().replace("_", "").replace("-", "") == "apikey":
        return Problem("", "the key comes from the profile, not from a document; take it out.")
    return Problem("", f"{_UNKNOWN_FIELD.format(level.label)}{_unknown_field_hint(level.label, name)}", is_warning=True)


@lru_cache(maxsize=1024)
def _unknown_field_hint(what: str, name: str) -> str:
    """What an unknown field may have been meant for; a slip may repeat in thousands of items."""
    top, level = next((top, level) for top in DOCUMENTS for level in _iter_sections(top) if level.label == what)
    same = [known for words in _SYNONYMS if name.lower() in words for known in words if known in level.fields]
    homes = {each.label for each in _iter_sections(top) if name in each.fields}
    if len(homes) == 1 and not same:
        return f" It belongs to {homes.pop()}."
    found = same[0] if same else find_closest(name, level.fields)
    return f' Did you mean "{found}"?' if found else ""


def _iter_sections(level: DocumentSection) -> Iterator[DocumentSection]:
    yield level
    for field in level.fields.values():
        if field.section is not None:
            yield from _iter_sections(field.section)
