"""A drawing as one HTML page, to print or to hang up: nothing in it comes from elsewhere, nothing in it runs."""

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
# The only thing the page may use is this style, known by its hash: even a slip in escaping could load or run nothing.
_STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
# Of the upright chart, in units of its own.
_CHART_WIDTH, _CHART_HEIGHT, _MARGIN_TOP, _MARGIN_BOTTOM, _MAX_BAR_WIDTH = 820, 120, 16, 18, 60


def render_page(report: ChartReport) -> str:
    """The whole page."""
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
            yield f"<section>\n<h2>{_escape_html(chart.heading)}</h2>\n{_render_vertical_chart(chart)}\n</section>"
    yield '<div class="charts">'
    for chart in report.charts:
        if not chart.is_vertical and chart.bars:
            yield f"<section>\n<h2>{_escape_html(chart.heading)}</h2>\n{_render_table(limit_bars(chart.bars))}\n</section>"
    yield "</div>\n</main>\n</body>\n</html>"


def _escape_html(text: str) -> str:
    """Text of a stranger: control characters written out, and nothing of it markup."""
    return escape(escape_controls(text))


def _render_vertical_chart(chart: Chart) -> str:
    """Bars beside each other, as for the hours of a day; the numbers stand on them."""
    step, bottom = _CHART_WIDTH / len(chart.bars), _MARGIN_TOP + _CHART_HEIGHT
    wide = min(step * 0.75, _MAX_BAR_WIDTH)
    most = max(bar.value for bar in chart.bars) or 1
    said = _escape_html(f"{chart.heading}: " + ", ".join(f"{bar.label} {bar.value}" for bar in chart.bars if bar.value))
    parts = [f'<svg viewBox="0 0 {_CHART_WIDTH} {bottom + _MARGIN_BOTTOM}" role="img" aria-label="{said}">']
    for place, bar in enumerate(chart.bars):
        tall, middle = round(bar.value / most * _CHART_HEIGHT, 2), round((place + 0.5) * step, 2)
        if bar.value:
            across = f'x="{middle - wide / 2:g}" width="{wide:g}"'
            parts.append(f'<rect class="bar" {across} y="{bottom - tall:g}" height="{tall:g}" />')
            parts.append(f'<text x="{middle:g}" y="{bottom - tall - 4:g}">{bar.value}</text>')
        parts.append(f'<text x="{middle:g}" y="{bottom + 13}">{_escape_html(bar.label[:5])}</text>')
    parts.append(f'<line class="axis" x1="0" x2="{_CHART_WIDTH}" y1="{bottom}" y2="{bottom}" />\n</svg>')
    return "\n".join(parts)


def _render_table(bars: Sequence[Bar]) -> str:
    most = max(bar.value for bar in bars) or 1
    return "\n".join(["<table>", *(_render_row(bar, most) for bar in bars), "</table>"])


def _render_row(bar: Bar, maximum: int) -> str:
    drawn = f'<rect class="bar" x="0" y="0" width="{bar.value / maximum * 100:.2f}" height="10" />'
    svg = f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    return f'<tr><th scope="row">{_escape_html(bar.label)}</th><td>{bar.value}</td><td class="drawn">{svg}</td></tr>'
