"""What a person sees of a thing: a row per column. Scripts get all of it, as JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Record = Mapping[str, Any]


class Column(NamedTuple):
    """One column: its heading, and which value of a record it shows (a key, `a.b`, or a function).

    On a terminal too narrow for all of them, columns are left out, the highest `spare` first;
    and so are spare ones in which nothing stands; those with 0 always stay.
    """

    heading: str
    of: str | Callable[[Record], Any] = ""
    spare: int = 0

    def value(self, record: Record) -> Any:
        """The cell of a record; None where the record has no such value."""
        if callable(self.of):
            return self.of(record)
        found: Any = record
        for name in (self.of or self.heading).split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


class Sheet(NamedTuple):
    """A result that people read as other rows than scripts do."""

    columns: Sequence[Column]
    rows: Callable[[Any], list[Record]]


View = Sequence[Column] | Sheet


def columns(*names: str) -> tuple[Column, ...]:
    """Columns that are headed as their keys are named."""
    return tuple(Column(name) for name in names)


def _what_was_said(record: Record) -> str:
    return ", ".join(record["fields"].values())


SIGNAL = (
    *columns("id", "type", "order", "item", "state"),
    Column("said", _what_was_said, spare=2),
    Column("attempts", spare=4),
    Column("http_status", spare=5),
    Column("message", spare=1),
    Column("datetime", spare=3),
)
KIND = columns("type", "command", "api_versions", "required", "optional", "meaning")
CAUSE = columns("cause", "meaning")
PROFILE = columns("name", "environment", "base_url", "default")
SETTING = columns("setting", "value", "source")
PLACE = columns("what", "path", "source", "exists")
FINDING = columns("what", "verdict", "remedy")
REQUEST = columns("n", "time", "path", "status", "fault", "landed", "body")
FAULT = columns("kind", "path", "times", "status", "retry_after", "seconds")
CALL = columns("method", "url", "body")


def as_table(data: Any, view: View | None) -> tuple[list[Column], list[list[Any]]]:
    """Columns and rows of any result; without a view every key that occurs is a column."""
    if isinstance(view, Sheet):
        data, view = view.rows(data), view.columns
    if isinstance(data, Mapping):
        shown = {column.heading: column.value(data) for column in view} if view else data
        return list(columns("field", "value")), [[name, value] for name, value in _flat(shown)]
    rows = data if isinstance(data, list) else [data]
    if rows and not all(isinstance(row, Mapping) for row in rows):
        return _plain_rows(rows)
    chosen = view or columns(*_names(rows))
    return list(chosen), [[column.value(row) for column in chosen] for row in rows]


def _plain_rows(rows: list[Any]) -> tuple[list[Column], list[list[Any]]]:
    """Rows that a query made of lists or of single values."""
    lists = [row if isinstance(row, list) else [row] for row in rows]
    width = max(len(row) for row in lists)
    headings = ["value"] if width == 1 else [f"column{number}" for number in range(1, width + 1)]
    return list(columns(*headings)), [row + [None] * (width - len(row)) for row in lists]


def _names(rows: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _flat(record: Record, prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
