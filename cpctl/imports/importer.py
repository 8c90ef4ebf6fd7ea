"""Import a file of signals: check all rows, accept them in order, and tell what became of each row.

The file is read as a stream, once for each of these steps.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import IO, Any, NamedTuple

from cpctl.errors import Conflict, InvalidInput
from cpctl.imports.row_parser import ParsedRow, RowRules, parse_rows
from cpctl.imports.table_reader import Table, TableRow
from cpctl.outbox.models import WAITING_STATES, QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import SignalQuery, find_signals
from cpctl.signals.signal import Signal

CHUNK_ROWS = 500  # rows of one transaction
MAX_SHOWN_FAILURES = 10
# States of rows, besides those of signals.
INVALID, NOT_ACCEPTED, SKIPPED = "invalid", "unaccepted", "skipped"
FAILED_STATES = (INVALID, State.REFUSED, State.EXPIRED, State.CONFLICT)
RESULT_HEADINGS = ("cpctl_state", "cpctl_id", "cpctl_message")
_ACTIVE_STATES = (*WAITING_STATES, State.DELIVERED)

Progress = Callable[[int], None]  # called with the number of rows that are done


class RowResult(NamedTuple):
    """What became of one row; until the store is asked again, `state` is empty for a signal that was accepted."""

    state: str
    id: int = 0  # of the signal in the outbox
    message: str = ""
    order: str = ""
    item: str = ""
    type: str = ""
    is_waiting: bool = False  # its signal, or the signal that it repeats, is not delivered yet
    row: TableRow = TableRow(0, [])

    def to_dict(self) -> dict[str, Any]:
        """The result as scripts see it."""
        values = {name: getattr(self, name) for name in ("message", "order", "item", "type")}
        return {"line": self.row.line, "state": str(self.state), "id": str(self.id or ""), **values}


class ImportSummary(NamedTuple):
    """What became of a file: rows by state, the first rows that failed, and how many signals still wait."""

    state_counts: Counter[str]
    failures: list[RowResult]
    waiting_count: int

    @property
    def row_count(self) -> int:
        """How many rows the file has."""
        return self.state_counts.total()

    @property
    def failure_count(self) -> int:
        """How many rows failed."""
        return sum(self.state_counts[state] for state in FAILED_STATES)


class Importer:
    """Imports one file into the outbox."""

    def __init__(self, outbox: Outbox, table: Table, rules: RowRules) -> None:
        self.table = table
        self.row_count = self.invalid_count = self.new_count = 0
        self.first_order_ids: list[int] = []  # new signals of the first order, to be sent before all others
        self._first_order = ""
        self._outbox = outbox
        self._rules = rules
        self._outcomes: list[RowResult | None] = []  # None: nothing was decided yet
        self._voided_keys: set[tuple[str, ...]] = set()

    def check(self, progress: Progress, on_signal: Callable[[Signal], None] = lambda signal: None) -> None:
        """Check all rows and count them; accept none. Raises InvalidInput if the file cannot be read to its end."""
        for rows in self._parse_chunks():
            for row in rows:
                self._outcomes.append(_describe_outcome(row, INVALID, row.problem) if row.problem else None)
                self.invalid_count += bool(row.problem)
                if row.is_void:
                    self._voided_keys.add(row.key)
                elif row.signal:
                    on_signal(row.signal)
            self.row_count = len(self._outcomes)
            progress(self.row_count)

    def _parse_chunks(self) -> Iterator[list[ParsedRow]]:
        for rows in self._read_chunks():
            yield parse_rows(rows, self._rules, self._find_orders)

    def _read_chunks(self) -> Iterator[list[TableRow]]:
        rows = self.table.read_rows()
        while chunk := list(islice(rows, CHUNK_ROWS)):
            yield chunk

    def _find_orders(self, items: list[str]) -> Mapping[str, set[str]]:
        if not self._outbox.store.exists():
            return {}
        rows = self._outbox.store.read(
            lambda transaction: transaction.fetch_all(
                "SELECT DISTINCT item, order_id FROM signals"
                " WHERE profile = :profile AND item IN (SELECT value FROM json_each(:items))",
                profile=self._outbox.profile,
                items=json.dumps(items),
            )
        )
        orders_by_item: dict[str, set[str]] = {}
        for row in rows:
            orders_by_item.setdefault(row["item"], set()).add(row["order_id"])
        return orders_by_item

    def accept(self, progress: Progress) -> None:
        """Accept every valid row, CHUNK_ROWS of them in one transaction. Raises StoreError."""
        if self._voided_keys:  # first: a new label must find the old one gone, wherever in the file it is
            for rows in self._read_undecided(progress):
                for number, row in rows:
                    if row.is_void:
                        self._outcomes[number] = self._void_signal(row)
        for rows in self._read_undecided(progress):
            self._accept_rows(rows)

    def _read_undecided(self, progress: Progress) -> Iterator[list[tuple[int, ParsedRow]]]:
        start = 0
        for rows in self._parse_chunks():
            if start + len(rows) > len(self._outcomes):
                raise InvalidInput(f"{self.table.name} has grown while it was read.", "Run the command again.")
            yield [(number, row) for number, row in enumerate(rows, start) if self._outcomes[number] is None]
            start += len(rows)
            progress(start)

    def _accept_rows(self, rows: list[tuple[int, ParsedRow]]) -> None:
        wanted: list[tuple[int, ParsedRow, Signal]] = []
        for number, row in rows:
            if row.key in self._voided_keys:
                self._outcomes[number] = _describe_outcome(row, SKIPPED, "another row of this file voids it")
            elif row.signal:
                wanted.append((number, row, self._reuse_earlier_time(row, row.signal)))
        accepted = self._outbox.accept([signal for *_, signal in wanted], origins=[row.origin for _, row, _ in wanted])
        for (number, row, signal), result in zip(wanted, accepted, strict=True):
            signal_id = result.queued_signal.id
            if result.state is State.CONFLICT:
                self._outcomes[number] = _describe_outcome(row, State.CONFLICT, result.describe(), signal_id)
                continue
            self._outcomes[number] = RowResult("" if result.is_new else State.DUPLICATE, signal_id)
            if result.is_new:
                self.new_count += 1
                self._first_order = self._first_order or signal.order
                if signal.order == self._first_order and len(self.first_order_ids) < CHUNK_ROWS:
                    self.first_order_ids.append(signal_id)

    def _reuse_earlier_time(self, row: ParsedRow, signal: Signal) -> Signal:
        """The signal; or, if it may repeat and the row has no time, the earlier signal with the same fields.

        Otherwise sending the same file again would report every delay once more.
        """
        if row.has_time or not signal.type.is_repeatable:
            return signal
        query = SignalQuery(self._outbox.profile, _ACTIVE_STATES, signal.order, signal.item)
        earlier = [entry.signal for entry in find_signals(self._outbox.store, query)]
        same = [other for other in earlier if (other.type, other.fields) == (signal.type, signal.fields)]
        return same[-1] if same else signal

    def _void_signal(self, row: ParsedRow) -> RowResult:
        _, order, item, tracking = row.key
        query = SignalQuery(self._outbox.profile, _ACTIVE_STATES, order, item)
        found = [
            entry
            for entry in find_signals(self._outbox.store, query)
            if entry.signal.type == row.type and tracking in ("", entry.signal.fields.get("tracking"))
        ]
        if not found or not order or not item:
            return _describe_outcome(row, SKIPPED, "voided")
        signal_id, state = found[-1].id, State.CONFLICT
        if found[-1].state is State.DELIVERED:
            message = f"voided, but signal {signal_id} is delivered; tell the client"
        else:
            try:
                self._outbox.drop([signal_id])
                state, message = State.DROPPED, f"voided: signal {signal_id} was dropped"
            except Conflict:
                message = f"voided, but signal {signal_id} is being sent"
        return _describe_outcome(row, state, message, signal_id)

    def results(self) -> Iterator[RowResult]:
        """Yield what became of each row, as of now, in the order of the file."""
        number = 0
        for rows in self._read_chunks():
            outcomes = self._outcomes[number : number + len(rows)]
            ids = {outcome.id for outcome in outcomes if outcome and not outcome.message}
            signals = {entry.id: entry for entry in self._outbox.get_by_ids(sorted(ids))} if ids else {}
            for row, outcome in zip(rows, outcomes, strict=False):
                yield _look_up(outcome, signals)._replace(row=row)
            number += len(rows)

    def summarize(self, on_result: Callable[[RowResult], None] = lambda result: None) -> ImportSummary:
        """Count the results of all rows; `on_result` is called with each of them."""
        counts: Counter[str] = Counter()
        failures: list[RowResult] = []
        waiting_count = 0
        for result in self.results():
            counts[result.state] += 1
            waiting_count += result.is_waiting
            if result.state in FAILED_STATES and len(failures) < MAX_SHOWN_FAILURES:
                failures.append(result)
            on_result(result)
        return ImportSummary(counts, failures, waiting_count)


def _describe_outcome(row: ParsedRow, state: str, message: str, signal_id: int = 0) -> RowResult:
    """The outcome of a row that is not a signal of the store."""
    type_name, order, item, _ = row.key
    return RowResult(state, signal_id, message, order, item, type_name)


def _look_up(outcome: RowResult | None, signals_by_id: Mapping[int, QueuedSignal]) -> RowResult:
    if outcome is None:
        return RowResult(NOT_ACCEPTED, message="not accepted")
    entry = signals_by_id.get(outcome.id)
    if outcome.message or entry is None:
        return outcome
    repeated = f"already accepted as signal {entry.id} ({entry.state})"
    state, message = (outcome.state, repeated) if outcome.state else (str(entry.state), entry.message)
    signal, is_waiting = entry.signal, entry.state in WAITING_STATES
    return RowResult(state, entry.id, message, signal.order, signal.item, signal.type.name, is_waiting)


class ResultWriter:
    """Writes the rows of a table with their results; result columns of an earlier run are replaced."""

    def __init__(self, file: IO[str], table: Table) -> None:
        self._columns = [number for number, name in enumerate(table.headings) if name.strip() not in RESULT_HEADINGS]
        self._writer = csv.writer(file, delimiter=table.delimiter or ",", lineterminator="\n")
        self._writer.writerow([*(table.headings[number] for number in self._columns), *RESULT_HEADINGS])

    def write(self, result: RowResult) -> None:
        """Write one row."""
        cells = result.row.cells
        own = [cells[number] if number < len(cells) else "" for number in self._columns]
        self._writer.writerow([*own, result.state, result.id or "", result.message])
