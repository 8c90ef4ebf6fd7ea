"""A writer per output format, and the row that makes it a choice of `--output`."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.output.columns import View, as_table
from cpctl.output.text import CONTROL, Screen, cell, escaped

# Data, its view, and whether the stream is a terminal with colour: pieces of text.
Writer = Callable[[Any, View | None, Screen], Iterator[str]]


def _table(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    from cpctl.output.table import table_text

    columns, rows = as_table(data, view)
    if rows:
        yield table_text(columns, rows, screen)


def _tsv(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    """Linear TSV: a header, a line a record, and `\\t`, `\\n`, `\\\\` written out inside values."""
    columns, rows = as_table(data, view)
    yield "\t".join(column.heading for column in columns) + "\n"
    for row in rows:
        yield "\t".join(escaped(cell(value).replace("\\", "\\\\")) for value in row) + "\n"


def _csv(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    import csv
    import io

    columns, rows = as_table(data, view)
    for row in [[column.heading for column in columns], *rows]:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([cell(value) for value in row])
        yield _for_terminal(line.getvalue(), screen, keep="\n\t")


def _json(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    yield _for_terminal(json.dumps(data, ensure_ascii=False, indent=2), screen, keep="\n") + "\n"


def _jsonl(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    for record in data if isinstance(data, list) else [data]:
        yield _for_terminal(json.dumps(record, ensure_ascii=False), screen) + "\n"


def _yaml(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    import yaml

    written = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=10_000)
    if CONTROL.search(written.replace("\n", "")):  # marks that turn the writing around, and one read as a line end
        written = yaml.safe_dump(data, allow_unicode=False, sort_keys=False, width=10_000)
    yield written


def _value(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    """One scalar a line; nothing at all is an empty line."""
    for value in data if isinstance(data, list) else [data]:
        if isinstance(value, Mapping | list):
            raise InvalidInput(
                "`-o value` writes single values, and the result holds structures.",
                "Choose one value each with --query, such as --query '[].id'.",
            )
        yield escaped(cell(value)) + "\n"


FORMATS: dict[str, tuple[Writer, str]] = {
    "table": (_table, "for people; the default on a terminal"),
    "tsv": (_tsv, "tab-separated with a header, never cut; the default elsewhere"),
    "json": (_json, "all the data"),
    "jsonl": (_jsonl, "all the data, one JSON value a line"),
    "yaml": (_yaml, "all the data"),
    "csv": (_csv, "comma-separated with a header"),
    "value": (_value, "one value a line, chosen with --query"),
}


def _for_terminal(text: str, screen: Screen, keep: str = "") -> str:
    """JSON leaves DEL and C1 as they are; a terminal would obey some of them."""
    if not screen.is_terminal:
        return text
    return CONTROL.sub(lambda match: match[0] if match[0] in keep else f"\\u{ord(match[0]):04x}", text)
