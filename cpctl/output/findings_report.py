"""Findings as people read them: a line each, and under it what to do."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cpctl.output.text import Screen, escaped

USUAL, NARROWEST = 80, 40
_COLORS = {"ok": "\x1b[32m", "warning": "\x1b[33m", "failure": "\x1b[31m"}
_PLAIN = "\x1b[0m"
_LEVEL = 9


def checkup_text(rows: Sequence[Mapping[str, Any]], screen: Screen) -> str:
    """Findings as lines that fit the screen."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(rows, screen))


def _lines(rows: Sequence[Mapping[str, Any]], screen: Screen) -> Iterator[str]:
    width = max((screen.width or USUAL) - 1, NARROWEST)
    names = max((len(str(row["check"])) for row in rows), default=0) + 2
    room = max(width - _LEVEL - names, 20)
    for row in rows:
        level = str(row["level"])
        shown = f"{level:<{_LEVEL}}"
        painted = f"{_COLORS[level]}{shown}{_PLAIN}" if screen.color else shown
        first, *more = _wrapped(str(row["said"]), room) or [""]
        yield f"{painted}{row['check']:<{names}}{first}"
        for line in [*more, *_wrapped(str(row["remedy"] or ""), room)]:
            yield " " * (_LEVEL + names) + line


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(escaped(text), width, break_long_words=False, break_on_hyphens=False)
