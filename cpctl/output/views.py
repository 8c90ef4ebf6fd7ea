"""How a result becomes a table: columns, views, and rows. Scripts get the whole result, as JSON."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.output.text import TerminalInfo, format_cell

Record = Mapping[str, Any]


class Column(NamedTuple):
    """A heading, and the value of a record that it shows: a key, `a.b`, or a function; without one, the heading.

    On a narrow terminal, columns with the highest `drop_priority` go first; empty ones always go, those with 0 never.
    """

    heading: str
    source: str | Callable[[Record], Any] = ""
    drop_priority: int = 0

    def value_from(self, record: Record) -> Any:
        """Return the cell of a record; None if the record has no such value."""
        if callable(self.source):
            return self.source(record)
        value: Any = record
        for name in (self.source or self.heading).split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


class TableView(NamedTuple):
    """A result whose rows differ from its records; `render`, if given, replaces the table with a drawing."""

    columns: Sequence[Column]
    make_rows: Callable[[Any], list[Record]]
    render: Callable[[Any, TerminalInfo], str] | None = None


View = Sequence[Column] | TableView


def make_columns(*names: str) -> tuple[Column, ...]:
    """Columns whose headings are their keys."""
    return tuple(Column(name) for name in names)


def make_detail_view(**lists: tuple[str, *tuple[str, ...]]) -> TableView:
    """A view of one record: a row per plain value, then a row per member of each list.

    A list has the label of its members, then which of their values to show; without any, all plain ones.
    """

    def make_rows(record: Record) -> list[Record]:
        rows = [(name, value) for name, value in _flatten(record) if name not in lists]
        for name, (label, *keys) in lists.items():
            rows += [(label, format_member(member, keys)) for member in record.get(name) or ()]
        return [{"field": name, "value": value} for name, value in rows]

    return TableView(make_columns("field", "value"), make_rows)


def format_member(member: Any, keys: Sequence[str]) -> Any:
    """The plain values of a list's member in one cell, without names."""
    if not isinstance(member, Mapping):
        return member
    values = [member.get(key) for key in keys] if keys else member.values()
    return "  ".join(format_cell(value) for value in values if value not in (None, "") and not isinstance(value, list))


def is_stream(data: Any) -> bool:
    """Return whether a result is a list that is read while it is written, such as a generator."""
    return isinstance(data, Iterable) and not isinstance(data, str | list | Mapping)


def read_stream(data: Any) -> Any:
    """Return a result with a stream read into a list."""
    return list(data) if is_stream(data) else data


def as_list(data: Any) -> list[Any]:
    """Return a result as a list; a single value is a list of one."""
    return data if isinstance(data, list) else [data]


def as_table(data: Any, view: View | None) -> tuple[Sequence[Column], Iterable[list[Any]]]:
    """Return columns and rows of a result: rows of a stream as a stream; without a view, every key is a column."""
    if isinstance(view, TableView):
        data, view = view.make_rows(data), view.columns
    if isinstance(data, Mapping):
        shown = {column.heading: column.value_from(data) for column in view} if view else data
        return make_columns("field", "value"), [[name, value] for name, value in _flatten(shown)]
    if view and is_stream(data):
        return view, _extract_rows(view, data)
    records = as_list(read_stream(data))
    if not all(isinstance(record, Mapping) for record in records):
        return _tabulate_values(records)
    columns = view or make_columns(*dict.fromkeys(name for record in records for name in record))
    return columns, list(_extract_rows(columns, records))


def _extract_rows(columns: Sequence[Column], records: Iterable[Record]) -> Iterator[list[Any]]:
    return ([column.value_from(record) for column in columns] for record in records)


def _tabulate_values(values: list[Any]) -> tuple[Sequence[Column], list[list[Any]]]:
    """Rows of what a query made of a result: lists, or single values."""
    rows = [value if isinstance(value, list) else [value] for value in values]
    width = max(len(row) for row in rows)
    headings = ["value"] if width == 1 else [f"column{number}" for number in range(1, width + 1)]
    return make_columns(*headings), [row + [None] * (width - len(row)) for row in rows]


def _flatten(record: Record, prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
