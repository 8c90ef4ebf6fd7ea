"""Explanations of signals and webhooks, made from their tables; `endpoint_help` explains the other calls."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.api.failures import classify_signal_status
from cpctl.errors import ExitCode
from cpctl.masking import MASK
from cpctl.signals.signal_types import API_VERSIONS, DATETIME_FIELD, LATEST_API_VERSION, SIGNAL_FIELDS, SignalType
from cpctl.signals.webhook_types import WEBHOOK_TYPES, WebhookType
from cpctl.webhooks.server.settings import RESPONSE_MEANINGS

# The fields that only webhooks have, or write in another way (CloudSignal Webhooks 2.0, "Signals").
_WEBHOOK_FIELDS = {
    "order_reference": ("your own reference of the order", "654321"),
    "item_reference": ("your own reference of the item", "321"),
    "url": ("where the parcel can be tracked", "https://tracking.example.com/1A2B3C4D5E6F"),
    "datetime": ("when it happened, ISO 8601", "2017-01-21T13:23:42+00:00"),
}


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
