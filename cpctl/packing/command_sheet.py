"""The printable sheet of command barcodes: HTML with an SVG picture for each, Code 128."""

from html import escape
from typing import NamedTuple

from cpctl.packing.scan_decoder import MEANINGS, PREFIX, TEST, TEST_SIGNS, WORDS

MODULE = 2  # CSS pixels of the thinnest bar, about half a millimetre on paper
HEIGHT = 70
QUIET = 10  # modules of white on each side (ISO/IEC 15417)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Packing bench: commands</title>
<style>
body {{ font-family: sans-serif; margin: 10mm; }}
section {{ break-inside: avoid; margin: 0 0 9mm; }}
h2 {{ margin: 0; font-size: 22pt; }}
p {{ margin: 1mm 0 2mm; }}
code {{ font-size: 9pt; }}
svg {{ display: block; max-width: 100%; }}
</style>
</head>
<body>
<h1>Packing bench</h1>
{sections}
</body>
</html>
"""


class Line(NamedTuple):
    """One code of the sheet."""

    command: str
    code: str
    meaning: str


def lines() -> list[Line]:
    """All codes of the sheet."""
    commands = [Line(str(command), PREFIX + WORDS[command], MEANINGS[command]) for command in WORDS]
    return [*commands, Line("TEST", TEST + TEST_SIGNS, "test scanner, layout and suffix: `cpctl signal scan --check`")]


def page() -> str:
    """The sheet as one HTML file without anything from elsewhere."""
    return _PAGE.format(sections="\n".join(map(_section, lines())))


def _section(line: Line) -> str:
    words = f"<h2>{escape(line.command)}</h2>\n<p>{escape(line.meaning)}</p>\n"
    return f"<section>\n{words}{svg(line.code)}\n<code>{escape(line.code)}</code>\n</section>"


def svg(code: str) -> str:
    """A code as bars."""
    from barcode.codex import Code128

    bars = Code128(code).build()[0]
    rectangles = []
    start = 0
    for place, sign in enumerate(f"{bars}0"):
        if sign == "0":
            if place > start:
                left, width = (QUIET + start) * MODULE, (place - start) * MODULE
                rectangles.append(f'<rect x="{left}" y="0" width="{width}" height="{HEIGHT}"/>')
            start = place + 1
    whole = (len(bars) + 2 * QUIET) * MODULE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" viewBox="0 0 {whole} {HEIGHT}"'
        f' role="img" aria-label="{escape(code)}">{"".join(rectangles)}</svg>'
    )
