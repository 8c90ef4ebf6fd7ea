"""Every cpctl command line in a document, and its errors according to the command tree."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from cpctl.cli.context import Context
from cpctl.cli.framework import UsageError
from cpctl.cli.root import GROUPS, build_root
from harness.markdown_pages import fenced_blocks, inline_codes

SHELL_LANGUAGES = ("sh", "bash", "crontab", "ini", "bat")
# A placeholder to fill in: FILE, ID, ITEM…; "1" is a valid id, number and text.
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*(?:…|\.\.\.)?|…|\.\.\.")
_COMMAND_START = re.compile(r"(?<![\w.@/:=-])(?:[\w./~\"$-]*/)?cpctl(?= +[a-z-])")
_COMMENT = re.compile(r"(?:^|(?<=\s))#(?!!)(?:[^'\"\n]|'[^'\n]*'|\"[^\"\n]*\")*$", re.MULTILINE)
# Text before "cpctl" where it is a name, not a command: `-u cpctl`, `pip install cpctl`.
_NAME_NOT_COMMAND = re.compile(r"(?:(?:^|\s)-{1,2}\w[\w-]*|install|uninstall|inject|upgrade|venv|-v)\s+$")


class DocumentedCommand(NamedTuple):
    """A command line in a document. In running text, arguments may be missing; in a block they may not."""

    arguments: tuple[str, ...]
    is_complete: bool

    @property
    def command(self) -> str:
        """The words that name the command: `outbox list`, `whoami`."""
        names = [word for word in self.arguments if not word.startswith("-")]
        return " ".join(names[: 2 if names and names[0] in GROUPS else 1])


def document_commands(document: Path) -> list[DocumentedCommand]:
    """The command lines of a document, each once."""
    return list(dict.fromkeys([*_block_commands(document), *_inline_commands(document)]))


def script_commands(text: str) -> Iterator[DocumentedCommand]:
    """The command lines of a shell script, a crontab or a unit."""
    text = _COMMENT.sub("", text.replace("\\\n", " "))
    for start in _COMMAND_START.finditer(text):
        if not _NAME_NOT_COMMAND.search(text[: start.start()].rpartition("\n")[2]):
            quote = text[start.start() - 1 : start.start()]
            words = _split_arguments(_cut_at_shell_end(text[start.end() :], quote))
            yield from [DocumentedCommand(tuple(words), True)] if words else []


def usage_error(documented: DocumentedCommand) -> str:
    """The error in a command line, or ""."""
    command: Any = build_root()
    name, rest, context = "cpctl", list(documented.arguments), None
    try:
        while True:
            context = command.make_context(name, rest, parent=context, obj=Context({}))
            rest = [*getattr(context, "_protected_args", []), *context.args]
            if not rest or not hasattr(command, "resolve_command"):
                return ""
            name, command, rest = command.resolve_command(context, rest)
    except typer.Exit:  # --help, --version
        return ""
    except UsageError as error:
        missing = type(error).__name__ == "MissingParameter" or "requires an argument" in error.format_message()
        return "" if missing and not documented.is_complete else str(error.format_message())


def _block_commands(document: Path) -> Iterator[DocumentedCommand]:
    for block in fenced_blocks(document):
        if block.language in SHELL_LANGUAGES:
            yield from script_commands(block.text)
        elif block.language == "console":
            lines = block.text.splitlines()
            yield from script_commands("\n".join(line[2:] for line in lines if line.startswith("$ ")))
            for line in lines:
                yield from (_parse_inline(code) for code in re.findall(r"`(cpctl [^`]+)`", line))
        elif block.language == "text":
            lines = [line for line in block.text.splitlines() if re.match(r"\s*(cpctl |[*@\d][^|]*\bcpctl )", line)]
            yield from script_commands("\n".join(lines))


def _inline_commands(document: Path) -> Iterator[DocumentedCommand]:
    for code in inline_codes(document):
        first, *more = code.split()
        if first == "cpctl" and more:
            yield from script_commands(code) if "|" in code and " | " in code else _expand_alternatives(code)
        elif first in GROUPS and more and re.fullmatch(r"[a-z][a-z-]*(\|[a-z-]+)*", more[0]):
            yield from _expand_alternatives(f"cpctl {code}")


def _expand_alternatives(code: str) -> Iterator[DocumentedCommand]:
    """`orders list|info` is two commands."""
    match = re.search(r" ([a-z-]+(?:\|[a-z-]+)+)", code)
    for each in match[1].split("|") if match else [""]:
        yield _parse_inline(code.replace(match[1], each) if match else code)


def _parse_inline(code: str) -> DocumentedCommand:
    piece = _cut_at_shell_end(code.removeprefix("cpctl "), "")
    return DocumentedCommand(tuple(_split_arguments(piece)), False)


def _cut_at_shell_end(text: str, quote: str) -> str:
    """A command up to where the shell ends it, with 1 for every command substitution."""
    found, open_quote, place = "", "", 0
    while place < len(text):
        sign = text[place]
        if text.startswith("$(", place) and open_quote != "'":
            place = _closing_index(text, place + 2)
            found += "1"
            continue
        if not open_quote and (sign in "|;&)<>\n`" or (sign == quote and quote in "'\"")):
            break
        if sign in "'\"" and open_quote in ("", sign):
            open_quote = "" if open_quote else sign
        found += sign
        place += 1
    return re.sub(r"\s\d$", "", found) if text[place : place + 1] == ">" else found


def _closing_index(text: str, place: int) -> int:
    """The index after the `)` that closes a parenthesis opened before `place`."""
    depth = 1
    while depth and place < len(text):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        place += 1
    return place


def _split_arguments(piece: str) -> list[str]:
    return [_fill_placeholder(word) for word in shlex.split(piece)]


def _fill_placeholder(word: str) -> str:
    if _PLACEHOLDER.fullmatch(word):
        return "1"
    return re.sub(r"\$\{[^}]*\}|\$\w+|\$[@*#?!]", "1", word)
