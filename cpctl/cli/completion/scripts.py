"""The completion script of a shell: a template, and the tree written as that shell's tables."""

from collections.abc import Iterable, Iterator
from importlib import resources
from typing import NamedTuple

from cpctl.cli.completion.nodes import Command, Option, Tree, Word

WIDTH = 100


class Shell(NamedTuple):
    """How one shell writes things. `helps` says whether it shows a sentence beside a word."""

    name: str
    file: str  # what its scripts are called where it looks for them
    helps: bool
    escapes: tuple[tuple[str, str], ...]  # inside single quotes
    array: tuple[str, str]  # what stands before and after the words of an array
    case: tuple[str, str, str]  # before and after a pattern; after its lines


_POSIX_QUOTES = (("'", "'\\''"),)
_FISH_QUOTES = (("\\", "\\\\"), ("'", "\\'"))
SHELLS = {
    row.name: row
    for row in (
        Shell("bash", "cpctl.bash", False, _POSIX_QUOTES, ("{}=(", ")"), ("", ")", ";;")),
        Shell("zsh", "_cpctl", True, _POSIX_QUOTES, ("{}=(", ")"), ("(", ")", ";;")),
        Shell("fish", "cpctl.fish", True, _FISH_QUOTES, ("set {} ", ""), ("case ", "", "")),
    )
}


def script(name: str, tree: Tree) -> str:
    """The whole script of one shell."""
    shell = SHELLS[name]
    # Not by its path: cpctl may run out of one zip file.
    text = resources.files("cpctl.cli.completion").joinpath("templates", f"cpctl.{name}").read_text(encoding="utf-8")
    shared = [_option(shell, each) for each in tree.shared]
    tables = {
        "@SHARED@": _array(shell, "shared", shared),
        "@COMMANDS@": [line for command in tree.commands for line in _command(shell, command)],
        "@WORDS@": [
            line
            for kind, words in tree.words.items()
            for line in _case(shell, kind, [*_array(shell, "found", [_word(shell, each) for each in words])])
        ],
    }
    return "".join(line for row in text.splitlines(keepends=True) for line in _filled(row, tables))


def _filled(row: str, tables: dict[str, list[str]]) -> Iterator[str]:
    mark = row.strip()
    if mark not in tables:
        yield row
        return
    indent = row[: row.index("@")]
    yield from (f"{indent}{line}\n" for line in tables[mark])


def _command(shell: Shell, command: Command) -> list[str]:
    lines = _array(shell, "subcommands", [_word(shell, each) for each in command.commands])
    lines += _array(shell, "switches", [_option(shell, each) for each in command.options])
    lines += _array(shell, "arguments", [f"{each.kind}{'*' if each.repeats else ''}" for each in command.arguments])
    return _case(shell, command.path, lines)


def _case(shell: Shell, pattern: str, lines: Iterable[str]) -> list[str]:
    before, after, end = shell.case
    ended = [end] if end else []
    return [f"{before}{_quoted(shell, pattern)}{after}", *(f"    {line}" for line in [*lines, *ended])]


def _array(shell: Shell, name: str, words: list[str]) -> list[str]:
    """An array filled with words, some to a line; nothing where there are none."""
    if not words:
        return []
    before, after = shell.array
    lines = [before.format(name).rstrip()]
    for word in (_quoted(shell, each) for each in words):
        if len(lines[-1]) + len(word) < WIDTH:
            lines[-1] += word if lines[-1].endswith("(") else f" {word}"
        else:
            lines.append(f"    {word}")
    lines[-1] += after
    return [f"{line} \\" if shell.name == "fish" and line is not lines[-1] else line for line in lines]


def _option(shell: Shell, option: Option) -> str:
    names = ",".join(option.names) + ("*" if option.repeats else "")
    return f"{names} {option.kind}" + (f" {_line(option.help)}" if shell.helps else "")


def _word(shell: Shell, word: Word) -> str:
    return f"{word.text} {_line(word.help)}".rstrip() if shell.helps else word.text


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(shell: Shell, text: str) -> str:
    for character, written in shell.escapes:
        text = text.replace(character, written)
    return f"'{text}'"
