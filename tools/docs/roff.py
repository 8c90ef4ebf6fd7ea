"""Writes the pieces of a help text as a manual page, in the macros of man(7)."""

import re
from collections.abc import Iterable, Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph

_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_INLINE_CODE = re.compile(r"`([^`]+)`")


def render_page(name: str, section: int, summary: str, sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """A whole page: its heading and its sections, each of lines that are roff already.

    It holds no date and no version, so that it changes only with what it says.
    """
    lines = [
        r".\" Generated from the program.",
        f'.TH {escape_text(name.upper())} {section} "" "cpctl" "cpctl manual"',
        ".nh",  # what stands in a line may be copied: nothing is hyphenated or stretched
        ".ad l",
        ".SH NAME",
        f"{escape_text(name)} \\- {escape_text(summary)}",
    ]
    for title, body in sections:
        lines += [f'.SH "{escape_text(title)}"', *body]
    return "\n".join(lines) + "\n"


def escape_text(raw: str) -> str:
    """Text in which roff finds nothing to obey."""
    return "".join(_ESCAPES.get(sign) or (sign if sign.isascii() else f"\\[u{ord(sign):04X}]") for sign in raw)


def render_line(plain: str) -> str:
    """A line of text, with what can be typed in bold."""
    pieces = _INLINE_CODE.split(" ".join(plain.split()))
    done = "".join(render_bold(piece) if number % 2 else escape_text(piece) for number, piece in enumerate(pieces))
    return f"\\&{done}" if done.startswith((".", "'")) else done


def render_bold(plain: str) -> str:
    """Text in bold."""
    return f"\\fB{escape_text(plain)}\\fR"


def render_option(usage: str) -> str:
    """The names of an option in bold, what they take in italics: `-p, --profile NAME`."""
    words = usage.split()
    return " ".join(
        f"\\fB{escape_text(word.rstrip(','))}\\fR{',' if word.endswith(',') else ''}"
        if word.startswith("-")
        else f"\\fI{escape_text(word)}\\fR"
        for word in words
    )


def render_terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A list of terms, which are roff already, each with its meaning."""
    for term, meaning in rows:
        yield from (".TP", term, render_line(meaning) or "\\&")


def render_blocks(blocks: Iterable[Block]) -> Iterator[str]:
    """The blocks as lines of roff."""
    for block in blocks:
        if isinstance(block, Heading):
            yield f'.SS "{escape_text(block.text)}"'
        elif isinstance(block, Paragraph):
            yield from (".PP", render_line(block.text))
        elif isinstance(block, DefinitionList):
            yield from render_terms((render_bold(name), meaning) for name, meaning in block.rows)
        elif isinstance(block, CodeBlock):
            yield from render_code(block.text)


def render_code(lines: str) -> Iterator[str]:
    """Lines as they are, set off from the rest."""
    yield from (".PP", ".RS 4", ".EX")
    for each in lines.rstrip("\n").split("\n"):
        safe = escape_text(each)
        yield f"\\&{safe}" if safe.startswith((".", "'")) else safe
    yield from (".EE", ".RE")
