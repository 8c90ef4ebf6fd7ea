"""What a call consists of, put together from the tables: signals, endpoints, documents."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.api.failures import fault_of_call, fault_of_status
from cpctl.cli.help.field_help import Field
from cpctl.errors import ExitCode
from cpctl.signals.signal_types import FIELDS, LATEST, TIME, VERSIONS, Kind
from cpctl.signals.signal_types import Field as SignalField

MASK = "***"


class Answer(NamedTuple):
    """What may be answered, what that means, and the exit status of a command that gets it; a webhook has none."""

    status: str
    meaning: str
    exit_status: int | None = None


class Call(NamedTuple):
    """All that is known of a call."""

    name: str
    meaning: str
    commands: tuple[str, ...]
    path: str
    key: str
    effect: str
    fields: tuple[Field, ...]
    body: Mapping[str, Any]
    answers: tuple[Answer, ...]
    paths: Mapping[str, str] = {}  # by version, where there are several
    type: str = ""
    notes: tuple[str, ...] = ()
    method: str = "POST"


def signal_call(kind: Kind) -> Call:
    """What a signal consists of (CloudSignal 1.1 and 2.0, "Signal types")."""
    paths = {version: ENDPOINTS[f"signal-{version}"].path for version in VERSIONS if version in kind.required}
    version = LATEST if LATEST in paths else next(iter(paths))
    fields = tuple(_signal_fields(kind))
    endpoint = ENDPOINTS[f"signal-{version}"]
    return Call(
        name=f"signal.{kind.command}",
        meaning=f"{kind.meaning[0].upper()}{kind.meaning[1:]}.",
        commands=(f"signal {kind.command}",),
        path=paths[version],
        key=endpoint.key,
        effect="kept in the outbox, and repeated until there is an answer",
        fields=fields,
        body={each.name: each.example for each in fields if version in each.versions},
        answers=tuple(_signal_answers(endpoint)),
        paths=paths,
        type=kind.name,
        notes=tuple(_signal_notes(kind)),
    )


def _signal_fields(kind: Kind) -> Iterator[Field]:
    versions = tuple(version for version in VERSIONS if version in kind.required)
    yield Field("apikey", "text", True, "the key of the profile; cpctl adds it", MASK, versions)
    yield Field("type", "text", True, f"always {kind.name}", kind.name, versions)
    for row in FIELDS.values():
        known = tuple(version for version in versions if kind.knows(version, row.name))
        if known:
            required = all(row.name in kind.required[version] for version in known)
            yield Field(row.name, "text", required, _meaning(row, kind), _example(row, kind), known)
    yield Field(TIME.name, "text", True, f"{TIME.meaning}; cpctl makes it of --at, or of now", TIME.example, versions)


def _meaning(row: SignalField, kind: Kind) -> str:
    if row.name != "cause":
        return row.meaning
    return "one of `cpctl signal causes`" if kind.name == "ItemCanceled" else "why, in words"


def _example(row: SignalField, kind: Kind) -> str:
    from cpctl.signals.causes import EXAMPLE

    return EXAMPLE if row.name == "cause" and kind.name == "ItemCanceled" else row.example


def _signal_notes(kind: Kind) -> Iterator[str]:
    if kind.repeats:
        yield "It may be said more than once of one item."
    for version, other in kind.alias_of.items():
        yield f"In version {version} it is another name of {other}."
    if kind.about_item and LATEST in kind.required:
        yield (
            f"Several items of one order travel as one bundle (version {LATEST}): "
            "apikey, and items, a list of such objects without the key."
        )
    if "1.1" in kind.required:
        other = ENDPOINTS["signal-1.1-alternative"].path
        yield f"The documents show a second path of version 1.1, {other}: signal_1_1_path in the profile."


def _signal_answers(endpoint: Endpoint) -> Iterator[Answer]:
    for status in endpoint.answers:
        fault = fault_of_status(status)
        if fault is None:
            yield Answer(str(status), "delivered", ExitCode.DONE)
        else:
            yield Answer(str(status), fault.words, fault.exit_code)
    yield Answer("none, 408, 429, 5xx", "kept and tried again (75 with --require-delivery)", ExitCode.DONE)


def endpoint_call(endpoint: Endpoint) -> Call:
    """What a call of CloudCore or CloudPublish consists of."""
    from cpctl.cli.help.body_fields import asked_of, body_of, fields_of

    return Call(
        name=name_of(endpoint),
        meaning=endpoint.meaning,
        commands=endpoint.commands,
        path=endpoint.path,
        key=endpoint.key,
        effect=endpoint.effect.value,
        fields=(
            Field("apikey", "text", True, "the key of the profile; cpctl adds it", MASK),
            *fields_of(endpoint),
        ),
        body={"apikey": MASK, **body_of(endpoint)},
        answers=tuple(_answers(endpoint)),
        notes=tuple(asked_of(endpoint)),
    )


def name_of(endpoint: Endpoint) -> str:
    """What a call is called here: the words of its command, and `publish` where it is one of two."""
    words = endpoint.commands[0].removesuffix(" --api publish")
    publish = "publish." if words != endpoint.commands[0] else ""
    return publish + words.replace(" ", ".")


def _answers(endpoint: Endpoint) -> Iterator[Answer]:
    for status in endpoint.answers:
        fault = fault_of_call(status)
        if status == 204:
            missing = not endpoint.empty
            words = f"there is no such {endpoint.thing}" if missing else "there is none: an empty list"
            yield Answer("204", words, ExitCode.NOT_FOUND if missing else ExitCode.DONE)
        elif fault is None:
            yield Answer(str(status), "done" if endpoint.effect is not Effect.READ else "the answer", ExitCode.DONE)
        elif fault.exit_code is ExitCode.CONFLICT:
            yield Answer(str(status), f"the {endpoint.thing} {endpoint.conflict}", fault.exit_code)
        elif fault.exit_code is ExitCode.NOT_FOUND:
            yield Answer(str(status), f"there is no such {endpoint.thing}", fault.exit_code)
        else:
            yield Answer(str(status), fault.words, fault.exit_code)
    words = "temporary" if endpoint.effect is Effect.READ else "temporary; whether it was done may not be known"
    yield Answer("none, 429, 5xx", words, ExitCode.TEMPORARY)
