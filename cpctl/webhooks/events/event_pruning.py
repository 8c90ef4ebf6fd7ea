"""Taking old events off the shelf: never one that a target has not got, and in portions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cpctl.outbox.models import to_ms
from cpctl.store.store import Row, Store, Transaction

# The sender repeats an event for 7 days; one that is forgotten sooner would come as a new one.
SHORTEST_DAYS = 8

_OLD = "profile = :profile AND received_at < :before"
# `ignored` is a target of which it does not count what it has not got.
_UNDELIVERED = """
    EXISTS (SELECT 1 FROM handovers
            WHERE handovers.event = events.id AND handovers.state <> 'done' AND handovers.target <> :ignored)
"""


class Old(NamedTuple):
    """Events that arrived before a time: how many may go, and how many a target has not got yet."""

    prunable: int
    kept_back: int


def count_old(store: Store, profile: str, before: datetime, ignored: str = "") -> Old:
    """How many events arrived before a time; `ignored` is a target that is about to be given up. Raises StoreError."""
    if not store.exists():
        return Old(0, 0)
    sql = f"SELECT count(*) AS number, coalesce(sum({_UNDELIVERED}), 0) AS back FROM events WHERE {_OLD}"
    row = store.read(lambda work: work.one(sql, profile=profile, before=to_ms(before), ignored=ignored))
    assert row is not None
    return Old(row["number"] - row["back"], row["back"])


def prune(store: Store, profile: str, before: datetime, at_once: int = 1000) -> Iterator[int]:
    """Delete the old events that every target has got, portion by portion: how many went with each.

    In portions, and looked up before anything is locked, so that a receiver beside it never waits long. The latest
    states of items stay. Raises StoreError.
    """
    at = last = 0
    while found := store.read(partial(_next, profile=profile, before=before, after=(at, last), at_once=at_once)):
        at, last = found[-1]["received_at"], found[-1]["id"]
        yield store.write(partial(_delete, events=[row["id"] for row in found]))


def _next(work: Transaction, profile: str, before: datetime, after: tuple[int, int], at_once: int) -> Sequence[Row]:
    sql = (
        f"SELECT id, received_at FROM events WHERE {_OLD} AND (received_at, id) > (:at, :last) AND NOT {_UNDELIVERED}"
        " ORDER BY received_at, id LIMIT :at_once"
    )
    at, last = after
    return work.rows(sql, profile=profile, before=to_ms(before), at=at, last=last, at_once=at_once, ignored="")


def _delete(work: Transaction, events: Sequence[int]) -> int:
    """Delete events, except one that has been put back for a target meanwhile."""
    return sum(_delete_one(work, event) for event in events)


def _delete_one(work: Transaction, event: int) -> int:
    if work.one("SELECT 1 FROM handovers WHERE event = :event AND state <> 'done'", event=event):
        return 0
    work.change("DELETE FROM handovers WHERE event = :event", event=event)
    return work.change("DELETE FROM events WHERE id = :event", event=event)
