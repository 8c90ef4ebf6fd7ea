"""The output formats: a function for each, and the row that makes it a choice of `--output`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.output.text import CONTROL_CHARACTERS, TerminalInfo, escape_controls, format_cell
from cpctl.output.views import TableView, View, as_list, as_table, is_stream, read_stream

# YAML 1.2, "Core Schema": numbers, some of which YAML 1.1 reads as plain text.
YAML_NUMBER = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+)$")
# From a result, its view and the terminal to pieces of text.
Formatter = Callable[[Any, View | None, TerminalInfo], Iterator[str]]


def _format_table(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    if isinstance(view, TableView) and view.render:
        yield view.render(data, terminal)
        return
    from cpctl.output.table import render_table

    columns, rows = as_table(data, view)
    if rows := list(rows):
        yield render_table(columns, rows, terminal)


def _format_tsv(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    """Linear TSV: a header, a line per record, and tab, newline and backslash escaped inside values."""
    columns, rows = as_table(data, view)
    yield "\t".join(column.heading for column in columns) + "\n"
    for row in rows:
        yield "\t".join(escape_controls(format_cell(value).replace("\\", "\\\\")) for value in row) + "\n"


def _format_csv(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    import csv
    import io

    columns, rows = as_table(data, view)
    for row in chain([[column.heading for column in columns]], rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([format_cell(value) for value in row])
        yield _escape_for_terminal(line.getvalue(), terminal, keep="\n\t")


def _format_json(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    if not is_stream(data):
        yield _escape_for_terminal(json.dumps(data, ensure_ascii=False, indent=2), terminal, keep="\n") + "\n"
        return
    encode = json.JSONEncoder(ensure_ascii=False, indent=2).encode
    separator = "["
    for record in data:
        # Every line break is one of the layout: those inside values are escaped.
        text = encode(record).replace("\n", "\n  ")
        yield f"{separator}\n  {_escape_for_terminal(text, terminal, keep=chr(10))}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _format_jsonl(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    for record in data if is_stream(data) else as_list(data):
        yield _escape_for_terminal(json.dumps(record, ensure_ascii=False), terminal) + "\n"


def _format_yaml(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes text that a YAML 1.2 reader would take for a number, such as the id 0089."""

    Dumper.add_implicit_resolver("tag:yaml.org,2002:float", YAML_NUMBER, list("-+.0123456789"))
    data = read_stream(data)
    text = yaml.dump(data, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    # PyYAML leaves marks that reverse the direction of writing, and one that readers take for a line end.
    if CONTROL_CHARACTERS.search(text.replace("\n", "")):
        text = yaml.dump(data, Dumper=Dumper, allow_unicode=False, sort_keys=False, width=10_000)
    yield text


def _format_value(data: Any, view: View | None, terminal: TerminalInfo) -> Iterator[str]:
    """One scalar per line; None is an empty line."""
    for value in as_list(read_stream(data)):
        if isinstance(value, Mapping | list):
            raise InvalidInput(
                "`-o value` writes single values, but the result contains lists or objects.",
                "Choose single values with --query, such as --query '[].id'.",
            )
        yield escape_controls(format_cell(value)) + "\n"


FORMATS: dict[str, tuple[Formatter, str]] = {
    "table": (_format_table, "for people; the default on a terminal"),
    "tsv": (_format_tsv, "tab-separated with a header, never cut; the default elsewhere"),
    "json": (_format_json, "all the data"),
    "jsonl": (_format_jsonl, "all the data, one JSON value per line"),
    "yaml": (_format_yaml, "all the data"),
    "csv": (_format_csv, "comma-separated with a header"),
    "value": (_format_value, "one value per line, chosen with --query"),
}


def _escape_for_terminal(text: str, terminal: TerminalInfo, keep: str = "") -> str:
    """Escape DEL and C1, which JSON allows and a terminal would obey."""
    if not terminal.is_tty:
        return text
    return CONTROL_CHARACTERS.sub(lambda match: match[0] if match[0] in keep else f"\\u{ord(match[0]):04x}", text)
