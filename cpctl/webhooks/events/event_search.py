"""Searching the received events and the latest states of items and orders."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from cpctl.clock import format_iso, to_ms
from cpctl.errors import InvalidInput
from cpctl.store.store import Row, Store, Transaction

# How many events are read, written or deleted at a time.
BATCH_SIZE = 500
# The order in which events happened, whatever the order of arrival; see `event_store._UPDATE_LATEST`.
_EVENT_ORDER = "event_at, stage, digest"
_UNDELIVERED = "SELECT event FROM deliveries WHERE profile = :profile AND state <> 'done'"
# Every item with events has one row in latest_events, so the table of events needs fewer indexes.
# CROSS JOIN makes SQLite read latest_events first.
_LATEST_IDS = "l.id FROM latest_events l"
_EVENT_IDS = (
    "e.id FROM latest_events l CROSS JOIN events e"
    " ON e.profile = l.profile AND e.order_id = l.order_id AND e.item = l.item"
)
_TYPE_CONDITION = "type IN (SELECT value FROM json_each(:types))"
_COMMON_FIELDS = frozenset({"type", "order", "item", "order_reference", "item_reference", "datetime"})


class EventSearch(NamedTuple):
    """Which events to find; an empty value matches every event. Times are those of the arrival."""

    profile: str
    types: Sequence[str] = ()
    order: str = ""  # its id or its reference
    item: str = ""  # its id or its reference
    reference: str = ""  # of the order or of the item
    since: datetime | None = None
    until: datetime | None = None
    undelivered: bool = False  # only events that a target has not accepted
    after: int | None = None  # only events with a higher id, in the order of their arrival
    limit: int = 0


def find_events(store: Store, search: EventSearch) -> list[dict[str, Any]]:
    """Find events, in the order in which they happened. A limit keeps the last to arrive; with `after`, the first.

    Raises StoreError.
    """
    return list(read_events(store, find_event_ids(store, search)))


def find_event_ids(store: Store, search: EventSearch) -> list[int]:
    """The ids of the events that `find_events` returns, in its order. Raises StoreError.

    A store that does not exist is empty; it is not created.
    """
    if not store.exists():
        return []
    conditions, values = _search_conditions(search)
    # "+id" keeps SQLite from scanning by id when another index narrows the search; without it the newest rows are
    # read until the limit is reached.
    arrival = f"{'+' if _can_use_index(search) else ''}id {'DESC' if search.after is None else 'ASC'}"
    matching = f"SELECT id, {_EVENT_ORDER} FROM events WHERE {' AND '.join(conditions)} ORDER BY {arrival} LIMIT :limit"
    sql = matching if search.after is not None else f"SELECT id FROM ({matching}) ORDER BY {_EVENT_ORDER}"
    return store.read(lambda transaction: [row["id"] for row in transaction.fetch_all(sql, **values)])


def _can_use_index(search: EventSearch) -> bool:
    indexed = (search.order, search.item, search.reference, search.since, search.until, search.undelivered)
    return any(indexed) and search.after is None


def _search_conditions(search: EventSearch) -> tuple[list[str], dict[str, Any]]:
    is_by_time = _can_use_index(search) and (search.since or search.until)
    optional = (
        (search.after is not None, "id > :after"),
        (search.since, "received_at >= :since"),
        (search.until, "received_at < :until"),
        (search.order, _id_condition(_EVENT_IDS, "order_id", "order_id", "order_reference")),
        (search.item, _id_condition(_EVENT_IDS, "item", "item", "item_reference")),
        (search.reference, _id_condition(_EVENT_IDS, "reference", "order_reference", "item_reference")),
        (search.undelivered, f"id IN ({_UNDELIVERED})"),
        (search.types, _TYPE_CONDITION),
    )
    conditions = [condition for is_wanted, condition in optional if is_wanted]
    return [f"{'' if is_by_time else '+'}profile = :profile", *conditions], {
        "profile": search.profile,
        "after": search.after or 0,
        "since": to_ms(search.since) if search.since else 0,
        "until": to_ms(search.until) if search.until else 0,
        "order_id": search.order,
        "item": search.item,
        "reference": search.reference,
        "limit": search.limit or -1,
        "types": json.dumps(list(search.types)),
    }


def _id_condition(source: str, value: str, *columns: str) -> str:
    """A condition that one of the columns holds a value; a UNION uses the index of each column, OR would use none."""
    selects = (f"SELECT {source} WHERE l.profile = :profile AND l.{column} = :{value}" for column in columns)
    return f"id IN ({' UNION ALL '.join(selects)})"


def read_events(store: Store, ids: Sequence[int], batch_size: int = BATCH_SIZE) -> Iterator[dict[str, Any]]:
    """Read the events with these ids in batches, so that many events need little memory.

    Events that were pruned meanwhile are left out. Raises StoreError.
    """
    for start in range(0, len(ids), batch_size):
        yield from store.read(partial(_load_events, ids=ids[start : start + batch_size]))


def _load_events(transaction: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
    listed = {"ids": json.dumps(list(ids))}
    events = "SELECT * FROM events WHERE id IN (SELECT value FROM json_each(:ids))"
    rows = {row["id"]: row for row in transaction.fetch_all(events, **listed)}
    deliveries: dict[int, list[Row]] = {}
    sql = "SELECT * FROM deliveries WHERE event IN (SELECT value FROM json_each(:ids)) ORDER BY target"
    for row in transaction.fetch_all(sql, **listed):
        deliveries.setdefault(row["event"], []).append(row)
    return [_event_as_json(rows[event_id], deliveries.get(event_id, [])) for event_id in ids if event_id in rows]


def get_events(store: Store, profile: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The events with these ids, in that order. Raises InvalidInput if one does not exist, StoreError."""
    sql = "SELECT id FROM events WHERE profile = :profile AND id IN (SELECT value FROM json_each(:ids))"
    values = {"profile": profile, "ids": json.dumps(list(ids))}
    rows = store.read(lambda transaction: transaction.fetch_all(sql, **values)) if store.exists() else []
    known = {row["id"] for row in rows}
    if missing := [event_id for event_id in ids if event_id not in known]:
        message = f'Event {missing[0]} does not exist in profile "{profile}".'
        raise InvalidInput(message, "`cpctl webhooks list` shows the ids.")
    return list(read_events(store, ids))


def find_last_event_id(store: Store) -> int:
    """The id of the event that arrived last, whatever its profile; 0 if there is none. Raises StoreError."""
    if not store.exists():
        return 0
    row = store.read(lambda transaction: transaction.fetch_one("SELECT max(id) AS id FROM events"))
    return int(row["id"] or 0) if row else 0


def find_last_received_ms(store: Store, profile: str) -> int | None:
    """When an event last arrived (ms since 1970, UTC); None if there is none. Raises StoreError."""
    sql = "SELECT max(received_at) AS at FROM events WHERE profile = :profile"
    row = store.read(lambda transaction: transaction.fetch_one(sql, profile=profile))
    return row["at"] if row else None


def find_item_states(
    store: Store, profile: str, order: str = "", item: str = "", latest_types: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The latest known state of items, and of orders (with item ""). Raises StoreError.

    `order` and `item` are ids or references; `latest_types` are the types to include.
    """
    if not store.exists():
        return []
    conditions = [f"{'+' if order or item else ''}profile = :profile", *([_TYPE_CONDITION] if latest_types else [])]
    conditions += [_id_condition(_LATEST_IDS, "order_id", "order_id", "order_reference")] if order else []
    conditions += [_id_condition(_LATEST_IDS, "item", "item", "item_reference")] if item else []
    sql = f"SELECT * FROM latest_events WHERE {' AND '.join(conditions)} ORDER BY order_id, item"
    values = {"profile": profile, "order_id": order, "item": item, "types": json.dumps(list(latest_types))}
    rows = store.read(lambda transaction: transaction.fetch_all(sql, **values))
    return [
        {
            **_ids_as_json(row),
            "latest": row["type"],
            "datetime": format_iso(row["event_at"]),
            "event": str(row["event"]),
            "fields": _specific_fields(json.loads(row["payload"])),
        }
        for row in rows
    ]


def _event_as_json(row: Row, deliveries: Sequence[Row]) -> dict[str, Any]:
    payload = json.loads(row["payload"])
    return {
        "id": str(row["id"]),
        "type": row["type"],
        **_ids_as_json(row),
        "datetime": format_iso(row["event_at"]),
        "received": format_iso(row["received_at"]),
        "last_received": format_iso(row["last_received_at"]),
        "received_count": row["received_count"],
        "fields": _specific_fields(payload),
        "targets": [
            {
                "target": delivery["target"],
                "state": delivery["state"],
                "attempts": delivery["attempts"],
                "last_attempt": format_iso(delivery["last_attempt_at"] or None),
                "message": delivery["message"],
            }
            for delivery in deliveries
        ],
        "payload": payload,
    }


def _ids_as_json(row: Row) -> dict[str, str]:
    return {"order": row["order_id"], **{name: row[name] for name in ("item", "order_reference", "item_reference")}}


def _specific_fields(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in _COMMON_FIELDS}
