"""Which calls there are, by which names they are known, and how one is told."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.help.blocks import Block, Code, Head, Rows, Words
from cpctl.cli.help.call_help import Answer, Call, endpoint_call, name_of, signal_call
from cpctl.cli.help.field_help import Field
from cpctl.cli.help.webhook_call_help import webhook_call
from cpctl.errors import InvalidInput, closest
from cpctl.signals.signal_types import KINDS
from cpctl.signals.webhook_types import WEBHOOKS

# Commands that send signals of any kind.
_PUBLISH = ".--api.publish"  # as a command says that a call of CloudPublish is meant
SENDERS = ("signal.send", "signal.watch", "signal.scan", "outbox.flush")


def all_calls() -> dict[str, Callable[[], Call]]:
    """Every call, each with what makes its explanation."""
    signals = {f"signal.{kind.command}": _later(signal_call, kind) for kind in KINDS.values()}
    others = {name_of(row): _later(endpoint_call, row) for row in ENDPOINTS.values() if row.commands}
    webhooks = {f"webhook.{name}": _later(webhook_call, name) for name in WEBHOOKS}
    return signals | others | webhooks


def find(text: str) -> list[Callable[[], Call]]:
    """The call that a text names, or all of a group. Raises InvalidInput naming the nearest.

    A call goes by its name here, the words of its command, its path, and a signal by its type.
    """
    known = all_calls()
    wanted = plain_name(text)
    names = _names()
    if wanted in names:
        return [known[names[wanted]]]
    if wanted == "api":
        return list(known.values())
    if several := _several(wanted):
        return [known[name] for name in several]
    near = names.get(closest(wanted, names, cutoff=0.5), "")
    hint = f'Did you mean "{near}"?' if near else "`cpctl explain` lists them all."
    raise InvalidInput(f'There is no call and no signal "{text}".', hint)


def plain_name(text: str) -> str:
    """A name without case and punctuation: `/cloudcore/1.0/orders/info` and `orders info` keep dots alone."""
    words = re.sub(r"[\s./]+", ".", text.strip().lower().replace("_", "-")).strip(".")
    words = words.removeprefix("cpctl.")
    return f"publish.{words.removesuffix(_PUBLISH)}" if words.endswith(_PUBLISH) else words


def _names() -> dict[str, str]:
    """Every name of a call that is one thing, with the call's own name; the first to take a name keeps it."""
    found: dict[str, str] = {}
    for kind in KINDS.values():
        own = f"signal.{kind.command}"
        for name in (own, kind.command, kind.name, f"signal.{kind.name}"):
            found.setdefault(plain_name(name), own)
    rows = [row for row in ENDPOINTS.values() if row.commands]
    for pick in (name_of, lambda row: row.name, lambda row: row.path):
        for row in rows:
            found.setdefault(plain_name(pick(row)), name_of(row))
    for row in rows:
        for command in row.commands:
            found.setdefault(plain_name(command), name_of(row))
    for row in rows:
        if "/cloudpublish/" in row.path:
            found.setdefault(f"publish.{name_of(row)}", name_of(row))
    for name in WEBHOOKS:
        found[plain_name(f"webhook.{name}")] = f"webhook.{name}"
        found.setdefault(plain_name(name), f"webhook.{name}")
    return found


def _several(wanted: str) -> list[str]:
    paths = {plain_name(name) for row in ENDPOINTS.values() if not row.commands for name in (row.name, row.path)}
    group = "signal" if wanted in SENDERS or wanted in paths else wanted.replace("webhooks", "webhook")
    return [name for name in all_calls() if name.startswith(f"{group}.")]


def _later(make: Callable[[Any], Call], row: Any) -> Callable[[], Call]:
    return lambda: make(row)


def as_data(call: Call, example: str) -> dict[str, Any]:
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
        "fields": [_field_data(each) for each in call.fields],
        "notes": list(call.notes),
        "body": dict(call.body),
        "example": example,
        "answers": [each._asdict() for each in call.answers],
    }


def _field_data(field: Field) -> dict[str, Any]:
    return {**field._asdict(), "versions": list(field.versions)}


def as_blocks(call: Call, example: str) -> Iterator[Block]:
    """A call as people read it."""
    yield Words(f"{call.name}: {call.meaning}")
    yield Rows(list(_facts(call)))
    yield Head("Fields")
    yield Rows([(each.name, _told(each, call)) for each in call.fields])
    for note in call.notes:
        yield Words(note)
    yield Head("Example of a body")
    yield Code(json.dumps(call.body, ensure_ascii=False, indent=2))
    yield Head("Example of a command")
    yield Code(example)
    yield Head("What may be answered")
    yield Rows([(each.status, _meaning(each)) for each in call.answers])


def _meaning(answer: Answer) -> str:
    status = "" if answer.exit_status is None else f"; exit status {int(answer.exit_status)}"
    return f"{answer.meaning}{status}"


def _facts(call: Call) -> Iterator[tuple[str, str]]:
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


def _told(field: Field, call: Call) -> str:
    need = "required" if field.required else "optional"
    version = ", ".join(field.versions) if field.versions and len(field.versions) < len(call.paths) else ""
    only = f" in version {version}, unknown in others" if version else ""
    said = str(field.example) in field.meaning or field.name == "apikey"
    such = "" if said or field.example in (None, "") else f"; such as {field.example}"
    return f"{need}{only}, {field.type}: {field.meaning}{such}"
