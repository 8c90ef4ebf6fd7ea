"""What a call consists of, put together from the tables: signals, endpoints, documents."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.api.failures import classify_call_status, classify_signal_status
from cpctl.cli.help.field_help import FieldHelp
from cpctl.errors import ExitCode
from cpctl.masking import MASK
from cpctl.signals.signal_types import API_VERSIONS, DATETIME_FIELD, LATEST_API_VERSION, SIGNAL_FIELDS, SignalType


class ResponseHelp(NamedTuple):
    """What may be answered, what that means, and the exit status of a command that gets it; a webhook has none."""

    status: str
    meaning: str
    exit_status: int | None = None


class CallHelp(NamedTuple):
    """All that is known of a call."""

    name: str
    meaning: str
    commands: tuple[str, ...]
    path: str
    key: str
    effect: str
    fields: tuple[FieldHelp, ...]
    body: Mapping[str, Any]
    responses: tuple[ResponseHelp, ...]
    paths: Mapping[str, str] = {}  # by version, where there are several
    type: str = ""
    notes: tuple[str, ...] = ()
    method: str = "POST"


def describe_signal(kind: SignalType) -> CallHelp:
    """What a signal consists of (CloudSignal 1.1 and 2.0, "Signal types")."""
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
        effect="kept in the outbox, and repeated until there is an answer",
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
        yield "It may be said more than once of one item."
    for version, other in kind.alias_by_version.items():
        yield f"In version {version} it is another name of {other}."
    if kind.is_about_item and LATEST_API_VERSION in kind.required:
        yield (
            f"Several items of one order travel as one bundle (version {LATEST_API_VERSION}): "
            "apikey, and items, a list of such objects without the key."
        )
    if "1.1" in kind.required:
        other = ENDPOINTS["signal-1.1-alternative"].path
        yield f"The documents show a second path of version 1.1, {other}: signal_1_1_path in the profile."


def _signal_responses(endpoint: Endpoint) -> Iterator[ResponseHelp]:
    for status in endpoint.statuses:
        fault = classify_signal_status(status)
        if fault is None:
            yield ResponseHelp(str(status), "delivered", ExitCode.DONE)
        else:
            yield ResponseHelp(str(status), fault.message, fault.exit_code)
    yield ResponseHelp("none, 408, 429, 5xx", "kept and tried again (75 with --require-delivery)", ExitCode.DONE)


def describe_endpoint(endpoint: Endpoint) -> CallHelp:
    """What a call of CloudCore or CloudPublish consists of."""
    from cpctl.cli.help.body_fields import build_example_body, describe_rules, iter_call_fields

    return CallHelp(
        name=call_name(endpoint),
        meaning=endpoint.meaning,
        commands=endpoint.commands,
        path=endpoint.path,
        key=endpoint.key,
        effect=endpoint.effect.value,
        fields=(
            FieldHelp("apikey", "text", True, "the key of the profile; cpctl adds it", MASK),
            *iter_call_fields(endpoint),
        ),
        body={"apikey": MASK, **build_example_body(endpoint)},
        responses=tuple(_endpoint_responses(endpoint)),
        notes=tuple(describe_rules(endpoint)),
    )


def call_name(endpoint: Endpoint) -> str:
    """What a call is called here: the words of its command, and `publish` where it is one of two."""
    words = endpoint.commands[0].removesuffix(" --api publish")
    publish = "publish." if words != endpoint.commands[0] else ""
    return publish + words.replace(" ", ".")


def _endpoint_responses(endpoint: Endpoint) -> Iterator[ResponseHelp]:
    for status in endpoint.statuses:
        fault = classify_call_status(status)
        if status == 204:
            missing = not endpoint.allows_empty
            words = f"there is no such {endpoint.resource}" if missing else "there is none: an empty list"
            yield ResponseHelp("204", words, ExitCode.NOT_FOUND if missing else ExitCode.DONE)
        elif fault is None:
            yield ResponseHelp(
                str(status), "done" if endpoint.effect is not Effect.READ else "the answer", ExitCode.DONE
            )
        elif fault.exit_code is ExitCode.CONFLICT:
            yield ResponseHelp(str(status), f"the {endpoint.resource} {endpoint.conflict_message}", fault.exit_code)
        elif fault.exit_code is ExitCode.NOT_FOUND:
            yield ResponseHelp(str(status), f"there is no such {endpoint.resource}", fault.exit_code)
        else:
            yield ResponseHelp(str(status), fault.message, fault.exit_code)
    words = "temporary" if endpoint.effect is Effect.READ else "temporary; whether it was done may not be known"
    yield ResponseHelp("none, 429, 5xx", words, ExitCode.TEMPORARY)
