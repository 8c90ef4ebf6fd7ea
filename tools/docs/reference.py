"""The reference page: commands, settings, states and other tables, from the program."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from cpctl.cli.context import Context
from cpctl.cli.framework import shared_parameters
from cpctl.cli.help.topics import environment_variables, response_rows
from cpctl.cli.root import COMMANDS, GROUPS, build_root
from cpctl.config.keys import KEY_VARIABLES
from cpctl.config.settings import KEY_LOCATIONS, KEY_SOURCE_SETTINGS, SETTINGS
from cpctl.errors import EXIT_CODE_MEANINGS
from cpctl.outbox.models import STATE_MEANINGS, State
from cpctl.output.formats import FORMATS
from cpctl.sandbox.faults import FAULT_KINDS
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES, WebhookType
from tools.docs.markdown_table import table_lines

HELP_COLUMNS = 100


def render_reference() -> str:
    """Render the page."""
    return "\n".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield "# Reference\n\nGenerated from the program by `make docs`; a test keeps it current.\n"
    yield from _command_sections()
    yield "## Options of every command\n\nThey can be given before or after the name of a command; the last one wins.\n"
    yield from _help_block(_shared_options_help())
    yield "## Settings of a profile\n"
    rows = [(f"`{row.name}`", row.meaning, row.default, _code(row.variable)) for row in SETTINGS.values()]
    rows += [_key_row(service, name) for service, name in KEY_VARIABLES.items()]
    yield from table_lines(("setting", "meaning", "default", "variable that overrides it"), rows)
    yield "## Environment\n\nAn empty value counts as unset.\n"
    yield from table_lines(
        ("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in environment_variables()]
    )
    yield "## Exit status\n"
    yield from table_lines(
        ("status", "meaning"), [(str(int(code)), words) for code, words in EXIT_CODE_MEANINGS.items()]
    )
    yield "Only `cpctl outbox check` follows monitoring plugins: 0 OK, 1 warning, 2 critical, 3 unknown.\n"
    yield "## States of a signal\n"
    yield from table_lines(("state", "meaning"), [(f"`{state}`", words) for state, words in STATE_MEANINGS.items()])
    yield "## What a response does to a signal\n"
    yield from table_lines(("response", "the signal is", "exit status"), map(_mark_code, response_rows()))
    yield "## Output formats\n"
    yield from table_lines(("format", "meaning"), [(f"`{name}`", words) for name, (_, words) in FORMATS.items()])
    yield "## Signals\n"
    rows = [
        (
            f"`{kind.name}`",
            f"`signal {kind.command}`",
            ", ".join(kind.required),
            _required_fields(kind.required),
            kind.meaning,
        )
        for kind in SIGNAL_TYPES.values()
    ]
    yield from table_lines(("type", "command", "versions", "required", "meaning"), rows)
    yield "## Webhooks\n"
    yield from table_lines(
        ("type", "since", "fields besides the references", "meaning"),
        [_webhook_row(row) for row in WEBHOOK_TYPES.values()],
    )
    yield "## Causes of a cancellation\n"
    yield from table_lines(("cause", "meaning"), [(f"`{cause}`", meaning) for cause, meaning in CANCEL_CAUSES.items()])
    yield "## Faults of the sandbox\n"
    yield from table_lines(("fault", "effect"), [(f"`{row.name}`", row.description) for row in FAULT_KINDS.values()])


def _key_row(service: str, variable: str) -> tuple[str, str, str, str]:
    place, prefix = KEY_LOCATIONS[service]
    ways = ", ".join(f"`{prefix}{name}`" for name in KEY_SOURCE_SETTINGS)
    return f"`{place}`", f"the key of {service}: one of {ways}", "", _code(variable)


def _mark_code(row: Sequence[str]) -> list[str]:
    """A response with its state and option set as code."""
    code = re.compile(rf"(?<![\w-])(?:{'|'.join(State)}|--[a-z-]+)(?![\w-])")
    return [row[0], *(code.sub(r"`\g<0>`", cell) for cell in row[1:])]


def _webhook_row(row: WebhookType) -> tuple[str, str, str, str]:
    fields = [f"`{name}`" for name in row.fields] + [f"`{name}` (optional)" for name in row.optional]
    return f"`{row.name}`", row.since_version, ", ".join(fields), row.meaning


def _required_fields(required: Any) -> str:
    alike = len(set(required.values())) == 1
    texts = [f"{', '.join(names)}{'' if alike else f' ({version})'}" for version, names in required.items()]
    return "; ".join(dict.fromkeys(texts))


def _command_sections() -> Iterator[str]:
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as typer_context:
        for name, summary in GROUPS.items():
            yield f"## cpctl {name}\n\n{summary}\n"
            group: Any = top.get_command(typer_context, name)
            with group.make_context(name, [], parent=typer_context, resilient_parsing=True) as inner:
                for command in group.list_commands(inner):
                    yield from _command_section(group, inner, command)
        for name in COMMANDS:
            yield from _command_section(top, typer_context, name)


def _command_section(group: Any, typer_context: Any, name: str) -> Iterator[str]:
    command = group.get_command(typer_context, name)
    with command.make_context(name, [], parent=typer_context, resilient_parsing=True) as inner:
        inner.max_content_width = inner.terminal_width = HELP_COLUMNS
        text = command.get_help(inner)
    shared = text.index("\nOptions of every command:")
    _, mark, example = text.partition("\nExample:\n")
    yield f"### {inner.command_path}\n"
    yield from _help_block(text[:shared].rstrip() + (f"\n{mark}{example}" if mark else ""))


def _shared_options_help() -> str:
    with typer.Context(build_root(), terminal_width=HELP_COLUMNS, resilient_parsing=True) as typer_context:
        formatter = typer_context.make_formatter()
        formatter.write_dl([parameter.get_help_record(typer_context) for parameter in shared_parameters()])
        return textwrap.dedent(str(formatter.getvalue()))


def _help_block(text: str) -> Iterator[str]:
    yield f"```text\n{text.rstrip()}\n```\n"


def _code(name: str) -> str:
    return f"`{name}`" if name else ""
