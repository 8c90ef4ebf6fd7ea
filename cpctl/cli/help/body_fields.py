"""The fields of a call's body with their examples: plain ones from the endpoint's row, documents from theirs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cpctl.api.endpoints import Endpoint
from cpctl.api.extra_fields import FIELDS
from cpctl.cli.help.field_help import Field

# A line of a skeleton that is left out and holds an example: `    # company: Example Ltd   # a comment`.
_COMMENTED = re.compile(r"^ *# (?:- )?([a-z_0-9]+): +([^\s#…{].*?) *(?: {2,}#.*)?$", re.MULTILINE)


def fields_of(endpoint: Endpoint) -> Iterator[Field]:
    """The fields of a call, but for the key."""
    if _level_of(endpoint) is not None:
        yield from _document_fields(endpoint)
        return
    for name in endpoint.required:
        row = FIELDS[endpoint.thing, name]
        longest = f", at most {row.longest} characters" if row.longest else ""
        yield Field(name, "text", True, f"{row.meaning}{longest}", row.example)


def body_of(endpoint: Endpoint) -> Mapping[str, Any]:
    """An example of a call's body, without the key."""
    if _level_of(endpoint) is not None:
        return _document(endpoint)
    return {name: FIELDS[endpoint.thing, name].example for name in endpoint.required}


def _level_of(endpoint: Endpoint) -> Any:
    """The document that a call takes; None for a call of plain fields."""
    if endpoint.name not in ("orders/add", "publish/orders/add", "orders/quote", "prices/lookup"):
        return None
    from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE

    return {"orders/add": ORDER, "publish/orders/add": PUBLISH_ORDER}.get(endpoint.name, QUOTE)


def _skeleton(endpoint: Endpoint) -> str:
    from cpctl.order_documents.skeletons import core_skeleton, publish_skeleton

    return {"orders/add": core_skeleton, "publish/orders/add": publish_skeleton}.get(endpoint.name, str)()


def asked_of(endpoint: Endpoint) -> Iterator[str]:
    """What the fields of a document ask of each other."""
    from cpctl.order_documents.rules import asked

    def of(level: Any) -> Iterator[str]:
        if level.rules:
            yield f"{level.what[0].upper()}{level.what[1:]} needs: {'; '.join(map(asked, level.rules))}."
        for row in level.fields.values():
            if row.each is not None:
                yield from of(row.each)

    level = _level_of(endpoint)
    return iter(dict.fromkeys(of(level))) if level is not None else iter(())


def _document(endpoint: Endpoint) -> Mapping[str, Any]:
    if skeleton := _skeleton(endpoint):
        from cpctl.order_documents.reader import read_document

        return read_document("the skeleton", skeleton.encode())
    from cpctl.order_documents.quote_requests import EXAMPLE, quote_from_specs

    return quote_from_specs([EXAMPLE], "NL", None, None)


def _document_fields(endpoint: Endpoint) -> Iterator[Field]:
    """Every field of a document, level by level; an example from the document, or from what is left out in it."""
    from cpctl.order_documents.value_checks import OneOf, form_of

    shown = dict(_values("", _document(endpoint)))
    aside = dict(reversed(_COMMENTED.findall(_skeleton(endpoint))))
    for path, row in _rows_of(_level_of(endpoint), ""):
        known = row.check.known if isinstance(row.check, OneOf) else ()
        said = bool(known) and all(word in row.meaning for word in known)
        form = "list" if row.each else "list or object" if row.check is None else "text" if said else form_of(row.check)
        other = known[0] if known else aside.get(row.name, "").strip('"') or None
        yield Field(path, form, row.required, row.meaning, None if row.each else shown.get(path, other))


def _rows_of(level: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for row in level.fields.values():
        if row.name == "path":  # for cpctl alone: it never travels
            continue
        yield f"{prefix}{row.name}", row
        if row.each is not None:
            yield from _rows_of(row.each, f"{prefix}{row.name}[].")


def _values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every single value with its path; of a list the first element counts."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _values(f"{path}.{name}" if path else name, child)
    elif isinstance(value, list):
        for child in reversed(value):
            yield from _values(f"{path}[]", child)
    else:
        yield path, value
