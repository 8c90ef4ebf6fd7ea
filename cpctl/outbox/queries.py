"""Looking at the store: lists, counts, ages; taking signals out to a file and in again."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.errors import InvalidInput
from cpctl.outbox.models import OPEN, STORED_STATES, WAITING, Entry, Origin, State, to_ms
from cpctl.outbox.outbox import INSERT, Outbox
from cpctl.signals.signal_types import KINDS
from cpctl.store.store import Store, Transaction, read_foreign

SQLITE_MAGIC = b"SQLite format 3\x00"


class Search(NamedTuple):
    """Which entries are wanted; an empty value asks for all."""

    profile: str = ""
    states: Sequence[State] = ()
    order: str = ""
    item: str = ""
    since: datetime | None = None
    limit: int = 0


def find(store: Store, search: Search) -> list[Entry]:
    """The entries that match, oldest first; with a limit the newest of them. Raises StoreError."""
    still_open = bool(search.states) and set(search.states) <= set(OPEN)
    # With +, no index by profile: where neither order nor open states narrow it down, the newest rows are read first.
    narrow = bool(search.order) or still_open
    tests = [f"{'' if narrow else '+'}profile = :profile" if search.profile else "1"]
    tests += [f"state IN ({_listed(OPEN)})"] if still_open else []
    tests += ["order_id = :order_id"] if search.order else []
    tests += ["item = :item"] if search.item else []
    tests += ["accepted_at >= :since"] if search.since else []
    if search.states:
        tests.append(f"state IN ({_listed(search.states)})")
    sql = f"SELECT * FROM signals WHERE {' AND '.join(tests)} ORDER BY id DESC LIMIT :limit"
    rows = store.read(
        lambda work: work.rows(
            sql,
            profile=search.profile,
            order_id=search.order,
            item=search.item,
            since=to_ms(search.since) if search.since else 0,
            limit=search.limit or -1,
        )
    )
    return [Entry.from_row(row) for row in reversed(rows)]


def _listed(states: Iterable[State]) -> str:
    """States as SQL lists them. The whole of OPEN is what lets SQLite use the index of open signals."""
    return ", ".join(repr(str(state)) for state in states)


class Depth(NamedTuple):
    """How much of a profile is not delivered: counts by state, and when the oldest waiting one was accepted (ms)."""

    counts: Mapping[State, int]
    oldest_waiting: int | None
    paused: bool

    @property
    def waiting(self) -> int:
        """Signals that are accepted and neither delivered nor given up."""
        return sum(self.counts.get(state, 0) for state in WAITING)


def depth(store: Store, profile: str) -> Depth:
    """Count the outbox of a profile, or of all for "". A store that does not exist yet is empty, and is not made."""
    if not store.exists():
        return Depth({}, None, paused=False)
    return store.read(lambda work: counted(work, profile))


def counted(work: Transaction, profile: str) -> Depth:
    """Count the outbox of a profile, or of all for "", within a transaction."""
    where = "profile = :profile AND" if profile else ""
    rows = work.rows(
        "SELECT state, count(*) AS number, min(accepted_at) AS oldest FROM signals INDEXED BY signals_open"
        f" WHERE {where} state IN ('queued', 'held', 'refused', 'expired') GROUP BY state",
        profile=profile,
    )
    waits = [row["oldest"] for row in rows if row["state"] in WAITING]
    paused = work.one(
        f"SELECT 1 FROM queues WHERE {where} paused_at IS NOT NULL",
        profile=profile,
    )
    return Depth({State(row["state"]): row["number"] for row in rows}, min(waits, default=None), paused is not None)


def set_aside(store: Store) -> list[Path]:
    """Damaged stores that lie beside this one: what waited in them was not sent."""
    return set_aside_beside(store.path)


def set_aside_beside(path: Path) -> list[Path]:
    """Damaged stores that lie beside a store file."""
    return sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))


def waiting_elsewhere(store: Store, profile: str) -> dict[str, int]:
    """Other profiles of this store in which signals wait, with their number."""
    rows = store.read(
        lambda work: work.rows(
            f"SELECT profile, count(*) AS number FROM signals INDEXED BY signals_open WHERE state IN ({_listed(OPEN)})"
            f" AND state IN ({_listed(WAITING)}) AND profile <> :profile GROUP BY profile",
            profile=profile,
        )
    )
    return {row["profile"]: row["number"] for row in rows}


# --- out to a file, and in again ------------------------------------------------------------

_CARRIED = ("uid", "profile", "version", "type", "order_id", "item", "fields", "event_at", "accepted_at", "state")
_CARRIED_TOO = ("held_by", "attempts", "maybe_duplicate", "operator", "station", "carrier")
_ALL_CARRIED = _CARRIED + _CARRIED_TOO
_LATEST = 253_402_300_800_000  # the year 10000, in ms


def exported(store: Store, profile: str) -> Iterator[str]:
    """The open entries of a profile, one JSON object a line, with all that another store needs."""
    states = ", ".join(repr(str(state)) for state in OPEN)
    rows = store.read(
        lambda work: work.rows(
            f"SELECT * FROM signals WHERE profile = :profile AND state IN ({states}) ORDER BY id", profile=profile
        )
    )
    for row in rows:
        yield json.dumps({name: row[name] for name in _ALL_CARRIED})


class Imported(NamedTuple):
    """What an import came to."""

    taken: list[str]
    known: int
    unreadable: str = ""


def import_file(outbox: Outbox, source: str, content: bytes) -> Imported:
    """Take over signals from an export, or from another store file as far as it can be read.

    All of a file or none of it; a signal that this store knows already is left as it is.
    Raises InvalidInput naming the line, StoreError.
    """
    if content.startswith(SQLITE_MAGIC):
        if source == "-":
            raise InvalidInput("A store cannot be read from standard input.", "Name its file.")
        states = ", ".join(repr(str(state)) for state in OPEN)
        # By rowid, without an index: those of a damaged file may be what is damaged.
        rows, broken = read_foreign(Path(source), f"SELECT * FROM signals NOT INDEXED WHERE state IN ({states})")
        found = [{name: row[name] for name in _ALL_CARRIED} for row in rows]
        sound = [record for record in found if _is_sound(record)]
        if not broken and len(sound) < len(found):
            broken = f"{len(found) - len(sound)} damaged"
        return _take_over(outbox, sound, broken)
    return _take_over(outbox, list(_lines(source, content)), "")


def _take_over(outbox: Outbox, records: Iterable[Mapping[str, Any]], broken: str) -> Imported:
    def work(transaction: Transaction) -> Imported:
        taken, known = [], 0
        for record in records:
            if transaction.one("SELECT 1 FROM signals WHERE uid = :uid", uid=record["uid"]):
                known += 1
                continue
            # What was being sent elsewhere may have arrived; a new try must say so.
            doubt = record["maybe_duplicate"] or (record["attempts"] and record["state"] == State.QUEUED)
            values = dict(record) | {"next_at": record["accepted_at"], "maybe_duplicate": bool(doubt), "not_before": 0}
            if record["held_by"] == "answer":  # the pause of the other store's queue; ours has its own
                values |= {"state": State.QUEUED, "held_by": ""}
            transaction.insert(INSERT, **values)
            taken.append(str(record["uid"]))
        return Imported(taken, known, broken)

    return outbox.store.write(work)


def _lines(source: str, content: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{source} is neither an export of an outbox nor a store.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _record(f"{source}, line {number}", line)


def _record(place: str, line: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{place}: not JSON ({error}).", "Nothing was imported.") from error
    if not isinstance(record, dict) or set(record) != set(_ALL_CARRIED):
        raise InvalidInput(f"{place}: not a line of `cpctl outbox export`.", "Nothing was imported.")
    if not _is_sound(record):
        raise InvalidInput(f"{place}: not a signal that could be sent.", "Nothing was imported.")
    return record


def _is_sound(record: Mapping[str, Any]) -> bool:
    """Whether every value can be what it claims; one that cannot would stop every look at the store."""
    texts = ("uid", "profile", "version", "type", "order_id", "item", "fields", "state", "held_by", *Origin._fields)
    numbers = ("event_at", "accepted_at", "attempts", "maybe_duplicate")
    if not all(isinstance(record[name], str) for name in texts):
        return False
    if not all(isinstance(record[name], int) and 0 <= record[name] < _LATEST for name in numbers):
        return False
    try:
        fields = json.loads(record["fields"])
    except (ValueError, RecursionError):
        return False
    told = isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())
    known = record["type"] in KINDS and record["version"] in KINDS[record["type"]].required
    same = told and (fields.get("order"), fields.get("item", "")) == (record["order_id"], record["item"])
    return known and same and record["state"] in STORED_STATES
