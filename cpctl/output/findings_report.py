"""The checks of `doctor` for people: a line each, and below it what to do."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cpctl.output.text import GREEN, RED, YELLOW, TerminalInfo, escape_controls
from cpctl.output.text import RESET as _RESET

_COLORS = {"ok": GREEN, "warning": YELLOW, "failure": RED}
_LEVEL_WIDTH = 9


def format_checks(rows: Sequence[Mapping[str, Any]], terminal: TerminalInfo) -> str:
    """Format checks as lines that fit the screen."""
    return "".join(f"{line.rstrip()}\n" for line in _format_lines(rows, terminal))


def _format_lines(rows: Sequence[Mapping[str, Any]], terminal: TerminalInfo) -> Iterator[str]:
    names = max((len(str(row["check"])) for row in rows), default=0) + 2
    room = max(terminal.text_width - _LEVEL_WIDTH - names, 20)
    for row in rows:
        level = str(row["level"])
        shown = f"{level:<{_LEVEL_WIDTH}}"
        painted = f"{_COLORS[level]}{shown}{_RESET}" if terminal.has_color else shown
        first, *more = _wrap(str(row["message"]), room) or [""]
        yield f"{painted}{row['check']:<{names}}{first}"
        for line in [*more, *_wrap(str(row["remedy"] or ""), room)]:
            yield " " * (_LEVEL_WIDTH + names) + line


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(escape_controls(text), width, break_long_words=False, break_on_hyphens=False)
