"""The printable sheet of command barcodes: HTML with an SVG image of each, in Code 128."""

import re
from html import escape
from typing import NamedTuple

from cpctl.packing.scanned_codes import COMMAND_CODES, COMMAND_MEANINGS, COMMAND_PREFIX, TEST_CHARACTERS, TEST_PREFIX

MODULE_PX = 2  # CSS pixels of the thinnest bar, about half a millimeter on paper
BAR_HEIGHT_PX = 70
QUIET_ZONE_MODULES = 10  # white on each side (ISO/IEC 15417)

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
    command: str
    code: str
    meaning: str


def list_codes() -> list[SheetRow]:
    """All codes of the sheet, in its order."""
    commands = [
        SheetRow(str(command), COMMAND_PREFIX + code, COMMAND_MEANINGS[command])
        for command, code in COMMAND_CODES.items()
    ]
    meaning = "test scanner, layout and suffix: `cpctl signal scan --check`"
    return [*commands, SheetRow("TEST", TEST_PREFIX + TEST_CHARACTERS, meaning)]


def render_sheet() -> str:
    """The sheet as one HTML file that loads nothing."""
    return _PAGE_TEMPLATE.format(sections="\n".join(map(_render_section, list_codes())))


def _render_section(row: SheetRow) -> str:
    heading = f"<h2>{escape(row.command)}</h2>\n<p>{escape(row.meaning)}</p>\n"
    return f"<section>\n{heading}{render_barcode(row.code)}\n<code>{escape(row.code)}</code>\n</section>"


def render_barcode(code: str) -> str:
    from barcode.codex import Code128

    modules = Code128(code).build()[0]  # a string of 1 for black and 0 for white
    bars = "".join(
        f'<rect x="{(QUIET_ZONE_MODULES + bar.start()) * MODULE_PX}" y="0" width="{len(bar[0]) * MODULE_PX}"'
        f' height="{BAR_HEIGHT_PX}"/>'
        for bar in re.finditer("1+", modules)
    )
    width = (len(modules) + 2 * QUIET_ZONE_MODULES) * MODULE_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{BAR_HEIGHT_PX}"'
        f' viewBox="0 0 {width} {BAR_HEIGHT_PX}" role="img" aria-label="{escape(code)}">{bars}</svg>'
    )
