"""What the rows of a file say: cells become checked signals, each with what is wrong with it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cpctl.errors import InvalidInput
from cpctl.imports.column_mapping import Mapped, kind_named
from cpctl.imports.table_reader import Row
from cpctl.outbox.models import Origin
from cpctl.signals.carriers import CARRIERS
from cpctl.signals.signal import Signal, make_signal, shorten
from cpctl.signals.signal_types import Kind

VOIDS = {"y", "1", "x", "true", "yes", "ja", "storniert", "storno", "void", "voided", "cancelled", "canceled"}
# Columns that a spreadsheet takes for numbers, and then spoils.
_CODES = ("order", "item", "tracking")
_AS_NUMBERS = (*_CODES, "delay", "datetime")
_SHORTENED = re.compile(r"[+-]?\d+(?:[.,]\d+E[+-]?\d+|E\+\d+)", re.IGNORECASE)
_WITH_DECIMALS = re.compile(r"\d+[.,]0+")
_REMEDY = "format the column as text and export again"

_CARRIER_CODES = {**{code: code for code in CARRIERS}, **{name.casefold(): code for code, name in CARRIERS.items()}}


class Rules(NamedTuple):
    """What holds for all rows of a file."""

    version: str
    mapped: Mapped
    headings: Sequence[str]
    now: datetime
    parse_time: Callable[[str], datetime]  # raises InvalidInput
    type: str = ""  # of rows that name none
    constants: Mapping[str, str] = {}
    shipping_option: str = ""
    carrier_options: Mapping[str, str] = {}
    order_of: Callable[[str], str | None] | None = None
    origin: Origin = Origin()


class Said(NamedTuple):
    """What one row says. `signal` is None where something is wrong, or where the row takes a signal back."""

    row: Row
    kind: Kind | None
    fields: Mapping[str, str]
    signal: Signal | None = None
    origin: Origin = Origin()
    problem: str = ""
    void: bool = False
    timed: bool = False  # the row says when it happened

    @property
    def key(self) -> tuple[str, ...]:
        """What a voided row and the row it takes back have in common."""
        kind = self.kind.name if self.kind else ""
        return (kind, *(self.fields.get(name, "") for name in ("order", "item", "tracking")))


def said_in(rows: Iterable[Row], rules: Rules, orders_of: Callable[[list[str]], Mapping[str, set[str]]]) -> list[Said]:
    """Read some rows. `orders_of` tells in which orders the store knows items, for rows that name none."""
    drafts = [_draft(row, rules) for row in rows]
    unknown = sorted({each.fields["item"] for each in drafts if _lacks_order(each)})
    known = orders_of(unknown) if unknown else {}
    return [_finished(each, rules, known) for each in drafts]


def _lacks_order(draft: Said) -> bool:
    return not draft.problem and bool(draft.fields.get("item")) and not draft.fields.get("order")


def _draft(row: Row, rules: Rules) -> Said:
    if row.problem:
        return Said(row, None, {}, problem=row.problem)
    fields, problems = {}, []
    for name, number in rules.mapped.columns.items():
        cell = row.cells[number] if number < len(row.cells) else ""
        value = _clean(name, cell)
        if wrong := _spoilt(name, value):
            problems.append(f'column "{rules.headings[number].strip()}": {wrong}')
        if value:
            fields[name] = value
    fields |= rules.constants
    if rules.order_of and fields.get("item") and not fields.get("order"):
        fields["order"] = rules.order_of(fields["item"]) or ""
    return Said(row, None, fields, problem="; ".join(problems))


def _clean(name: str, cell: str) -> str:
    """A cell without the blanks around it and what spreadsheets put around a number to keep it as it is."""
    text = cell.replace("\N{NO-BREAK SPACE}", " ").strip()
    if name in _AS_NUMBERS:
        if text.startswith('="') and text.endswith('"') and len(text) > 2:
            return text[2:-1].strip()
        return text.removeprefix("'")
    return text


def _spoilt(name: str, value: str) -> str:
    if name in _CODES and _SHORTENED.fullmatch(value):
        return f"{value} is a number that a spreadsheet has shortened; {_REMEDY}"
    if name in ("order", "item") and _WITH_DECIMALS.fullmatch(value):
        return f"{value} has been given decimals by a spreadsheet; {_REMEDY}"
    return ""


def _finished(draft: Said, rules: Rules, known: Mapping[str, set[str]]) -> Said:
    if draft.problem:
        return draft
    fields = dict(draft.fields)
    own = fields.pop("type", "")
    kind = _kind(own or rules.type)
    void = fields.pop("void", "").casefold() in VOIDS
    if kind is None:
        wrong = f"there is no signal {shorten(own or rules.type)}" if own or rules.type else "it names no type"
        return draft._replace(problem=f"{wrong}; `cpctl signal types` lists them, and --type names one for all")
    if kind.about_item and fields.get("item") and not fields.get("order"):
        orders = known.get(fields["item"], set())
        if len(orders) != 1:
            return draft._replace(kind=kind, problem=_no_order(fields["item"], orders))
        fields["order"] = next(iter(orders))
    if void:
        return draft._replace(kind=kind, fields=fields, void=True)
    return _checked(draft._replace(kind=kind, fields=fields), kind, rules, bool(own))


_kind = lru_cache(maxsize=256)(kind_named)


def _no_order(item: str, orders: set[str]) -> str:
    if orders:
        return f"item {shorten(item)} is known in {len(orders)} orders; name the order"
    return f"the order of item {shorten(item)} is missing, and no earlier signal tells it"


def _checked(draft: Said, kind: Kind, rules: Rules, named: bool) -> Said:
    fields = dict(draft.fields)
    time, carrier = fields.pop("datetime", ""), fields.pop("carrier", "")
    code = _CARRIER_CODES.get(carrier.casefold(), "") if carrier else rules.mapped.carrier
    if not kind.about_item:
        fields.pop("item", None)
    # An export of parcels may serve other types too: what they have no place for is left out, unless the row insists.
    fields = {
        name: value
        for name, value in fields.items()
        if kind.knows(rules.version, name) or (named and name not in rules.constants)
    }
    required = kind.required.get(rules.version, ())
    if "shipping_option" in required and not fields.get("shipping_option"):
        fields["shipping_option"] = rules.carrier_options.get(code) or rules.shipping_option
    try:
        at = rules.parse_time(time) if time else rules.now
        signal = make_signal(kind.name, rules.version, fields, at, rules.now)
    except InvalidInput as error:
        return draft._replace(problem=error.message.removeprefix(f"{kind.name}: "))
    origin = rules.origin._replace(carrier=code)
    return draft._replace(fields=fields, signal=signal, origin=origin, timed=bool(time))


def in_chunks(rows: Iterator[Row], most: int) -> Iterator[list[Row]]:
    """Rows, so many at a time."""
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == most:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
