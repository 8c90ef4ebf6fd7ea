"""Writing received webhooks to the store: each event once, with the latest known state of every item and order."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from cpctl.store.store import Transaction
from cpctl.webhooks.events.event import Event

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
        if targets:
            transaction.execute(
                _INSERT_DELIVERIES, profile=profile, ids=ids, targets=json.dumps(list(targets)), now=now_ms
            )
    return stored


def _event_row(event: Event, now_ms: int) -> tuple[str | int, ...]:
    """The values of `_COLUMNS`. An event without a time of its own is ordered by its arrival."""
    event_at = now_ms if event.event_at is None else event.event_at
    ids = (event.order, event.item, event.order_reference, event.item_reference)
    return (event.digest, event.type, *ids, event_at, event.event_at or 0, event.stage, event.payload)


def record_heartbeat(transaction: Transaction, profile: str, now_ms: int) -> None:
    transaction.execute(
        "INSERT INTO receivers (profile, seen_at) VALUES (:profile, :now)"
        " ON CONFLICT (profile) DO UPDATE SET seen_at = :now",
        profile=profile,
        now=now_ms,
    )


def record_known_order(transaction: Transaction, profile: str, reference: str, now_ms: int) -> None:
    """Record an order of this shop, for `webhooks serve --known-orders`."""
    transaction.execute(
        "INSERT INTO known_orders (profile, reference, added_at) VALUES (:profile, :reference, :now)"
        " ON CONFLICT DO NOTHING",
        profile=profile,
        reference=reference,
        now=now_ms,
    )


def is_known_order(transaction: Transaction, profile: str, event: Event) -> bool:
    """Whether the order of an event was added or reported on from this store; True if the event names no order."""
    if not event.order and not event.order_reference:
        return True
    row = transaction.fetch_one(
        "SELECT 1 FROM known_orders WHERE profile = :profile AND reference IN (:order_id, :reference)"
        " UNION ALL SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id LIMIT 1",
        profile=profile,
        order_id=event.order,
        reference=event.order_reference,
    )
    return row is not None
