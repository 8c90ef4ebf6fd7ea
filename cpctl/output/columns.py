"""What a person sees of a thing: a row per column. Scripts get all of it, as JSON."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from cpctl.output.text import TerminalInfo, format_cell

Record = Mapping[str, Any]


class Column(NamedTuple):
    """One column: its heading, and which value of a record it shows (a key, `a.b`, or a function).

    On a terminal too narrow for all of them, columns are left out, the highest `spare` first;
    and so are spare ones in which nothing stands; those with 0 always stay.
    """

    heading: str
    source: str | Callable[[Record], Any] = ""
    drop_priority: int = 0

    def value_from(self, record: Record) -> Any:
        """The cell of a record; None where the record has no such value."""
        if callable(self.source):
            return self.source(record)
        found: Any = record
        for name in (self.source or self.heading).split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


class TableView(NamedTuple):
    """A result that people read as other rows than scripts do; `drawn` makes a picture for them instead of a table."""

    columns: Sequence[Column]
    make_rows: Callable[[Any], list[Record]]
    render: Callable[[Any, TerminalInfo], str] | None = None


View = Sequence[Column] | TableView


def make_columns(*names: str) -> tuple[Column, ...]:
    """Columns that are headed as their keys are named."""
    return tuple(Column(name) for name in names)


def _field_values(record: Record) -> str:
    return ", ".join(record["fields"].values())


def _format_fields(fields: Record) -> str:
    return ", ".join(f"{name}={format_cell(value)}" for name, value in fields.items())


def _count_target_states(targets: Sequence[Record]) -> str:
    """How many targets are in which state: `2 done, 1 waiting`."""
    states = [str(each["state"]) for each in targets]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def _event_detail_rows(event: Record) -> list[Record]:
    """An event as a person reads it: what is known of it, then what it said; without what stands in both."""
    known = {name: value for name, value in event.items() if name not in ("fields", "targets", "payload")}
    said = {f"payload.{name}": value for name, value in event["payload"].items()}
    names = ("state", "attempts", "last_attempt", "message")
    handed = {f"target {each['target']}": _format_member(each, names) for each in event["targets"]}
    return [{"field": name, "value": value} for name, value in {**known, **said, **handed}.items()]


SIGNAL = (
    *make_columns("id", "type"),
    Column("order", drop_priority=3),
    *make_columns("item", "state"),
    Column("said", _field_values, drop_priority=1),
    Column("attempts", drop_priority=5),
    Column("http_status", drop_priority=6),
    Column("message", drop_priority=2),
    Column("datetime", drop_priority=4),
)
SIGNAL_TYPE = make_columns("type", "command", "api_versions", "required", "optional", "meaning")
CAUSE = make_columns("cause", "meaning")
EXPLAINED_CALL = (*make_columns("call", "command"), Column("path", drop_priority=1), Column("meaning", drop_priority=2))
EXPLAINED_FIELD = (
    *make_columns("name", "type", "required"),
    Column("versions", lambda record: ", ".join(record["versions"]), drop_priority=2),
    Column("meaning"),
    Column("example", drop_priority=1),
)
PROFILE = make_columns("name", "environment", "base_url", "default")
SETTING = make_columns("setting", "value", "source")
CONFIG_PATH = make_columns("what", "path", "source", "exists")
PROFILE_FINDING = make_columns("what", "verdict", "remedy")
DOCTOR_CHECK = make_columns("check", "level", "said", "remedy")
SANDBOX_REQUEST = make_columns("n", "time", "path", "status", "fault", "landed", "body")
DOCUMENT_PROBLEM = make_columns("path", "verdict", "message")
SANDBOX_WEBHOOK = make_columns("n", "type", "order", "item", "attempts", "status", "delivered", "next_try")
EVENT = (
    *make_columns("id"),
    Column("datetime", drop_priority=1),
    *make_columns("type", "order", "item"),
    Column("details", lambda record: _format_fields(record["fields"]), drop_priority=2),
    Column("order_reference", drop_priority=3),
    Column("item_reference", drop_priority=4),
    Column("received", drop_priority=7),
    Column("received_count", drop_priority=5),
    Column("targets", lambda record: _count_target_states(record["targets"]), drop_priority=6),
)
ITEM_STATE = (
    *make_columns("order", "item", "latest"),
    Column("datetime", drop_priority=1),
    Column("details", lambda record: _format_fields(record["fields"]), drop_priority=2),
    Column("order_reference", drop_priority=3),
    Column("item_reference", drop_priority=4),
    Column("event", drop_priority=5),
)
WEBHOOK_REPLAY = make_columns("id", "type", "url", "status", "response")
WEBHOOK_TYPE = make_columns("type", "since", "about", "required", "optional", "meaning")
SANDBOX_FAULT = make_columns("kind", "path", "times", "status", "retry_after", "seconds")
DRY_RUN_CALL = make_columns("method", "url", "body")
SHIPPING_LEVEL = (Column("reference", "shipping_level_reference"), *make_columns("name", "note"))
COUNTRY = (Column("reference", "country_reference"), Column("country", "note"), *make_columns("require_state"))
COUNTRY_STATE = (Column("reference", "state_reference"), *make_columns("name"), Column("note", drop_priority=1))
PRODUCT = (
    *make_columns("reference", "name", "category"),
    Column("from_price", drop_priority=1),
    Column("currency", drop_priority=2),
    Column("availability", drop_priority=3),
    Column("note", drop_priority=4),
)
PRODUCT_MIX = (Column("reference", "product_mix_reference"), *make_columns("name"), Column("note", drop_priority=1))
CATALOG = (
    Column("reference", "catalog_reference"),
    *make_columns("name"),
    Column("titles", drop_priority=1),
    Column("note", drop_priority=3),
    Column("modify_date", drop_priority=2),
)
TITLE = (
    *make_columns("isbn", "title", "version"),
    Column("catalog", "catalog_reference"),
    Column("modify_date", drop_priority=1),
)
ORDER = (*make_columns("reference", "order_date", "state", "state_code"),)
PUBLISH_ORDER = (Column("reference", "order_reference"), *make_columns("order_date", "state_code"))
ORDER_LOG = (*make_columns("create_date", "state"), Column("state_code"), Column("after"))
ORDER_STATE = make_columns("number", "code", "meaning", "kind")
OFFER = (
    *make_columns("shipment"),
    Column("items", drop_priority=5),
    *make_columns("shipping_level"),
    Column("service", drop_priority=4),
    Column("shipping_option", drop_priority=1),
    *make_columns("price", "vat", "currency"),
    Column("expires", drop_priority=2),
    Column("quote", drop_priority=6),  # 64 characters that nobody types and nobody can copy out of two lines
)


def as_table(data: Any, view: View | None) -> tuple[list[Column], Iterable[list[Any]]]:
    """Columns and rows of any result; without a view every key that occurs is a column.

    Where the data is a list that is read as it goes, so are the rows.
    """
    if isinstance(view, TableView):
        data, view = view.make_rows(data), view.columns
    if isinstance(data, Mapping):
        shown = {column.heading: column.value_from(data) for column in view} if view else data
        return list(make_columns("field", "value")), [[name, value] for name, value in _flatten(shown)]
    if view and isinstance(data, LazyList):
        return list(view), _extract_rows(view, data)
    rows = as_list(materialize(data))
    if rows and not all(isinstance(row, Mapping) for row in rows):
        return _tabulate_values(rows)
    chosen = view or make_columns(*_collect_keys(rows))
    return list(chosen), list(_extract_rows(chosen, rows))


@runtime_checkable
class LazyList(Protocol):
    """A list that is too long to be held as values all at once."""

    def chunks(self) -> Iterator[tuple[str, list[Any]]]:
        """Some elements at a time: as they were written, separated by commas, and as values."""

    def __iter__(self) -> Iterator[Any]:
        """The elements."""


def materialize(data: Any) -> Any:
    """Data with every element made."""
    return list(data) if isinstance(data, LazyList) else data


def as_list(data: Any) -> list[Any]:
    """Any result as a list: what is one thing is a list of one."""
    return data if isinstance(data, list) else [data]


def _extract_rows(view: Sequence[Column], records: Iterable[Record]) -> Iterator[list[Any]]:
    for record in records:
        yield [column.value_from(record) for column in view]


def top_level_keys(view: View | None) -> list[str] | None:
    """The keys a view shows, where each of its columns is the plain value of one; else None."""
    if not view or isinstance(view, TableView):
        return None
    keys = [column.source or column.heading for column in view]
    return [str(key) for key in keys] if all(isinstance(key, str) and "." not in key for key in keys) else None


def _tabulate_values(rows: list[Any]) -> tuple[list[Column], list[list[Any]]]:
    """Rows that a query made of lists or of single values."""
    lists = [row if isinstance(row, list) else [row] for row in rows]
    width = max(len(row) for row in lists)
    headings = ["value"] if width == 1 else [f"column{number}" for number in range(1, width + 1)]
    return list(make_columns(*headings)), [row + [None] * (width - len(row)) for row in lists]


def _collect_keys(rows: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _flatten(record: Record, prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


class NestedList(NamedTuple):
    """A list inside a thing: what one of its members is called, and which of its values a person sees."""

    label: str
    keys: Sequence[str] = ()  # none: all that are plain


def make_detail_view(**parts: NestedList) -> TableView:
    """A thing with lists in it, as people read it: its own values, then a line per member of each list."""

    def rows(record: Record) -> list[Record]:
        plain: list[Record] = [{"field": name, "value": value} for name, value in _flatten(record) if name not in parts]
        members: list[Record] = [
            {"field": part.label, "value": _format_member(member, part.keys)}
            for name, part in parts.items()
            for member in record.get(name) or ()
        ]
        return plain + members

    return TableView(make_columns("field", "value"), rows)


def _format_member(member: Any, keys: Sequence[str]) -> Any:
    """One member of a list in one cell: its values, without names, as far as they are plain."""
    if not isinstance(member, Mapping):
        return member
    values = [member.get(key) for key in keys] if keys else member.values()
    return "  ".join(format_cell(value) for value in values if value not in (None, "") and not isinstance(value, list))


CATALOG_DETAIL = make_detail_view()
PRODUCT_DETAIL = make_detail_view(
    options=NestedList("option", ("reference", "note", "type", "default")),
    files=NestedList("file"),
    specs=NestedList("spec", ("note", "value")),
)
PRODUCT_MIX_DETAIL = make_detail_view(options=NestedList("option"))
TITLE_DETAIL = make_detail_view(files=NestedList("file"))
ORDER_DETAIL = make_detail_view(
    addresses=NestedList("address"),
    items=NestedList(
        "item", ("reference", "product_reference", "name", "count", "state_code", "shipping_option", "tracking")
    ),
    status_logs=NestedList("state", ("create_date", "state")),
)
EVENT_DETAIL = TableView(make_columns("field", "value"), _event_detail_rows)
