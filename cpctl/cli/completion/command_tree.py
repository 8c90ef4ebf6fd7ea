"""The command tree for the completion scripts, read from typer."""

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
from cpctl.cli.framework import shared_parameters
from cpctl.cli.root import build_root


def build_tree() -> CommandTree:
    """Build the tree of all commands with their options, arguments and static words."""
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as typer_context:
        commands = tuple(_walk_commands(top, typer_context, ""))
        parameters = (*shared_parameters(), top.get_help_option(typer_context))
    shared = tuple(_build_option("", option) for option in parameters)
    kinds = [option.kind for option in (*shared, *(each for command in commands for each in command.options))]
    kinds += [argument.kind for command in commands for argument in command.arguments]
    used = {part for kind in kinds for part in kind.split(KIND_SEPARATOR)}
    words = {kind: found for kind, found in load_static_words().items() if kind in used or kind.startswith("states-")}
    return CommandTree(shared, commands, words)


def _walk_commands(group: Any, typer_context: Any, path: str) -> Iterator[CommandNode]:
    summaries = group.summaries()
    own = group.params if path else [option for option in group.params if option.name == "version"]
    yield CommandNode(path, tuple(Candidate(*row) for row in summaries.items()), _build_options(path, own), ())
    for name in summaries:
        command, below = group.get_command(typer_context, name), f"{path} {name}".strip()
        if hasattr(command, "summaries"):
            yield from _walk_commands(command, typer_context, below)
        else:
            arguments = (each for each in command.params if each.param_type_name == "argument")
            nodes = tuple(_build_argument(below, argument) for argument in arguments)
            yield CommandNode(below, (), _build_options(below, command.params), nodes)


def _build_options(path: str, parameters: Any) -> tuple[OptionNode, ...]:
    shared = shared_parameters()
    own = (each for each in parameters if each.param_type_name == "option" and each not in shared)
    return tuple(_build_option(path, option) for option in own)


def _build_option(path: str, option: Any) -> OptionNode:
    names = tuple(sorted((*option.opts, *option.secondary_opts), key=len, reverse=True))
    if option.is_flag or option.count:
        return OptionNode(names, FLAG, bool(option.count), option.help or "")
    kind = find_value_kind(path, names, option.metavar or "") or FREE_TEXT
    return OptionNode(names, kind, bool(option.multiple), option.help or "")


def _build_argument(path: str, argument: Any) -> ArgumentNode:
    return ArgumentNode(find_value_kind(path, (), argument.metavar or "") or FREE_TEXT, argument.nargs == -1)
