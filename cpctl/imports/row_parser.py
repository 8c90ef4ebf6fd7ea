"""What the rows of a file say: cells become checked signals, each with what is wrong with it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cpctl.errors import InvalidInput
from cpctl.imports.column_mapping import ColumnMapping, find_signal_type
from cpctl.imports.table_reader import TableRow
from cpctl.outbox.models import Origin
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.signals.signal import Signal, make_signal, quote_value
from cpctl.signals.signal_types import SignalType

VOID_VALUES = {"y", "1", "x", "true", "yes", "ja", "storniert", "storno", "void", "voided", "cancelled", "canceled"}
# Columns that a spreadsheet takes for numbers, and then spoils.
_ID_FIELDS = ("order", "item", "tracking")
_NUMERIC_LOOKING_FIELDS = (*_ID_FIELDS, "delay", "datetime")
_SCIENTIFIC_NOTATION = re.compile(r"[+-]?\d+(?:[.,]\d+E[+-]?\d+|E\+\d+)", re.IGNORECASE)
_TRAILING_DECIMALS = re.compile(r"\d+[.,]0+")
_REMEDY = "format the column as text and export again"

_CARRIER_CODE_BY_NAME = {
    **{code: code for code in CARRIER_NAMES},
    **{name.casefold(): code for code, name in CARRIER_NAMES.items()},
}


class RowRules(NamedTuple):
    """What holds for all rows of a file."""

    version: str
    mapping: ColumnMapping
    headings: Sequence[str]
    now: datetime
    parse_time: Callable[[str], datetime]  # raises InvalidInput
    default_type: str = ""  # of rows that name none
    constant_fields: Mapping[str, str] = {}
    shipping_option: str = ""
    carrier_shipping_options: Mapping[str, str] = {}
    derive_order: Callable[[str], str | None] | None = None
    origin: Origin = Origin()


class ParsedRow(NamedTuple):
    """What one row says. `signal` is None where something is wrong, or where the row takes a signal back."""

    row: TableRow
    type: SignalType | None
    fields: Mapping[str, str]
    signal: Signal | None = None
    origin: Origin = Origin()
    problem: str = ""
    is_void: bool = False
    has_time: bool = False  # the row says when it happened

    @property
    def key(self) -> tuple[str, ...]:
        """What a voided row and the row it takes back have in common."""
        kind = self.type.name if self.type else ""
        return (kind, *(self.fields.get(name, "") for name in ("order", "item", "tracking")))


def parse_rows(
    rows: Iterable[TableRow], rules: RowRules, find_orders: Callable[[list[str]], Mapping[str, set[str]]]
) -> list[ParsedRow]:
    """Read some rows. `orders_of` tells in which orders the store knows items, for rows that name none."""
    drafts = [_parse_cells(row, rules) for row in rows]
    unknown = sorted({each.fields["item"] for each in drafts if _lacks_order(each)})
    known = find_orders(unknown) if unknown else {}
    return [_complete_row(each, rules, known) for each in drafts]


def _lacks_order(draft: ParsedRow) -> bool:
    return not draft.problem and bool(draft.fields.get("item")) and not draft.fields.get("order")


def _parse_cells(row: TableRow, rules: RowRules) -> ParsedRow:
    if row.problem:
        return ParsedRow(row, None, {}, problem=row.problem)
    fields, problems = {}, []
    for name, number in rules.mapping.columns.items():
        cell = row.cells[number] if number < len(row.cells) else ""
        value = _clean_cell(name, cell)
        if wrong := _find_spreadsheet_damage(name, value):
            problems.append(f'column "{rules.headings[number].strip()}": {wrong}')
        if value:
            fields[name] = value
    fields |= rules.constant_fields
    if rules.derive_order and fields.get("item") and not fields.get("order"):
        fields["order"] = rules.derive_order(fields["item"]) or ""
    return ParsedRow(row, None, fields, problem="; ".join(problems))


def _clean_cell(name: str, cell: str) -> str:
    """A cell without the blanks around it and what spreadsheets put around a number to keep it as it is."""
    text = cell.replace("\N{NO-BREAK SPACE}", " ").strip()
    if name in _NUMERIC_LOOKING_FIELDS:
        if text.startswith('="') and text.endswith('"') and len(text) > 2:
            return text[2:-1].strip()
        return text.removeprefix("'")
    return text


def _find_spreadsheet_damage(name: str, value: str) -> str:
    if name in _ID_FIELDS and _SCIENTIFIC_NOTATION.fullmatch(value):
        return f"{value} is a number that a spreadsheet has shortened; {_REMEDY}"
    if name in ("order", "item") and _TRAILING_DECIMALS.fullmatch(value):
        return f"{value} has been given decimals by a spreadsheet; {_REMEDY}"
    return ""


def _complete_row(draft: ParsedRow, rules: RowRules, known_orders: Mapping[str, set[str]]) -> ParsedRow:
    if draft.problem:
        return draft
    fields = dict(draft.fields)
    own = fields.pop("type", "")
    kind = _cached_signal_type(own or rules.default_type)
    void = fields.pop("void", "").casefold() in VOID_VALUES
    if kind is None:
        wrong = (
            f"there is no signal {quote_value(own or rules.default_type)}"
            if own or rules.default_type
            else "it names no type"
        )
        return draft._replace(problem=f"{wrong}; `cpctl signal types` lists them, and --type names one for all")
    if kind.is_about_item and fields.get("item") and not fields.get("order"):
        orders = known_orders.get(fields["item"], set())
        if len(orders) != 1:
            return draft._replace(type=kind, problem=_describe_missing_order(fields["item"], orders))
        fields["order"] = next(iter(orders))
    if void:
        return draft._replace(type=kind, fields=fields, is_void=True)
    return _check_row(draft._replace(type=kind, fields=fields), kind, rules, bool(own))


_cached_signal_type = lru_cache(maxsize=256)(find_signal_type)


def _describe_missing_order(item: str, orders: set[str]) -> str:
    if orders:
        return f"item {quote_value(item)} is known in {len(orders)} orders; name the order"
    return f"the order of item {quote_value(item)} is missing, and no earlier signal tells it"


def _check_row(draft: ParsedRow, signal_type: SignalType, rules: RowRules, has_own_type: bool) -> ParsedRow:
    fields = dict(draft.fields)
    time, carrier = fields.pop("datetime", ""), fields.pop("carrier", "")
    code = _CARRIER_CODE_BY_NAME.get(carrier.casefold(), "") if carrier else rules.mapping.carrier
    if not signal_type.is_about_item:
        fields.pop("item", None)
    # An export of parcels may serve other types too: what they have no place for is left out, unless the row insists.
    fields = {
        name: value
        for name, value in fields.items()
        if signal_type.has_field(rules.version, name) or (has_own_type and name not in rules.constant_fields)
    }
    required = signal_type.required.get(rules.version, ())
    if "shipping_option" in required and not fields.get("shipping_option"):
        fields["shipping_option"] = rules.carrier_shipping_options.get(code) or rules.shipping_option
    try:
        at = rules.parse_time(time) if time else rules.now
        signal = make_signal(signal_type.name, rules.version, fields, at, rules.now)
    except InvalidInput as error:
        return draft._replace(problem=error.message.removeprefix(f"{signal_type.name}: "))
    origin = rules.origin._replace(carrier=code)
    return draft._replace(fields=fields, signal=signal, origin=origin, has_time=bool(time))


def split_into_chunks(rows: Iterator[TableRow], chunk_size: int) -> Iterator[list[TableRow]]:
    """Rows, so many at a time."""
    chunk: list[TableRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == chunk_size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
