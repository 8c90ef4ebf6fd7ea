"""The columns of every table that cpctl shows."""

from collections.abc import Callable
from typing import Any

from cpctl.output.text import format_cell
from cpctl.output.views import Column, Record, TableView, format_member, make_detail_view


def _format_fields(record: Record) -> str:
    return ", ".join(f"{name}={format_cell(value)}" for name, value in record["fields"].items())


def _count_target_states(record: Record) -> str:
    """How many targets are in which state: `2 done, 1 waiting`."""
    states = [str(target["state"]) for target in record["targets"]]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def _make_event_rows(event: Record) -> list[Record]:
    """An event without its fields, which are in its payload too; then the payload, and each target."""
    rows = {name: value for name, value in event.items() if name not in ("fields", "targets", "payload")}
    rows |= {f"payload.{name}": value for name, value in event["payload"].items()}
    names = ("state", "attempts", "last_attempt", "message")
    rows |= {f"target {target['target']}": format_member(target, names) for target in event["targets"]}
    return [{"field": name, "value": value} for name, value in rows.items()]


def _columns(names: str, optional: str = "", **sources: str | Callable[[Record], Any]) -> tuple[Column, ...]:
    """Columns by heading. On a narrow terminal the optional ones are left out, the last first."""
    priorities = {name: number for number, name in enumerate(optional.split(), 1)}
    return tuple(Column(name, sources.get(name, ""), priorities.get(name, 0)) for name in names.split())


SIGNAL = _columns(
    "id type order item state details attempts http_status message datetime",
    optional="details message order datetime attempts http_status",
    details=lambda record: ", ".join(record["fields"].values()),
)
SIGNAL_TYPE = _columns("type command api_versions required optional meaning")
CAUSE = _columns("cause meaning")
EXPLAINED_CALL = _columns("call command path meaning", optional="path meaning")
EXPLAINED_FIELD = _columns(
    "name type required versions meaning example",
    optional="example versions",
    versions=lambda record: ", ".join(record["versions"]),
)
PROFILE = _columns("name environment base_url default")
SETTING = _columns("setting value source")
CONFIG_PATH = _columns("name path source exists")
PROFILE_FINDING = _columns("check verdict remedy")
DOCTOR_CHECK = _columns("check level message remedy")
SANDBOX_REQUEST = _columns("n time path status fault processed body")
DOCUMENT_PROBLEM = _columns("path verdict message")
SANDBOX_WEBHOOK = _columns("n type order item attempts status delivered next_attempt_at")
EVENT = _columns(
    "id datetime type order item details order_reference item_reference received received_count targets",
    optional="datetime details order_reference item_reference received_count targets received",
    details=_format_fields,
    targets=_count_target_states,
)
ITEM_STATE = _columns(
    "order item latest datetime details order_reference item_reference event",
    optional="datetime details order_reference item_reference event",
    details=_format_fields,
)
WEBHOOK_REPLAY = _columns("id type url status response")
WEBHOOK_TYPE = _columns("type since about required optional meaning")
SANDBOX_FAULT = _columns("kind path times status retry_after seconds")
DRY_RUN_CALL = _columns("method url body")
SHIPPING_LEVEL = _columns("reference name note", reference="shipping_level_reference")
COUNTRY = _columns("reference country require_state", reference="country_reference", country="note")
COUNTRY_STATE = _columns("reference name note", optional="note", reference="state_reference")
PRODUCT = _columns(
    "reference name category from_price currency availability note", optional="from_price currency availability note"
)
PRODUCT_MIX = _columns("reference name note", optional="note", reference="product_mix_reference")
CATALOG = _columns(
    "reference name titles note modify_date", optional="titles modify_date note", reference="catalog_reference"
)
TITLE = _columns("isbn title version catalog modify_date", optional="modify_date", catalog="catalog_reference")
ORDER = _columns("reference order_date state state_code")
PUBLISH_ORDER = _columns("reference order_date state_code", reference="order_reference")
ORDER_LOG = _columns("create_date state state_code after")
ORDER_STATE = _columns("number code meaning kind")
OFFER = _columns(
    "shipment items shipping_level service shipping_option price vat currency expires quote",
    # A quote has 64 characters that nobody types, and that cannot be copied from two lines.
    optional="shipping_option expires service items quote",
)
CATALOG_DETAIL = make_detail_view()
PRODUCT_DETAIL = make_detail_view(
    options=("option", "reference", "note", "type", "default"), files=("file",), specs=("spec", "note", "value")
)
PRODUCT_MIX_DETAIL = make_detail_view(options=("option",))
TITLE_DETAIL = make_detail_view(files=("file",))
ORDER_DETAIL = make_detail_view(
    addresses=("address",),
    items=("item", "reference", "product_reference", "name", "count", "state_code", "shipping_option", "tracking"),
    status_logs=("state", "create_date", "state"),
)
EVENT_DETAIL = TableView(_columns("field value"), _make_event_rows)
