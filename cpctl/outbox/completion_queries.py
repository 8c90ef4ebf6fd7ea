"""What was accepted lately, for completion: a look that waits for nobody and changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cpctl.store.store import glimpse

RECENT = 5_000  # signals that are looked at
MOST = 2000  # words that come of them
# As OPEN in delivery.entry, which takes longer to import than to ask; a test holds them together.
OPEN_STATES = ("queued", "held", "refused", "expired")

# By id, which is known without looking: the history may hold millions, and none of them of this profile.
_LATELY = f"id > (SELECT MAX(id) - {RECENT} FROM signals)"
# One that was shipped or canceled needs no further signal, unless the service has refused to believe it.
_FINISHED = "SUM(type IN ('ItemShipped', 'ItemCanceled') AND state NOT IN ('refused', 'dropped'))"
_ITEMS = f"""
    SELECT item, order_id, type, MAX(id) AS latest, {_FINISHED} AS finished FROM signals
    WHERE profile = :profile AND {_LATELY} AND item <> ''
    GROUP BY order_id, item ORDER BY latest DESC LIMIT {MOST}
"""
_SIGNALS = """
    SELECT id AS word, type, item AS more, state FROM signals WHERE profile = :profile AND {}
    ORDER BY id DESC LIMIT {}
"""
_NAMES = f"""
    SELECT DISTINCT {{0}} AS word FROM signals WHERE profile = :profile AND {_LATELY} AND {{0}} <> ''
    ORDER BY word LIMIT {MOST}
"""


_EVENTS = f"""
    SELECT id AS word, type, item FROM events WHERE profile = :profile AND id > (SELECT MAX(id) - {RECENT} FROM events)
    ORDER BY id DESC LIMIT {MOST}
"""
_TOLD = f"""
    SELECT {{0}} AS word, MAX(event) AS latest FROM latest_events WHERE profile = :profile AND {{0}} <> ''
    GROUP BY word ORDER BY latest DESC LIMIT {MOST}
"""


class Item(NamedTuple):
    """An item, its order, the type of its latest signal, and whether no further one is due."""

    id: str
    order: str
    latest: str
    finished: bool


def items(store: Path, profile: str) -> list[Item]:
    """Items that were reported lately; the newest first. Raises sqlite3.Error."""
    rows = glimpse(store, _ITEMS, profile=profile)
    return [Item(str(row["item"]), str(row["order_id"]), str(row["type"]), bool(row["finished"])) for row in rows]


def signals(store: Path, profile: str, undelivered: bool) -> Iterator[tuple[str, str]]:
    """Ids of signals with what they say; the newest first. Raises sqlite3.Error."""
    which = f"state IN {OPEN_STATES}" if undelivered else _LATELY
    for row in glimpse(store, _SIGNALS.format(which, MOST), profile=profile):
        yield str(row["word"]), f"{row['state']}: {row['type']} {row['more']}"


def names(store: Path, profile: str, column: str) -> list[str]:
    """Stations or operators (`column`) that have reported lately. Raises sqlite3.Error."""
    return [str(row["word"]) for row in glimpse(store, _NAMES.format(column), profile=profile)]


def events(store: Path, profile: str) -> Iterator[tuple[str, str]]:
    """Ids of webhooks received lately, with what they say; the newest first. Raises sqlite3.Error."""
    for row in glimpse(store, _EVENTS, profile=profile):
        yield str(row["word"]), f"{row['type']} {row['item']}".strip()


def told(store: Path, profile: str, column: str) -> list[str]:
    """Orders, items or references (`column`) that webhooks were about. Raises sqlite3.Error."""
    return [str(row["word"]) for row in glimpse(store, _TOLD.format(column), profile=profile)]
