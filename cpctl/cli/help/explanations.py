"""Which calls there are, by which names they are known, and how one is told."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.cli.help.call_help import CallHelp, ResponseHelp, call_name, describe_endpoint, describe_signal
from cpctl.cli.help.field_help import FieldHelp
from cpctl.cli.help.webhook_call_help import describe_webhook
from cpctl.errors import InvalidInput, find_closest
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES

# Commands that send signals of any kind.
_PUBLISH_SUFFIX = ".--api.publish"  # as a command says that a call of CloudPublish is meant
SEND_COMMANDS = ("signal.send", "signal.watch", "signal.scan", "outbox.flush")


def all_calls() -> dict[str, Callable[[], CallHelp]]:
    """Every call, each with what makes its explanation."""
    signals = {f"signal.{kind.command}": _defer(describe_signal, kind) for kind in SIGNAL_TYPES.values()}
    others = {call_name(row): _defer(describe_endpoint, row) for row in ENDPOINTS.values() if row.commands}
    webhooks = {f"webhook.{name}": _defer(describe_webhook, name) for name in WEBHOOK_TYPES}
    return signals | others | webhooks


def find_calls(text: str) -> list[Callable[[], CallHelp]]:
    """The call that a text names, or all of a group. Raises InvalidInput naming the nearest.

    A call goes by its name here, the words of its command, its path, and a signal by its type.
    """
    known = all_calls()
    wanted = normalize_name(text)
    names = _index_names()
    if wanted in names:
        return [known[names[wanted]]]
    if wanted == "api":
        return list(known.values())
    if several := _find_group(wanted):
        return [known[name] for name in several]
    near = names.get(find_closest(wanted, names, cutoff=0.5), "")
    hint = f'Did you mean "{near}"?' if near else "`cpctl explain` lists them all."
    raise InvalidInput(f'There is no call and no signal "{text}".', hint)


def normalize_name(text: str) -> str:
    """A name without case and punctuation: `/cloudcore/1.0/orders/info` and `orders info` keep dots alone."""
    words = re.sub(r"[\s./]+", ".", text.strip().lower().replace("_", "-")).strip(".")
    words = words.removeprefix("cpctl.")
    return f"publish.{words.removesuffix(_PUBLISH_SUFFIX)}" if words.endswith(_PUBLISH_SUFFIX) else words


def _index_names() -> dict[str, str]:
    """Every name of a call that is one thing, with the call's own name; the first to take a name keeps it."""
    found: dict[str, str] = {}
    for kind in SIGNAL_TYPES.values():
        own = f"signal.{kind.command}"
        for name in (own, kind.command, kind.name, f"signal.{kind.name}"):
            found.setdefault(normalize_name(name), own)
    rows = [row for row in ENDPOINTS.values() if row.commands]
    for pick in (call_name, lambda row: row.name, lambda row: row.path):
        for row in rows:
            found.setdefault(normalize_name(pick(row)), call_name(row))
    for row in rows:
        for command in row.commands:
            found.setdefault(normalize_name(command), call_name(row))
    for row in rows:
        if "/cloudpublish/" in row.path:
            found.setdefault(f"publish.{call_name(row)}", call_name(row))
    for name in WEBHOOK_TYPES:
        found[normalize_name(f"webhook.{name}")] = f"webhook.{name}"
        found.setdefault(normalize_name(name), f"webhook.{name}")
    return found


def _find_group(wanted: str) -> list[str]:
    paths = {normalize_name(name) for row in ENDPOINTS.values() if not row.commands for name in (row.name, row.path)}
    group = "signal" if wanted in SEND_COMMANDS or wanted in paths else wanted.replace("webhooks", "webhook")
    return [name for name in all_calls() if name.startswith(f"{group}.")]


def _defer(make: Callable[[Any], CallHelp], row: Any) -> Callable[[], CallHelp]:
    return lambda: make(row)


def call_to_dict(call: CallHelp, example: str) -> dict[str, Any]:
    """A call as scripts read it; `example` is the command line that makes it."""
    return {
        "call": call.name,
        "type": call.type,
        "meaning": call.meaning,
        "commands": [f"cpctl {each}" for each in call.commands],
        "method": call.method,
        "path": call.path,
        "paths": dict(call.paths),
        "key": call.key,
        "effect": call.effect,
        "fields": [_field_to_dict(each) for each in call.fields],
        "notes": list(call.notes),
        "body": dict(call.body),
        "example": example,
        "answers": [each._asdict() for each in call.responses],
    }


def _field_to_dict(field: FieldHelp) -> dict[str, Any]:
    return {**field._asdict(), "versions": list(field.versions)}


def call_to_blocks(call: CallHelp, example: str) -> Iterator[Block]:
    """A call as people read it."""
    yield Paragraph(f"{call.name}: {call.meaning}")
    yield DefinitionList(list(_call_facts(call)))
    yield Heading("Fields")
    yield DefinitionList([(each.name, _describe_field(each, call)) for each in call.fields])
    for note in call.notes:
        yield Paragraph(note)
    yield Heading("Example of a body")
    yield CodeBlock(json.dumps(call.body, ensure_ascii=False, indent=2))
    yield Heading("Example of a command")
    yield CodeBlock(example)
    yield Heading("What may be answered")
    yield DefinitionList([(each.status, _response_meaning(each)) for each in call.responses])


def _response_meaning(answer: ResponseHelp) -> str:
    status = "" if answer.exit_status is None else f"; exit status {int(answer.exit_status)}"
    return f"{answer.meaning}{status}"


def _call_facts(call: CallHelp) -> Iterator[tuple[str, str]]:
    yield "command", ", ".join(f"cpctl {each}" for each in call.commands)
    if call.type:
        yield "type", call.type
    paths: Mapping[str, str] = call.paths if len(call.paths) > 1 else {"": call.path}
    where = [f"{call.method} {path}{f' (version {version})' if version else ''}" for version, path in paths.items()]
    yield "call", ", ".join(reversed(where))
    if len(call.paths) == 1:
        yield "version", next(iter(call.paths))
    yield "key", call.key
    yield "effect", call.effect


def _describe_field(field: FieldHelp, call: CallHelp) -> str:
    need = "required" if field.required else "optional"
    version = ", ".join(field.versions) if field.versions and len(field.versions) < len(call.paths) else ""
    only = f" in version {version}, unknown in others" if version else ""
    said = str(field.example) in field.meaning or field.name == "apikey"
    such = "" if said or field.example in (None, "") else f"; such as {field.example}"
    return f"{need}{only}, {field.type}: {field.meaning}{such}"
