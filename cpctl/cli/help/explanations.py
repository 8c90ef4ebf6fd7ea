"""`cpctl explain`: the index of all calls by their names, and the explanation of one call as data and as text."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.cli.help.call_help import (
    CallHelp,
    FieldHelp,
    ResponseHelp,
    call_name,
    describe_endpoint,
    describe_signal,
    describe_webhook,
)
from cpctl.errors import InvalidInput, find_closest
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES

_PUBLISH_SUFFIX = ".--api.publish"  # the option that selects CloudPublish, normalized
# Commands that send signals of any type.
SEND_COMMANDS = ("signal.send", "signal.watch", "signal.scan", "outbox.flush")


def all_calls() -> Mapping[str, Callable[[], CallHelp]]:
    """Every call by its name, with the function that describes it."""
    signals = {f"signal.{row.command}": partial(describe_signal, row) for row in SIGNAL_TYPES.values()}
    others = {call_name(row): partial(describe_endpoint, row) for row in ENDPOINTS.values() if row.commands}
    webhooks = {f"webhook.{name}": partial(describe_webhook, name) for name in WEBHOOK_TYPES}
    return signals | others | webhooks


def find_calls(text: str) -> list[Callable[[], CallHelp]]:
    """The call that a text names, or all calls of a group. Raises InvalidInput with the closest name.

    A call is known by its name, the words of its command and its path; a signal also by its type.
    """
    known = all_calls()
    wanted = normalize_name(text)
    names = _index_names()
    if wanted in names:
        return [known[names[wanted]]]
    if wanted == "api":
        return list(known.values())
    if group := _find_group(wanted):
        return [known[name] for name in group]
    closest = names.get(find_closest(wanted, names, cutoff=0.5), "")
    hint = f'Did you mean "{closest}"?' if closest else "`cpctl explain` lists them all."
    raise InvalidInput(f'There is no call or signal "{text}".', hint)


def normalize_name(text: str) -> str:
    """A name in lower case with dots as the only separators: `orders.info` for `orders info` and `orders/info`."""
    words = re.sub(r"[\s./]+", ".", text.strip().lower().replace("_", "-")).strip(".")
    words = words.removeprefix("cpctl.")
    return f"publish.{words.removesuffix(_PUBLISH_SUFFIX)}" if words.endswith(_PUBLISH_SUFFIX) else words


def _index_names() -> dict[str, str]:
    """Every name of a single call, with the call's own name. If two calls share a name, the first one has it."""
    endpoints = [(row, call_name(row)) for row in ENDPOINTS.values() if row.commands]
    names = [
        *((f"webhook.{name}", f"webhook.{name}") for name in WEBHOOK_TYPES),
        *((f"signal.{row.command}", f"signal.{row.command}") for row in SIGNAL_TYPES.values()),
        *((f"signal.{row.name}", f"signal.{row.command}") for row in SIGNAL_TYPES.values()),
        *((name, f"signal.{row.command}") for row in SIGNAL_TYPES.values() for name in (row.command, row.name)),
        *((own, own) for _, own in endpoints),
        *((row.name, own) for row, own in endpoints),
        *((row.path, own) for row, own in endpoints),
        *((command, own) for row, own in endpoints for command in row.commands),
        *((f"publish.{own}", own) for row, own in endpoints if "/cloudpublish/" in row.path),
        *((name, f"webhook.{name}") for name in WEBHOOK_TYPES),
    ]
    return {normalize_name(name): own for name, own in reversed(names)}


def _find_group(wanted: str) -> list[str]:
    paths = {normalize_name(name) for row in ENDPOINTS.values() if not row.commands for name in (row.name, row.path)}
    group = "signal" if wanted in SEND_COMMANDS or wanted in paths else wanted.replace("webhooks", "webhook")
    return [name for name in all_calls() if name.startswith(f"{group}.")]


def call_to_dict(call: CallHelp, example: str) -> dict[str, Any]:
    """A call as JSON; `example` is the command line that makes it."""
    return {
        "call": call.name,
        "type": call.type,
        "meaning": call.meaning,
        "commands": [f"cpctl {command}" for command in call.commands],
        "method": call.method,
        "path": call.path,
        "paths": dict(call.paths),
        "key": call.key,
        "effect": call.effect,
        "fields": [{**field._asdict(), "versions": list(field.versions)} for field in call.fields],
        "notes": list(call.notes),
        "body": dict(call.body),
        "example": example,
        "answers": [response._asdict() for response in call.responses],
    }


def call_to_blocks(call: CallHelp, example: str) -> Iterator[Block]:
    """A call as help text."""
    yield Paragraph(f"{call.name}: {call.meaning}")
    yield DefinitionList(list(_call_facts(call)))
    yield Heading("Fields")
    yield DefinitionList([(field.name, _describe_field(field, call)) for field in call.fields])
    for note in call.notes:
        yield Paragraph(note)
    yield Heading("Example body")
    yield CodeBlock(json.dumps(call.body, ensure_ascii=False, indent=2))
    yield Heading("Example command")
    yield CodeBlock(example)
    yield Heading("Possible responses")
    yield DefinitionList([(response.status, _describe_response(response)) for response in call.responses])


def _describe_response(response: ResponseHelp) -> str:
    status = "" if response.exit_status is None else f"; exit status {int(response.exit_status)}"
    return f"{response.meaning}{status}"


def _call_facts(call: CallHelp) -> Iterator[tuple[str, str]]:
    yield "command", ", ".join(f"cpctl {command}" for command in call.commands)
    if call.type:
        yield "type", call.type
    paths: Mapping[str, str] = call.paths if len(call.paths) > 1 else {"": call.path}
    requests = [f"{call.method} {path}{f' (version {version})' if version else ''}" for version, path in paths.items()]
    yield "call", ", ".join(reversed(requests))
    if len(call.paths) == 1:
        yield "version", next(iter(call.paths))
    yield "key", call.key
    yield "effect", call.effect


def _describe_field(field: FieldHelp, call: CallHelp) -> str:
    need = "required" if field.required else "optional"
    version = ", ".join(field.versions) if field.versions and len(field.versions) < len(call.paths) else ""
    only = f" in version {version}, unknown in others" if version else ""
    is_obvious = field.example in (None, "") or field.name == "apikey" or str(field.example) in field.meaning
    example = "" if is_obvious else f"; such as {field.example}"
    return f"{need}{only}, {field.type}: {field.meaning}{example}"
