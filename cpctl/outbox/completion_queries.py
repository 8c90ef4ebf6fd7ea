"""What was accepted lately, for completion: a look that waits for nobody and changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cpctl.store.store import query_without_waiting

RECENT_ROWS = 5_000  # signals that are looked at
MAX_SUGGESTIONS = 2000  # words that come of them
# As OPEN in delivery.entry, which takes longer to import than to ask; a test holds them together.
OPEN_STATE_NAMES = ("queued", "held", "refused", "expired")

# By id, which is known without looking: the history may hold millions, and none of them of this profile.
_RECENT_CONDITION = f"id > (SELECT MAX(id) - {RECENT_ROWS} FROM signals)"
# One that was shipped or canceled needs no further signal, unless the service has refused to believe it.
_FINISHED_EXPRESSION = "SUM(type IN ('ItemShipped', 'ItemCanceled') AND state NOT IN ('refused', 'dropped'))"
_ITEMS_SQL = f"""
    SELECT item, order_id, type, MAX(id) AS latest, {_FINISHED_EXPRESSION} AS finished FROM signals
    WHERE profile = :profile AND {_RECENT_CONDITION} AND item <> ''
    GROUP BY order_id, item ORDER BY latest DESC LIMIT {MAX_SUGGESTIONS}
"""
_SIGNALS_SQL = """
    SELECT id AS word, type, item AS more, state FROM signals WHERE profile = :profile AND {}
    ORDER BY id DESC LIMIT {}
"""
_NAMES_SQL = f"""
    SELECT DISTINCT {{0}} AS word FROM signals WHERE profile = :profile AND {_RECENT_CONDITION} AND {{0}} <> ''
    ORDER BY word LIMIT {MAX_SUGGESTIONS}
"""


_EVENTS_SQL = f"""
    SELECT id AS word, type, item FROM events WHERE profile = :profile AND id > (SELECT MAX(id) - {RECENT_ROWS} FROM events)
    ORDER BY id DESC LIMIT {MAX_SUGGESTIONS}
"""
_EVENT_VALUES_SQL = f"""
    SELECT {{0}} AS word, MAX(event) AS latest FROM latest_events WHERE profile = :profile AND {{0}} <> ''
    GROUP BY word ORDER BY latest DESC LIMIT {MAX_SUGGESTIONS}
"""


class CompletionItem(NamedTuple):
    """An item, its order, the type of its latest signal, and whether no further one is due."""

    id: str
    order: str
    latest_type: str
    is_finished: bool


def list_recent_items(store: Path, profile: str) -> list[CompletionItem]:
    """Items that were reported lately; the newest first. Raises sqlite3.Error."""
    rows = query_without_waiting(store, _ITEMS_SQL, profile=profile)
    return [
        CompletionItem(str(row["item"]), str(row["order_id"]), str(row["type"]), bool(row["finished"])) for row in rows
    ]


def list_recent_signals(store: Path, profile: str, only_open: bool) -> Iterator[tuple[str, str]]:
    """Ids of signals with what they say; the newest first. Raises sqlite3.Error."""
    which = f"state IN {OPEN_STATE_NAMES}" if only_open else _RECENT_CONDITION
    for row in query_without_waiting(store, _SIGNALS_SQL.format(which, MAX_SUGGESTIONS), profile=profile):
        yield str(row["word"]), f"{row['state']}: {row['type']} {row['more']}"


def list_recent_names(store: Path, profile: str, column: str) -> list[str]:
    """Stations or operators (`column`) that have reported lately. Raises sqlite3.Error."""
    return [str(row["word"]) for row in query_without_waiting(store, _NAMES_SQL.format(column), profile=profile)]


def list_recent_events(store: Path, profile: str) -> Iterator[tuple[str, str]]:
    """Ids of webhooks received lately, with what they say; the newest first. Raises sqlite3.Error."""
    for row in query_without_waiting(store, _EVENTS_SQL, profile=profile):
        yield str(row["word"]), f"{row['type']} {row['item']}".strip()


def list_recent_event_values(store: Path, profile: str, column: str) -> list[str]:
    """Orders, items or references (`column`) that webhooks were about. Raises sqlite3.Error."""
    return [str(row["word"]) for row in query_without_waiting(store, _EVENT_VALUES_SQL.format(column), profile=profile)]
