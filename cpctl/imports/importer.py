"""A file of signals: all rows checked, then accepted in their order, and each row's fate told.

The file is read as a stream, once for each of these. Of a row only one number is kept meanwhile: the id
of its signal in the store, or where in a temporary file it says why there is none.
"""

import json
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple

from cpctl.errors import Conflict, InvalidInput
from cpctl.imports.row_parser import ParsedRow, RowRules, parse_rows, split_into_chunks
from cpctl.imports.table_reader import Table, TableRow
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import AcceptedSignal, Outbox
from cpctl.outbox.queries import SignalQuery, find_signals
from cpctl.signals.signal import Signal

CHUNK_ROWS = 500  # rows of one transaction
MAX_SHOWN_PROBLEMS = 10  # problems that are told one by one
# What a row can come to beyond the states of a signal.
INVALID, NOT_ACCEPTED, SKIPPED = "invalid", "unaccepted", "skipped"
FAILED_STATES = (INVALID, State.REFUSED, State.EXPIRED, State.CONFLICT)
_UNDECIDED = 0

Progress = Callable[[int], None]  # told how many rows are behind


class CheckSummary(NamedTuple):
    """What the first reading found: how many rows, how many of them wrong, and the first of these."""

    row_count: int
    invalid_count: int
    problems: list[str]


class RowResult(NamedTuple):
    """What one row came to."""

    row: TableRow
    state: str
    id: str = ""
    message: str = ""
    order: str = ""
    item: str = ""
    type: str = ""
    is_waiting: bool = False  # its signal, or the one it repeats, is not delivered yet

    def to_dict(self) -> dict[str, Any]:
        """The result as scripts see it."""
        names = ("state", "id", "message", "order", "item", "type")
        return {"line": self.row.line, **{name: getattr(self, name) for name in names}}


class Importer:
    """One file on its way into the outbox."""

    def __init__(self, outbox: Outbox, table: Table, rules: RowRules) -> None:
        self.first_order_ids: list[int] = []  # new signals of the first order, to be sent before all others
        self.new_count = 0
        self._first_order = ""
        self._outbox = outbox
        self._table = table
        self._rules = rules
        self._outcomes = array(
            "q"
        )  # per row: 2 × id of its signal, plus 1 where it repeats it; or -1 - place in _words
        self._message_file: IO[bytes] | None = None
        self._voided_keys: set[tuple[str, ...]] = set()

    # --- reading --------------------------------------------------------------------------

    def check(self, progress: Progress, on_signal: Callable[[Signal], None] = lambda signal: None) -> CheckSummary:
        """Read all rows and accept none. Raises InvalidInput where the file cannot be read to its end."""
        wrong, problems = 0, []
        for chunk in self._read_chunks():
            for said in chunk:
                self._outcomes.append(_UNDECIDED)
                if said.problem:
                    self._record_outcome(len(self._outcomes) - 1, said, INVALID, said.problem)
                    wrong += 1
                    problems += [f"line {said.row.line}: {said.problem}"] if wrong <= MAX_SHOWN_PROBLEMS else []
                elif said.is_void:
                    self._voided_keys.add(said.key)
                elif said.signal:
                    on_signal(said.signal)
            progress(len(self._outcomes))
        return CheckSummary(len(self._outcomes), wrong, problems)

    def _read_chunks(self) -> Iterator[list[ParsedRow]]:
        for rows in split_into_chunks(self._table.read_rows(), CHUNK_ROWS):
            yield parse_rows(rows, self._rules, self._find_orders)

    def _find_orders(self, items: list[str]) -> Mapping[str, set[str]]:
        """In which orders earlier signals speak of these items. One look at the store for many of them."""
        if not self._outbox.store.exists():
            return {}
        rows = self._outbox.store.read(
            lambda work: work.fetch_all(
                "SELECT DISTINCT item, order_id FROM signals"
                " WHERE profile = :profile AND item IN (SELECT value FROM json_each(:items))",
                profile=self._outbox.profile,
                items=json.dumps(items),
            )
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["item"], set()).add(row["order_id"])
        return found

    # --- accepting ------------------------------------------------------------------------

    def accept(self, progress: Progress) -> None:
        """Take responsibility for every row that is right, some hundred in one transaction. Raises StoreError."""
        if self._voided_keys:  # first, so that a new label finds the old one gone, wherever in the file it stands
            self._for_each_chunk(self._void_rows, progress)
        self._for_each_chunk(self._accept_rows, progress)

    def _for_each_chunk(self, work: Callable[[list[tuple[int, ParsedRow]]], None], progress: Progress) -> None:
        number = 0
        for chunk in self._read_chunks():
            if number + len(chunk) > len(self._outcomes):
                raise InvalidInput(f"{self._table.name} has grown while it was read.", "Run the command again.")
            work([(number + at, said) for at, said in enumerate(chunk) if self._outcomes[number + at] == _UNDECIDED])
            number += len(chunk)
            progress(number)

    def _accept_rows(self, rows: list[tuple[int, ParsedRow]]) -> None:
        wanted: list[tuple[int, ParsedRow, Signal]] = []
        for number, said in rows:
            if said.key in self._voided_keys:
                self._record_outcome(number, said, SKIPPED, "another row of this file takes it back")
            elif said.signal:
                wanted.append((number, said, self._reuse_earlier_time(said, said.signal)))
        accepted = self._outbox.accept(
            [signal for _, _, signal in wanted], origins=[said.origin for _, said, _ in wanted]
        )
        for (number, said, _), one in zip(wanted, accepted, strict=True):
            self._record_accepted(number, said, one)

    def _record_accepted(self, number: int, row: ParsedRow, accepted: AcceptedSignal) -> None:
        if accepted.state is State.CONFLICT:
            self._record_outcome(number, row, State.CONFLICT, accepted.describe(), accepted.queued_signal.id)
            return
        self._outcomes[number] = 2 * accepted.queued_signal.id + (not accepted.is_new)
        if accepted.is_new:
            self.new_count += 1
            if not self.first_order_ids or (
                len(self.first_order_ids) < CHUNK_ROWS and accepted.signal.order == self._first_order
            ):
                self._first_order = accepted.signal.order
                self.first_order_ids.append(accepted.queued_signal.id)

    def _reuse_earlier_time(self, row: ParsedRow, signal: Signal) -> Signal:
        """The signal; one that may repeat and says no time is the earlier one that says the same."""
        if row.has_time or not signal.type.is_repeatable:
            return signal
        states = (State.QUEUED, State.HELD, State.DELIVERED)
        earlier = find_signals(self._outbox.store, SignalQuery(self._outbox.profile, states, signal.order, signal.item))
        same = [each.signal for each in earlier if each.signal.type == signal.type]
        return next((each for each in reversed(same) if each.fields == signal.fields), signal)

    def _void_rows(self, rows: list[tuple[int, ParsedRow]]) -> None:
        for number, said in rows:
            if said.is_void:
                self._record_outcome(number, said, *self._void_signal(said))

    def _void_signal(self, row: ParsedRow) -> tuple[str, str, int]:
        """Drop what still waits of what a voided row says. What is delivered cannot be taken back."""
        _, order, item, tracking = row.key
        states = (State.QUEUED, State.HELD, State.DELIVERED)
        search = SignalQuery(self._outbox.profile, states, order, item)
        found = [each for each in find_signals(self._outbox.store, search) if _is_same_parcel(each, row, tracking)]
        if not found or not order or not item:
            return SKIPPED, "voided", 0
        latest = found[-1]
        if latest.state is State.DELIVERED:
            return State.CONFLICT, f"voided, but signal {latest.id} is delivered; tell the client", latest.id
        try:
            self._outbox.drop([latest.id])
        except Conflict:
            return State.CONFLICT, f"voided, but signal {latest.id} is being sent just now", latest.id
        return State.DROPPED, f"voided: signal {latest.id} is taken back", latest.id

    # --- telling --------------------------------------------------------------------------

    def _record_outcome(self, number: int, row: ParsedRow, state: str, message: str, signal_id: int = 0) -> None:
        """Keep what became of a row that is not a signal of the store."""
        if self._message_file is None:
            self._message_file = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the batch)
        place = self._message_file.seek(0, 2)
        told = [
            state,
            str(signal_id or ""),
            message,
            row.fields.get("order", ""),
            row.fields.get("item", ""),
            row.type.name if row.type else "",
        ]
        self._message_file.write(json.dumps(told).encode() + b"\n")
        self._outcomes[number] = -1 - place

    def results(self) -> Iterator[RowResult]:
        """Every row's fate as it is now, in the order of the file."""
        number = 0
        for rows in split_into_chunks(self._table.read_rows(), CHUNK_ROWS):
            fates = self._outcomes[number : number + len(rows)]
            ids = sorted({fate // 2 for fate in fates if fate > 0})
            entries = {entry.id: entry for entry in self._outbox.get_by_ids(ids)} if ids else {}
            for row, fate in zip(rows, fates, strict=False):
                yield self._row_result(row, fate, entries)
            number += len(rows)

    def _row_result(self, row: TableRow, outcome: int, signals_by_id: Mapping[int, QueuedSignal]) -> RowResult:
        if outcome == _UNDECIDED:
            return RowResult(row, NOT_ACCEPTED, message="not accepted")
        if outcome < 0:
            assert self._message_file is not None
            self._message_file.seek(-1 - outcome)
            return RowResult(row, *json.loads(self._message_file.readline()))
        entry = signals_by_id[outcome // 2]
        state, message = str(entry.state), entry.message
        if outcome % 2:
            state, message = State.DUPLICATE, f"already accepted as signal {entry.id} ({entry.state})"
        signal = entry.signal
        waits = entry.state in (State.QUEUED, State.HELD)
        return RowResult(row, state, str(entry.id), message, signal.order, signal.item, signal.type.name, waits)

    def close(self) -> None:
        """Forget what was kept beside the store."""
        if self._message_file is not None:
            self._message_file.close()


def _is_same_parcel(queued_signal: QueuedSignal, row: ParsedRow, tracking: str) -> bool:
    same = queued_signal.signal.type == row.type
    return same and (not tracking or queued_signal.signal.fields.get("tracking") == tracking)
