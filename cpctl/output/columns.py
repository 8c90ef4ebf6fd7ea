"""The columns of every table that cpctl shows."""

from collections.abc import Sequence

from cpctl.output.text import format_cell
from cpctl.output.views import Column, NestedList, Record, TableView, make_detail_view
from cpctl.output.views import View as View
from cpctl.output.views import format_member as _format_member
from cpctl.output.views import make_columns as make_columns


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
    Column("details", _field_values, drop_priority=1),
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
CONFIG_PATH = make_columns("name", "path", "source", "exists")
PROFILE_FINDING = make_columns("check", "verdict", "remedy")
DOCTOR_CHECK = make_columns("check", "level", "message", "remedy")
SANDBOX_REQUEST = make_columns("n", "time", "path", "status", "fault", "processed", "body")
DOCUMENT_PROBLEM = make_columns("path", "verdict", "message")
SANDBOX_WEBHOOK = make_columns("n", "type", "order", "item", "attempts", "status", "delivered", "next_attempt_at")
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
    Column("quote", drop_priority=6),  # 64 characters that nobody types, and that cannot be copied from two lines
)
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
