"""Storing events, each once, with the latest state of every item and order; and deleting old events."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cpctl.clock import to_ms
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_search import BATCH_SIZE

# The sender repeats an event for 7 days; a copy of an event that was deleted sooner would be stored as a new one.
MIN_RETENTION_DAYS = 8

_COLUMNS = (
    *("digest", "type", "order_id", "item", "order_reference", "item_reference"),
    *("event_at", "occurred_at", "stage", "payload"),
)
# All events of a transaction in one statement: they are passed as one JSON list, which SQLite reads faster than
# Python binds rows one by one.
_INSERT_EVENTS = f"""
    INSERT INTO events (profile, received_at, last_received_at, {", ".join(_COLUMNS)})
    SELECT :profile, :now, :now, {", ".join(f"json_extract(value, '$[{number}]')" for number in range(len(_COLUMNS)))}
    FROM json_each(:events) WHERE true
    ON CONFLICT (profile, occurred_at, digest) DO UPDATE
        SET received_count = received_count + 1, last_received_at = :now
    RETURNING digest, id, received_count
"""
# An event that happened earlier, or at the same time in an earlier stage, never replaces a later one. If time and
# stage are equal, the digest decides: the result must not depend on the order of arrival.
_UPDATE_LATEST = """
    INSERT INTO latest_events (profile, order_id, item, order_reference, item_reference, event, type, event_at, stage,
                               digest, payload)
    SELECT e.profile, e.order_id, e.item, e.order_reference, e.item_reference, e.id, e.type, e.event_at, e.stage,
           e.digest, e.payload
    FROM json_each(:ids) ids CROSS JOIN events e ON e.id = ids.value
    WHERE e.order_id <> '' OR e.item <> ''
    ON CONFLICT (profile, order_id, item) DO UPDATE SET
        order_reference = excluded.order_reference, item_reference = excluded.item_reference, event = excluded.event,
        type = excluded.type, event_at = excluded.event_at, stage = excluded.stage, digest = excluded.digest,
        payload = excluded.payload
    WHERE (excluded.event_at, excluded.stage, excluded.digest)
          > (latest_events.event_at, latest_events.stage, latest_events.digest)
"""
_INSERT_DELIVERIES = """
    INSERT INTO deliveries (profile, target, event, next_attempt_at)
    SELECT :profile, targets.value, ids.value, :now FROM json_each(:ids) ids, json_each(:targets) targets
"""
_OLD_FILTER = "profile = :profile AND received_at < :before"
# `ignored` is a target whose missing events do not count.
_UNDELIVERED = """
    EXISTS (SELECT 1 FROM deliveries
            WHERE deliveries.event = events.id AND deliveries.state <> 'done' AND deliveries.target <> :ignored)
"""


class StoredEvent(NamedTuple):
    """A stored event: its id, and how many times it has been received (1: it is new)."""

    id: int
    received_count: int


def store_events(
    transaction: Transaction, profile: str, events: Sequence[Event], targets: Sequence[str], now_ms: int
) -> list[StoredEvent]:
    """Store events; count those that are stored already. `now_ms` is ms since 1970, UTC.

    Each new event is due at each of the targets at once.
    """
    rows = transaction.fetch_all(
        _INSERT_EVENTS, profile=profile, now=now_ms, events=json.dumps([_event_row(event, now_ms) for event in events])
    )
    # An event that is twice in `events` has two rows here, in either order; the lower count belongs to the first one.
    by_digest: dict[str, list[StoredEvent]] = {}
    for row in rows:
        by_digest.setdefault(row["digest"], []).append(StoredEvent(row["id"], row["received_count"]))
    for same_digest in by_digest.values():
        same_digest.sort(reverse=True)
    stored = [by_digest[event.digest].pop() for event in events]
    new_ids = [event.id for event in stored if event.received_count == 1]
    if new_ids:
        ids = json.dumps(new_ids)
        transaction.execute(_UPDATE_LATEST, ids=ids)
        names = json.dumps(list(targets))
        transaction.execute(_INSERT_DELIVERIES, profile=profile, ids=ids, targets=names, now=now_ms)
    return stored


def _event_row(event: Event, now_ms: int) -> tuple[str | int, ...]:
    """The values of `_COLUMNS`. An event without a time of its own is ordered by its arrival."""
    event_at = now_ms if event.event_at is None else event.event_at
    ids = (event.order, event.item, event.order_reference, event.item_reference)
    return (event.digest, event.type, *ids, event_at, event.event_at or 0, event.stage, event.payload)


def record_heartbeat(transaction: Transaction, profile: str, now_ms: int) -> None:
    sql = "INSERT INTO receivers (profile, seen_at) VALUES (:profile, :now)"
    transaction.execute(f"{sql} ON CONFLICT (profile) DO UPDATE SET seen_at = :now", profile=profile, now=now_ms)


def record_known_order(transaction: Transaction, profile: str, reference: str, now_ms: int) -> None:
    """Record an order of this shop, for `webhooks serve --known-orders`."""
    sql = "INSERT INTO known_orders (profile, reference, added_at) VALUES (:profile, :reference, :now)"
    transaction.execute(f"{sql} ON CONFLICT DO NOTHING", profile=profile, reference=reference, now=now_ms)


def is_known_order(transaction: Transaction, profile: str, event: Event) -> bool:
    """Whether the order of an event was added or reported on from this store; True if the event names no order."""
    if not event.order and not event.order_reference:
        return True
    sql = (
        "SELECT 1 FROM known_orders WHERE profile = :profile AND reference IN (:order_id, :reference)"
        " UNION ALL SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id LIMIT 1"
    )
    values = {"profile": profile, "order_id": event.order, "reference": event.order_reference}
    return transaction.fetch_one(sql, **values) is not None


class PruneCounts(NamedTuple):
    """Events that arrived before a time: how many can be deleted, and how many a target has not accepted yet."""

    prunable: int
    undelivered: int


def count_prunable(store: Store, profile: str, before: datetime, ignored_target: str = "") -> PruneCounts:
    """Count the events that arrived before a time, as if a target were dropped already. Raises StoreError."""
    if not store.exists():
        return PruneCounts(0, 0)
    sql = f"SELECT count(*) AS old, coalesce(sum({_UNDELIVERED}), 0) AS undelivered FROM events WHERE {_OLD_FILTER}"
    values = {"profile": profile, "before": to_ms(before), "ignored": ignored_target}
    row = store.read(lambda transaction: transaction.fetch_one(sql, **values))
    assert row is not None, "count(*) always returns a row"
    return PruneCounts(row["old"] - row["undelivered"], row["undelivered"])


def prune_events(store: Store, profile: str, before: datetime, batch_size: int = BATCH_SIZE) -> Iterator[int]:
    """Delete the old events that every target has accepted; yields the number deleted with each batch.

    Events are found outside of the write transactions, and deleted in batches, so that a receiver on the same store
    never waits long. The latest states of items stay. Raises StoreError.
    """
    sql = (
        f"SELECT id, received_at FROM events WHERE {_OLD_FILTER} AND (received_at, id) > (:at, :last_id)"
        f" AND NOT {_UNDELIVERED} ORDER BY received_at, id LIMIT :limit"
    )
    values = {"profile": profile, "before": to_ms(before), "at": 0, "last_id": 0, "limit": batch_size, "ignored": ""}
    while rows := store.read(lambda transaction: transaction.fetch_all(sql, **values)):
        values.update(at=rows[-1]["received_at"], last_id=rows[-1]["id"])
        yield store.write(partial(_delete_events, ids=[row["id"] for row in rows]))


def _delete_events(transaction: Transaction, ids: Sequence[int]) -> int:
    # A replay may have requeued some of the events since the batch was read.
    sql = f"SELECT id FROM events WHERE id IN (SELECT value FROM json_each(:ids)) AND NOT {_UNDELIVERED}"
    rows = transaction.fetch_all(sql, ids=json.dumps(ids), ignored="")
    listed = {"ids": json.dumps([row["id"] for row in rows])}
    transaction.execute("DELETE FROM deliveries WHERE event IN (SELECT value FROM json_each(:ids))", **listed)
    return transaction.execute("DELETE FROM events WHERE id IN (SELECT value FROM json_each(:ids))", **listed)
