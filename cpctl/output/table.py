"""Tables for people. The only file that knows rich."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cpctl.output.formats import Screen
from cpctl.output.text import cell, escaped

# Wide enough that nothing is folded where there is no terminal to fit into.
UNBOUNDED = 100_000


def table_text(headings: Sequence[str], rows: Sequence[Sequence[Any]], screen: Screen) -> str:
    """A table as text. Long values are folded, never cut; markup in data stays what it is."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(Text(heading.upper()), overflow="fold")
    for row in rows:
        table.add_row(*(Text(escaped(cell(value))) for value in row))
    written = StringIO()
    console = Console(
        file=written,
        width=screen.width or UNBOUNDED,
        height=100,  # without it, TERM=dumb makes rich ignore the width
        force_terminal=screen.color,
        color_system="standard" if screen.color else None,
        no_color=not screen.color,
        legacy_windows=False,
    )
    console.print(table)
    return "".join(line.rstrip() + "\n" for line in written.getvalue().splitlines())
