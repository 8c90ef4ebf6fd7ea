"""`cpctl explain`: what a call or a signal consists of."""

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
        list[str] | None, typer.Argument(metavar="[CALL...]", help="A signal, a command, or a path of the service.")
    ] = None,
    api: Annotated[str, typer.Option("--api", metavar="NAME", help="core or publish: whose call it is.")] = "core",
) -> None:
    """Show what a call or a signal consists of: fields, key, answers, an example."""
    if api not in APIS:
        raise InvalidInput(f'There is no API "{api}".', suggest(api, APIS))
    found = (
        _find_calls(" ".join([*names, *(["--api publish"] if api == "publish" else [])]))
        if names
        else [make() for make in all_calls().values()]
    )
    output = context.output
    if len(found) > 1:
        context.show([_summary_row(call) for call in found], EXPLAINED_CALL)
        return
    call, example = found[0], _find_example(found[0])
    if context.options.output or context.options.query:
        context.show(call_to_dict(call, example), TableView(EXPLAINED_FIELD, lambda whole: list(whole["fields"])))
    else:
        output.write(iter([render_plain(call_to_blocks(call, example))]))


def _find_calls(text: str) -> list[CallHelp]:
    try:
        return [make() for make in find_calls(text)]
    except InvalidInput:
        if _find_declaration(text) is not None:
            raise InvalidInput(
                f"`cpctl {text}` makes no call that could be explained.", f"`cpctl {text} --help` shows what it does."
            ) from None
        raise


def _summary_row(call: CallHelp) -> dict[str, Any]:
    return {"call": call.name, "command": f"cpctl {call.commands[0]}", "path": call.path, "meaning": call.meaning}


def _find_example(call: CallHelp) -> str:
    """The example of the command that makes the call, with the option that makes it this one."""
    command, option, value = call.commands[0].partition(" --")
    declared = _find_declaration(command)
    return f"{declared.example if declared else f'cpctl {command}'}{option}{value}"


def _find_declaration(command: str) -> Any:
    """How a command is declared, by its words; None where there is none."""
    words = command.split()
    group = build_root().get_command(None, words[0]) if words and words[0] in build_root().summaries() else None
    if group is None or not isinstance(group, LazyGroup):
        return group if len(words) == 1 else None
    return group.declarations().get(words[1]) if len(words) == 2 else None
