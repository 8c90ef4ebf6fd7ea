"""From the rows of a file to checked signals."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cpctl.errors import InvalidInput
from cpctl.imports.column_mapping import ColumnMapping, find_signal_type
from cpctl.imports.table_reader import TableRow
from cpctl.outbox.models import Origin
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.signals.signal import Signal, make_signal, quote_value
from cpctl.signals.signal_types import SIGNAL_FIELDS, FieldFormat, SignalType, fill_shipping_option

VOID_VALUES = {"y", "1", "x", "true", "yes", "ja", "storniert", "storno", "void", "voided", "cancelled", "canceled"}
# Columns that a spreadsheet may take for numbers and damage.
_ID_FIELDS = {row.name for row in SIGNAL_FIELDS.values() if row.format is FieldFormat.ID}
_CODE_FIELDS = _ID_FIELDS | {row.name for row in SIGNAL_FIELDS.values() if row.format is FieldFormat.CODE}
_HOURS_FIELDS = {row.name for row in SIGNAL_FIELDS.values() if row.format is FieldFormat.HOURS}
_NUMERIC_FIELDS = _CODE_FIELDS | _HOURS_FIELDS | {"datetime"}
_SCIENTIFIC_NOTATION = re.compile(r"[+-]?\d+(?:[.,]\d+E[+-]?\d+|E\+\d+)", re.IGNORECASE)
_TRAILING_DECIMALS = re.compile(r"\d+[.,]0+")
_GERMAN_DATE = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")
_REMEDY = "format the column as text and export it again"
_CARRIER_CODE_BY_NAME = {
    **{code: code for code in CARRIER_NAMES},
    **{name.casefold(): code for code, name in CARRIER_NAMES.items()},
}
_find_signal_type = lru_cache(maxsize=256)(find_signal_type)


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
    """One parsed row. `signal` is None if the row has a problem, or if it voids an earlier signal."""

    row: TableRow
    type: SignalType | None
    fields: Mapping[str, str]
    signal: Signal | None = None
    origin: Origin = Origin()
    problem: str = ""
    is_void: bool = False
    has_time: bool = False  # the row has a time of the event

    @property
    def key(self) -> tuple[str, ...]:
        """What is equal in a voided row and the row that it voids."""
        name = self.type.name if self.type else ""
        return (name, *(self.fields.get(field, "") for field in ("order", "item", "tracking")))


def parse_rows(
    rows: Iterable[TableRow], rules: RowRules, find_orders: Callable[[list[str]], Mapping[str, set[str]]]
) -> list[ParsedRow]:
    """Parse some rows. `find_orders` looks up the orders of items, for rows that name none."""
    drafts = [_parse_cells(row, rules) for row in rows]
    items = {
        draft.fields["item"]
        for draft in drafts
        if not draft.problem and draft.fields.get("item") and not draft.fields.get("order")
    }
    orders_by_item = find_orders(sorted(items)) if items else {}
    return [draft if draft.problem else _complete_row(draft, rules, orders_by_item) for draft in drafts]


def _parse_cells(row: TableRow, rules: RowRules) -> ParsedRow:
    if row.problem:
        return ParsedRow(row, None, {}, problem=row.problem)
    fields, problems = {}, []
    for name, number in rules.mapping.columns.items():
        cell = row.cells[number] if number < len(row.cells) else ""
        value = _clean_cell(name, cell)
        if damage := _find_spreadsheet_damage(name, value):
            problems.append(f'column "{rules.headings[number].strip()}": {damage}')
        if value:
            fields[name] = value
    fields |= rules.constant_fields
    if rules.derive_order and fields.get("item") and not fields.get("order"):
        fields["order"] = rules.derive_order(fields["item"]) or ""
    return ParsedRow(row, None, fields, problem="; ".join(problems))


def _clean_cell(name: str, cell: str) -> str:
    """A cell without spaces around it, and without what spreadsheets put around a number to keep it as text."""
    text = cell.replace("\N{NO-BREAK SPACE}", " ").strip()
    if name not in _NUMERIC_FIELDS:
        return text
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1].strip()
    return text.removeprefix("'")


def _find_spreadsheet_damage(name: str, value: str) -> str:
    if name in _CODE_FIELDS and _SCIENTIFIC_NOTATION.fullmatch(value):
        return f"{value} is a number that a spreadsheet has shortened; {_REMEDY}"
    if name in _ID_FIELDS and _TRAILING_DECIMALS.fullmatch(value):
        return f"a spreadsheet has added decimals to {value}; {_REMEDY}"
    return ""


def _complete_row(draft: ParsedRow, rules: RowRules, orders_by_item: Mapping[str, set[str]]) -> ParsedRow:
    fields = dict(draft.fields)
    own_type = fields.pop("type", "")
    is_void = fields.pop("void", "").casefold() in VOID_VALUES
    type_name = own_type or rules.default_type
    signal_type = _find_signal_type(type_name)
    if signal_type is None:
        problem = f"there is no signal {quote_value(type_name)}" if type_name else "the row names no type"
        return draft._replace(problem=f"{problem}; `cpctl signal types` lists them, --type sets one for all rows")
    if signal_type.is_about_item and fields.get("item") and not fields.get("order"):
        orders = orders_by_item.get(fields["item"], set())
        if len(orders) != 1:
            item = quote_value(fields["item"])
            missing = f"the order of item {item} is missing, and no earlier signal names it"
            ambiguous = f"item {item} is known in {len(orders)} orders; name the order"
            return draft._replace(type=signal_type, problem=ambiguous if orders else missing)
        fields["order"] = next(iter(orders))
    if is_void:
        return draft._replace(type=signal_type, fields=fields, is_void=True)
    return _check_row(draft._replace(type=signal_type, fields=fields), signal_type, rules, bool(own_type))


def _check_row(draft: ParsedRow, signal_type: SignalType, rules: RowRules, has_own_type: bool) -> ParsedRow:
    fields = dict(draft.fields)
    time, carrier = fields.pop("datetime", ""), fields.pop("carrier", "")
    carrier_code = _CARRIER_CODE_BY_NAME.get(carrier.casefold(), "") if carrier else rules.mapping.carrier
    if not signal_type.is_about_item:
        fields.pop("item", None)
    # An export of parcels may serve other types too: fields that a type does not have are dropped, but a row that
    # names its own type has to fit it.
    fields = {
        name: value
        for name, value in fields.items()
        if signal_type.has_field(rules.version, name) or (has_own_type and name not in rules.constant_fields)
    }
    filled = fill_shipping_option(
        fields, signal_type.name, rules.version, rules.shipping_option, carrier_code, rules.carrier_shipping_options
    )
    try:
        at = (
            rules.parse_time(_GERMAN_DATE.sub(lambda date: f"{date[3]}-{date[2]:0>2}-{date[1]:0>2}{date[4]}", time))
            if time
            else rules.now
        )
        signal = make_signal(signal_type.name, rules.version, filled, at, rules.now)
    except InvalidInput as error:
        return draft._replace(problem=error.message.removeprefix(f"{signal_type.name}: "))
    origin = rules.origin._replace(carrier=carrier_code)
    return draft._replace(fields=fields, signal=signal, origin=origin, has_time=bool(time))
