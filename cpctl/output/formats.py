"""A writer per output format, and the row that makes it a choice of `--output`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.output.columns import LongData, Sheet, View, as_list, as_table, plain_keys, whole
from cpctl.output.text import CONTROL, Screen, cell, escaped

# Data, its view, and whether the stream is a terminal with colour: pieces of text.
# The ASCII characters that TSV writes out inside values.
TO_ESCAPE = bytes([*range(32), 92, 127])
# YAML 1.2, "Core Schema": numbers, some of which are plain text to YAML 1.1.
NUMBER = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+)$")
Writer = Callable[[Any, View | None, Screen], Iterator[str]]


def _table(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    if isinstance(view, Sheet) and view.drawn:
        yield view.drawn(data, screen)
        return
    from cpctl.output.table import table_text

    columns, rows = as_table(data, view)
    whole = list(rows)
    if whole:
        yield table_text(columns, whole, screen)


def _tsv(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    """Linear TSV: a header, a line a record, and `\\t`, `\\n`, `\\\\` written out inside values."""
    columns, rows = as_table(data, view)
    yield "\t".join(column.heading for column in columns) + "\n"
    keys = plain_keys(view)
    if isinstance(data, LongData) and keys and len(keys) > 1:
        for _, records in data.pieces():
            yield _tsv_lines(keys, records)
    else:
        yield from map(_tsv_line, rows)


def _tsv_line(row: Sequence[Any]) -> str:
    return "\t".join(escaped(cell(value).replace("\\", "\\\\")) for value in row) + "\n"


def _tsv_lines(keys: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str:
    """Many lines at once. Where all is plain text and whole numbers, one look at them tells; else row by row."""
    try:
        rows = list(map(itemgetter(*keys), records))
    except KeyError:
        return "".join(_tsv_line([record.get(key) for key in keys]) for record in records)
    if set(map(type, chain.from_iterable(rows))) <= {str, int}:
        text = "".join(map(("\t".join(["%s"] * len(keys)) + "\n").__mod__, rows))
        separators = len(rows) * len(keys)  # between cells and after lines; more would stand in values
        if text.isascii() and len(text) - len(text.encode().translate(None, TO_ESCAPE)) == separators:
            return text
    return "".join(map(_tsv_line, rows))


def _csv(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    import csv
    import io

    columns, rows = as_table(data, view)
    for row in [[column.heading for column in columns], *rows]:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([cell(value) for value in row])
        yield _for_terminal(line.getvalue(), screen, keep="\n\t")


def _json(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    """Indented; a list that is too long to be read by a person stands as the service wrote it."""
    if isinstance(data, LongData):
        yield "["
        between = ""
        for written, _ in data.pieces():
            yield between + _for_terminal(written, screen, keep="\n\t")
            between = ","
        yield "]\n"
    else:
        yield _for_terminal(json.dumps(data, ensure_ascii=False, indent=2), screen, keep="\n") + "\n"


def _jsonl(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    for record in data if isinstance(data, LongData) else as_list(data):
        yield _for_terminal(json.dumps(record, ensure_ascii=False), screen) + "\n"


def _yaml(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Puts what a reader of YAML 1.2 would take for a number into quotes, such as the id 0089."""

    Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))
    data = whole(data)
    written = yaml.dump(data, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    if CONTROL.search(written.replace("\n", "")):  # marks that turn the writing around, and one read as a line end
        written = yaml.dump(data, Dumper=Dumper, allow_unicode=False, sort_keys=False, width=10_000)
    yield written


def _value(data: Any, view: View | None, screen: Screen) -> Iterator[str]:
    """One scalar a line; nothing at all is an empty line."""
    for value in as_list(whole(data)):
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
