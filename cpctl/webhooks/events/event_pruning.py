"""Taking old events off the shelf: never one that a target has not got, and in portions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cpctl.clock import to_ms
from cpctl.store.store import Row, Store, Transaction

# The sender repeats an event for 7 days; one that is forgotten sooner would come as a new one.
MIN_RETENTION_DAYS = 8

_OLD_FILTER = "profile = :profile AND received_at < :before"
# `ignored` is a target of which it does not count what it has not got.
_UNDELIVERED = """
    EXISTS (SELECT 1 FROM deliveries
            WHERE deliveries.event = events.id AND deliveries.state <> 'done' AND deliveries.target <> :ignored)
"""


class PruneCounts(NamedTuple):
    """Events that arrived before a time: how many may go, and how many a target has not got yet."""

    prunable: int
    undelivered: int


def count_prunable(store: Store, profile: str, before: datetime, ignored_target: str = "") -> PruneCounts:
    """How many events arrived before a time; `ignored` is a target that is about to be given up. Raises StoreError."""
    if not store.exists():
        return PruneCounts(0, 0)
    sql = f"SELECT count(*) AS number, coalesce(sum({_UNDELIVERED}), 0) AS back FROM events WHERE {_OLD_FILTER}"
    row = store.read(lambda work: work.fetch_one(sql, profile=profile, before=to_ms(before), ignored=ignored_target))
    assert row is not None
    return PruneCounts(row["number"] - row["back"], row["back"])


def prune_events(store: Store, profile: str, before: datetime, batch_size: int = 1000) -> Iterator[int]:
    """Delete the old events that every target has got, portion by portion: how many went with each.

    In portions, and looked up before anything is locked, so that a receiver beside it never waits long. The latest
    states of items stay. Raises StoreError.
    """
    at = last = 0
    while found := store.read(
        partial(_next_batch, profile=profile, before=before, after=(at, last), batch_size=batch_size)
    ):
        at, last = found[-1]["received_at"], found[-1]["id"]
        yield store.write(partial(_delete_events, event_ids=[row["id"] for row in found]))


def _next_batch(
    transaction: Transaction, profile: str, before: datetime, after: tuple[int, int], batch_size: int
) -> Sequence[Row]:
    sql = (
        f"SELECT id, received_at FROM events WHERE {_OLD_FILTER} AND (received_at, id) > (:at, :last) AND NOT {_UNDELIVERED}"
        " ORDER BY received_at, id LIMIT :at_once"
    )
    at, last = after
    return transaction.fetch_all(
        sql, profile=profile, before=to_ms(before), at=at, last=last, at_once=batch_size, ignored=""
    )


def _delete_events(transaction: Transaction, event_ids: Sequence[int]) -> int:
    """Delete events, except one that has been put back for a target meanwhile."""
    return sum(_delete_event(transaction, event) for event in event_ids)


def _delete_event(transaction: Transaction, event_id: int) -> int:
    if transaction.fetch_one("SELECT 1 FROM deliveries WHERE event = :event AND state <> 'done'", event=event_id):
        return 0
    transaction.execute("DELETE FROM deliveries WHERE event = :event", event=event_id)
    return transaction.execute("DELETE FROM events WHERE id = :event", event=event_id)
