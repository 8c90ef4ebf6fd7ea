"""The fields of a call's body with their examples: plain ones from the endpoint's row, documents from theirs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cpctl.api.endpoints import Endpoint
from cpctl.api.extra_fields import EXTRA_FIELDS
from cpctl.cli.help.field_help import FieldHelp

# A line of a skeleton that is left out and holds an example: `    # company: Example Ltd   # a comment`.
_COMMENTED_FIELD = re.compile(r"^ *# (?:- )?([a-z_0-9]+): +([^\s#…{].*?) *(?: {2,}#.*)?$", re.MULTILINE)


def iter_call_fields(endpoint: Endpoint) -> Iterator[FieldHelp]:
    """The fields of a call, but for the key."""
    if _document_section(endpoint) is not None:
        yield from _iter_document_fields(endpoint)
        return
    for name in endpoint.required:
        row = EXTRA_FIELDS[endpoint.resource, name]
        longest = f", at most {row.max_length} characters" if row.max_length else ""
        yield FieldHelp(name, "text", True, f"{row.meaning}{longest}", row.example)


def build_example_body(endpoint: Endpoint) -> Mapping[str, Any]:
    """An example of a call's body, without the key."""
    if _document_section(endpoint) is not None:
        return _example_document(endpoint)
    return {name: EXTRA_FIELDS[endpoint.resource, name].example for name in endpoint.required}


def _document_section(endpoint: Endpoint) -> Any:
    """The document that a call takes; None for a call of plain fields."""
    if endpoint.name not in ("orders/add", "publish/orders/add", "orders/quote", "prices/lookup"):
        return None
    from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE

    return {"orders/add": ORDER, "publish/orders/add": PUBLISH_ORDER}.get(endpoint.name, QUOTE)


def _find_skeleton(endpoint: Endpoint) -> str:
    from cpctl.order_documents.skeletons import CORE_SKELETON, PUBLISH_SKELETON

    return {"orders/add": CORE_SKELETON, "publish/orders/add": PUBLISH_SKELETON}.get(endpoint.name, "")


def describe_rules(endpoint: Endpoint) -> Iterator[str]:
    """What the fields of a document ask of each other."""
    from cpctl.order_documents.rules import RULE_DESCRIPTIONS

    def of(level: Any) -> Iterator[str]:
        if level.rules:
            needs = "; ".join(RULE_DESCRIPTIONS[rule] for rule in level.rules)
            yield f"{level.label[0].upper()}{level.label[1:]} needs: {needs}."
        for row in level.fields.values():
            if row.section is not None:
                yield from of(row.section)

    level = _document_section(endpoint)
    return iter(dict.fromkeys(of(level))) if level is not None else iter(())


def _example_document(endpoint: Endpoint) -> Mapping[str, Any]:
    if skeleton := _find_skeleton(endpoint):
        from cpctl.order_documents.reader import read_document

        return read_document("the skeleton", skeleton.encode())
    from cpctl.order_documents.quote_requests import EXAMPLE_SPEC, quote_from_specs

    return quote_from_specs([EXAMPLE_SPEC], "NL", None, None)


def _iter_document_fields(endpoint: Endpoint) -> Iterator[FieldHelp]:
    """Every field of a document, level by level; an example from the document, or from what is left out in it."""
    from cpctl.order_documents.value_checks import OneOf, describe_check

    shown = dict(_iter_values("", _example_document(endpoint)))
    aside = dict(reversed(_COMMENTED_FIELD.findall(_find_skeleton(endpoint))))
    for path, row in _iter_section_fields(_document_section(endpoint), ""):
        known = row.check.known if isinstance(row.check, OneOf) else ()
        said = bool(known) and all(word in row.meaning for word in known)
        form = (
            "list"
            if row.section
            else "list or object"
            if row.check is None
            else "text"
            if said
            else describe_check(row.check)
        )
        other = known[0] if known else aside.get(row.name, "").strip('"') or None
        yield FieldHelp(path, form, row.required, row.meaning, None if row.section else shown.get(path, other))


def _iter_section_fields(level: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for row in level.fields.values():
        if row.name == "path":  # for cpctl alone: it never travels
            continue
        yield f"{prefix}{row.name}", row
        if row.section is not None:
            yield from _iter_section_fields(row.section, f"{prefix}{row.name}[].")


def _iter_values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every single value with its path; of a list the first element counts."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _iter_values(f"{path}.{name}" if path else name, child)
    elif isinstance(value, list):
        for child in reversed(value):
            yield from _iter_values(f"{path}[]", child)
    else:
        yield path, value
