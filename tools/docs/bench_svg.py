"""The picture of the bench: what the program writes to a terminal, as a terminal shows it, as an SVG."""

import re
from collections.abc import Iterator
from datetime import datetime
from html import escape
from itertools import groupby

import pyte
from pyte.screens import Char

from cpctl.packing.models import ConnectionStatus, ScanRow, ScreenView, Severity, Verdict
from cpctl.packing.screen import ScreenStyle, render_frame

SCAN_TIME = datetime(2026, 1, 20, 14, 1, 12).astimezone()
ITEM_AND_LABEL = "123456780001 -> 1Z5R89390357567127  UPS"
EXAMPLE_VIEW = ScreenView(
    "live",
    "production",
    "bench-2",
    "Ana",
    ConnectionStatus(True, SCAN_TIME),
    1,
    0,
    212,
    SCAN_TIME,
    Verdict(Severity.OK, ITEM_AND_LABEL, time=SCAN_TIME),
    "sending in 8 s",
    "scan the ITEM (shipped)",
    (),
    [
        ScanRow(SCAN_TIME, Severity.OK, ITEM_AND_LABEL, "sending in 8 s"),
        ScanRow(SCAN_TIME.replace(second=9), Severity.STEP, "ITEM 123456780001 of order 123456780000"),
        ScanRow(
            SCAN_TIME.replace(minute=0), Severity.OK, "3 items -> 00340434161094015902  DHL Paket", "sent 14:00:23"
        ),
        ScanRow(
            SCAN_TIME.replace(minute=0, second=2),
            Severity.DONE,
            "ALREADY DONE 13:41:55: 123456780003 -> 1Z879E930346834440",
        ),
    ],
)
SCREEN_STYLE = ScreenStyle()
_CELL_WIDTH_PX, _CELL_HEIGHT_PX, _MARGIN_PX = 9, 20, 12  # pixels: of a character, and around them all
_BACKGROUND, _FOREGROUND = "#16181d", "#d7dae0"
_COLORS = {
    "default": _FOREGROUND,
    "black": "#101216",
    "green": "#3fb950",
    "cyan": "#39c5cf",
    "brown": "#d29922",
    "red": "#da3633",
    "brightwhite": "#ffffff",
    "white": "#ffffff",
}


def render_bench_svg() -> str:
    """The SVG, without anything that another place would have to send."""
    screen = pyte.Screen(SCREEN_STYLE.columns, SCREEN_STYLE.lines)
    pyte.Stream(screen).feed(render_frame(EXAMPLE_VIEW, SCREEN_STYLE))
    width, height = (
        SCREEN_STYLE.columns * _CELL_WIDTH_PX + 2 * _MARGIN_PX,
        SCREEN_STYLE.lines * _CELL_HEIGHT_PX + 2 * _MARGIN_PX,
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-label="The packing bench: the last scan was accepted, in letters read from two metres">',
            f'<rect width="{width}" height="{height}" rx="8" fill="{_BACKGROUND}"/>',
            '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="15" shape-rendering="crispEdges">',
            *(piece for row in range(SCREEN_STYLE.lines) for piece in _render_row(screen, row)),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _render_row(screen: pyte.Screen, row: int) -> Iterator[str]:
    """A line: the ground of each run of one colour, its large signs as boxes, and its text."""
    cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    for (ink, ground, bold), run in groupby(cells, key=lambda cell: _cell_colors(cell[1])):
        part = list(run)
        x, y = _MARGIN_PX + part[0][0] * _CELL_WIDTH_PX, _MARGIN_PX + row * _CELL_HEIGHT_PX
        if ground != _BACKGROUND:
            yield f'<rect x="{x}" y="{y}" width="{len(part) * _CELL_WIDTH_PX}" height="{_CELL_HEIGHT_PX}" fill="{ground}"/>'
        for blocks, signs in groupby(part, key=lambda cell: cell[1].data == "█"):
            yield from _render_cells(list(signs), y, ink, bold, blocks)


def _render_cells(cells: list[tuple[int, Char]], y: int, foreground: str, bold: bool, blocks: bool) -> Iterator[str]:
    x, width = _MARGIN_PX + cells[0][0] * _CELL_WIDTH_PX, len(cells) * _CELL_WIDTH_PX
    if blocks:
        yield f'<rect x="{x}" y="{y}" width="{width}" height="{_CELL_HEIGHT_PX}" fill="{foreground}"/>'
        return
    weight = ' font-weight="bold"' if bold else ""
    for word in re.finditer(r"\S+", "".join(cell.data for _, cell in cells)):
        # Place and length of every word are set, so that signs stand in columns whatever font there is.
        place = f'x="{x + word.start() * _CELL_WIDTH_PX}" y="{y + 15}" textLength="{len(word[0]) * _CELL_WIDTH_PX}"'
        yield f'<text {place} fill="{foreground}"{weight}>{escape(word[0])}</text>'


def _cell_colors(cell: Char) -> tuple[str, str, bool]:
    ink = _COLORS[cell.fg]
    ground = _BACKGROUND if cell.bg == "default" else _COLORS[cell.bg]
    return (ground, ink, cell.bold) if cell.reverse else (ink, ground, cell.bold)
