"""A look at a store as it lies there, for one who must not change anything."""

from pathlib import Path
from typing import NamedTuple

from cpctl.outbox.models import OPEN_STATES, QueuedSignal
from cpctl.outbox.queries import QueueDepth, count_queue
from cpctl.store.migrations import MIGRATIONS
from cpctl.store.store import Transaction, run_read_only


class ReadOnlyStore(NamedTuple):
    """The step of its shape and the last one known here, what is damaged (or ""), and what waits in it.

    `troubles` are the newest signals that a person may have to look at.
    """

    schema_version: int
    latest_schema_version: int
    damage: str
    queue_depth: QueueDepth
    problem_signals: list[QueuedSignal]


def inspect_store(path: Path, limit: int = 0) -> ReadOnlyStore:
    """Look at a store that is there, without making, changing or leaving anything. Raises StoreError."""
    return run_read_only(path, lambda work: _inspect(work, limit))


def _inspect(transaction: Transaction, limit: int) -> ReadOnlyStore:
    step = int(next(iter(dict(transaction.fetch_all("PRAGMA user_version")[0]).values())))
    damage = next(iter(dict(transaction.fetch_all("PRAGMA quick_check(1)")[0]).values()))
    nothing = QueueDepth({}, None, is_paused=False)
    if step != len(MIGRATIONS):
        return ReadOnlyStore(step, len(MIGRATIONS), "" if damage == "ok" else str(damage), nothing, [])
    listed = ", ".join(repr(str(state)) for state in OPEN_STATES)
    rows = transaction.fetch_all(
        f"SELECT * FROM signals WHERE state IN ({listed}) AND message <> '' ORDER BY id DESC LIMIT :most", most=limit
    )
    found = [QueuedSignal.from_row(row) for row in rows]
    return ReadOnlyStore(
        step, len(MIGRATIONS), "" if damage == "ok" else str(damage), count_queue(transaction, ""), found
    )
