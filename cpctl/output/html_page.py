"""A report as one HTML page to print: it loads nothing and runs nothing."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from cpctl.output.bar_chart import Bar, Chart, ChartReport, limit_bars
from cpctl.output.text import escape_controls

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
    """Render the page."""
    return "".join(f"{line}\n" for line in _render_lines(report))


def _render_lines(report: ChartReport) -> Iterator[str]:
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
    """Escape foreign text: control characters and markup."""
    return escape(escape_controls(text))


def _render_vertical_chart(chart: Chart) -> str:
    """Bars side by side, with their values above them."""
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
    return "\n".join(["<table>", *(_render_row(bar, maximum) for bar in bars), "</table>"])


def _render_row(bar: Bar, maximum: int) -> str:
    drawn = f'<rect class="bar" x="0" y="0" width="{bar.value / maximum * 100:.2f}" height="10" />'
    svg = f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    return f'<tr><th scope="row">{_escape_html(bar.label)}</th><td>{bar.value}</td><td class="drawn">{svg}</td></tr>'
