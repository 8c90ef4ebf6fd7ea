"""Tables for people. The only file that knows rich."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cpctl.output.text import TerminalInfo, escape_controls, format_cell
from cpctl.output.views import Column

# Nothing is folded if there is no terminal to fit into.
UNBOUNDED_WIDTH = 100_000
# Spaces that rich puts between two columns of a table without lines.
COLUMN_GAP = 2


def render_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]], terminal: TerminalInfo) -> str:
    """Render a table as text. Long values are folded, never cut; markup in data is shown as it is."""
    cells = [[escape_controls(format_cell(value)) for value in row] for row in rows]
    kept = _choose_columns(columns, cells, terminal.width or UNBOUNDED_WIDTH)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for number in kept:
        table.add_column(Text(columns[number].heading.upper()), overflow="fold")
    for row in cells:
        table.add_row(*(Text(row[number]) for number in kept))
    buffer = StringIO()
    console = Console(
        file=buffer,
        width=terminal.width or UNBOUNDED_WIDTH,
        height=100,  # without it, TERM=dumb makes rich ignore the width
        force_terminal=terminal.has_color,
        color_system="standard" if terminal.has_color else None,
        no_color=not terminal.has_color,
        legacy_windows=False,
    )
    console.print(table)
    return "".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _choose_columns(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Leave out empty columns, then others until the rest fits, by their drop priority."""
    widths = [
        max(cell_len(text) for text in (columns[n].heading, *(row[n] for row in cells))) for n in range(len(columns))
    ]
    kept = [n for n in range(len(columns)) if not columns[n].drop_priority or any(row[n] for row in cells)]
    while sum(widths[n] + COLUMN_GAP for n in kept) - COLUMN_GAP > width:
        dropped = max(kept, key=lambda number: columns[number].drop_priority)
        if not columns[dropped].drop_priority:
            break
        kept.remove(dropped)
    return kept
