"""The pieces of a help text, and how they look in a terminal. Manual pages write the same pieces in their own way."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

WIDTH = 80
_LONGEST_NAME = 22  # a longer one stands on a line of its own
_INDENT = "  "
_TYPED = re.compile("`[^`]{1,40}`")
_BLANK = "\N{NO-BREAK SPACE}"


class Head(NamedTuple):
    """The heading of what follows."""

    text: str


class Words(NamedTuple):
    """A paragraph; what can be typed stands between backticks."""

    text: str


class Rows(NamedTuple):
    """Names with what each of them means."""

    rows: Sequence[tuple[str, str]]


class Code(NamedTuple):
    """Lines to be typed or written as they are."""

    text: str


Block = Head | Words | Rows | Code


def plain(blocks: Iterable[Block], width: int = WIDTH) -> str:
    """The blocks as lines of text."""
    pieces = [_piece(block, width) for block in blocks]
    joined = ""
    for block, text in pieces:
        # What a heading is about follows it at once.
        joined += text + ("\n" if isinstance(block, Head) else "\n\n")
    return joined.rstrip() + "\n"


def _piece(block: Block, width: int) -> tuple[Block, str]:
    if isinstance(block, Rows):
        return block, "\n".join(_rows(block.rows, width))
    if isinstance(block, Code):
        return block, textwrap.indent(block.text.rstrip("\n"), _INDENT)
    return block, _filled(block.text, width)


def _rows(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    longest = max((len(name) for name, _ in rows if len(name) <= _LONGEST_NAME), default=_LONGEST_NAME)
    edge = _INDENT + " " * (longest + 2)
    for name, meaning in rows:
        lines = _filled(meaning, width - len(edge)).split("\n")
        first = (
            f"{_INDENT}{name:<{longest}}  {lines[0]}" if len(name) <= longest else f"{_INDENT}{name}\n{edge}{lines[0]}"
        )
        yield "\n".join([first.rstrip(), *(f"{edge}{line}" for line in lines[1:])])


def _filled(text: str, width: int) -> str:
    """Lines no longer than the width; only a word that is longer by itself stands out.

    What is to be typed stays on one line, so that it can be copied.
    """
    whole = _TYPED.sub(lambda match: match[0].replace(" ", _BLANK), " ".join(text.split()))
    return textwrap.fill(whole, width, break_long_words=False, break_on_hyphens=False).replace(_BLANK, " ")
