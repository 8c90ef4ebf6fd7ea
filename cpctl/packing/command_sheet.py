"""The printable sheet of command barcodes: HTML with an SVG picture for each, Code 128."""

from html import escape
from typing import NamedTuple

from cpctl.packing.scan_decoder import COMMAND_CODES, COMMAND_MEANINGS, COMMAND_PREFIX, TEST_CHARACTERS, TEST_PREFIX

MODULE_PX = 2  # CSS pixels of the thinnest bar, about half a millimetre on paper
BAR_HEIGHT_PX = 70
QUIET_ZONE_MODULES = 10  # modules of white on each side (ISO/IEC 15417)

_PAGE_TEMPLATE = """<!DOCTYPE html>
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


class SheetRow(NamedTuple):
    """One code of the sheet."""

    command: str
    code: str
    meaning: str


def list_codes() -> list[SheetRow]:
    """All codes of the sheet."""
    commands = [
        SheetRow(str(command), COMMAND_PREFIX + COMMAND_CODES[command], COMMAND_MEANINGS[command])
        for command in COMMAND_CODES
    ]
    return [
        *commands,
        SheetRow("TEST", TEST_PREFIX + TEST_CHARACTERS, "test scanner, layout and suffix: `cpctl signal scan --check`"),
    ]


def render_sheet() -> str:
    """The sheet as one HTML file without anything from elsewhere."""
    return _PAGE_TEMPLATE.format(sections="\n".join(map(_render_section, list_codes())))


def _render_section(row: SheetRow) -> str:
    words = f"<h2>{escape(row.command)}</h2>\n<p>{escape(row.meaning)}</p>\n"
    return f"<section>\n{words}{render_barcode(row.code)}\n<code>{escape(row.code)}</code>\n</section>"


def render_barcode(code: str) -> str:
    """A code as bars."""
    from barcode.codex import Code128

    bars = Code128(code).build()[0]
    rectangles = []
    start = 0
    for place, sign in enumerate(f"{bars}0"):
        if sign == "0":
            if place > start:
                left, width = (QUIET_ZONE_MODULES + start) * MODULE_PX, (place - start) * MODULE_PX
                rectangles.append(f'<rect x="{left}" y="0" width="{width}" height="{BAR_HEIGHT_PX}"/>')
            start = place + 1
    whole = (len(bars) + 2 * QUIET_ZONE_MODULES) * MODULE_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{BAR_HEIGHT_PX}" viewBox="0 0 {whole} {BAR_HEIGHT_PX}"'
        f' role="img" aria-label="{escape(code)}">{"".join(rectangles)}</svg>'
    )
