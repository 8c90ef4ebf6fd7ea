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
from cpctl.imports.row_parser import Rules, Said, in_chunks, said_in
from cpctl.imports.table_reader import Row, Table
from cpctl.outbox.models import Entry, State
from cpctl.outbox.outbox import Accepted, Outbox
from cpctl.outbox.queries import Search, find
from cpctl.signals.signal import Signal

CHUNK = 500  # rows of one transaction
SHOWN = 10  # problems that are told one by one
# What a row can come to beyond the states of a signal.
INVALID, UNACCEPTED, SKIPPED = "invalid", "unaccepted", "skipped"
FAILED = (INVALID, State.REFUSED, State.EXPIRED, State.CONFLICT)
_OPEN_FATE = 0

Progress = Callable[[int], None]  # told how many rows are behind


class Checked(NamedTuple):
    """What the first reading found: how many rows, how many of them wrong, and the first of these."""

    rows: int
    wrong: int
    problems: list[str]


class Result(NamedTuple):
    """What one row came to."""

    row: Row
    state: str
    id: str = ""
    message: str = ""
    order: str = ""
    item: str = ""
    type: str = ""
    waits: bool = False  # its signal, or the one it repeats, is not delivered yet

    def report(self) -> dict[str, Any]:
        """The result as scripts see it."""
        names = ("state", "id", "message", "order", "item", "type")
        return {"line": self.row.line, **{name: getattr(self, name) for name in names}}


class Batch:
    """One file on its way into the outbox."""

    def __init__(self, outbox: Outbox, table: Table, rules: Rules) -> None:
        self.first: list[int] = []  # new signals of the first order, to be sent before all others
        self.new = 0
        self._first_order = ""
        self._outbox = outbox
        self._table = table
        self._rules = rules
        self._fates = array("q")  # per row: 2 × id of its signal, plus 1 where it repeats it; or -1 - place in _words
        self._words: IO[bytes] | None = None
        self._voided: set[tuple[str, ...]] = set()

    # --- reading --------------------------------------------------------------------------

    def check(self, progress: Progress, each: Callable[[Signal], None] = lambda signal: None) -> Checked:
        """Read all rows and accept none. Raises InvalidInput where the file cannot be read to its end."""
        wrong, problems = 0, []
        for chunk in self._chunks():
            for said in chunk:
                self._fates.append(_OPEN_FATE)
                if said.problem:
                    self._tell(len(self._fates) - 1, said, INVALID, said.problem)
                    wrong += 1
                    problems += [f"line {said.row.line}: {said.problem}"] if wrong <= SHOWN else []
                elif said.void:
                    self._voided.add(said.key)
                elif said.signal:
                    each(said.signal)
            progress(len(self._fates))
        return Checked(len(self._fates), wrong, problems)

    def _chunks(self) -> Iterator[list[Said]]:
        for rows in in_chunks(self._table.rows(), CHUNK):
            yield said_in(rows, self._rules, self._orders_of)

    def _orders_of(self, items: list[str]) -> Mapping[str, set[str]]:
        """In which orders earlier signals speak of these items. One look at the store for many of them."""
        if not self._outbox.store.exists():
            return {}
        rows = self._outbox.store.read(
            lambda work: work.rows(
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
        if self._voided:  # first, so that a new label finds the old one gone, wherever in the file it stands
            self._walk(self._take_back, progress)
        self._walk(self._accept, progress)

    def _walk(self, work: Callable[[list[tuple[int, Said]]], None], progress: Progress) -> None:
        number = 0
        for chunk in self._chunks():
            if number + len(chunk) > len(self._fates):
                raise InvalidInput(f"{self._table.name} has grown while it was read.", "Run the command again.")
            work([(number + at, said) for at, said in enumerate(chunk) if self._fates[number + at] == _OPEN_FATE])
            number += len(chunk)
            progress(number)

    def _accept(self, rows: list[tuple[int, Said]]) -> None:
        wanted: list[tuple[int, Said, Signal]] = []
        for number, said in rows:
            if said.key in self._voided:
                self._tell(number, said, SKIPPED, "another row of this file takes it back")
            elif said.signal:
                wanted.append((number, said, self._moment_of(said, said.signal)))
        accepted = self._outbox.accept(
            [signal for _, _, signal in wanted], origins=[said.origin for _, said, _ in wanted]
        )
        for (number, said, _), one in zip(wanted, accepted, strict=True):
            self._book(number, said, one)

    def _book(self, number: int, said: Said, one: Accepted) -> None:
        if one.state is State.CONFLICT:
            self._tell(number, said, State.CONFLICT, one.words(), one.entry.id)
            return
        self._fates[number] = 2 * one.entry.id + (not one.new)
        if one.new:
            self.new += 1
            if not self.first or (len(self.first) < CHUNK and one.signal.order == self._first_order):
                self._first_order = one.signal.order
                self.first.append(one.entry.id)

    def _moment_of(self, said: Said, signal: Signal) -> Signal:
        """The signal; one that may repeat and says no time is the earlier one that says the same."""
        if said.timed or not signal.kind.repeats:
            return signal
        states = (State.QUEUED, State.HELD, State.DELIVERED)
        earlier = find(self._outbox.store, Search(self._outbox.profile, states, signal.order, signal.item))
        same = [each.signal for each in earlier if each.signal.kind == signal.kind]
        return next((each for each in reversed(same) if each.fields == signal.fields), signal)

    def _take_back(self, rows: list[tuple[int, Said]]) -> None:
        for number, said in rows:
            if said.void:
                self._tell(number, said, *self._taken_back(said))

    def _taken_back(self, said: Said) -> tuple[str, str, int]:
        """Drop what still waits of what a voided row says. What is delivered cannot be taken back."""
        _, order, item, tracking = said.key
        states = (State.QUEUED, State.HELD, State.DELIVERED)
        search = Search(self._outbox.profile, states, order, item)
        found = [each for each in find(self._outbox.store, search) if _is_about(each, said, tracking)]
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

    def _tell(self, number: int, said: Said, state: str, message: str, key: int = 0) -> None:
        """Keep what became of a row that is not a signal of the store."""
        if self._words is None:
            self._words = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the batch)
        place = self._words.seek(0, 2)
        told = [
            state,
            str(key or ""),
            message,
            said.fields.get("order", ""),
            said.fields.get("item", ""),
            said.kind.name if said.kind else "",
        ]
        self._words.write(json.dumps(told).encode() + b"\n")
        self._fates[number] = -1 - place

    def results(self) -> Iterator[Result]:
        """Every row's fate as it is now, in the order of the file."""
        number = 0
        for rows in in_chunks(self._table.rows(), CHUNK):
            fates = self._fates[number : number + len(rows)]
            ids = sorted({fate // 2 for fate in fates if fate > 0})
            entries = {entry.id: entry for entry in self._outbox.entries(ids)} if ids else {}
            for row, fate in zip(rows, fates, strict=False):
                yield self._result(row, fate, entries)
            number += len(rows)

    def _result(self, row: Row, fate: int, entries: Mapping[int, Entry]) -> Result:
        if fate == _OPEN_FATE:
            return Result(row, UNACCEPTED, message="not accepted")
        if fate < 0:
            assert self._words is not None
            self._words.seek(-1 - fate)
            return Result(row, *json.loads(self._words.readline()))
        entry = entries[fate // 2]
        state, message = str(entry.state), entry.message
        if fate % 2:
            state, message = State.DUPLICATE, f"already accepted as signal {entry.id} ({entry.state})"
        signal = entry.signal
        waits = entry.state in (State.QUEUED, State.HELD)
        return Result(row, state, str(entry.id), message, signal.order, signal.item, signal.kind.name, waits)

    def close(self) -> None:
        """Forget what was kept beside the store."""
        if self._words is not None:
            self._words.close()


def _is_about(entry: Entry, said: Said, tracking: str) -> bool:
    same = entry.signal.kind == said.kind
    return same and (not tracking or entry.signal.fields.get("tracking") == tracking)
