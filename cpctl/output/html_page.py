"""A drawing as one HTML page, to print or to hang up: nothing in it comes from elsewhere, nothing in it runs."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from cpctl.output.bar_chart import Bar, Chart, Drawing, few
from cpctl.output.text import escaped

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
_POLICY = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
# Of the upright chart, in units of its own.
_WIDE, _TALL, _TOP, _BELOW, _WIDEST = 820, 120, 16, 18, 60


def page(drawing: Drawing) -> str:
    """The whole page."""
    return "".join(f"{line}\n" for line in _lines(drawing))


def _lines(drawing: Drawing) -> Iterator[str]:
    title = _safe(drawing.title)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src {_POLICY}; base-uri 'none'; form-action 'none'\">"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>"
    yield f'<p class="about">{_safe(drawing.about)}</p>\n<dl>'
    for name, value in drawing.facts:
        yield f"<div><dt>{_safe(name)}</dt><dd>{_safe(value)}</dd></div>"
    yield "</dl>"
    for chart in drawing.charts:
        if chart.upright and chart.bars:
            yield f"<section>\n<h2>{_safe(chart.heading)}</h2>\n{_upright(chart)}\n</section>"
    yield '<div class="charts">'
    for chart in drawing.charts:
        if not chart.upright and chart.bars:
            yield f"<section>\n<h2>{_safe(chart.heading)}</h2>\n{_table(few(chart.bars))}\n</section>"
    yield "</div>\n</main>\n</body>\n</html>"


def _safe(text: str) -> str:
    """Text of a stranger: control characters written out, and nothing of it markup."""
    return escape(escaped(text))


def _upright(chart: Chart) -> str:
    """Bars beside each other, as for the hours of a day; the numbers stand on them."""
    step, bottom = _WIDE / len(chart.bars), _TOP + _TALL
    wide = min(step * 0.75, _WIDEST)
    most = max(bar.number for bar in chart.bars) or 1
    said = _safe(f"{chart.heading}: " + ", ".join(f"{bar.label} {bar.number}" for bar in chart.bars if bar.number))
    parts = [f'<svg viewBox="0 0 {_WIDE} {bottom + _BELOW}" role="img" aria-label="{said}">']
    for place, bar in enumerate(chart.bars):
        tall, middle = round(bar.number / most * _TALL, 2), round((place + 0.5) * step, 2)
        if bar.number:
            across = f'x="{middle - wide / 2:g}" width="{wide:g}"'
            parts.append(f'<rect class="bar" {across} y="{bottom - tall:g}" height="{tall:g}" />')
            parts.append(f'<text x="{middle:g}" y="{bottom - tall - 4:g}">{bar.number}</text>')
        parts.append(f'<text x="{middle:g}" y="{bottom + 13}">{_safe(bar.label[:5])}</text>')
    parts.append(f'<line class="axis" x1="0" x2="{_WIDE}" y1="{bottom}" y2="{bottom}" />\n</svg>')
    return "\n".join(parts)


def _table(bars: Sequence[Bar]) -> str:
    most = max(bar.number for bar in bars) or 1
    return "\n".join(["<table>", *(_row(bar, most) for bar in bars), "</table>"])


def _row(bar: Bar, most: int) -> str:
    drawn = f'<rect class="bar" x="0" y="0" width="{bar.number / most * 100:.2f}" height="10" />'
    svg = f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    return f'<tr><th scope="row">{_safe(bar.label)}</th><td>{bar.number}</td><td class="drawn">{svg}</td></tr>'
