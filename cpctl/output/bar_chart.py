"""Bar charts as text: with block characters where they can be shown, else in ASCII."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cpctl.output.text import BOLD, RESET, TerminalInfo, display_width, escape_controls, truncate

MAX_WIDTH = 100
MAX_LABEL_WIDTH = 28
MAX_BARS = 15  # the last one sums up all others
_EIGHTH_BLOCKS = " ▏▎▍▌▋▊▉"


class Bar(NamedTuple):
    """A label and its value."""

    label: str
    value: int


class Chart(NamedTuple):
    """Bars under a heading. Vertical ones are hours; the HTML page shows all of them, side by side."""

    heading: str
    bars: Sequence[Bar]
    is_vertical: bool = False


class ChartReport(NamedTuple):
    """A page of numbers: title, single facts, and charts."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    charts: Sequence[Chart]


def format_report(report: ChartReport, terminal: TerminalInfo) -> str:
    """Format a report as lines that fit the screen, or 80 columns if there is none."""
    return "".join(f"{line.rstrip()}\n" for line in _format_lines(report, terminal))


def limit_bars(bars: Sequence[Bar]) -> list[Bar]:
    """Return the first bars, and one for all others."""
    if len(bars) <= MAX_BARS:
        return list(bars)
    others = bars[MAX_BARS - 1 :]
    return [*bars[: MAX_BARS - 1], Bar(f"{len(others)} others", sum(bar.value for bar in others))]


def _format_lines(report: ChartReport, terminal: TerminalInfo) -> Iterator[str]:
    width = min(terminal.text_width, MAX_WIDTH)
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
    return f"{BOLD}{escape_controls(text)}{RESET}" if terminal.has_color else escape_controls(text)


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
    positions = [position for position, bar in enumerate(bars) if bar.value]
    return list(bars[positions[0] : positions[-1] + 1]) if positions else []


def _format_bars(bars: Sequence[Bar], width: int, terminal: TerminalInfo) -> Iterator[str]:
    ellipsis = "…" if terminal.has_blocks else "..."
    labels = [truncate(escape_controls(bar.label), MAX_LABEL_WIDTH, ellipsis) for bar in bars]
    label_width = max(map(display_width, labels))
    value_width = max(len(str(bar.value)) for bar in bars)
    bar_width = max(width - label_width - value_width - 4, 1)
    maximum = max(bar.value for bar in bars) or 1
    for label, bar in zip(labels, bars, strict=True):
        drawn = draw_bar(bar.value / maximum, bar_width, terminal.has_blocks)
        yield f"{label}{' ' * (label_width - display_width(label))}  {bar.value:>{value_width}}  {drawn}"


def draw_bar(fraction: float, width: int, has_blocks: bool) -> str:
    """Draw a bar that fills this fraction of the width; one above zero is always visible."""
    if fraction <= 0:
        return ""
    if not has_blocks:
        return "#" * max(round(fraction * width), 1)
    eighths = max(round(fraction * width * 8), 1)
    return "█" * (eighths // 8) + _EIGHTH_BLOCKS[eighths % 8].strip()
