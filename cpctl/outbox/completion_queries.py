"""Values for completion from a store that others may be using: waits for no lock and changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cpctl.store.store import query_without_waiting

RECENT_ROWS = 5_000  # signals or events that are read
MAX_SUGGESTIONS = 2_000
# OPEN_STATES of cpctl.outbox.models, which takes longer to import than the query takes; a test compares them.
OPEN_STATE_NAMES = ("queued", "held", "refused", "expired")

# By id, because that needs no reading: the history may hold millions of rows, and none of this profile.
_RECENT_SIGNALS = f"id > (SELECT MAX(id) - {RECENT_ROWS} FROM signals)"
_RECENT_EVENTS = f"id > (SELECT MAX(id) - {RECENT_ROWS} FROM events)"
# A shipped or canceled item needs no further signal, unless the service refused that one.
_ITEMS_SQL = f"""
    SELECT item, order_id, type, MAX(id) AS latest,
           SUM(type IN ('ItemShipped', 'ItemCanceled') AND state NOT IN ('refused', 'dropped')) AS finished
    FROM signals WHERE profile = :profile AND {_RECENT_SIGNALS} AND item <> ''
    GROUP BY order_id, item ORDER BY latest DESC LIMIT {MAX_SUGGESTIONS}
"""
_SIGNALS_SQL = f"""
    SELECT id, type, item, state FROM signals WHERE profile = :profile AND {{0}}
    ORDER BY id DESC LIMIT {MAX_SUGGESTIONS}
"""
_NAMES_SQL = f"""
    SELECT DISTINCT {{0}} AS value FROM signals WHERE profile = :profile AND {_RECENT_SIGNALS} AND {{0}} <> ''
    ORDER BY value LIMIT {MAX_SUGGESTIONS}
"""
_EVENTS_SQL = f"""
    SELECT id, type, item FROM events WHERE profile = :profile AND {_RECENT_EVENTS}
    ORDER BY id DESC LIMIT {MAX_SUGGESTIONS}
"""
_EVENT_VALUES_SQL = f"""
    SELECT {{0}} AS value, MAX(event) AS latest FROM latest_events WHERE profile = :profile AND {{0}} <> ''
    GROUP BY value ORDER BY latest DESC LIMIT {MAX_SUGGESTIONS}
"""


class CompletionItem(NamedTuple):
    """An item, its order, the type of its latest signal, and whether no further signal is due."""

    id: str
    order: str
    latest_type: str
    is_finished: bool


def list_recent_items(store: Path, profile: str) -> list[CompletionItem]:
    """Items that were reported recently, the newest first. Raises sqlite3.Error."""
    rows = query_without_waiting(store, _ITEMS_SQL, profile=profile)
    return [CompletionItem(row["item"], row["order_id"], row["type"], bool(row["finished"])) for row in rows]


def list_recent_signals(store: Path, profile: str, only_open: bool) -> Iterator[tuple[str, str]]:
    """Ids of recent signals with a description, the newest first. Raises sqlite3.Error."""
    condition = f"state IN {OPEN_STATE_NAMES}" if only_open else _RECENT_SIGNALS
    for row in query_without_waiting(store, _SIGNALS_SQL.format(condition), profile=profile):
        yield str(row["id"]), f"{row['state']}: {row['type']} {row['item']}"


def list_recent_names(store: Path, profile: str, column: str) -> list[str]:
    """Stations or operators (`column`) of recent signals. Raises sqlite3.Error."""
    return [str(row["value"]) for row in query_without_waiting(store, _NAMES_SQL.format(column), profile=profile)]


def list_recent_events(store: Path, profile: str) -> Iterator[tuple[str, str]]:
    """Ids of recent webhook events with a description, the newest first. Raises sqlite3.Error."""
    for row in query_without_waiting(store, _EVENTS_SQL, profile=profile):
        yield str(row["id"]), f"{row['type']} {row['item']}".strip()


def list_recent_event_values(store: Path, profile: str, column: str) -> list[str]:
    """Orders, items or references (`column`) of webhook events. Raises sqlite3.Error."""
    rows = query_without_waiting(store, _EVENT_VALUES_SQL.format(column), profile=profile)
    return [str(row["value"]) for row in rows]
