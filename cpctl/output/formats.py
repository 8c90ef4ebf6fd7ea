"""A writer per output format, and the row that makes it a choice of `--output`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.output.columns import LazyList, TableView, View, as_list, as_table, materialize, top_level_keys
from cpctl.output.text import CONTROL_CHARACTERS, TerminalInfo, escape_controls, format_cell

# Data, its view, and whether the stream is a terminal with colour: pieces of text.
# The ASCII characters that TSV writes out inside values.
TSV_ESCAPED_BYTES = bytes([*range(32), 92, 127])
# YAML 1.2, "Core Schema": numbers, some of which are plain text to YAML 1.1.
YAML_NUMBER = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+)$")
Formatter = Callable[[Any, View | None, TerminalInfo], Iterator[str]]


def _format_table(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    if isinstance(view, TableView) and view.render:
        yield view.render(data, terminal)
        return
    from cpctl.output.table import render_table

    columns, rows = as_table(data, view)
    whole = list(rows)
    if whole:
        yield render_table(columns, whole, terminal)


def _format_tsv(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    """Linear TSV: a header, a line a record, and `\\t`, `\\n`, `\\\\` written out inside values."""
    columns, rows = as_table(data, view)
    yield "\t".join(column.heading for column in columns) + "\n"
    keys = top_level_keys(view)
    if isinstance(data, LazyList) and keys and len(keys) > 1:
        for _, records in data.chunks():
            yield _format_tsv_rows(keys, records)
    else:
        yield from map(_format_tsv_row, rows)


def _format_tsv_row(row: Sequence[Any]) -> str:
    return "\t".join(escape_controls(format_cell(value).replace("\\", "\\\\")) for value in row) + "\n"


def _format_tsv_rows(keys: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str:
    """Many lines at once. Where all is plain text and whole numbers, one look at them tells; else row by row."""
    try:
        rows = list(map(itemgetter(*keys), records))
    except KeyError:
        return "".join(_format_tsv_row([record.get(key) for key in keys]) for record in records)
    if set(map(type, chain.from_iterable(rows))) <= {str, int}:
        text = "".join(map(("\t".join(["%s"] * len(keys)) + "\n").__mod__, rows))
        separators = len(rows) * len(keys)  # between cells and after lines; more would stand in values
        if text.isascii() and len(text) - len(text.encode().translate(None, TSV_ESCAPED_BYTES)) == separators:
            return text
    return "".join(map(_format_tsv_row, rows))


def _format_csv(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    import csv
    import io

    columns, rows = as_table(data, view)
    for row in [[column.heading for column in columns], *rows]:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([format_cell(value) for value in row])
        yield _escape_for_terminal(line.getvalue(), terminal, keep="\n\t")


def _format_json(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    """Indented; a list that is too long to be read by a person stands as the service wrote it."""
    if isinstance(data, LazyList):
        yield "["
        between = ""
        for written, _ in data.chunks():
            yield between + _escape_for_terminal(written, terminal, keep="\n\t")
            between = ","
        yield "]\n"
    else:
        yield _escape_for_terminal(json.dumps(data, ensure_ascii=False, indent=2), terminal, keep="\n") + "\n"


def _format_jsonl(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    for record in data if isinstance(data, LazyList) else as_list(data):
        yield _escape_for_terminal(json.dumps(record, ensure_ascii=False), terminal) + "\n"


def _format_yaml(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Puts what a reader of YAML 1.2 would take for a number into quotes, such as the id 0089."""

    Dumper.add_implicit_resolver("tag:yaml.org,2002:float", YAML_NUMBER, list("-+.0123456789"))
    data = materialize(data)
    written = yaml.dump(data, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    if CONTROL_CHARACTERS.search(
        written.replace("\n", "")
    ):  # marks that turn the writing around, and one read as a line end
        written = yaml.dump(data, Dumper=Dumper, allow_unicode=False, sort_keys=False, width=10_000)
    yield written


def _format_value(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    """One scalar a line; nothing at all is an empty line."""
    for value in as_list(materialize(data)):
        if isinstance(value, Mapping | list):
            raise InvalidInput(
                "`-o value` writes single values, and the result holds structures.",
                "Choose one value each with --query, such as --query '[].id'.",
            )
        yield escape_controls(format_cell(value)) + "\n"


FORMATS: dict[str, tuple[Formatter, str]] = {
    "table": (_format_table, "for people; the default on a terminal"),
    "tsv": (_format_tsv, "tab-separated with a header, never cut; the default elsewhere"),
    "json": (_format_json, "all the data"),
    "jsonl": (_format_jsonl, "all the data, one JSON value a line"),
    "yaml": (_format_yaml, "all the data"),
    "csv": (_format_csv, "comma-separated with a header"),
    "value": (_format_value, "one value a line, chosen with --query"),
}


def _escape_for_terminal(text: str, terminal: TerminalInfo, keep: str = "") -> str:
    """JSON leaves DEL and C1 as they are; a terminal would obey some of them."""
    if not terminal.is_tty:
        return text
    return CONTROL_CHARACTERS.sub(lambda match: match[0] if match[0] in keep else f"\\u{ord(match[0]):04x}", text)
