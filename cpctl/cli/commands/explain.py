"""`cpctl explain`: what a call or a signal consists of."""

from typing import Annotated, Any

import typer

from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.help.blocks import plain
from cpctl.cli.help.call_help import Call
from cpctl.cli.help.explanations import all_calls, as_blocks, as_data, find
from cpctl.cli.root import root
from cpctl.errors import InvalidInput, nearest
from cpctl.output.columns import EXPLAINED, EXPLAINED_FIELD, Sheet

APIS = ("core", "publish")
commands = Commands()


@commands.add("explain", "cpctl explain signal.shipped")
def explain_call(
    run: Run,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[CALL...]", help="A signal, a command, or a path of the service.")
    ] = None,
    api: Annotated[str, typer.Option("--api", metavar="NAME", help="core or publish: whose call it is.")] = "core",
) -> None:
    """Show what a call or a signal consists of: fields, key, answers, an example."""
    if api not in APIS:
        raise InvalidInput(f'There is no API "{api}".', nearest(api, APIS))
    found = (
        _found(" ".join([*words, *(["--api publish"] if api == "publish" else [])]))
        if words
        else [make() for make in all_calls().values()]
    )
    output = run.output
    if len(found) > 1:
        run.show([_line(call) for call in found], EXPLAINED)
        return
    call, example = found[0], _example(found[0])
    if run.options.output or run.options.query:
        run.show(as_data(call, example), Sheet(EXPLAINED_FIELD, lambda whole: list(whole["fields"])))
    else:
        output.write(iter([plain(as_blocks(call, example))]))


def _found(text: str) -> list[Call]:
    try:
        return [make() for make in find(text)]
    except InvalidInput:
        if _declared(text) is not None:
            raise InvalidInput(
                f"`cpctl {text}` makes no call that could be explained.", f"`cpctl {text} --help` shows what it does."
            ) from None
        raise


def _line(call: Call) -> dict[str, Any]:
    return {"call": call.name, "command": f"cpctl {call.commands[0]}", "path": call.path, "meaning": call.meaning}


def _example(call: Call) -> str:
    """The example of the command that makes the call, with the option that makes it this one."""
    command, option, value = call.commands[0].partition(" --")
    declared = _declared(command)
    return f"{declared.example if declared else f'cpctl {command}'}{option}{value}"


def _declared(command: str) -> Any:
    """How a command is declared, by its words; None where there is none."""
    words = command.split()
    group = root().get_command(None, words[0]) if words and words[0] in root().summaries() else None
    if group is None or not hasattr(group, "_declared"):
        return group if len(words) == 1 else None
    return group._declared().get(words[1]) if len(words) == 2 else None
