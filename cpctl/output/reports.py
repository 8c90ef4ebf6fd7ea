"""Reports: charts and checks as text that fits the screen, and charts as one HTML page to print."""

import base64
import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from cpctl.output.text import BOLD, GREEN, RED, YELLOW, TerminalInfo, display_width, escape_controls, truncate

MAX_WIDTH = 100
MAX_LABEL_WIDTH = 28
MAX_BARS = 15  # the last one sums up all others
_EIGHTH_BLOCKS = " ▏▎▍▌▋▊▉"


class Bar(NamedTuple):
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
    width = min(terminal.text_width, MAX_WIDTH)
    lines = [terminal.paint(line, BOLD) for line in _wrap_parts([report.title], width, "")]
    lines += [*_wrap_parts(report.subtitle.split(" · "), width, " | "), ""]
    lines += _wrap_parts([f"{name} {value}" for name, value in report.facts], width, "   ")
    for chart in report.charts:
        bars = _trim_empty_ends(chart.bars) if chart.is_vertical else limit_bars(chart.bars)
        if bars:
            heading = terminal.paint(escape_controls(chart.heading.upper()), BOLD)
            lines += ["", heading, *_format_bars(bars, width, terminal)]
    return _join_lines(lines)


def _join_lines(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


def limit_bars(bars: Sequence[Bar]) -> list[Bar]:
    """Return the first bars, and one for all others."""
    if len(bars) <= MAX_BARS:
        return list(bars)
    others = bars[MAX_BARS - 1 :]
    return [*bars[: MAX_BARS - 1], Bar(f"{len(others)} others", sum(bar.value for bar in others))]


def _wrap_parts(parts: Sequence[str], width: int, separator: str) -> list[str]:
    lines = [""]
    for part in map(escape_controls, parts):
        joined = f"{lines[-1]}{separator}{part}" if lines[-1] else part
        if lines[-1] and display_width(joined) > width:
            lines.append(part)
        else:
            lines[-1] = joined
    return lines


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


# --- HTML -----------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #5b6570; --line: #d0d7de; --bar: #0b6bcb }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6edf3; --faint: #9aa5b1; --line: #39424d; --bar: #58a6ff }
}
* { box-sizing: border-box }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.4 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere } h2 { margin: 1.6rem 0 .4rem; font-size: 1.1rem }
.about { margin: .2rem 0 1.2rem; color: var(--faint); overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem; margin: 0 }
dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .6rem }
dt { color: var(--faint); font-size: .85rem } dd { margin: 0; font-size: 1.3rem; overflow-wrap: anywhere }
section { break-inside: avoid } svg { display: block; width: 100%; height: auto }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 0 2rem }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th { font-weight: normal; text-align: left; width: 45%; overflow-wrap: anywhere; vertical-align: top }
td { text-align: right; padding-left: .6rem } td.drawn { width: 35% } td.drawn svg { height: .8rem }
tr { border-bottom: 1px solid var(--line) }
.bar { fill: var(--bar) } .axis { stroke: var(--line) }
text { fill: var(--ink); font: 10px system-ui, sans-serif; text-anchor: middle }
@media print {
  :root { color-scheme: light; font-size: 13px; --paper: #fff; --ink: #000; --faint: #333; --line: #999; --bar: #444 }
  body { margin: 0; max-width: none; font-size: 1rem } .charts { grid-template-columns: 1fr 1fr }
  .bar { print-color-adjust: exact }
}
@page { margin: 15mm }
"""
# The policy allows only this style, by its hash: even a mistake in escaping could not load or run anything.
_STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
# The vertical chart, in SVG units.
_CHART_WIDTH, _CHART_HEIGHT, _MARGIN_TOP, _MARGIN_BOTTOM, _MAX_BAR_WIDTH = 820, 120, 16, 18, 60


def render_page(report: ChartReport) -> str:
    """Render a report as a page that loads nothing and runs nothing."""
    return _join_lines(_render_html_lines(report))


def _render_html_lines(report: ChartReport) -> Iterator[str]:
    title = _escape_html(report.title)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src {_STYLE_HASH}; base-uri 'none'; form-action 'none'\">"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>"
    yield f'<p class="about">{_escape_html(report.subtitle)}</p>\n<dl>'
    for name, value in report.facts:
        yield f"<div><dt>{_escape_html(name)}</dt><dd>{_escape_html(value)}</dd></div>"
    yield "</dl>"
    for chart in report.charts:
        if chart.is_vertical and chart.bars:
            yield _render_section(chart, _render_vertical_chart(chart))
    yield '<div class="charts">'
    for chart in report.charts:
        if not chart.is_vertical and chart.bars:
            yield _render_section(chart, _render_table(limit_bars(chart.bars)))
    yield "</div>\n</main>\n</body>\n</html>"


def _render_section(chart: Chart, drawing: str) -> str:
    return f"<section>\n<h2>{_escape_html(chart.heading)}</h2>\n{drawing}\n</section>"


def _escape_html(text: str) -> str:
    return escape(escape_controls(text))


def _render_vertical_chart(chart: Chart) -> str:
    step, bottom = _CHART_WIDTH / len(chart.bars), _MARGIN_TOP + _CHART_HEIGHT
    width = min(step * 0.75, _MAX_BAR_WIDTH)
    maximum = max(bar.value for bar in chart.bars) or 1
    values = ", ".join(f"{bar.label} {bar.value}" for bar in chart.bars if bar.value)
    label = _escape_html(f"{chart.heading}: {values}")
    parts = [f'<svg viewBox="0 0 {_CHART_WIDTH} {bottom + _MARGIN_BOTTOM}" role="img" aria-label="{label}">']
    for number, bar in enumerate(chart.bars):
        height, middle = round(bar.value / maximum * _CHART_HEIGHT, 2), round((number + 0.5) * step, 2)
        if bar.value:
            x = f'x="{middle - width / 2:g}" width="{width:g}"'
            parts.append(f'<rect class="bar" {x} y="{bottom - height:g}" height="{height:g}" />')
            parts.append(f'<text x="{middle:g}" y="{bottom - height - 4:g}">{bar.value}</text>')
        parts.append(f'<text x="{middle:g}" y="{bottom + 13}">{_escape_html(bar.label[:5])}</text>')
    parts.append(f'<line class="axis" x1="0" x2="{_CHART_WIDTH}" y1="{bottom}" y2="{bottom}" />\n</svg>')
    return "\n".join(parts)


def _render_table(bars: Sequence[Bar]) -> str:
    maximum = max(bar.value for bar in bars) or 1
    rows = []
    for bar in bars:
        drawn = f'<rect class="bar" x="0" y="0" width="{bar.value / maximum * 100:.2f}" height="10" />'
        svg = f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
        label = f'<th scope="row">{_escape_html(bar.label)}</th>'
        rows.append(f'<tr>{label}<td>{bar.value}</td><td class="drawn">{svg}</td></tr>')
    return "\n".join(["<table>", *rows, "</table>"])


# --- checks ---------------------------------------------------------------------------------

_LEVEL_COLORS = {"ok": GREEN, "warning": YELLOW, "failure": RED}
_LEVEL_WIDTH = 9


def format_checks(rows: Sequence[Mapping[str, Any]], terminal: TerminalInfo) -> str:
    """Format the checks of `doctor` as lines that fit the screen: a line each, and below it what to do."""
    name_width = max((len(str(row["check"])) for row in rows), default=0) + 2
    text_width = max(terminal.text_width - _LEVEL_WIDTH - name_width, 20)
    lines = []
    for row in rows:
        level = terminal.paint(f"{row['level']:<{_LEVEL_WIDTH}}", _LEVEL_COLORS[row["level"]])
        first, *more = _wrap_words(str(row["message"]), text_width) or [""]
        lines.append(f"{level}{row['check']:<{name_width}}{first}")
        more += _wrap_words(str(row["remedy"] or ""), text_width)
        lines += [" " * (_LEVEL_WIDTH + name_width) + line for line in more]
    return _join_lines(lines)


def _wrap_words(text: str, width: int) -> list[str]:
    return textwrap.wrap(escape_controls(text), width, break_long_words=False, break_on_hyphens=False)
