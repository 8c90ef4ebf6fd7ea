"""The tree of commands, read from typer, for the completion scripts."""

from collections.abc import Iterator
from typing import Any

from cpctl.cli.completion.nodes import (
    FLAG,
    FREE_TEXT,
    KIND_SEPARATOR,
    ArgumentNode,
    Candidate,
    CommandNode,
    CommandTree,
    OptionNode,
)
from cpctl.cli.completion.parameter_values import find_value_kind, load_static_words
from cpctl.cli.context import Context
from cpctl.cli.framework import SharedParameters
from cpctl.cli.root import build_root


def build_tree() -> CommandTree:
    """All commands with their options and arguments, and every word that does not change."""
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as context:
        commands = tuple(_walk_commands(top, context, ""))
        shared = (*SharedParameters.parameters(), top.get_help_option(context))
    used = {kind for kind in _collect_kinds(commands, shared) for kind in kind.split(KIND_SEPARATOR)}
    words = {name: found for name, found in load_static_words().items() if name in used or name.startswith("states-")}
    return CommandTree(tuple(_build_option("", each) for each in shared), commands, words)


def _walk_commands(group: Any, context: Any, path: str) -> Iterator[CommandNode]:
    """A group and all that is in it."""
    summaries = group.summaries()
    own = (*group.params,) if path else (*(each for each in group.params if each.name == "version"),)
    yield CommandNode(path, tuple(Candidate(*each) for each in summaries.items()), _build_options(path, own), ())
    for name in summaries:
        command, below = group.get_command(context, name), f"{path} {name}".strip()
        if hasattr(command, "summaries"):
            yield from _walk_commands(command, context, below)
        else:
            arguments = (each for each in command.params if each.param_type_name == "argument")
            yield CommandNode(
                below,
                (),
                _build_options(below, command.params),
                tuple(_build_argument(below, each) for each in arguments),
            )


def _build_options(path: str, parameters: Any) -> tuple[OptionNode, ...]:
    own = (
        each for each in parameters if each.param_type_name == "option" and each not in SharedParameters.parameters()
    )
    return tuple(_build_option(path, each) for each in own)


def _build_option(path: str, option: Any) -> OptionNode:
    names = tuple(sorted((*option.opts, *option.secondary_opts), key=len, reverse=True))
    if option.is_flag or option.count:
        return OptionNode(names, FLAG, bool(option.count), option.help or "")
    kind = find_value_kind(path, names, option.metavar or "") or FREE_TEXT
    return OptionNode(names, kind, bool(option.multiple), option.help or "")


def _build_argument(path: str, argument: Any) -> ArgumentNode:
    return ArgumentNode(find_value_kind(path, (), argument.metavar or "") or FREE_TEXT, argument.nargs == -1)


def _collect_kinds(commands: tuple[CommandNode, ...], shared: Any) -> Iterator[str]:
    for command in commands:
        yield from (each.kind for each in command.options)
        yield from (each.kind for each in command.arguments)
    yield from (_build_option("", each).kind for each in shared)
