"""Shared by the tests of files: rows, CSV files, and the signals in a store afterwards."""

import csv
import io
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.cli_environment import CliEnvironment, CliResult

ORDER, OTHER_ORDER = "123456780000", "123456790000"
ITEMS = ("123456780001", "123456780002", "123456780003")
OTHER_ITEMS = ("123456790001", "123456790002", "123456790003")
CSV_HEADER = "type,order,item,tracking\n"


def shipped_row(item: str, tracking: str = "1A2B3C4D5E6F", order: str = ORDER) -> str:
    """A line for a file with CSV_HEADER."""
    return f"ItemShipped,{order},{item},{tracking}\n"


def all_items_csv() -> str:
    """A file that reports all six items of the sandbox as shipped, with mixed orders."""
    pairs = [pair for both in zip(ITEMS, OTHER_ITEMS, strict=True) for pair in zip(both, (ORDER, OTHER_ORDER))]  # noqa: B905
    return CSV_HEADER + "".join(shipped_row(item, f"T{item}", order) for item, order in pairs)


def generate_csv(signal_count: int, per_order: int = 5) -> str:
    """A file with this many shipped items, of orders that the sandbox does not know."""
    lines = [CSV_HEADER]
    for at in range(signal_count):
        order = 20_000_000 + at // per_order
        lines.append(f"ItemShipped,{order}0000,{order}{at % per_order + 1:04d},T{at:08d}\n")
    return "".join(lines)


def read_rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV text."""
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def stored_signals(store: Path) -> Sequence[Mapping[str, Any]]:
    """All signals of a store in the order of acceptance."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(store)) as opened:
        opened.row_factory = sqlite3.Row
        return [dict(row) for row in opened.execute("SELECT * FROM signals ORDER BY id")]


def signal_states(store: Path) -> list[str]:
    """The state of every signal, oldest first."""
    return [row["state"] for row in stored_signals(store)]


Invoke = Callable[..., CliResult]
ReceivedSignals = Callable[[], list[dict[str, Any]]]


def send_file(
    invoke: Invoke, cli: CliEnvironment, content: str | bytes, *more: str, name: str = "rows.csv"
) -> CliResult:
    """Write a file and send it."""
    data = content.encode() if isinstance(content, str) else content
    (cli.folder / name).write_bytes(data)
    return invoke(cli, "signal", "send", name, *more)
