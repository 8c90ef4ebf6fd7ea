"""Explanations of calls, signals and webhooks, made from their tables and from the documents that they take."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, EXTRA_FIELDS, Effect, Endpoint
from cpctl.api.failures import classify_call_status, classify_signal_status
from cpctl.errors import ExitCode
from cpctl.masking import MASK
from cpctl.signals.signal_types import API_VERSIONS, DATETIME_FIELD, LATEST_API_VERSION, SIGNAL_FIELDS, SignalType
from cpctl.signals.webhook_types import WEBHOOK_TYPES, WebhookType
from cpctl.webhooks.server.server_settings import RESPONSE_MEANINGS

# The fields that only webhooks have, or write in another way (CloudSignal Webhooks 2.0, "Signals").
_WEBHOOK_FIELDS = {
    "order_reference": ("your own reference of the order", "654321"),
    "item_reference": ("your own reference of the item", "321"),
    "url": ("where the parcel can be tracked", "https://tracking.example.com/1A2B3C4D5E6F"),
    "datetime": ("when it happened, ISO 8601", "2017-01-21T13:23:42+00:00"),
}

# A commented line of a skeleton with an example: `    # company: Example Ltd   # a comment`.
_COMMENTED_FIELD = re.compile(r"^ *# (?:- )?([a-z_0-9]+): +([^\s#…{].*?) *(?: {2,}#.*)?$", re.MULTILINE)


class FieldHelp(NamedTuple):
    """One field of a call; `items[].files[].url` is inside lists. `versions` are those of signals that have it."""

    name: str
    type: str
    required: bool
    meaning: str
    example: Any = None
    versions: tuple[str, ...] = ()


class ResponseHelp(NamedTuple):
    """A possible response, and the exit status of a command that gets it; a webhook has none."""

    status: str
    meaning: str
    exit_status: int | None = None


class CallHelp(NamedTuple):
    name: str
    meaning: str
    commands: tuple[str, ...]
    path: str
    key: str
    effect: str
    fields: tuple[FieldHelp, ...]
    body: Mapping[str, Any]
    responses: tuple[ResponseHelp, ...]
    paths: Mapping[str, str] = {}  # by version of the API
    type: str = ""
    notes: tuple[str, ...] = ()
    method: str = "POST"


def describe_signal(kind: SignalType) -> CallHelp:
    """Describe a signal (CloudSignal 1.1 and 2.0, "Signal types")."""
    paths = {version: ENDPOINTS[f"signal-{version}"].path for version in API_VERSIONS if version in kind.required}
    version = LATEST_API_VERSION if LATEST_API_VERSION in paths else next(iter(paths))
    fields = tuple(_signal_fields(kind))
    endpoint = ENDPOINTS[f"signal-{version}"]
    return CallHelp(
        name=f"signal.{kind.command}",
        meaning=f"{kind.meaning[0].upper()}{kind.meaning[1:]}.",
        commands=(f"signal {kind.command}",),
        path=paths[version],
        key=endpoint.key,
        effect="kept in the outbox, and repeated until there is a response",
        fields=fields,
        body={each.name: each.example for each in fields if version in each.versions},
        responses=tuple(_signal_responses(endpoint)),
        paths=paths,
        type=kind.name,
        notes=tuple(_signal_notes(kind)),
    )


def _signal_fields(kind: SignalType) -> Iterator[FieldHelp]:
    versions = tuple(version for version in API_VERSIONS if version in kind.required)
    yield FieldHelp("apikey", "text", True, "the key of the profile; cpctl adds it", MASK, versions)
    yield FieldHelp("type", "text", True, f"always {kind.name}", kind.name, versions)
    for row in SIGNAL_FIELDS.values():
        known = tuple(version for version in versions if kind.has_field(version, row.name))
        if known:
            required = all(row.name in kind.required[version] for version in known)
            yield FieldHelp(row.name, "text", required, *row.variant_for(kind.name)[:2], known)
    yield FieldHelp(
        DATETIME_FIELD.name,
        "text",
        True,
        f"{DATETIME_FIELD.meaning}; cpctl makes it of --at, or of now",
        DATETIME_FIELD.example,
        versions,
    )


def _signal_notes(kind: SignalType) -> Iterator[str]:
    if kind.is_repeatable:
        yield "It may be sent more than once for one item."
    for version, other in kind.alias_by_version.items():
        yield f"In version {version} it is another name of {other}."
    if kind.is_about_item and LATEST_API_VERSION in kind.required:
        yield (
            f"Several items of one order are sent as one bundle (version {LATEST_API_VERSION}): "
            "apikey, and items, a list of such objects without the key."
        )
    if "1.1" in kind.required:
        other = ENDPOINTS["signal-1.1-alternative"].path
        yield f"The documents show a second path for version 1.1, {other}: set signal_1_1_path in the profile."


def _signal_responses(endpoint: Endpoint) -> Iterator[ResponseHelp]:
    for status in endpoint.statuses:
        failure = classify_signal_status(status)
        meaning, exit_status = (failure.message, failure.exit_code) if failure else ("delivered", ExitCode.DONE)
        yield ResponseHelp(str(status), meaning, exit_status)
    yield ResponseHelp("none, 408, 429, 5xx", "kept and retried (75 with --require-delivery)", ExitCode.DONE)


def describe_webhook(name: str) -> CallHelp:
    """Describe the webhook of a type: a call that Cloudprinter makes, and cpctl receives."""
    row = WEBHOOK_TYPES[name]
    fields = tuple(_webhook_fields(row))
    return CallHelp(
        name=f"webhook.{name}",
        meaning=f"{row.meaning[0].upper()}{row.meaning[1:]}.",
        commands=(f"sandbox trigger {name}",),
        path="your URL",
        key="webhooks",
        effect="Cloudprinter makes this call, and repeats it until the response is 200 or 204",
        fields=fields,
        body={field.name: field.example for field in fields},
        responses=tuple(ResponseHelp(str(status), meaning) for status, meaning in RESPONSE_MEANINGS.items()),
        type=name,
    )


def _webhook_fields(row: WebhookType) -> Iterator[FieldHelp]:
    yield FieldHelp("apikey", "text", True, "the key that is set for webhooks at Cloudprinter", MASK)
    yield FieldHelp("type", "text", True, f"always {row.name}", row.name)
    optional = dict.fromkeys(row.optional, False)
    required = {name: True for name in row.required if name not in ("type", "datetime")}
    for name, is_required in {**required, **optional, "datetime": True}.items():
        meaning, example = _WEBHOOK_FIELDS.get(name) or (SIGNAL_FIELDS[name].meaning, SIGNAL_FIELDS[name].example)
        yield FieldHelp(name, "text", is_required, meaning, row.fields.get(name, example))


def call_name(endpoint: Endpoint) -> str:
    """The name of a call: the words of its command, with `publish` first if CloudCore has the same command."""
    words = endpoint.commands[0].removesuffix(" --api publish")
    publish = "publish." if words != endpoint.commands[0] else ""
    return publish + words.replace(" ", ".")


def describe_endpoint(endpoint: Endpoint) -> CallHelp:
    """Describe a call of CloudCore or CloudPublish."""
    fields = [FieldHelp("apikey", "text", True, "the key of the profile; cpctl adds it", MASK)]
    body: Mapping[str, Any] = {}
    notes: Iterable[str] = ()
    if endpoint.name in ("orders/add", "publish/orders/add", "orders/quote", "prices/lookup"):
        section, skeleton, body = _load_document(endpoint)
        fields += _document_fields(section, skeleton, body)
        notes = dict.fromkeys(_describe_rules(section))
    else:
        for row in (EXTRA_FIELDS[endpoint.resource, name] for name in endpoint.required):
            longest = f", at most {row.max_length} characters" if row.max_length else ""
            fields.append(FieldHelp(row.name, "text", True, f"{row.meaning}{longest}", row.example))
            body = {**body, row.name: row.example}
    return CallHelp(
        name=call_name(endpoint),
        meaning=endpoint.meaning,
        commands=endpoint.commands,
        path=endpoint.path,
        key=endpoint.key,
        effect=endpoint.effect.value,
        fields=tuple(fields),
        body={"apikey": MASK, **body},
        responses=tuple(_endpoint_responses(endpoint)),
        notes=tuple(notes),
    )


def _load_document(endpoint: Endpoint) -> tuple[Any, str, Mapping[str, Any]]:
    """The section that describes the document of a call, its skeleton if there is one, and an example."""
    from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE
    from cpctl.order_documents.preparation import EXAMPLE_SPEC, quote_from_specs
    from cpctl.order_documents.reader import read_document
    from cpctl.order_documents.skeletons import CORE_SKELETON, PUBLISH_SKELETON

    orders = {"orders/add": (ORDER, CORE_SKELETON), "publish/orders/add": (PUBLISH_ORDER, PUBLISH_SKELETON)}
    if endpoint.name not in orders:
        return QUOTE, "", quote_from_specs([EXAMPLE_SPEC], "NL", None, None)
    section, skeleton = orders[endpoint.name]
    return section, skeleton, read_document("the skeleton", skeleton.encode())


def _describe_rules(section: Any) -> Iterator[str]:
    """The rules of a document about several fields, section by section."""
    from cpctl.order_documents.fields import RULE_DESCRIPTIONS

    if section.rules:
        needs = "; ".join(RULE_DESCRIPTIONS[rule] for rule in section.rules)
        yield f"{section.label[0].upper()}{section.label[1:]} needs: {needs}."
    for row in section.fields.values():
        if row.section is not None:
            yield from _describe_rules(row.section)


def _document_fields(section: Any, skeleton: str, document: Mapping[str, Any]) -> Iterator[FieldHelp]:
    """Every field of a document; its example is from the example document, or from a comment in the skeleton."""
    shown = dict(_iter_values("", document))
    commented = dict(reversed(_COMMENTED_FIELD.findall(skeleton)))
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
