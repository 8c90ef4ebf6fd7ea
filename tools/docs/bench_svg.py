"""Generates docs/bench.svg: the bench's screen as a terminal shows it."""

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
_CELL_WIDTH_PX, _CELL_HEIGHT_PX, _MARGIN_PX = 9, 20, 12  # of a character, and around all of them
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
    """Render the SVG; it loads nothing."""
    screen = pyte.Screen(SCREEN_STYLE.columns, SCREEN_STYLE.lines)
    pyte.Stream(screen).feed(render_frame(EXAMPLE_VIEW, SCREEN_STYLE))
    width = SCREEN_STYLE.columns * _CELL_WIDTH_PX + 2 * _MARGIN_PX
    height = SCREEN_STYLE.lines * _CELL_HEIGHT_PX + 2 * _MARGIN_PX
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="The packing bench: the last scan was accepted, in letters that can be read from two meters">',
        f'<rect width="{width}" height="{height}" rx="8" fill="{_BACKGROUND}"/>',
        '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="15" shape-rendering="crispEdges">',
    ]
    for row in range(SCREEN_STYLE.lines):
        parts += _render_row(screen, row)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _render_row(screen: pyte.Screen, row: int) -> Iterator[str]:
    """One line: per run of equal colors the background, the blocks of large letters as boxes, and the text."""
    cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    y = _MARGIN_PX + row * _CELL_HEIGHT_PX
    for (foreground, background, bold), run in groupby(cells, key=lambda cell: _cell_colors(cell[1])):
        part = list(run)
        if background != _BACKGROUND:
            yield _render_box(part, y, background)
        for is_block, group in groupby(part, key=lambda cell: cell[1].data == "█"):
            block = list(group)
            yield from [_render_box(block, y, foreground)] if is_block else _render_words(block, y, foreground, bold)


def _render_box(cells: list[tuple[int, Char]], y: int, color: str) -> str:
    x, width = _MARGIN_PX + cells[0][0] * _CELL_WIDTH_PX, len(cells) * _CELL_WIDTH_PX
    return f'<rect x="{x}" y="{y}" width="{width}" height="{_CELL_HEIGHT_PX}" fill="{color}"/>'


def _render_words(cells: list[tuple[int, Char]], y: int, color: str, bold: bool) -> Iterator[str]:
    x = _MARGIN_PX + cells[0][0] * _CELL_WIDTH_PX
    weight = ' font-weight="bold"' if bold else ""
    for word in re.finditer(r"\S+", "".join(cell.data for _, cell in cells)):
        # Position and length of every word are set, so that columns line up in any font.
        position = f'x="{x + word.start() * _CELL_WIDTH_PX}" y="{y + 15}" textLength="{len(word[0]) * _CELL_WIDTH_PX}"'
        yield f'<text {position} fill="{color}"{weight}>{escape(word[0])}</text>'


def _cell_colors(cell: Char) -> tuple[str, str, bool]:
    foreground, background = _COLORS[cell.fg], _BACKGROUND if cell.bg == "default" else _COLORS[cell.bg]
    return (background, foreground, cell.bold) if cell.reverse else (foreground, background, cell.bold)
