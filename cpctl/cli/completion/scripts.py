"""The completion script of a shell: a template, filled with all commands, options and static words as arrays."""

import re
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any, NamedTuple

from cpctl.cli.completion.parameter_values import FLAG, FREE_TEXT, find_value_kind, load_static_words
from cpctl.cli.context import Context
from cpctl.cli.framework import shared_parameters
from cpctl.cli.root import build_root

MAX_LINE_WIDTH = 100


class Shell(NamedTuple):
    """The syntax of one shell, and whether it shows descriptions."""

    name: str
    file_name: str  # of the script, in the folder where the shell looks for it
    shows_descriptions: bool
    escapes: tuple[tuple[str, str], ...]  # inside single quotes
    array_delimiters: tuple[str, str]  # before and after the words of an array
    case_delimiters: tuple[str, str, str]  # before and after a pattern, and after its lines


_POSIX_ESCAPES = (("'", "'\\''"),)
_FISH_ESCAPES = (("\\", "\\\\"), ("'", "\\'"))
SHELLS = {
    row.name: row
    for row in (
        Shell("bash", "cpctl.bash", False, _POSIX_ESCAPES, ("{}=(", ")"), ("", ")", ";;")),
        Shell("zsh", "_cpctl", True, _POSIX_ESCAPES, ("{}=(", ")"), ("(", ")", ";;")),
        Shell("fish", "cpctl.fish", True, _FISH_ESCAPES, ("set {} ", ""), ("case ", "", "")),
    )
}


def render_script(name: str) -> str:
    """Render the script of one shell."""
    shell, root = SHELLS[name], build_root()
    with root.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as typer_context:
        commands = list(_command_lines(shell, "", root, typer_context))
        shared = [*shared_parameters(), root.get_help_option(typer_context)]
    words = load_static_words().items()
    tables = {
        "SHARED": _format_array(shell, "shared", [_format_option(shell, "", option) for option in shared]),
        "COMMANDS": commands,
        "WORDS": [line for kind, found in words for line in _format_case(shell, kind, _format_words(shell, found))],
    }
    # Not by its path: cpctl may run from a zip file.
    text = resources.files("cpctl.cli.completion").joinpath("templates", f"cpctl.{name}").read_text(encoding="utf-8")
    return re.sub(
        r"(?m)^( *)@([A-Z]+)@\n",
        lambda match: "".join(f"{match[1]}{line}\n" for line in tables[match[2]]),
        text,
    )


def _command_lines(shell: Shell, path: str, command: Any, typer_context: Any) -> Iterator[str]:
    """The lines of a command or group (`path` is "" for cpctl itself), then those of its commands."""
    commands = command.summaries() if hasattr(command, "summaries") else {}
    own = [each for each in command.params if each not in shared_parameters()]
    options = [_format_option(shell, path, each) for each in own if each.param_type_name == "option"]
    arguments = [
        (find_value_kind(path, (), each.metavar or "") or FREE_TEXT) + ("*" if each.nargs == -1 else "")
        for each in own
        if each.param_type_name == "argument"
    ]
    lines = _format_words(shell, commands.items(), "subcommands")
    lines += _format_array(shell, "switches", options)
    lines += _format_array(shell, "arguments", arguments)
    yield from _format_case(shell, path, lines)
    for name in commands:
        inner = command.get_command(typer_context, name)
        yield from _command_lines(shell, f"{path} {name}".strip(), inner, typer_context)


def _format_words(shell: Shell, words: Iterable[tuple[str, str]], name: str = "found") -> list[str]:
    return _format_array(shell, name, [_describe(shell, *word) for word in words])


def _format_option(shell: Shell, path: str, option: Any) -> str:
    names = sorted((*option.opts, *option.secondary_opts), key=len, reverse=True)
    if option.is_flag or option.count:
        kind, is_repeatable = FLAG, option.count
    else:
        kind, is_repeatable = find_value_kind(path, names, option.metavar or "") or FREE_TEXT, option.multiple
    return _describe(shell, f"{','.join(names)}{'*' if is_repeatable else ''} {kind}", option.help or "")


def _describe(shell: Shell, text: str, description: str) -> str:
    return " ".join([text, *description.split()]) if shell.shows_descriptions else text


def _format_case(shell: Shell, pattern: str, lines: Iterable[str]) -> list[str]:
    before, after, end = shell.case_delimiters
    ended = [end] if end else []
    return [f"{before}{_quote(shell, pattern)}{after}", *(f"    {line}" for line in [*lines, *ended])]


def _format_array(shell: Shell, name: str, words: list[str]) -> list[str]:
    if not words:
        return []
    before, after = shell.array_delimiters
    lines = [before.format(name).rstrip()]
    for word in (_quote(shell, each) for each in words):
        if len(lines[-1]) + len(word) < MAX_LINE_WIDTH:
            lines[-1] += word if lines[-1].endswith("(") else f" {word}"
        else:
            lines.append(f"    {word}")
    lines[-1] += after
    return [f"{line} \\" if shell.name == "fish" and line is not lines[-1] else line for line in lines]


def _quote(shell: Shell, text: str) -> str:
    for character, written in shell.escapes:
        text = text.replace(character, written)
    return f"'{text}'"
