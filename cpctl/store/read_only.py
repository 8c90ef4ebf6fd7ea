"""A look at a store as it lies there, for one who must not change anything."""

from pathlib import Path
from typing import NamedTuple

from cpctl.outbox.models import OPEN, Entry
from cpctl.outbox.queries import Depth, counted
from cpctl.store.migrations import MIGRATIONS
from cpctl.store.store import Transaction, peek


class Look(NamedTuple):
    """The step of its shape and the last one known here, what is damaged (or ""), and what waits in it.

    `troubles` are the newest signals that a person may have to look at.
    """

    step: int
    known: int
    damage: str
    depth: Depth
    troubles: list[Entry]


def look(path: Path, troubles: int = 0) -> Look:
    """Look at a store that is there, without making, changing or leaving anything. Raises StoreError."""
    return peek(path, lambda work: _look(work, troubles))


def _look(work: Transaction, troubles: int) -> Look:
    step = int(next(iter(dict(work.rows("PRAGMA user_version")[0]).values())))
    damage = next(iter(dict(work.rows("PRAGMA quick_check(1)")[0]).values()))
    nothing = Depth({}, None, paused=False)
    if step != len(MIGRATIONS):
        return Look(step, len(MIGRATIONS), "" if damage == "ok" else str(damage), nothing, [])
    listed = ", ".join(repr(str(state)) for state in OPEN)
    rows = work.rows(
        f"SELECT * FROM signals WHERE state IN ({listed}) AND message <> '' ORDER BY id DESC LIMIT :most", most=troubles
    )
    found = [Entry.from_row(row) for row in rows]
    return Look(step, len(MIGRATIONS), "" if damage == "ok" else str(damage), counted(work, ""), found)
