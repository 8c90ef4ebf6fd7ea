"""Makes docs/operators.html of docs/operators.md: one sheet of paper that needs nothing from elsewhere.

Of Markdown it knows what that page uses: headings, paragraphs, numbered lists, tables, bold. What
stands below the line `---` is for readers on a screen and is left out.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs" / "operators.md"
TARGET = ROOT / "docs" / "operators.html"
SCREEN_ONLY_MARK = "\n---\n"
# Each colour is that of the bench's screen; the words alone say the same, also on grey paper.
_STYLE = """
body { margin: 1rem auto; max-width: 52rem; padding: 0 1rem; background: #fff; color: #000;
  font: 16px/1.3 Arial, "Liberation Sans", Helvetica, sans-serif }
h1 { margin: 0; font-size: 1.9em }
h2 { margin: .55em 0 .2em; font-size: 1.15em; break-after: avoid }
p { margin: .3em 0 } ol { margin: .2em 0; padding-left: 1.6em }
table { width: 100%; border-collapse: collapse } tr { break-inside: avoid }
th, td { border: 1px solid #888; padding: .12em .5em; text-align: left; vertical-align: top }
th { background: #eee; font-weight: normal }
td:first-child { width: 30% }
.words td:first-child, .words td:not(:nth-child(3)) { width: auto; white-space: nowrap }
td.ok, td.done, td.check, td.stop { font-size: 1.15em; print-color-adjust: exact; -webkit-print-color-adjust: exact }
td.ok { background: #9fe0a4 } td.done { background: #9fdfe4 } td.check { background: #ffe27a }
td.stop { background: #c81e1e; color: #fff }
td.empty { height: 1.9em }
@page { size: A4; margin: 9mm 12mm }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 9.4pt; line-height: 1.2 } }
"""
# The only thing the page may use is this style, known by its hash.
_STYLE_POLICY = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
_PAGE_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def render_page() -> str:
    """The whole page."""
    text = SOURCE.read_text(encoding="utf-8").partition(SCREEN_ONLY_MARK)[0]
    title = re.match(r"# (.+)\n", text)
    words = {"title": escape(title[1]) if title else "", "body": "\n".join(_render_blocks(text))}
    return _PAGE_TEMPLATE.format(policy=_STYLE_POLICY, style=_STYLE, **words)


def _render_blocks(text: str) -> Iterator[str]:
    """Each paragraph, heading, list or table of the page, as HTML. Raises ValueError where it is none of them."""
    for part in re.split(r"\n{2,}", text.strip()):
        lines = part.splitlines()
        if heading := re.fullmatch(r"(#{1,2}) (.+)", part):
            yield f"<h{len(heading[1])}>{_render_inline(heading[2])}</h{len(heading[1])}>"
        elif all(re.match(r"\d+\. ", line) for line in lines):
            items = [f"<li>{_render_inline(line.partition('. ')[2])}</li>" for line in lines]
            yield "\n".join(["<ol>", *items, "</ol>"])
        elif all(line.startswith("|") for line in lines):
            yield _render_table([[cell.strip() for cell in line.strip("|").split("|")] for line in lines])
        elif re.match(r"[#|>`<*-](?!\*)|\d+\. ", part):
            raise ValueError(f"docs/operators.md: this page cannot hold: {lines[0]}")
        else:
            yield f"<p>{_render_inline(' '.join(lines))}</p>"


def _render_table(rows: list[list[str]]) -> str:
    head, _, *body = rows
    colored = head[0] == "word"
    lines = [f"<tr>{''.join(f'<th>{_render_inline(cell)}</th>' for cell in head)}</tr>"]
    lines += [f"<tr>{_verdict_cell(row[0], colored)}{''.join(map(_cell, row[1:]))}</tr>" for row in body]
    return "\n".join(['<table class="words">' if colored else "<table>", *lines, "</table>"])


def _verdict_cell(text: str, colored: bool) -> str:
    word = re.fullmatch(r"\*\*(OK|DONE|CHECK|STOP)\*\*", text) if colored else None
    return f'<td class="{word[1].lower()}">{_render_inline(text)}</td>' if word else _cell(text)


def _cell(text: str) -> str:
    return f"<td>{_render_inline(text)}</td>" if text else '<td class="empty"></td>'


def _render_inline(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text, quote=False))
