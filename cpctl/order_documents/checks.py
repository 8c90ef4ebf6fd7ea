"""Finds every problem in an order or a quote before it is sent."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cpctl.errors import find_closest, suggest
from cpctl.order_documents.fields import DOCUMENTS, DocumentField, DocumentSection
from cpctl.order_documents.rules import missing_field
from cpctl.order_documents.value_checks import Problem, has_value, join_path, quote_value

# Names that mean the same without being similar.
_SYNONYMS = (
    ("count", "quantity", "qty", "copies"),
    ("zip", "zipcode", "postcode", "postal_code"),
    ("street1", "street", "address", "address1"),
    ("product", "sku"),
)


def find_problems(section: DocumentSection, document: object) -> list[Problem]:
    """Every problem of a document (ORDER, PUBLISH_ORDER or QUOTE), in the order of the document."""
    problems = list(_check_object(section, document, ""))
    positions = {path: n for n, path in enumerate(_iter_paths(document, ""))} if problems else {}

    def find_position(problem: Problem) -> int:
        path = problem.path
        while path not in positions:  # a missing field has the position of its object
            path = path.rpartition(".")[0]
        return positions[path]

    return sorted(problems, key=find_position)


def _iter_paths(value: object, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _iter_paths(child, join_path(path, name))
    elif isinstance(value, list):
        for n, child in enumerate(value):
            yield from _iter_paths(child, f"{path}[{n}]")


def _check_object(section: DocumentSection, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(f"must be {section.label} (an object with fields), not {_describe_value(value)}.", path)
        return
    empty = [field for field in section.fields.values() if field.required and not has_value(value, field.name)]
    for field in empty:
        yield missing_field(value, path, field.name, field.meaning)
    for name, child in value.items():
        known = section.fields.get(name)
        if known is None:
            yield _check_unknown_field(section, name, join_path(path, name))
        elif known not in empty:
            yield from _check_field(known, child, join_path(path, name))
    for rule in section.rules:
        yield from rule(value, path)


def _check_field(field: DocumentField, value: Any, path: str) -> Iterator[Problem]:
    if value is None:
        return
    if field.section is not None:
        yield from _check_list(field.section, value, path)
    elif field.check is None:
        if not isinstance(value, dict | list):
            yield Problem(f"must be a list or an object, not {_describe_value(value)}.", path)
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield Problem(f"must be text or a number, not {_describe_value(value)}.", path)
    elif str(value).strip() and (problem := field.check(str(value))):
        yield problem._replace(path=path)


def _describe_value(value: object) -> str:
    """A value of the wrong type: `null`, `an object`, `the text "one"`, `the number 3`."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"the text {quote_value(value)}" if isinstance(value, str) else f"the number {value}"


def _check_list(section: DocumentSection, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        hint = "; put it into a list" if isinstance(value, dict) else ""
        yield Problem(f"must be a list, not {_describe_value(value)}{hint}.", path)
        return
    for n, child in enumerate(value):
        yield from _check_object(section, child, f"{path}[{n}]")


def _check_unknown_field(section: DocumentSection, name: str, path: str) -> Problem:
    if name.lower().replace("_", "").replace("-", "") == "apikey":
        return Problem("the key comes from the profile, not from a document; remove it.", path)
    message = f"is not a known field of {section.label}; it is sent unchanged.{_suggest_field(section.label, name)}"
    return Problem(message, path, is_warning=True)


@lru_cache(maxsize=1024)
def _suggest_field(label: str, name: str) -> str:
    """A hint for an unknown field; cached, because a typo may repeat in thousands of items."""
    document, section = next((top, each) for top in DOCUMENTS for each in _iter_sections(top) if each.label == label)
    synonyms = [known for group in _SYNONYMS if name.lower() in group for known in group if known in section.fields]
    owners = {other.label for other in _iter_sections(document) if name in other.fields}
    if len(owners) == 1 and not synonyms:
        return f" It belongs to {owners.pop()}."
    found = synonyms[0] if synonyms else find_closest(name, section.fields)
    return f" {suggest(found, section.fields)}" if found else ""


def _iter_sections(section: DocumentSection) -> Iterator[DocumentSection]:
    yield section
    for field in section.fields.values():
        if field.section is not None:
            yield from _iter_sections(field.section)
