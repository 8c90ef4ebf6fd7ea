"""The tree of commands, read from typer, for the completion scripts."""

from collections.abc import Iterator
from typing import Any

from cpctl.cli.completion.nodes import BOTH, FLAG, FREE, Argument, Command, Option, Tree, Word
from cpctl.cli.completion.parameter_values import kind_of, known_words
from cpctl.cli.context import Run
from cpctl.cli.framework import Shared
from cpctl.cli.root import root


def tree() -> Tree:
    """All commands with their options and arguments, and every word that does not change."""
    top = root()
    with top.make_context("cpctl", [], obj=Run({}), resilient_parsing=True) as context:
        commands = tuple(_commands(top, context, ""))
        shared = (*Shared.parameters(), top.get_help_option(context))
    used = {kind for kind in _kinds(commands, shared) for kind in kind.split(BOTH)}
    words = {name: found for name, found in known_words().items() if name in used or name.startswith("states-")}
    return Tree(tuple(_option("", each) for each in shared), commands, words)


def _commands(group: Any, context: Any, path: str) -> Iterator[Command]:
    """A group and all that is in it."""
    summaries = group.summaries()
    own = (*group.params,) if path else (*(each for each in group.params if each.name == "version"),)
    yield Command(path, tuple(Word(*each) for each in summaries.items()), _options(path, own), ())
    for name in summaries:
        command, below = group.get_command(context, name), f"{path} {name}".strip()
        if hasattr(command, "summaries"):
            yield from _commands(command, context, below)
        else:
            arguments = (each for each in command.params if each.param_type_name == "argument")
            yield Command(
                below, (), _options(below, command.params), tuple(_argument(below, each) for each in arguments)
            )


def _options(path: str, parameters: Any) -> tuple[Option, ...]:
    own = (each for each in parameters if each.param_type_name == "option" and each not in Shared.parameters())
    return tuple(_option(path, each) for each in own)


def _option(path: str, option: Any) -> Option:
    names = tuple(sorted((*option.opts, *option.secondary_opts), key=len, reverse=True))
    if option.is_flag or option.count:
        return Option(names, FLAG, bool(option.count), option.help or "")
    kind = kind_of(path, names, option.metavar or "") or FREE
    return Option(names, kind, bool(option.multiple), option.help or "")


def _argument(path: str, argument: Any) -> Argument:
    return Argument(kind_of(path, (), argument.metavar or "") or FREE, argument.nargs == -1)


def _kinds(commands: tuple[Command, ...], shared: Any) -> Iterator[str]:
    for command in commands:
        yield from (each.kind for each in command.options)
        yield from (each.kind for each in command.arguments)
    yield from (_option("", each).kind for each in shared)
