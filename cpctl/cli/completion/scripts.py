"""The completion script of a shell: a template, filled with the command tree as arrays of that shell."""

from collections.abc import Iterable, Iterator
from importlib import resources
from typing import NamedTuple

from cpctl.cli.completion.nodes import Candidate, CommandNode, CommandTree, OptionNode

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


def render_script(name: str, tree: CommandTree) -> str:
    """Render the script of one shell."""
    shell = SHELLS[name]
    # Not by its path: cpctl may run from a zip file.
    text = resources.files("cpctl.cli.completion").joinpath("templates", f"cpctl.{name}").read_text(encoding="utf-8")
    tables: dict[str, list[str]] = {
        "@SHARED@": _format_array(shell, "shared", [_format_option(shell, option) for option in tree.shared_options]),
        "@COMMANDS@": [line for command in tree.commands for line in _format_command(shell, command)],
        "@WORDS@": [],
    }
    for kind, words in tree.candidates.items():
        array = _format_array(shell, "found", [_format_candidate(shell, word) for word in words])
        tables["@WORDS@"] += _format_case(shell, kind, array)
    return "".join(line for row in text.splitlines(keepends=True) for line in _fill_placeholder(row, tables))


def _fill_placeholder(row: str, tables: dict[str, list[str]]) -> Iterator[str]:
    mark = row.strip()
    if mark not in tables:
        yield row
        return
    indent = row[: row.index("@")]
    yield from (f"{indent}{line}\n" for line in tables[mark])


def _format_command(shell: Shell, command: CommandNode) -> list[str]:
    arguments = [f"{node.kind}{'*' if node.is_repeatable else ''}" for node in command.arguments]
    lines = _format_array(shell, "subcommands", [_format_candidate(shell, each) for each in command.subcommands])
    lines += _format_array(shell, "switches", [_format_option(shell, each) for each in command.options])
    lines += _format_array(shell, "arguments", arguments)
    return _format_case(shell, command.path, lines)


def _format_case(shell: Shell, pattern: str, lines: Iterable[str]) -> list[str]:
    before, after, end = shell.case_delimiters
    ended = [end] if end else []
    return [f"{before}{_quote(shell, pattern)}{after}", *(f"    {line}" for line in [*lines, *ended])]


def _format_array(shell: Shell, name: str, words: list[str]) -> list[str]:
    """The lines of an array assignment; none for an empty array."""
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


def _format_option(shell: Shell, option: OptionNode) -> str:
    names = ",".join(option.names) + ("*" if option.is_repeatable else "")
    return f"{names} {option.kind}" + (f" {_collapse_whitespace(option.help)}" if shell.shows_descriptions else "")


def _format_candidate(shell: Shell, candidate: Candidate) -> str:
    description = f" {_collapse_whitespace(candidate.description)}" if shell.shows_descriptions else ""
    return f"{candidate.text}{description}".rstrip()


def _collapse_whitespace(text: str) -> str:
    return " ".join(text.split())


def _quote(shell: Shell, text: str) -> str:
    for character, written in shell.escapes:
        text = text.replace(character, written)
    return f"'{text}'"
