"""Queries over the outbox: signals by state, order, item and time; the depth of a queue; quarantined stores."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cpctl.clock import to_ms
from cpctl.outbox.models import OPEN_STATES, WAITING_STATES, QueuedSignal, State, sql_list
from cpctl.store.migrations import MIGRATIONS
from cpctl.store.store import Store, Transaction, run_read_only


class SignalQuery(NamedTuple):
    """Which signals to find; an empty value does not restrict them."""

    profile: str = ""
    states: Sequence[State] = ()
    order: str = ""
    item: str = ""
    since: datetime | None = None
    limit: int = 0


def find_signals(store: Store, query: SignalQuery) -> list[QueuedSignal]:
    """The signals that match, oldest first; with a limit the newest of them. Raises StoreError."""
    only_open = bool(query.states) and set(query.states) <= set(OPEN_STATES)
    # `+profile` keeps SQLite from the indexes by profile: unless order or open states narrow it down, reading the
    # newest rows first is faster.
    conditions = [f"{'' if query.order or only_open else '+'}profile = :profile" if query.profile else "1"]
    conditions += [f"state IN ({sql_list(OPEN_STATES)})"] if only_open else []
    conditions += ["order_id = :order"] if query.order else []
    conditions += ["item = :item"] if query.item else []
    conditions += ["accepted_at >= :since"] if query.since else []
    conditions += [f"state IN ({sql_list(query.states)})"] if query.states else []
    sql = f"SELECT * FROM signals WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit"
    values = query._asdict() | {"since": to_ms(query.since) if query.since else 0, "limit": query.limit or -1}
    rows = store.read(lambda transaction: transaction.fetch_all(sql, **values))
    return [QueuedSignal.from_row(row) for row in reversed(rows)]


class QueueDepth(NamedTuple):
    """How much of a profile is not delivered: counts by state, and when the oldest waiting one was accepted (ms)."""

    counts: Mapping[State, int]
    oldest_waiting_ms: int | None
    is_paused: bool

    @property
    def waiting_count(self) -> int:
        """Signals that are accepted and neither delivered nor given up."""
        return sum(self.counts.get(state, 0) for state in WAITING_STATES)


_EMPTY_QUEUE = QueueDepth({}, None, is_paused=False)


def read_queue_depth(store: Store, profile: str) -> QueueDepth:
    """Count the outbox of a profile, or of all for "". A store that does not exist counts as empty, and is not made."""
    return store.read(lambda transaction: _count_queue(transaction, profile)) if store.exists() else _EMPTY_QUEUE


def _count_queue(transaction: Transaction, profile: str) -> QueueDepth:
    where = "profile = :profile AND" if profile else ""
    rows = transaction.fetch_all(
        "SELECT state, count(*) AS number, min(accepted_at) AS oldest FROM signals INDEXED BY signals_open"
        f" WHERE {where} state IN ({sql_list(OPEN_STATES)}) GROUP BY state",
        profile=profile,
    )
    oldest = [row["oldest"] for row in rows if row["state"] in WAITING_STATES]
    paused = transaction.fetch_one(f"SELECT 1 FROM queues WHERE {where} paused_at IS NOT NULL", profile=profile)
    counts = {State(row["state"]): row["number"] for row in rows}
    return QueueDepth(counts, min(oldest, default=None), is_paused=paused is not None)


def count_waiting_in_other_profiles(store: Store, profile: str) -> dict[str, int]:
    """Other profiles of this store in which signals wait, with their number."""
    sql = f"""
        SELECT profile, count(*) AS number FROM signals INDEXED BY signals_open
        WHERE state IN ({sql_list(OPEN_STATES)}) AND state IN ({sql_list(WAITING_STATES)}) AND profile <> :profile
        GROUP BY profile
    """
    rows = store.read(lambda transaction: transaction.fetch_all(sql, profile=profile))
    return {row["profile"]: row["number"] for row in rows}


def find_quarantined_files(path: Path) -> list[Path]:
    """Damaged stores that were moved aside beside a store file: what waited in them was not sent."""
    return sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))


class StoreInspection(NamedTuple):
    """The schema version of a store and the latest one, its damage (or ""), and what waits in it.

    `problem_signals` are the newest open signals with a message. They and the depth are known only for a store of
    the latest schema version.
    """

    schema_version: int
    latest_schema_version: int
    damage: str
    queue_depth: QueueDepth = _EMPTY_QUEUE
    problem_signals: Sequence[QueuedSignal] = ()


def inspect_store(path: Path, limit: int = 0) -> StoreInspection:
    """Inspect an existing store without creating, changing or leaving any file. Raises StoreError."""

    def inspect(transaction: Transaction) -> StoreInspection:
        version = transaction.fetch_all("PRAGMA user_version")[0]["user_version"]
        check = transaction.fetch_all("PRAGMA quick_check(1)")[0]["quick_check"]
        found = StoreInspection(version, len(MIGRATIONS), "" if check == "ok" else str(check))
        if version != len(MIGRATIONS):
            return found
        condition = f"state IN ({sql_list(OPEN_STATES)}) AND message <> ''"
        sql = f"SELECT * FROM signals WHERE {condition} ORDER BY id DESC LIMIT :limit"
        problems = [QueuedSignal.from_row(row) for row in transaction.fetch_all(sql, limit=limit)]
        return found._replace(queue_depth=_count_queue(transaction, ""), problem_signals=problems)

    return run_read_only(path, inspect)
