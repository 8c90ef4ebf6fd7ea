"""What became of events at each target: which are due, in the order of their item; what is settled; what waits."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cpctl.delivery.store import Store, Transaction

# Seconds after a failed attempt; the last one for all that follow.
WAITS = (1, 5, 15, 60, 300, 900, 3600)
LIFETIME = 7 * 86_400  # seconds; then the event stays on the shelf as `failed`, and what came after it moves on
# An attempt that is not settled by then was cut off with its process.
LEASE_MS = 120_000


class HandoverState(StrEnum):
    """What became of an event at a target."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Due(NamedTuple):
    """An event to hand over now. `attempt` counts from 1."""

    event: int
    attempt: int
    type: str
    payload: dict[str, Any]
    received_at: int


# The first of its item that still waits; what is known to have happened earlier goes before it.
_DUE = """
    SELECT h.event, h.attempts, e.type, e.payload, e.received_at
    FROM handovers h JOIN events e ON e.id = h.event
    WHERE h.state <> 'done' AND h.target = :target AND h.state = 'waiting' AND h.next_at <= :now
      AND h.lease_until <= :now AND e.profile = :profile
      AND NOT EXISTS (
          SELECT 1 FROM events f JOIN handovers g ON g.event = f.id AND g.target = h.target
          WHERE f.profile = e.profile AND f.order_id = e.order_id AND f.item = e.item AND g.state = 'waiting'
            AND (f.event_at, f.stage, f.id) < (e.event_at, e.stage, e.id))
    ORDER BY h.next_at, h.event LIMIT 1
"""


def claim(work: Transaction, profile: str, target: str, now: int) -> Due | None:
    """Take the next event that is due at a target; no other process gets it until the lease ends."""
    row = work.one(_DUE, profile=profile, target=target, now=now)
    if row is None:
        return None
    work.change(
        "UPDATE handovers SET lease_until = :until, last_at = :now WHERE event = :event AND target = :target",
        until=now + LEASE_MS,
        now=now,
        event=row["event"],
        target=target,
    )
    return Due(row["event"], row["attempts"] + 1, row["type"], json.loads(row["payload"]), row["received_at"])


def settle(work: Transaction, target: str, due: Due, problem: str | None, now: int) -> HandoverState:
    """Write down what an attempt came to: no problem, or its words, and when it is tried again."""
    too_old = now - due.received_at > LIFETIME * 1000
    state = (
        HandoverState.DONE
        if problem is None
        else HandoverState.FAILED
        if too_old and due.attempt >= len(WAITS)
        else HandoverState.WAITING
    )
    wait = WAITS[min(due.attempt, len(WAITS)) - 1] * 1000
    work.change(
        "UPDATE handovers SET state = :state, attempts = :attempts, next_at = :next_at, last_at = :now,"
        " lease_until = 0, message = :message WHERE event = :event AND target = :target",
        state=state,
        attempts=due.attempt,
        next_at=now + wait,
        now=now,
        message=problem or "",
        event=due.event,
        target=target,
    )
    return state


def let_go(work: Transaction, target: str, due: Due, problem: str, now: int) -> None:
    """Give a claimed event back untried: the target could not be reached at all."""
    work.change(
        "UPDATE handovers SET next_at = :now, lease_until = 0, message = :message"
        " WHERE event = :event AND target = :target",
        now=now,
        message=problem,
        event=due.event,
        target=target,
    )


def is_due(work: Transaction, profile: str, target: str, now: int) -> bool:
    """Whether there is something to claim; a look that locks nothing."""
    return work.one(_DUE, profile=profile, target=target, now=now) is not None


def next_due(work: Transaction, target: str, now: int) -> int | None:
    """When something may become due at a target after now (ms since 1970, UTC); None where nothing will by itself."""
    row = work.one(
        "SELECT min(max(next_at, lease_until)) AS soonest FROM handovers WHERE state <> 'done'"
        " AND target = :target AND state = 'waiting' AND max(next_at, lease_until) > :now",
        target=target,
        now=now,
    )
    return None if row is None or row["soonest"] is None else int(row["soonest"])


class Backlog(NamedTuple):
    """What a target has not got: how many wait, since when the oldest does (ms), and how many were given up."""

    target: str
    waiting: int
    oldest: int | None
    failed: int


def backlogs(store: Store, profile: str, targets: Sequence[str] = ()) -> list[Backlog]:
    """The backlog of each of the targets, and of every other one that something waits for. Raises StoreError."""
    rows = store.read(
        lambda work: work.rows(
            "SELECT h.target, sum(h.state = 'waiting') AS waiting, sum(h.state = 'failed') AS failed,"
            " min(CASE h.state WHEN 'waiting' THEN e.received_at END) AS oldest"
            " FROM handovers h JOIN events e ON e.id = h.event"
            " WHERE h.state <> 'done' AND e.profile = :profile GROUP BY h.target",
            profile=profile,
        )
    )
    found = {row["target"]: Backlog(row["target"], row["waiting"], row["oldest"], row["failed"]) for row in rows}
    return [found.pop(target, Backlog(target, 0, None, 0)) for target in targets] + list(found.values())


def put_back(store: Store, events: Sequence[int], now: int) -> int:
    """Let events go to all their targets again, from now on; how many that are. Raises StoreError."""
    return store.write(
        lambda work: sum(
            work.change(
                "UPDATE handovers SET state = 'waiting', attempts = 0, next_at = :now WHERE event = :event",
                now=now,
                event=event,
            )
            for event in events
        )
    )


def give_up(store: Store, profile: str, target: str) -> int:
    """Let a target that is no more have nothing to wait for; how many events that are. Raises StoreError."""
    return store.write(
        lambda work: work.change(
            "UPDATE handovers SET state = 'done', message = 'given up' WHERE state <> 'done' AND target = :target"
            " AND event IN (SELECT id FROM events WHERE profile = :profile)",
            target=target,
            profile=profile,
        )
    )
