"""`cpctl explain`: the fields, key, responses and an example of a call or a signal."""

from typing import Annotated, Any

import typer

from cpctl.cli.context import Context
from cpctl.cli.framework import Commands, LazyGroup
from cpctl.cli.help.blocks import render_plain
from cpctl.cli.help.call_help import CallHelp
from cpctl.cli.help.explanations import all_calls, call_to_blocks, call_to_dict, find_calls
from cpctl.cli.root import build_root
from cpctl.errors import InvalidInput, suggest
from cpctl.output.columns import EXPLAINED_CALL, EXPLAINED_FIELD
from cpctl.output.views import TableView

APIS = ("core", "publish")
commands = Commands()


@commands.add("explain", "cpctl explain signal.shipped")
def explain_call(
    context: Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CALL...]", help="Signal, command, or path of the service.")
    ] = None,
    api: Annotated[str, typer.Option("--api", metavar="NAME", help="API of the call: core or publish.")] = "core",
) -> None:
    """Explain a call or a signal: its fields, key, responses, and an example."""
    if api not in APIS:
        raise InvalidInput(f'There is no API "{api}".', suggest(api, APIS))
    text = " ".join([*(names or ()), *(["--api publish"] if api == "publish" else [])])
    calls = _find_calls(text) if names else [describe() for describe in all_calls().values()]
    output = context.output  # an unknown format is reported first
    if len(calls) > 1:
        context.show([_summary_row(call) for call in calls], EXPLAINED_CALL)
        return
    call, example = calls[0], _find_example(calls[0])
    if context.has_explicit_output:
        context.show(call_to_dict(call, example), TableView(EXPLAINED_FIELD, lambda data: list(data["fields"])))
    else:
        output.write(iter([render_plain(call_to_blocks(call, example))]))


def _find_calls(text: str) -> list[CallHelp]:
    try:
        return [describe() for describe in find_calls(text)]
    except InvalidInput:
        if _find_declaration(text) is None:
            raise
    raise InvalidInput(f"`cpctl {text}` makes no call to explain.", f"`cpctl {text} --help` shows what it does.")


def _summary_row(call: CallHelp) -> dict[str, Any]:
    return {"call": call.name, "command": f"cpctl {call.commands[0]}", "path": call.path, "meaning": call.meaning}


def _find_example(call: CallHelp) -> str:
    """The example of the command that makes the call, with the option that selects the call."""
    command, option, value = call.commands[0].partition(" --")
    declared = _find_declaration(command)
    return f"{declared.example if declared else f'cpctl {command}'}{option}{value}"


def _find_declaration(command: str) -> Any:
    """The declaration of a command by its words; None for an unknown command."""
    words = command.split()
    group = build_root().get_command(None, words[0]) if words and words[0] in build_root().summaries() else None
    if group is None or not isinstance(group, LazyGroup):
        return group if len(words) == 1 else None
    return group.declarations().get(words[1]) if len(words) == 2 else None
