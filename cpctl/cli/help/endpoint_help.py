"""Explanations of CloudCore and CloudPublish calls: from the endpoint's row, and from the document that it takes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cpctl.api.endpoints import EXTRA_FIELDS, Effect, Endpoint
from cpctl.api.failures import classify_call_status
from cpctl.cli.help.call_help import CallHelp, FieldHelp, ResponseHelp
from cpctl.errors import ExitCode
from cpctl.masking import MASK

# A commented line of a skeleton with an example: `    # company: Example Ltd   # a comment`.
_COMMENTED_FIELD = re.compile(r"^ *# (?:- )?([a-z_0-9]+): +([^\s#…{].*?) *(?: {2,}#.*)?$", re.MULTILINE)


def call_name(endpoint: Endpoint) -> str:
    """The name of a call: the words of its command, with `publish` first if CloudCore has the same command."""
    words = endpoint.commands[0].removesuffix(" --api publish")
    publish = "publish." if words != endpoint.commands[0] else ""
    return publish + words.replace(" ", ".")


def describe_endpoint(endpoint: Endpoint) -> CallHelp:
    """Describe a call of CloudCore or CloudPublish."""
    section = _document_section(endpoint)
    key = FieldHelp("apikey", "text", True, "the key of the profile; cpctl adds it", MASK)
    if section is None:
        rows = {name: EXTRA_FIELDS[endpoint.resource, name] for name in endpoint.required}
        fields = [_plain_field(row) for row in rows.values()]
        body: Mapping[str, Any] = {name: row.example for name, row in rows.items()}
    else:
        body = _example_document(endpoint)
        fields = list(_document_fields(endpoint, section, body))
    return CallHelp(
        name=call_name(endpoint),
        meaning=endpoint.meaning,
        commands=endpoint.commands,
        path=endpoint.path,
        key=endpoint.key,
        effect=endpoint.effect.value,
        fields=(key, *fields),
        body={"apikey": MASK, **body},
        responses=tuple(_endpoint_responses(endpoint)),
        notes=tuple(dict.fromkeys(_describe_rules(section))) if section is not None else (),
    )


def _plain_field(row: Any) -> FieldHelp:
    longest = f", at most {row.max_length} characters" if row.max_length else ""
    return FieldHelp(row.name, "text", True, f"{row.meaning}{longest}", row.example)


def _document_section(endpoint: Endpoint) -> Any:
    """The section that describes the document of a call; None for a call without one."""
    if endpoint.name not in ("orders/add", "publish/orders/add", "orders/quote", "prices/lookup"):
        return None
    from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE

    return {"orders/add": ORDER, "publish/orders/add": PUBLISH_ORDER}.get(endpoint.name, QUOTE)


def _find_skeleton(endpoint: Endpoint) -> str:
    from cpctl.order_documents.skeletons import CORE_SKELETON, PUBLISH_SKELETON

    return {"orders/add": CORE_SKELETON, "publish/orders/add": PUBLISH_SKELETON}.get(endpoint.name, "")


def _describe_rules(section: Any) -> Iterator[str]:
    """The rules of a document about several fields, section by section."""
    from cpctl.order_documents.fields import RULE_DESCRIPTIONS

    if section.rules:
        needs = "; ".join(RULE_DESCRIPTIONS[rule] for rule in section.rules)
        yield f"{section.label[0].upper()}{section.label[1:]} needs: {needs}."
    for row in section.fields.values():
        if row.section is not None:
            yield from _describe_rules(row.section)


def _example_document(endpoint: Endpoint) -> Mapping[str, Any]:
    if skeleton := _find_skeleton(endpoint):
        from cpctl.order_documents.reader import read_document

        return read_document("the skeleton", skeleton.encode())
    from cpctl.order_documents.preparation import EXAMPLE_SPEC, quote_from_specs

    return quote_from_specs([EXAMPLE_SPEC], "NL", None, None)


def _document_fields(endpoint: Endpoint, section: Any, document: Mapping[str, Any]) -> Iterator[FieldHelp]:
    """Every field of a document; its example is from the example document, or from a comment in the skeleton."""
    shown = dict(_iter_values("", document))
    commented = dict(reversed(_COMMENTED_FIELD.findall(_find_skeleton(endpoint))))
    for path, row in _iter_section_fields(section, ""):
        known = getattr(row.check, "known", ())
        other = known[0] if known else commented.get(row.name, "").strip('"') or None
        example = None if row.section else shown.get(path, other)
        yield FieldHelp(path, _field_type(row, known), row.required, row.meaning, example)


def _field_type(row: Any, known_values: tuple[str, ...]) -> str:
    from cpctl.order_documents.fields import describe_check

    if row.section:
        return "list"
    if row.check is None:
        return "list or object"
    names_all_values = bool(known_values) and all(value in row.meaning for value in known_values)
    return "text" if names_all_values else describe_check(row.check)


def _iter_section_fields(section: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for row in section.fields.values():
        if row.name == "path":  # a local file: only cpctl reads it
            continue
        yield f"{prefix}{row.name}", row
        if row.section is not None:
            yield from _iter_section_fields(row.section, f"{prefix}{row.name}[].")


def _iter_values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every single value with its path; the first element of a list comes last, so that it wins in a dict."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _iter_values(f"{path}.{name}" if path else name, child)
    elif isinstance(value, list):
        for child in reversed(value):
            yield from _iter_values(f"{path}[]", child)
    else:
        yield path, value


def _endpoint_responses(endpoint: Endpoint) -> Iterator[ResponseHelp]:
    missing = f"there is no such {endpoint.resource}"
    reads = endpoint.effect is Effect.READ
    for status in endpoint.statuses:
        failure = classify_call_status(status)
        if status == 204 and endpoint.allows_empty:
            yield ResponseHelp("204", "there are none: an empty list", ExitCode.DONE)
        elif failure is None and status != 204:
            yield ResponseHelp(str(status), "the answer" if reads else "done", ExitCode.DONE)
        elif failure is None or failure.exit_code is ExitCode.NOT_FOUND:
            yield ResponseHelp(str(status), missing, ExitCode.NOT_FOUND)
        elif failure.exit_code is ExitCode.CONFLICT:
            yield ResponseHelp(str(status), f"the {endpoint.resource} {endpoint.conflict_message}", failure.exit_code)
        else:
            yield ResponseHelp(str(status), failure.message, failure.exit_code)
    meaning = "temporary" if reads else "temporary; cpctl may not know whether it was done"
    yield ResponseHelp("none, 429, 5xx", meaning, ExitCode.TEMPORARY)
