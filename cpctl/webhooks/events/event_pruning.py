"""Deleting old events: never one that a target has not accepted, and in batches."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cpctl.clock import to_ms
from cpctl.store.store import Row, Store, Transaction
from cpctl.webhooks.events.event_search import BATCH_SIZE

# The sender repeats an event for 7 days; a copy of an event that was deleted sooner would be stored as a new one.
MIN_RETENTION_DAYS = 8

_OLD_FILTER = "profile = :profile AND received_at < :before"
# `ignored` is a target whose missing events do not count.
_UNDELIVERED = """
    EXISTS (SELECT 1 FROM deliveries
            WHERE deliveries.event = events.id AND deliveries.state <> 'done' AND deliveries.target <> :ignored)
"""


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
    at = last_id = 0
    while rows := store.read(
        partial(_next_batch, profile=profile, before=before, after=(at, last_id), batch_size=batch_size)
    ):
        at, last_id = rows[-1]["received_at"], rows[-1]["id"]
        yield store.write(partial(_delete_events, event_ids=[row["id"] for row in rows]))


def _next_batch(
    transaction: Transaction, profile: str, before: datetime, after: tuple[int, int], batch_size: int
) -> Sequence[Row]:
    sql = (
        f"SELECT id, received_at FROM events WHERE {_OLD_FILTER} AND (received_at, id) > (:at, :last_id)"
        f" AND NOT {_UNDELIVERED} ORDER BY received_at, id LIMIT :limit"
    )
    values = {"profile": profile, "before": to_ms(before), "at": after[0], "last_id": after[1], "limit": batch_size}
    return transaction.fetch_all(sql, **values, ignored="")


def _delete_events(transaction: Transaction, event_ids: Sequence[int]) -> int:
    return sum(_delete_event(transaction, event_id) for event_id in event_ids)


def _delete_event(transaction: Transaction, event_id: int) -> int:
    # A replay may have requeued the event since the batch was read.
    if transaction.fetch_one("SELECT 1 FROM deliveries WHERE event = :event AND state <> 'done'", event=event_id):
        return 0
    transaction.execute("DELETE FROM deliveries WHERE event = :event", event=event_id)
    return transaction.execute("DELETE FROM events WHERE id = :event", event=event_id)
