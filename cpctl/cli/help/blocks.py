"""The blocks of a help text, and their layout in a terminal; `tools/docs/roff.py` writes them as manual pages."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

LINE_WIDTH = 80
_MAX_NAME_WIDTH = 22  # a longer name gets its own line
_INDENT = "  "
_CODE_SPAN = re.compile("`[^`]{1,40}`")
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


class Heading(NamedTuple):
    text: str


class Paragraph(NamedTuple):
    """A paragraph; text to type is between backticks."""

    text: str


class DefinitionList(NamedTuple):
    rows: Sequence[tuple[str, str]]


class CodeBlock(NamedTuple):
    text: str


Block = Heading | Paragraph | DefinitionList | CodeBlock


def render_plain(blocks: Iterable[Block], width: int = LINE_WIDTH) -> str:
    """Render blocks as plain text; only a heading has no blank line after it."""
    joined = "".join(_render_block(block, width) + ("\n" if isinstance(block, Heading) else "\n\n") for block in blocks)
    return joined.rstrip() + "\n"


def _render_block(block: Block, width: int) -> str:
    if isinstance(block, DefinitionList):
        return "\n".join(_render_rows(block.rows, width))
    if isinstance(block, CodeBlock):
        return textwrap.indent(block.text.rstrip("\n"), _INDENT)
    return _wrap(block.text, width)


def _render_rows(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    longest = max((len(name) for name, _ in rows if len(name) <= _MAX_NAME_WIDTH), default=_MAX_NAME_WIDTH)
    edge = _INDENT + " " * (longest + 2)
    for name, meaning in rows:
        lines = _wrap(meaning, width - len(edge)).split("\n")
        first = (
            f"{_INDENT}{name:<{longest}}  {lines[0]}" if len(name) <= longest else f"{_INDENT}{name}\n{edge}{lines[0]}"
        )
        yield "\n".join([first.rstrip(), *(f"{edge}{line}" for line in lines[1:])])


def _wrap(text: str, width: int) -> str:
    """Wrap text, but never inside code: a command stays on one line, so that it can be copied."""
    whole = _CODE_SPAN.sub(lambda match: match[0].replace(" ", _NO_BREAK_SPACE), " ".join(text.split()))
    return textwrap.fill(whole, width, break_long_words=False, break_on_hyphens=False).replace(_NO_BREAK_SPACE, " ")
