"""The result file of an import: the file again, with what became of each row."""

import csv
from typing import IO

from cpctl.imports.importer import RowResult
from cpctl.imports.table_reader import Table

RESULT_HEADINGS = ("cpctl_state", "cpctl_id", "cpctl_message")


class ResultWriter:
    """Writes the rows of a table with their results; result columns of an earlier run are replaced."""

    def __init__(self, file: IO[str], table: Table) -> None:
        self._columns = [number for number, name in enumerate(table.headings) if name.strip() not in RESULT_HEADINGS]
        self._writer = csv.writer(file, delimiter=table.delimiter or ",", lineterminator="\n")
        self._writer.writerow([*(table.headings[number] for number in self._columns), *RESULT_HEADINGS])

    def write(self, result: RowResult) -> None:
        """Write one row."""
        cells = result.row.cells
        own = [cells[number] if number < len(cells) else "" for number in self._columns]
        self._writer.writerow([*own, result.state, result.id, result.message])


def result_encoding(table: Table) -> str:
    """UTF-8, with a byte order mark if the table has one: Excel recognizes UTF-8 by it."""
    return "utf-8-sig" if table.encoding == "utf-8-sig" else "utf-8"
