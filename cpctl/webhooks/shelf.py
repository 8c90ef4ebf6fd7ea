"""Webhooks in the store: kept once each, with the latest known state of every item and order."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cpctl.delivery.entry import iso, to_ms
from cpctl.delivery.store import Row, Store, Transaction
from cpctl.errors import InvalidInput
from cpctl.webhooks.event import Event

_INSERT = """
    INSERT INTO events (profile, digest, type, order_id, item, order_reference, item_reference, event_at, stage,
                        payload, received_at, last_at)
    VALUES (:profile, :digest, :type, :order_id, :item, :order_reference, :item_reference, :event_at, :stage,
            :payload, :now, :now)
    ON CONFLICT (profile, digest) DO UPDATE SET times = times + 1, last_at = :now
    RETURNING id, times
"""
_LATEST = """
    INSERT INTO latest_events (profile, order_id, item, order_reference, item_reference, event, type, event_at, stage,
                               payload)
    VALUES (:profile, :order_id, :item, :order_reference, :item_reference, :event, :type, :event_at, :stage, :payload)
    ON CONFLICT (profile, order_id, item) DO UPDATE SET
        order_reference = :order_reference, item_reference = :item_reference, event = :event, type = :type,
        event_at = :event_at, stage = :stage, payload = :payload
    WHERE (:event_at, :stage, :event) > (event_at, stage, event)
"""
# The order in which things happened, whatever the order in which they were told.
_AS_IT_HAPPENED = "event_at, stage, id"


class Kept(NamedTuple):
    """What became of an event: its id, and how often it has been received by now (1: it is new)."""

    id: int
    times: int


def keep(work: Transaction, profile: str, event: Event, targets: Sequence[str], now: int) -> Kept:
    """Keep one event within a transaction; one that is known is counted. `now` is ms since 1970, UTC.

    A new one waits for each of the targets from then on.
    """
    values = {
        "profile": profile,
        "type": event.type,
        "order_id": event.order,
        "item": event.item,
        "order_reference": event.order_reference,
        "item_reference": event.item_reference,
        "event_at": now if event.event_at is None else event.event_at,
        "stage": event.stage,
        "payload": event.payload,
    }
    row = work.one(_INSERT, **values, digest=event.digest, now=now)
    assert row is not None
    kept = Kept(row["id"], row["times"])
    if kept.times == 1:
        if event.order:
            work.change(_LATEST, **values, event=kept.id)
        for target in targets:
            work.change(
                "INSERT INTO handovers (target, event, next_at) VALUES (:target, :event, :now)",
                target=target,
                event=kept.id,
                now=now,
            )
    return kept


class EventSearch(NamedTuple):
    """Which events are wanted; an empty value asks for all. Times are those of the arrival."""

    profile: str
    types: Sequence[str] = ()
    order: str = ""  # its id or its reference
    item: str = ""  # its id or its reference
    reference: str = ""  # of the order or of the item
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None  # only events with a higher id, in the order of their arrival
    limit: int = 0


def find_events(store: Store, search: EventSearch) -> list[dict[str, Any]]:
    """The events that match, as they happened; with a limit those that arrived last. Raises StoreError."""
    tests = ["profile = :profile", "id > :after"]
    tests += ["received_at >= :since"] if search.since else []
    tests += ["received_at < :until"] if search.until else []
    tests += ["(order_id = :order_id OR order_reference = :order_id)"] if search.order else []
    tests += ["(item = :item OR item_reference = :item)"] if search.item else []
    tests += ["(order_reference = :reference OR item_reference = :reference)"] if search.reference else []
    types = {f"type{number}": name for number, name in enumerate(search.types)}
    tests += [f"type IN ({', '.join(f':{name}' for name in types)})"] if types else []
    arrival = "DESC" if search.after is None else "ASC"
    inner = f"SELECT * FROM events WHERE {' AND '.join(tests)} ORDER BY id {arrival} LIMIT :limit"
    outer = inner if search.after is not None else f"SELECT * FROM ({inner}) ORDER BY {_AS_IT_HAPPENED}"

    def look(work: Transaction) -> list[dict[str, Any]]:
        rows = work.rows(
            outer,
            profile=search.profile,
            after=search.after or 0,
            since=to_ms(search.since) if search.since else 0,
            until=to_ms(search.until) if search.until else 0,
            order_id=search.order,
            item=search.item,
            reference=search.reference,
            limit=search.limit or -1,
            **types,
        )
        return [_report(row, _handovers(work, row["id"])) for row in rows]

    return store.read(look)


def events_named(store: Store, profile: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The events with these ids, in that order. Raises InvalidInput for one that is not there, StoreError."""

    def look(work: Transaction) -> list[dict[str, Any]]:
        found = []
        for number in ids:
            row = work.one("SELECT * FROM events WHERE id = :id AND profile = :profile", id=number, profile=profile)
            if row is None:
                raise InvalidInput(
                    f'There is no event {number} in profile "{profile}".', "`cpctl webhooks list` shows the ids."
                )
            found.append(_report(row, _handovers(work, number)))
        return found

    return store.read(look)


def latest_id(store: Store, profile: str) -> int:
    """The id of the event that arrived last; 0 where none did. Raises StoreError."""
    row = store.read(
        lambda work: work.one("SELECT max(id) AS id FROM events WHERE profile = :profile", profile=profile)
    )
    return int(row["id"] or 0) if row else 0


def last_arrival(store: Store, profile: str) -> int | None:
    """When an event last came (ms since 1970, UTC); None where none did. Raises StoreError."""
    row = store.read(
        lambda work: work.one("SELECT max(received_at) AS at FROM events WHERE profile = :profile", profile=profile)
    )
    return row["at"] if row else None


def item_states(store: Store, profile: str, order: str = "", item: str = "") -> list[dict[str, Any]]:
    """The latest known state of items, and of orders (with item ""). Raises StoreError.

    `order` and `item` name one by its id or its reference.
    """
    tests = ["profile = :profile"]
    tests += ["(order_id = :order_id OR order_reference = :order_id)"] if order else []
    tests += ["(item = :item OR item_reference = :item)"] if item else []
    sql = f"SELECT * FROM latest_events WHERE {' AND '.join(tests)} ORDER BY order_id, item"
    rows = store.read(lambda work: work.rows(sql, profile=profile, order_id=order, item=item))
    return [
        {
            "order": row["order_id"],
            "item": row["item"],
            "order_reference": row["order_reference"],
            "item_reference": row["item_reference"],
            "latest": row["type"],
            "datetime": iso(row["event_at"]),
            "event": row["event"],
            "fields": _beyond_references(json.loads(row["payload"])),
        }
        for row in rows
    ]


class Old(NamedTuple):
    """Events before a time: how many may go, and how many a target has not got yet."""

    prunable: int
    kept_back: int


_UNDELIVERED = "EXISTS (SELECT 1 FROM handovers WHERE handovers.event = events.id AND handovers.state <> 'done')"
_OLD = "profile = :profile AND received_at < :before"


def count_old(store: Store, profile: str, before: datetime) -> Old:
    """How many events arrived before a time. Raises StoreError."""
    sql = f"SELECT count(*) AS number, coalesce(sum({_UNDELIVERED}), 0) AS back FROM events WHERE {_OLD}"
    row = store.read(lambda work: work.one(sql, profile=profile, before=to_ms(before)))
    assert row is not None
    return Old(row["number"] - row["back"], row["back"])


def prune(store: Store, profile: str, before: datetime, at_once: int = 5000) -> int:
    """Delete one portion of the old events that every target has got; how many went. Raises StoreError.

    In portions, so that a receiver beside it never waits long. The latest states of items stay.
    """

    def work_once(work: Transaction) -> int:
        chosen = f"SELECT id FROM events WHERE {_OLD} AND NOT {_UNDELIVERED} LIMIT :at_once"
        values = {"profile": profile, "before": to_ms(before), "at_once": at_once}
        work.change(f"DELETE FROM handovers WHERE event IN ({chosen})", **values)
        return work.change(f"DELETE FROM events WHERE id IN ({chosen})", **values)

    return store.write(work_once)


def remember_order(work: Transaction, profile: str, reference: str, now: int) -> None:
    """Note an order as ours, for `webhooks serve --known-orders`."""
    work.change(
        "INSERT INTO known_orders (profile, reference, added_at) VALUES (:profile, :reference, :now)"
        " ON CONFLICT DO NOTHING",
        profile=profile,
        reference=reference,
        now=now,
    )


def is_known_order(work: Transaction, profile: str, event: Event) -> bool:
    """Whether an event is about an order that was added or reported on from this store.

    An event that names no order is nobody else's.
    """
    if not event.order and not event.order_reference:
        return True
    values = {"profile": profile, "order_id": event.order, "reference": event.order_reference}
    return (
        work.one(
            "SELECT 1 FROM known_orders WHERE profile = :profile AND reference IN (:order_id, :reference)"
            " UNION ALL SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id LIMIT 1",
            **values,
        )
        is not None
    )


def _handovers(work: Transaction, event: int) -> list[Row]:
    return work.rows("SELECT * FROM handovers WHERE event = :event ORDER BY target", event=event)


def _report(row: Row, handovers: Sequence[Row]) -> dict[str, Any]:
    """An event as scripts read it."""
    said = json.loads(row["payload"])
    return {
        "id": row["id"],
        "type": row["type"],
        "order": row["order_id"],
        "item": row["item"],
        "order_reference": row["order_reference"],
        "item_reference": row["item_reference"],
        "datetime": iso(row["event_at"]),
        "received": iso(row["received_at"]),
        "last_received": iso(row["last_at"]),
        "times": row["times"],
        "fields": _beyond_references(said),
        "targets": [
            {
                "target": each["target"],
                "state": each["state"],
                "attempts": each["attempts"],
                "last": iso(each["last_at"] or None),
                "message": each["message"],
            }
            for each in handovers
        ],
        "payload": said,
    }


_REFERENCES = frozenset({"type", "order", "item", "order_reference", "item_reference", "datetime"})


def _beyond_references(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in _REFERENCES}
