"""Looking at the store: lists, counts, ages; taking signals out to a file and in again."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.clock import to_ms
from cpctl.errors import InvalidInput
from cpctl.outbox.models import OPEN_STATES, STORED_STATES, WAITING_STATES, Origin, QueuedSignal, State
from cpctl.outbox.outbox import INSERT_SIGNAL, Outbox
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.store.store import Store, Transaction, salvage_rows

SQLITE_MAGIC = b"SQLite format 3\x00"


class SignalQuery(NamedTuple):
    """Which entries are wanted; an empty value asks for all."""

    profile: str = ""
    states: Sequence[State] = ()
    order: str = ""
    item: str = ""
    since: datetime | None = None
    limit: int = 0


def find_signals(store: Store, query: SignalQuery) -> list[QueuedSignal]:
    """The entries that match, oldest first; with a limit the newest of them. Raises StoreError."""
    still_open = bool(query.states) and set(query.states) <= set(OPEN_STATES)
    # With +, no index by profile: where neither order nor open states narrow it down, the newest rows are read first.
    narrow = bool(query.order) or still_open
    tests = [f"{'' if narrow else '+'}profile = :profile" if query.profile else "1"]
    tests += [f"state IN ({_sql_list(OPEN_STATES)})"] if still_open else []
    tests += ["order_id = :order_id"] if query.order else []
    tests += ["item = :item"] if query.item else []
    tests += ["accepted_at >= :since"] if query.since else []
    if query.states:
        tests.append(f"state IN ({_sql_list(query.states)})")
    sql = f"SELECT * FROM signals WHERE {' AND '.join(tests)} ORDER BY id DESC LIMIT :limit"
    rows = store.read(
        lambda work: work.fetch_all(
            sql,
            profile=query.profile,
            order_id=query.order,
            item=query.item,
            since=to_ms(query.since) if query.since else 0,
            limit=query.limit or -1,
        )
    )
    return [QueuedSignal.from_row(row) for row in reversed(rows)]


def _sql_list(states: Iterable[State]) -> str:
    """States as SQL lists them. The whole of OPEN is what lets SQLite use the index of open signals."""
    return ", ".join(repr(str(state)) for state in states)


class QueueDepth(NamedTuple):
    """How much of a profile is not delivered: counts by state, and when the oldest waiting one was accepted (ms)."""

    counts: Mapping[State, int]
    oldest_waiting_ms: int | None
    is_paused: bool

    @property
    def waiting_count(self) -> int:
        """Signals that are accepted and neither delivered nor given up."""
        return sum(self.counts.get(state, 0) for state in WAITING_STATES)


def read_queue_depth(store: Store, profile: str) -> QueueDepth:
    """Count the outbox of a profile, or of all for "". A store that does not exist yet is empty, and is not made."""
    if not store.exists():
        return QueueDepth({}, None, is_paused=False)
    return store.read(lambda work: count_queue(work, profile))


def count_queue(transaction: Transaction, profile: str) -> QueueDepth:
    """Count the outbox of a profile, or of all for "", within a transaction."""
    where = "profile = :profile AND" if profile else ""
    rows = transaction.fetch_all(
        "SELECT state, count(*) AS number, min(accepted_at) AS oldest FROM signals INDEXED BY signals_open"
        f" WHERE {where} state IN ('queued', 'held', 'refused', 'expired') GROUP BY state",
        profile=profile,
    )
    waits = [row["oldest"] for row in rows if row["state"] in WAITING_STATES]
    paused = transaction.fetch_one(
        f"SELECT 1 FROM queues WHERE {where} paused_at IS NOT NULL",
        profile=profile,
    )
    return QueueDepth(
        {State(row["state"]): row["number"] for row in rows}, min(waits, default=None), paused is not None
    )


def find_quarantined(store: Store) -> list[Path]:
    """Damaged stores that lie beside this one: what waited in them was not sent."""
    return find_quarantined_files(store.path)


def find_quarantined_files(path: Path) -> list[Path]:
    """Damaged stores that lie beside a store file."""
    return sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))


def count_waiting_in_other_profiles(store: Store, profile: str) -> dict[str, int]:
    """Other profiles of this store in which signals wait, with their number."""
    rows = store.read(
        lambda work: work.fetch_all(
            f"SELECT profile, count(*) AS number FROM signals INDEXED BY signals_open WHERE state IN ({_sql_list(OPEN_STATES)})"
            f" AND state IN ({_sql_list(WAITING_STATES)}) AND profile <> :profile GROUP BY profile",
            profile=profile,
        )
    )
    return {row["profile"]: row["number"] for row in rows}


# --- out to a file, and in again ------------------------------------------------------------

_SIGNAL_COLUMNS = (
    "uid",
    "profile",
    "version",
    "type",
    "order_id",
    "item",
    "fields",
    "event_at",
    "accepted_at",
    "state",
)
_DELIVERY_COLUMNS = ("held_by", "attempts", "maybe_duplicate", "operator", "station", "carrier")
_EXPORTED_COLUMNS = _SIGNAL_COLUMNS + _DELIVERY_COLUMNS
_MAX_TIMESTAMP_MS = 253_402_300_800_000  # the year 10000, in ms


def export_signals(store: Store, profile: str) -> Iterator[str]:
    """The open entries of a profile, one JSON object a line, with all that another store needs."""
    states = ", ".join(repr(str(state)) for state in OPEN_STATES)
    rows = store.read(
        lambda work: work.fetch_all(
            f"SELECT * FROM signals WHERE profile = :profile AND state IN ({states}) ORDER BY id", profile=profile
        )
    )
    for row in rows:
        yield json.dumps({name: row[name] for name in _EXPORTED_COLUMNS})


class ImportResult(NamedTuple):
    """What an import came to."""

    imported_uids: list[str]
    known_count: int
    damage: str = ""


def import_signals(outbox: Outbox, source: str, content: bytes) -> ImportResult:
    """Take over signals from an export, or from another store file as far as it can be read.

    All of a file or none of it; a signal that this store knows already is left as it is.
    Raises InvalidInput naming the line, StoreError.
    """
    if content.startswith(SQLITE_MAGIC):
        if source == "-":
            raise InvalidInput("A store cannot be read from standard input.", "Name its file.")
        states = ", ".join(repr(str(state)) for state in OPEN_STATES)
        # By rowid, without an index: those of a damaged file may be what is damaged.
        rows, broken = salvage_rows(Path(source), f"SELECT * FROM signals NOT INDEXED WHERE state IN ({states})")
        found = [{name: row[name] for name in _EXPORTED_COLUMNS} for row in rows]
        sound = [record for record in found if _is_valid_record(record)]
        if not broken and len(sound) < len(found):
            broken = f"{len(found) - len(sound)} damaged"
        return _insert_records(outbox, sound, broken)
    return _insert_records(outbox, list(_parse_lines(source, content)), "")


def _insert_records(outbox: Outbox, records: Iterable[Mapping[str, Any]], damage: str) -> ImportResult:
    def work(transaction: Transaction) -> ImportResult:
        taken, known = [], 0
        for record in records:
            if transaction.fetch_one("SELECT 1 FROM signals WHERE uid = :uid", uid=record["uid"]):
                known += 1
                continue
            # What was being sent elsewhere may have arrived; a new try must say so.
            doubt = record["maybe_duplicate"] or (record["attempts"] and record["state"] == State.QUEUED)
            values = dict(record) | {
                "next_attempt_at": record["accepted_at"],
                "maybe_duplicate": bool(doubt),
                "not_before": 0,
            }
            if record["held_by"] == "answer":  # the pause of the other store's queue; ours has its own
                values |= {"state": State.QUEUED, "held_by": ""}
            transaction.insert(INSERT_SIGNAL, **values)
            taken.append(str(record["uid"]))
        return ImportResult(taken, known, damage)

    return outbox.store.write(work)


def _parse_lines(source: str, content: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{source} is neither an export of an outbox nor a store.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _parse_record(f"{source}, line {number}", line)


def _parse_record(location: str, line: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{location}: not JSON ({error}).", "Nothing was imported.") from error
    if not isinstance(record, dict) or set(record) != set(_EXPORTED_COLUMNS):
        raise InvalidInput(f"{location}: not a line of `cpctl outbox export`.", "Nothing was imported.")
    if not _is_valid_record(record):
        raise InvalidInput(f"{location}: not a signal that could be sent.", "Nothing was imported.")
    return record


def _is_valid_record(record: Mapping[str, Any]) -> bool:
    """Whether every value can be what it claims; one that cannot would stop every look at the store."""
    texts = ("uid", "profile", "version", "type", "order_id", "item", "fields", "state", "held_by", *Origin._fields)
    numbers = ("event_at", "accepted_at", "attempts", "maybe_duplicate")
    if not all(isinstance(record[name], str) for name in texts):
        return False
    if not all(isinstance(record[name], int) and 0 <= record[name] < _MAX_TIMESTAMP_MS for name in numbers):
        return False
    try:
        fields = json.loads(record["fields"])
    except (ValueError, RecursionError):
        return False
    told = isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())
    known = record["type"] in SIGNAL_TYPES and record["version"] in SIGNAL_TYPES[record["type"]].required
    same = told and (fields.get("order"), fields.get("item", "")) == (record["order_id"], record["item"])
    return known and same and record["state"] in STORED_STATES
