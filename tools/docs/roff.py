"""The blocks of a help text as a manual page, in the macros of man(7)."""

import re
from collections.abc import Iterable, Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph

_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_INLINE_CODE = re.compile(r"`([^`]+)`")


def render_page(name: str, section: int, summary: str, sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Render a page from its sections, whose lines are roff already.

    It holds no date and no version, so that it changes only with its text.
    """
    lines = [
        r".\" Generated from the program.",
        f'.TH {escape_text(name.upper())} {section} "" "cpctl" "cpctl manual"',
        ".nh",  # lines may be copied: no hyphenation, no justification
        ".ad l",
        ".SH NAME",
        f"{escape_text(name)} \\- {escape_text(summary)}",
    ]
    for title, body in sections:
        lines += [f'.SH "{escape_text(title)}"', *body]
    return "\n".join(lines) + "\n"


def escape_text(raw: str) -> str:
    """Escape every character that roff would interpret."""
    return "".join(_ESCAPES.get(char) or (char if char.isascii() else f"\\[u{ord(char):04X}]") for char in raw)


def render_line(plain: str) -> str:
    """Render a paragraph as one line, with code in bold."""
    pieces = _INLINE_CODE.split(" ".join(plain.split()))
    line = "".join(render_bold(piece) if number % 2 else escape_text(piece) for number, piece in enumerate(pieces))
    return f"\\&{line}" if line.startswith((".", "'")) else line


def render_bold(plain: str) -> str:
    """Render text in bold."""
    return f"\\fB{escape_text(plain)}\\fR"


def render_option(usage: str) -> str:
    """Render the names of an option in bold and its metavar in italics: `-p, --profile NAME`."""
    words = usage.split()
    return " ".join(
        f"\\fB{escape_text(word.rstrip(','))}\\fR{',' if word.endswith(',') else ''}"
        if word.startswith("-")
        else f"\\fI{escape_text(word)}\\fR"
        for word in words
    )


def render_terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Render a list of terms, which are roff already, with their meanings."""
    for term, meaning in rows:
        yield from (".TP", term, render_line(meaning) or "\\&")


def render_blocks(blocks: Iterable[Block]) -> Iterator[str]:
    """Render blocks as lines of roff."""
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
    """Render lines unchanged, indented."""
    yield from (".PP", ".RS 4", ".EX")
    for line in lines.rstrip("\n").split("\n"):
        safe = escape_text(line)
        yield f"\\&{safe}" if safe.startswith((".", "'")) else safe
    yield from (".EE", ".RE")
