"""What a person sees of a thing: a row per column. Scripts get all of it, as JSON."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from cpctl.output.text import Screen, cell

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
    """A result that people read as other rows than scripts do; `drawn` makes a picture for them instead of a table."""

    columns: Sequence[Column]
    rows: Callable[[Any], list[Record]]
    drawn: Callable[[Any, Screen], str] | None = None


View = Sequence[Column] | Sheet


def columns(*names: str) -> tuple[Column, ...]:
    """Columns that are headed as their keys are named."""
    return tuple(Column(name) for name in names)


def _what_was_said(record: Record) -> str:
    return ", ".join(record["fields"].values())


def _as_words(fields: Record) -> str:
    return ", ".join(f"{name}={cell(value)}" for name, value in fields.items())


def _target_states(targets: Sequence[Record]) -> str:
    """How many targets are in which state: `2 done, 1 waiting`."""
    states = [str(each["state"]) for each in targets]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def _event_rows(event: Record) -> list[Record]:
    """An event as a person reads it: what is known of it, then what it said; without what stands in both."""
    known = {name: value for name, value in event.items() if name not in ("fields", "targets", "payload")}
    said = {f"payload.{name}": value for name, value in event["payload"].items()}
    names = ("state", "attempts", "last", "message")
    handed = {f"target {each['target']}": _member(each, names) for each in event["targets"]}
    return [{"field": name, "value": value} for name, value in {**known, **said, **handed}.items()]


SIGNAL = (
    *columns("id", "type"),
    Column("order", spare=3),
    *columns("item", "state"),
    Column("said", _what_was_said, spare=1),
    Column("attempts", spare=5),
    Column("http_status", spare=6),
    Column("message", spare=2),
    Column("datetime", spare=4),
)
KIND = columns("type", "command", "api_versions", "required", "optional", "meaning")
CAUSE = columns("cause", "meaning")
EXPLAINED = (*columns("call", "command"), Column("path", spare=1), Column("meaning", spare=2))
EXPLAINED_FIELD = (
    *columns("name", "type", "required"),
    Column("versions", lambda record: ", ".join(record["versions"]), spare=2),
    Column("meaning"),
    Column("example", spare=1),
)
PROFILE = columns("name", "environment", "base_url", "default")
SETTING = columns("setting", "value", "source")
PLACE = columns("what", "path", "source", "exists")
FINDING = columns("what", "verdict", "remedy")
CHECKUP = columns("check", "level", "said", "remedy")
REQUEST = columns("n", "time", "path", "status", "fault", "landed", "body")
PROBLEM = columns("path", "verdict", "message")
WEBHOOK = columns("n", "type", "order", "item", "attempts", "status", "delivered", "next_try")
EVENT = (
    *columns("id"),
    Column("datetime", spare=1),
    *columns("type", "order", "item"),
    Column("said", lambda record: _as_words(record["fields"]), spare=2),
    Column("order_reference", spare=3),
    Column("item_reference", spare=4),
    Column("received", spare=7),
    Column("times", spare=5),
    Column("targets", lambda record: _target_states(record["targets"]), spare=6),
)
ITEM_STATE = (
    *columns("order", "item", "latest"),
    Column("datetime", spare=1),
    Column("said", lambda record: _as_words(record["fields"]), spare=2),
    Column("order_reference", spare=3),
    Column("item_reference", spare=4),
    Column("event", spare=5),
)
REPLAY = columns("id", "type", "url", "status", "answer")
WEBHOOK_KIND = columns("type", "since", "about", "required", "optional", "meaning")
FAULT = columns("kind", "path", "times", "status", "retry_after", "seconds")
CALL = columns("method", "url", "body")
LEVEL = (Column("reference", "shipping_level_reference"), *columns("name", "note"))
COUNTRY = (Column("reference", "country_reference"), Column("country", "note"), *columns("require_state"))
STATE = (Column("reference", "state_reference"), *columns("name"), Column("note", spare=1))
PRODUCT = (
    *columns("reference", "name", "category"),
    Column("from_price", spare=1),
    Column("currency", spare=2),
    Column("availability", spare=3),
    Column("note", spare=4),
)
MIX = (Column("reference", "product_mix_reference"), *columns("name"), Column("note", spare=1))
CATALOG = (
    Column("reference", "catalog_reference"),
    *columns("name"),
    Column("titles", spare=1),
    Column("note", spare=3),
    Column("modify_date", spare=2),
)
TITLE = (*columns("isbn", "title", "version"), Column("catalog", "catalog_reference"), Column("modify_date", spare=1))
ORDER = (*columns("reference", "order_date", "state", "state_code"),)
PUBLISH_ORDER = (Column("reference", "order_reference"), *columns("order_date", "state_code"))
LOG = (*columns("create_date", "state"), Column("state_code"), Column("after"))
STATES = columns("number", "code", "meaning", "kind")
OFFER = (
    *columns("shipment"),
    Column("items", spare=5),
    *columns("shipping_level"),
    Column("service", spare=4),
    Column("shipping_option", spare=1),
    *columns("price", "vat", "currency"),
    Column("expires", spare=2),
    Column("quote", spare=6),  # 64 characters that nobody types and nobody can copy out of two lines
)


def as_table(data: Any, view: View | None) -> tuple[list[Column], Iterable[list[Any]]]:
    """Columns and rows of any result; without a view every key that occurs is a column.

    Where the data is a list that is read as it goes, so are the rows.
    """
    if isinstance(view, Sheet):
        data, view = view.rows(data), view.columns
    if isinstance(data, Mapping):
        shown = {column.heading: column.value(data) for column in view} if view else data
        return list(columns("field", "value")), [[name, value] for name, value in _flat(shown)]
    if view and isinstance(data, LongData):
        return list(view), _rows_of(view, data)
    rows = as_list(whole(data))
    if rows and not all(isinstance(row, Mapping) for row in rows):
        return _plain_rows(rows)
    chosen = view or columns(*_names(rows))
    return list(chosen), list(_rows_of(chosen, rows))


@runtime_checkable
class LongData(Protocol):
    """A list that is too long to be held as values all at once."""

    def pieces(self) -> Iterator[tuple[str, list[Any]]]:
        """Some elements at a time: as they were written, separated by commas, and as values."""

    def __iter__(self) -> Iterator[Any]:
        """The elements."""


def whole(data: Any) -> Any:
    """Data with every element made."""
    return list(data) if isinstance(data, LongData) else data


def as_list(data: Any) -> list[Any]:
    """Any result as a list: what is one thing is a list of one."""
    return data if isinstance(data, list) else [data]


def _rows_of(view: Sequence[Column], records: Iterable[Record]) -> Iterator[list[Any]]:
    for record in records:
        yield [column.value(record) for column in view]


def plain_keys(view: View | None) -> list[str] | None:
    """The keys a view shows, where each of its columns is the plain value of one; else None."""
    if not view or isinstance(view, Sheet):
        return None
    keys = [column.of or column.heading for column in view]
    return [str(key) for key in keys] if all(isinstance(key, str) and "." not in key for key in keys) else None


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


class Part(NamedTuple):
    """A list inside a thing: what one of its members is called, and which of its values a person sees."""

    called: str
    keys: Sequence[str] = ()  # none: all that are plain


def detail_sheet(**parts: Part) -> Sheet:
    """A thing with lists in it, as people read it: its own values, then a line per member of each list."""

    def rows(record: Record) -> list[Record]:
        plain: list[Record] = [{"field": name, "value": value} for name, value in _flat(record) if name not in parts]
        members: list[Record] = [
            {"field": part.called, "value": _member(member, part.keys)}
            for name, part in parts.items()
            for member in record.get(name) or ()
        ]
        return plain + members

    return Sheet(columns("field", "value"), rows)


def _member(member: Any, keys: Sequence[str]) -> Any:
    """One member of a list in one cell: its values, without names, as far as they are plain."""
    if not isinstance(member, Mapping):
        return member
    values = [member.get(key) for key in keys] if keys else member.values()
    return "  ".join(cell(value) for value in values if value not in (None, "") and not isinstance(value, list))


CATALOG_SHEET = detail_sheet()
PRODUCT_SHEET = detail_sheet(
    options=Part("option", ("reference", "note", "type", "default")),
    files=Part("file"),
    specs=Part("spec", ("note", "value")),
)
MIX_SHEET = detail_sheet(options=Part("option"))
TITLE_SHEET = detail_sheet(files=Part("file"))
ORDER_SHEET = detail_sheet(
    addresses=Part("address"),
    items=Part(
        "item", ("reference", "product_reference", "name", "count", "state_code", "shipping_option", "tracking")
    ),
    status_logs=Part("state", ("create_date", "state")),
)
EVENT_SHEET = Sheet(columns("field", "value"), _event_rows)
