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

AT = datetime(2026, 1, 20, 14, 1, 12).astimezone()
PAIR = "123456780001 -> 1Z5R89390357567127  UPS"
SHIFT = ScreenView(
    "live",
    "production",
    "bench-2",
    "Ana",
    ConnectionStatus(True, AT),
    1,
    0,
    212,
    AT,
    Verdict(Severity.OK, PAIR, time=AT),
    "sending in 8 s",
    "scan the ITEM (shipped)",
    (),
    [
        ScanRow(AT, Severity.OK, PAIR, "sending in 8 s"),
        ScanRow(AT.replace(second=9), Severity.STEP, "ITEM 123456780001 of order 123456780000"),
        ScanRow(AT.replace(minute=0), Severity.OK, "3 items -> 00340434161094015902  DHL Paket", "sent 14:00:23"),
        ScanRow(
            AT.replace(minute=0, second=2), Severity.DONE, "ALREADY DONE 13:41:55: 123456780003 -> 1Z879E930346834440"
        ),
    ],
)
LOOK = ScreenStyle()
_WIDE, _HIGH, _EDGE = 9, 20, 12  # pixels: of a character, and around them all
_PAPER, _INK = "#16181d", "#d7dae0"
_COLORS = {
    "default": _INK,
    "black": "#101216",
    "green": "#3fb950",
    "cyan": "#39c5cf",
    "brown": "#d29922",
    "red": "#da3633",
    "brightwhite": "#ffffff",
    "white": "#ffffff",
}


def bench_picture() -> str:
    """The SVG, without anything that another place would have to send."""
    screen = pyte.Screen(LOOK.columns, LOOK.lines)
    pyte.Stream(screen).feed(render_frame(SHIFT, LOOK))
    width, height = LOOK.columns * _WIDE + 2 * _EDGE, LOOK.lines * _HIGH + 2 * _EDGE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-label="The packing bench: the last scan was accepted, in letters read from two metres">',
            f'<rect width="{width}" height="{height}" rx="8" fill="{_PAPER}"/>',
            '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="15" shape-rendering="crispEdges">',
            *(piece for row in range(LOOK.lines) for piece in _row(screen, row)),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _row(screen: pyte.Screen, row: int) -> Iterator[str]:
    """A line: the ground of each run of one colour, its large signs as boxes, and its text."""
    cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    for (ink, ground, bold), run in groupby(cells, key=lambda cell: _colors(cell[1])):
        part = list(run)
        x, y = _EDGE + part[0][0] * _WIDE, _EDGE + row * _HIGH
        if ground != _PAPER:
            yield f'<rect x="{x}" y="{y}" width="{len(part) * _WIDE}" height="{_HIGH}" fill="{ground}"/>'
        for blocks, signs in groupby(part, key=lambda cell: cell[1].data == "█"):
            yield from _signs(list(signs), y, ink, bold, blocks)


def _signs(part: list[tuple[int, Char]], y: int, ink: str, bold: bool, blocks: bool) -> Iterator[str]:
    x, width = _EDGE + part[0][0] * _WIDE, len(part) * _WIDE
    if blocks:
        yield f'<rect x="{x}" y="{y}" width="{width}" height="{_HIGH}" fill="{ink}"/>'
        return
    weight = ' font-weight="bold"' if bold else ""
    for word in re.finditer(r"\S+", "".join(cell.data for _, cell in part)):
        # Place and length of every word are set, so that signs stand in columns whatever font there is.
        place = f'x="{x + word.start() * _WIDE}" y="{y + 15}" textLength="{len(word[0]) * _WIDE}"'
        yield f'<text {place} fill="{ink}"{weight}>{escape(word[0])}</text>'


def _colors(cell: Char) -> tuple[str, str, bool]:
    ink = _COLORS[cell.fg]
    ground = _PAPER if cell.bg == "default" else _COLORS[cell.bg]
    return (ground, ink, cell.bold) if cell.reverse else (ink, ground, cell.bold)
