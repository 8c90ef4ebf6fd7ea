"""Generates docs/operators.html from docs/operators.md: one sheet of paper that loads nothing.

What is below the line `---` is for readers on a screen, and is left out.
"""

import base64
import hashlib
import re
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs" / "operators.md"
TARGET = ROOT / "docs" / "operators.html"
SCREEN_ONLY_MARK = "\n---\n"
# The colors are those of the bench's screen; on gray paper the words alone say the same.
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
.words [class] { font-size: 1.15em; print-color-adjust: exact; -webkit-print-color-adjust: exact }
.words .ok { background: #9fe0a4 } .words .done { background: #9fdfe4 } .words .check { background: #ffe27a }
.words .stop { background: #c81e1e; color: #fff }
td.empty { height: 1.9em }
@page { size: A4; margin: 9mm 12mm }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 9.4pt; line-height: 1.2 } }
"""
# The policy allows only this style, by its hash.
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
    """Render the whole page."""
    text = SOURCE.read_text(encoding="utf-8").partition(SCREEN_ONLY_MARK)[0]
    title = text.partition("\n")[0].removeprefix("# ")
    return _PAGE_TEMPLATE.format(policy=_STYLE_POLICY, style=_STYLE, title=escape(title), body=_render_body(text))


def _render_body(text: str) -> str:
    """Render Markdown, with classes for the table of large words, its words, and empty cells."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for number, token in enumerate(tokens):
        content = tokens[number + 1].content if token.type == "td_open" else ""
        if token.type == "table_open" and tokens[number + 4].content == "word":  # the text of its first heading
            token.attrSet("class", "words")
        elif token.type == "td_open" and not content:
            token.attrSet("class", "empty")
        elif word := re.fullmatch(r"\*\*(OK|DONE|CHECK|STOP)\*\*", content):
            token.attrSet("class", word[1].lower())
    return markdown.renderer.render(tokens, markdown.options, {}).rstrip()
