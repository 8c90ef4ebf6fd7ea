"""Bars as text: blocks where they can be shown, ASCII elsewhere."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cpctl.output.text import TerminalInfo, escape_controls

MIN_WIDTH, DEFAULT_WIDTH, MAX_WIDTH = 40, 80, 100
MAX_LABEL_WIDTH = 28
# A chart shows so many bars; what is beyond is one bar.
MAX_BARS = 15
_EIGHTH_BLOCKS = " ▏▎▍▌▋▊▉"
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


class Bar(NamedTuple):
    """One bar: what it stands for, and how much."""

    label: str
    value: int


class Chart(NamedTuple):
    """Bars under a heading; `upright` ones are hours, in a row, and all of them are shown on paper."""

    heading: str
    bars: Sequence[Bar]
    is_vertical: bool = False


class ChartReport(NamedTuple):
    """A page of numbers: what it is, single facts, and charts."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    charts: Sequence[Chart]


def format_report(report: ChartReport, terminal: TerminalInfo) -> str:
    """A drawing as lines that fit the screen, or 80 columns where there is none."""
    return "".join(f"{line.rstrip()}\n" for line in _format_lines(report, terminal))


def limit_bars(bars: Sequence[Bar]) -> list[Bar]:
    """The first bars, and one for all others."""
    if len(bars) <= MAX_BARS:
        return list(bars)
    others = bars[MAX_BARS - 1 :]
    return [*bars[: MAX_BARS - 1], Bar(f"{len(others)} others", sum(bar.value for bar in others))]


def _format_lines(report: ChartReport, terminal: TerminalInfo) -> Iterator[str]:
    width = min(max((terminal.width or DEFAULT_WIDTH) - 1, MIN_WIDTH), MAX_WIDTH)
    yield from (_format_heading(line, terminal) for line in _wrap_parts([report.title], width, ""))
    yield from _wrap_parts(report.subtitle.split(" · "), width, " | ")
    yield ""
    yield from _wrap_parts([f"{name} {value}" for name, value in report.facts], width, "   ")
    for chart in report.charts:
        bars = _trim_empty_ends(chart.bars) if chart.is_vertical else limit_bars(chart.bars)
        if bars:
            yield ""
            yield _format_heading(chart.heading.upper(), terminal)
            yield from _format_bars(bars, width, terminal)


def _format_heading(text: str, terminal: TerminalInfo) -> str:
    return f"{_BOLD}{escape_controls(text)}{_RESET}" if terminal.has_color else escape_controls(text)


def _wrap_parts(parts: Sequence[str], width: int, separator: str) -> Iterator[str]:
    line = ""
    for part in map(escape_controls, parts):
        joined = f"{line}{separator}{part}" if line else part
        if line and display_width(joined) > width:
            yield line
            joined = part
        line = joined
    yield line


def _trim_empty_ends(bars: Sequence[Bar]) -> list[Bar]:
    """From the first hour in which something happened to the last."""
    at = [place for place, bar in enumerate(bars) if bar.value]
    return list(bars[at[0] : at[-1] + 1]) if at else []


def _format_bars(bars: Sequence[Bar], width: int, terminal: TerminalInfo) -> Iterator[str]:
    labels = [
        truncate(escape_controls(bar.label), MAX_LABEL_WIDTH, "…" if terminal.has_blocks else "...") for bar in bars
    ]
    first = max(map(display_width, labels))
    last = max(len(str(bar.value)) for bar in bars)
    room = max(width - first - last - 4, 1)
    most = max(bar.value for bar in bars) or 1
    for label, bar in zip(labels, bars, strict=True):
        drawn = draw_bar(bar.value / most, room, terminal.has_blocks)
        yield f"{label}{' ' * (first - display_width(label))}  {bar.value:>{last}}  {drawn}"


def draw_bar(fraction: float, width: int, has_blocks: bool) -> str:
    """A bar that fills a share of the room; what is more than nothing shows."""
    if fraction <= 0:
        return ""
    if not has_blocks:
        return "#" * max(round(fraction * width), 1)
    eighths = max(round(fraction * width * 8), 1)
    return "█" * (eighths // 8) + _EIGHTH_BLOCKS[eighths % 8].strip()


def truncate(text: str, max_width: int, ellipsis: str) -> str:
    """A text that takes at most so many columns; `sign` ends one that was cut."""
    if display_width(text) <= max_width:
        return text
    kept = ""
    for character in text:
        if display_width(kept + character) > max_width - len(ellipsis):
            break
        kept += character
    return kept + ellipsis


def display_width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
