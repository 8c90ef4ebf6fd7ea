"""Writes the pieces of a help text as a manual page, in the macros of man(7)."""

import re
from collections.abc import Iterable, Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph

_ESCAPED = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_TYPED = re.compile(r"`([^`]+)`")


def page(name: str, section: int, summary: str, sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """A whole page: its heading and its sections, each of lines that are roff already.

    It holds no date and no version, so that it changes only with what it says.
    """
    lines = [
        r'.\" Written by "make docs" from the program; changes made here are lost.',
        f'.TH {text(name.upper())} {section} "" "cpctl" "cpctl manual"',
        ".nh",  # what stands in a line may be copied: nothing is hyphenated or stretched
        ".ad l",
        ".SH NAME",
        f"{text(name)} \\- {text(summary)}",
    ]
    for title, body in sections:
        lines += [f'.SH "{text(title)}"', *body]
    return "\n".join(lines) + "\n"


def text(plain: str) -> str:
    """Text in which roff finds nothing to obey."""
    return "".join(_ESCAPED.get(sign) or (sign if sign.isascii() else f"\\[u{ord(sign):04X}]") for sign in plain)


def line(plain: str) -> str:
    """A line of text, with what can be typed in bold."""
    pieces = _TYPED.split(" ".join(plain.split()))
    done = "".join(bold(piece) if number % 2 else text(piece) for number, piece in enumerate(pieces))
    return f"\\&{done}" if done.startswith((".", "'")) else done


def bold(plain: str) -> str:
    """Text in bold."""
    return f"\\fB{text(plain)}\\fR"


def option(record: str) -> str:
    """The names of an option in bold, what they take in italics: `-p, --profile NAME`."""
    words = record.split()
    return " ".join(
        f"\\fB{text(word.rstrip(','))}\\fR{',' if word.endswith(',') else ''}"
        if word.startswith("-")
        else f"\\fI{text(word)}\\fR"
        for word in words
    )


def terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A list of terms, which are roff already, each with its meaning."""
    for term, meaning in rows:
        yield from (".TP", term, line(meaning) or "\\&")


def written(blocks: Iterable[Block]) -> Iterator[str]:
    """The blocks as lines of roff."""
    for block in blocks:
        if isinstance(block, Heading):
            yield f'.SS "{text(block.text)}"'
        elif isinstance(block, Paragraph):
            yield from (".PP", line(block.text))
        elif isinstance(block, DefinitionList):
            yield from terms((bold(name), meaning) for name, meaning in block.rows)
        elif isinstance(block, CodeBlock):
            yield from code(block.text)


def code(lines: str) -> Iterator[str]:
    """Lines as they are, set off from the rest."""
    yield from (".PP", ".RS 4", ".EX")
    for each in lines.rstrip("\n").split("\n"):
        safe = text(each)
        yield f"\\&{safe}" if safe.startswith((".", "'")) else safe
    yield from (".EE", ".RE")
