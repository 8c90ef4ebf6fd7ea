"""Deliveries of events to targets: claiming what is due, settling attempts, and the backlog of each target.

The events of one item reach a target one after the other, in the order in which they happened.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cpctl import retry
from cpctl.store.store import Row, Store, Transaction

TARGET_DROPPED = "target dropped"  # message of the deliveries of a target that receives nothing more
# An attempt that is not settled by then ended with its process.
LEASE_MS = 120_000
# An event that has to wait for an earlier one is deferred to the next attempt of that one, but at least this long.
_MIN_DEFERRAL_MS = 1000
# Most events to defer in one transaction: a receiver on the same store must not wait long.
_MAX_DEFERRALS = 200


class DeliveryState(StrEnum):
    """The state of an event at a target."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class DueDelivery(NamedTuple):
    """An event to deliver now. `attempt` counts from 1."""

    event_id: int
    attempt: int
    type: str
    payload: dict[str, Any]
    received_at_ms: int


# `state <> 'done'` is implied; it lets SQLite use the partial index on deliveries that are not done.
_WAITING_FILTER = "profile = :profile AND target = :target AND state = 'waiting' AND state <> 'done'"
_FIRST_DUE = (
    f"SELECT * FROM deliveries WHERE {_WAITING_FILTER} AND next_attempt_at <= :now"
    " ORDER BY next_attempt_at, event LIMIT 1"
)
# The first waiting event of the same item that happened earlier. Events without order and item wait for no other.
_EARLIER_EVENT = """
    SELECT g.event, g.next_attempt_at
    FROM events e
    JOIN events f ON f.profile = e.profile AND f.order_id = e.order_id AND f.item = e.item
    JOIN deliveries g ON g.event = f.id AND g.target = :target
    WHERE e.id = :event AND (e.order_id, e.item) <> ('', '') AND g.state = 'waiting'
      AND (f.event_at, f.stage, f.digest) < (e.event_at, e.stage, e.digest)
    ORDER BY f.event_at, f.stage, f.digest LIMIT 1
"""
# Deferred events of the same item: not attempted yet, and not leased.
_WAKE_DEFERRED = """
    UPDATE deliveries SET next_attempt_at = :now
    WHERE target = :target AND state = 'waiting' AND attempts = 0 AND lease_until <= :now AND next_attempt_at > :now
      AND event IN (
        SELECT f.id FROM events e
        JOIN events f ON f.profile = e.profile AND f.order_id = e.order_id AND f.item = e.item
        WHERE e.id = :event AND (e.order_id, e.item) <> ('', ''))
"""


def claim(transaction: Transaction, profile: str, target: str, now_ms: int) -> DueDelivery | None:
    """Lease the next event that is due at a target; no other process gets it until the lease ends.

    The attempt is counted here, before it is made: an event that crashes the process is not retried without end.
    Events that wait for an earlier one are deferred. Returns None if no event can be delivered now.
    """
    for _ in range(_MAX_DEFERRALS):
        delivery = transaction.fetch_one(_FIRST_DUE, profile=profile, target=target, now=now_ms)
        if delivery is None:
            return None
        earlier = transaction.fetch_one(_EARLIER_EVENT, target=target, event=delivery["event"])
        if earlier is None:
            return _lease(transaction, target, delivery, now_ms)
        later = max(earlier["next_attempt_at"], now_ms + _MIN_DEFERRAL_MS)
        sql = "UPDATE deliveries SET next_attempt_at = :later WHERE event = :event AND target = :target"
        transaction.execute(sql, later=later, event=delivery["event"], target=target)
    return None


def _lease(transaction: Transaction, target: str, delivery: Row, now_ms: int) -> DueDelivery:
    sql = (
        "UPDATE deliveries SET attempts = attempts + 1, next_attempt_at = :until, lease_until = :until,"
        " last_attempt_at = :now WHERE event = :event AND target = :target"
    )
    transaction.execute(sql, until=now_ms + LEASE_MS, now=now_ms, event=delivery["event"], target=target)
    event = transaction.fetch_one("SELECT type, payload, received_at FROM events WHERE id = :id", id=delivery["event"])
    assert event is not None, "an event is not deleted before every target has accepted it"
    payload = json.loads(event["payload"])
    return DueDelivery(delivery["event"], delivery["attempts"] + 1, event["type"], payload, event["received_at"])


def settle(transaction: Transaction, target: str, due: DueDelivery, problem: str | None, now_ms: int) -> DeliveryState:
    """Record the outcome of an attempt: None for success, else the problem, with the time of the next attempt.

    Success is always recorded. A problem is recorded only while this attempt is the latest one: after the end of the
    lease, another process may have claimed the event.
    """
    state = DeliveryState.WAITING
    if problem is None:
        state = DeliveryState.DONE
    elif retry.TARGETS.is_too_old(now_ms - due.received_at_ms) and due.attempt >= len(retry.TARGETS.delays):
        state = DeliveryState.FAILED
    is_settled = transaction.execute(
        "UPDATE deliveries SET state = :state, attempts = :attempt, next_attempt_at = :next_attempt_at,"
        " last_attempt_at = :now, lease_until = 0, message = :message"
        " WHERE event = :event AND target = :target"
        " AND (:state = 'done' OR (state = 'waiting' AND attempts = :attempt))",
        state=state,
        attempt=due.attempt,
        next_attempt_at=now_ms + retry.TARGETS.delay_ms(due.attempt),
        now=now_ms,
        message=problem or "",
        event=due.event_id,
        target=target,
    )
    if is_settled and state is not DeliveryState.WAITING:
        transaction.execute(_WAKE_DEFERRED, target=target, event=due.event_id, now=now_ms)
    return state


def release(transaction: Transaction, target: str, due: DueDelivery, problem: str, now_ms: int) -> None:
    """Return a claimed event without counting the attempt: the target could not be reached."""
    sql = (
        "UPDATE deliveries SET attempts = attempts - 1, next_attempt_at = :now, lease_until = 0, message = :message"
        " WHERE event = :event AND target = :target AND attempts = :attempt AND state = 'waiting'"
    )
    values = {"event": due.event_id, "target": target, "attempt": due.attempt}
    transaction.execute(sql, now=now_ms, message=problem, **values)


def find_next_due_ms(transaction: Transaction, profile: str, target: str) -> int | None:
    """When the first waiting event is due at a target (ms since 1970, UTC), maybe in the past; None if none waits."""
    sql = f"SELECT next_attempt_at FROM deliveries WHERE {_WAITING_FILTER} ORDER BY next_attempt_at LIMIT 1"
    row = transaction.fetch_one(sql, profile=profile, target=target)
    return None if row is None else int(row["next_attempt_at"])


class Backlog(NamedTuple):
    """What a target has not accepted: how many events wait, when the oldest arrived (ms), and how many failed."""

    target: str
    waiting: int
    oldest_received_ms: int | None
    failed: int


def read_backlogs(store: Store, profile: str, targets: Sequence[str] = ()) -> list[Backlog]:
    """The backlog of each of the targets, then of every other target with undelivered events. Raises StoreError."""
    sql = (
        "SELECT target, waiting, failed, (SELECT received_at FROM events WHERE id = first) AS oldest FROM ("
        " SELECT target, sum(state = 'waiting') AS waiting, sum(state = 'failed') AS failed,"
        " min(CASE state WHEN 'waiting' THEN event END) AS first"
        " FROM deliveries WHERE state <> 'done' AND profile = :profile GROUP BY target)"
    )
    rows = store.read(lambda transaction: transaction.fetch_all(sql, profile=profile))
    backlogs = {row["target"]: Backlog(row["target"], row["waiting"], row["oldest"], row["failed"]) for row in rows}
    return [backlogs.pop(target, Backlog(target, 0, None, 0)) for target in targets] + list(backlogs.values())


def requeue(store: Store, event_ids: Sequence[int], now_ms: int) -> int:
    """Make events due at all their targets again; returns the number of deliveries. Raises StoreError.

    An event that is being delivered becomes due at the end of its lease. Dropped targets receive nothing more.
    """
    sql = (
        "UPDATE deliveries SET state = 'waiting', attempts = 0, next_attempt_at = max(:now, lease_until)"
        " WHERE event IN (SELECT value FROM json_each(:ids)) AND message <> :dropped"
    )
    values = {"now": now_ms, "ids": json.dumps(list(event_ids)), "dropped": TARGET_DROPPED}
    return store.write(lambda transaction: transaction.execute(sql, **values))


def drop_target(store: Store, profile: str, target: str) -> int:
    """Stop delivering to a target that no longer exists; returns the number of events dropped. Raises StoreError."""
    sql = (
        "UPDATE deliveries SET state = 'done', message = :dropped"
        " WHERE profile = :profile AND target = :target AND state <> 'done'"
    )
    values = {"target": target, "profile": profile, "dropped": TARGET_DROPPED}
    return store.write(lambda transaction: transaction.execute(sql, **values))
