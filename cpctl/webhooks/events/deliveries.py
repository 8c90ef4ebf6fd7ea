"""What became of events at each target: which are due, in the order of their item; what is settled; what waits."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cpctl import retry
from cpctl.store.store import Row, Store, Transaction

TARGET_DROPPED = "given up"  # what stands at the hand-overs of a target that gets nothing more
# An attempt that is not settled by then was cut off with its process.
LEASE_MS = 120_000
# What waits behind another event is put off to the next try of that one, and not looked at before; at least so long.
_MIN_DEFERRAL_MS = 1000
# So many are put off within one transaction: a receiver beside it must not wait long.
_MAX_DEFERRALS = 200


class DeliveryState(StrEnum):
    """What became of an event at a target."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class DueDelivery(NamedTuple):
    """An event to hand over now. `attempt` counts from 1."""

    event_id: int
    attempt: int
    type: str
    payload: dict[str, Any]
    received_at_ms: int


_WAITING_FILTER = "profile = :profile AND target = :target AND state = 'waiting' AND state <> 'done'"
_FIRST_DUE = f"SELECT * FROM deliveries WHERE {_WAITING_FILTER} AND next_attempt_at <= :now ORDER BY next_attempt_at, event LIMIT 1"
# What happened earlier to the same item and still waits. Events that name neither order nor item stand alone.
_EARLIER_EVENT = """
    SELECT g.event, g.next_attempt_at
    FROM events e
    JOIN events f ON f.profile = e.profile AND f.order_id = e.order_id AND f.item = e.item
    JOIN deliveries g ON g.event = f.id AND g.target = :target
    WHERE e.id = :event AND (e.order_id, e.item) <> ('', '') AND g.state = 'waiting'
      AND (f.event_at, f.stage, f.digest) < (e.event_at, e.stage, e.digest)
    ORDER BY f.event_at, f.stage, f.digest LIMIT 1
"""
# Those of the same item that were only put off.
_WAKE_DEFERRED = """
    UPDATE deliveries SET next_attempt_at = :now
    WHERE target = :target AND state = 'waiting' AND attempts = 0 AND lease_until <= :now AND next_attempt_at > :now
      AND event IN (
        SELECT f.id FROM events e
        JOIN events f ON f.profile = e.profile AND f.order_id = e.order_id AND f.item = e.item
        WHERE e.id = :event AND (e.order_id, e.item) <> ('', ''))
"""


def claim(transaction: Transaction, profile: str, target: str, now_ms: int) -> DueDelivery | None:
    """Take the next event that is due at a target; no other process gets it until the lease ends.

    The attempt counts from here on: one that takes its process down with it is not repeated without end.
    None where nothing can go; what waits behind another event is then put off.
    """
    for _ in range(_MAX_DEFERRALS):
        found = transaction.fetch_one(_FIRST_DUE, profile=profile, target=target, now=now_ms)
        if found is None:
            return None
        before = transaction.fetch_one(_EARLIER_EVENT, target=target, event=found["event"])
        if before is None:
            return _lease(transaction, target, found, now_ms)
        transaction.execute(
            "UPDATE deliveries SET next_attempt_at = :later WHERE event = :event AND target = :target",
            later=max(before["next_attempt_at"], now_ms + _MIN_DEFERRAL_MS),
            event=found["event"],
            target=target,
        )
    return None


def _lease(transaction: Transaction, target: str, found: Row, now_ms: int) -> DueDelivery:
    transaction.execute(
        "UPDATE deliveries SET attempts = attempts + 1, next_attempt_at = :until, lease_until = :until, last_attempt_at = :now"
        " WHERE event = :event AND target = :target",
        until=now_ms + LEASE_MS,
        now=now_ms,
        event=found["event"],
        target=target,
    )
    event = transaction.fetch_one("SELECT type, payload, received_at FROM events WHERE id = :id", id=found["event"])
    assert event is not None, "an event stays as long as a target has not got it"
    payload = json.loads(event["payload"])
    return DueDelivery(found["event"], found["attempts"] + 1, event["type"], payload, event["received_at"])


def settle(transaction: Transaction, target: str, due: DueDelivery, problem: str | None, now_ms: int) -> DeliveryState:
    """Write down what an attempt came to: no problem, or its words, and when it is tried again.

    Where the lease has ended meanwhile, a problem is left to whoever has the event now.
    """
    too_old = retry.TARGETS.is_too_old(now_ms - due.received_at_ms)
    state = (
        DeliveryState.DONE
        if problem is None
        else DeliveryState.FAILED
        if too_old and due.attempt >= len(retry.TARGETS.delays)
        else DeliveryState.WAITING
    )
    wait = retry.TARGETS.delay_ms(due.attempt)
    settled = transaction.execute(
        "UPDATE deliveries SET state = :state, attempts = :attempt, next_attempt_at = :next_attempt_at, last_attempt_at = :now,"
        " lease_until = 0, message = :message"
        " WHERE event = :event AND target = :target"
        " AND (:state = 'done' OR (state = 'waiting' AND attempts = :attempt))",
        state=state,
        attempt=due.attempt,
        next_attempt_at=now_ms + wait,
        now=now_ms,
        message=problem or "",
        event=due.event_id,
        target=target,
    )
    if settled and state is not DeliveryState.WAITING:
        transaction.execute(_WAKE_DEFERRED, target=target, event=due.event_id, now=now_ms)
    return state


def release(transaction: Transaction, target: str, due: DueDelivery, problem: str, now_ms: int) -> None:
    """Give a claimed event back untried: the target could not be reached at all."""
    transaction.execute(
        "UPDATE deliveries SET attempts = attempts - 1, next_attempt_at = :now, lease_until = 0, message = :message"
        " WHERE event = :event AND target = :target AND attempts = :attempt AND state = 'waiting'",
        now=now_ms,
        message=problem,
        event=due.event_id,
        target=target,
        attempt=due.attempt,
    )


def has_due(transaction: Transaction, profile: str, target: str, now_ms: int) -> bool:
    """Whether there may be something to claim; a look that locks nothing."""
    return transaction.fetch_one(_FIRST_DUE, profile=profile, target=target, now=now_ms) is not None


def find_next_due_ms(transaction: Transaction, profile: str, target: str, now_ms: int) -> int | None:
    """When something may become due at a target after now (ms since 1970, UTC); None where nothing will by itself."""
    row = transaction.fetch_one(
        f"SELECT next_attempt_at FROM deliveries WHERE {_WAITING_FILTER} AND next_attempt_at > :now ORDER BY next_attempt_at LIMIT 1",
        profile=profile,
        target=target,
        now=now_ms,
    )
    return None if row is None else int(row["next_attempt_at"])


class Backlog(NamedTuple):
    """What a target has not got: how many wait, since when the oldest does (ms), and how many were given up."""

    target: str
    waiting: int
    oldest_received_ms: int | None
    failed: int


def read_backlogs(store: Store, profile: str, targets: Sequence[str] = ()) -> list[Backlog]:
    """The backlog of each of the targets, and of every other one that something waits for. Raises StoreError."""
    rows = store.read(
        lambda work: work.fetch_all(
            "SELECT target, waiting, failed, (SELECT received_at FROM events WHERE id = first) AS oldest FROM ("
            " SELECT target, sum(state = 'waiting') AS waiting, sum(state = 'failed') AS failed,"
            " min(CASE state WHEN 'waiting' THEN event END) AS first"
            " FROM deliveries WHERE state <> 'done' AND profile = :profile GROUP BY target)",
            profile=profile,
        )
    )
    found = {row["target"]: Backlog(row["target"], row["waiting"], row["oldest"], row["failed"]) for row in rows}
    return [found.pop(target, Backlog(target, 0, None, 0)) for target in targets] + list(found.values())


def requeue(store: Store, event_ids: Sequence[int], now_ms: int) -> int:
    """Let events go to all their targets again, from now on; how many deliveries that are. Raises StoreError.

    What is just being handed over follows when that attempt has ended. A target that was given up gets nothing more.
    """
    return store.write(
        lambda work: sum(
            work.execute(
                "UPDATE deliveries SET state = 'waiting', attempts = 0, next_attempt_at = max(:now, lease_until)"
                " WHERE event = :event AND message <> :given_up",
                now=now_ms,
                event=event,
                given_up=TARGET_DROPPED,
            )
            for event in event_ids
        )
    )


def drop_target(store: Store, profile: str, target: str) -> int:
    """Let a target that is no more have nothing to wait for; how many events that are. Raises StoreError."""
    return store.write(
        lambda work: work.execute(
            "UPDATE deliveries SET state = 'done', message = :given_up"
            " WHERE profile = :profile AND target = :target AND state <> 'done'",
            target=target,
            profile=profile,
            given_up=TARGET_DROPPED,
        )
    )
