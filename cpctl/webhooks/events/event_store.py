"""Webhooks in the store: kept once each, with the latest known state of every item and order."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from cpctl.clock import format_iso, to_ms
from cpctl.errors import InvalidInput
from cpctl.store.store import Row, Store, Transaction
from cpctl.webhooks.events.event import Event

_ID_COLUMNS = ("order_id", "item", "order_reference", "item_reference")
_COLUMNS = ("digest", "type", *_ID_COLUMNS, "event_at", "occurred_at", "stage", "payload")
# Many events in one statement: they travel as one JSON list, and Python's part of the work is done once for all.
_INSERT_EVENTS = f"""
    INSERT INTO events (profile, received_at, last_received_at, {", ".join(_COLUMNS)})
    SELECT :profile, :now, :now, {", ".join(f"json_extract(value, '$[{number}]')" for number in range(len(_COLUMNS)))}
    FROM json_each(:events) WHERE true
    ON CONFLICT (profile, occurred_at, digest) DO UPDATE SET received_count = received_count + 1, last_received_at = :now
    RETURNING digest, id, received_count
"""
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
# The order in which things happened, whatever the order in which they were told: where time and stage are the same,
# the digest decides, which does not depend on the arrival.
_EVENT_ORDER = "event_at, stage, digest"
# What a target has not got.
_UNDELIVERED = "SELECT event FROM deliveries WHERE profile = :profile AND state <> 'done'"


class StoredEvent(NamedTuple):
    """What became of an event: its id, and how often it has been received by now (1: it is new)."""

    id: int
    received_count: int


def store_events(
    transaction: Transaction, profile: str, events: Sequence[Event], targets: Sequence[str], now_ms: int
) -> list[StoredEvent]:
    """Keep events within a transaction; one that is known is counted. `now` is ms since 1970, UTC.

    A new one waits for each of the targets from then on.
    """
    rows = transaction.fetch_all(
        _INSERT_EVENTS, profile=profile, now=now_ms, events=json.dumps([_event_row(each, now_ms) for each in events])
    )
    found: dict[str, list[StoredEvent]] = {}
    for row in rows:  # one that came twice at once is there twice, in either order
        found.setdefault(row["digest"], []).append(StoredEvent(row["id"], row["received_count"]))
    for those in found.values():
        those.sort(reverse=True)
    kept = [found[each.digest].pop() for each in events]
    ids = json.dumps([each.id for each in kept if each.received_count == 1])
    if ids != "[]":
        transaction.execute(_UPDATE_LATEST, ids=ids)
        if targets:
            transaction.execute(
                _INSERT_DELIVERIES, profile=profile, ids=ids, targets=json.dumps(list(targets)), now=now_ms
            )
    return kept


def _event_row(event: Event, now_ms: int) -> tuple[str | int, ...]:
    """An event as the columns of its row."""
    at = now_ms if event.event_at is None else event.event_at
    ids = (event.order, event.item, event.order_reference, event.item_reference)
    return (event.digest, event.type, *ids, at, event.event_at or 0, event.stage, event.payload)


class EventSearch(NamedTuple):
    """Which events are wanted; an empty value asks for all. Times are those of the arrival."""

    profile: str
    types: Sequence[str] = ()
    order: str = ""  # its id or its reference
    item: str = ""  # its id or its reference
    reference: str = ""  # of the order or of the item
    since: datetime | None = None
    until: datetime | None = None
    undelivered: bool = False  # only what a target has not got
    after: int | None = None  # only events with a higher id, in the order of their arrival
    limit: int = 0


def find_events(store: Store, search: EventSearch) -> list[dict[str, Any]]:
    """The events that match, as they happened; with a limit those that arrived last, or first `after`.

    Raises StoreError.
    """
    return [each for portion in read_in_batches(store, find_event_ids(store, search)) for each in portion]


def find_event_ids(store: Store, search: EventSearch) -> list[int]:
    """The ids of the events that `find_events` finds, in its order. Raises StoreError.

    A store that does not exist yet is empty, and is not made.
    """
    if not store.exists():
        return []
    tests, values = _search_conditions(search)
    # With +, what narrows the search down is looked up first; without, the newest rows are read until there are enough.
    arrival = f"{'+' if _can_use_index(search) else ''}id {'DESC' if search.after is None else 'ASC'}"
    inner = f"SELECT id, {_EVENT_ORDER} FROM events WHERE {' AND '.join(tests)} ORDER BY {arrival} LIMIT :limit"
    outer = inner if search.after is not None else f"SELECT id FROM ({inner}) ORDER BY {_EVENT_ORDER}"
    return store.read(lambda work: [row["id"] for row in work.fetch_all(outer, **values)])


def _can_use_index(search: EventSearch) -> bool:
    """Whether an index finds what is asked for."""
    asked = (search.order, search.item, search.reference, search.since, search.until, search.undelivered)
    return any(asked) and search.after is None


def _id_condition(sources: str, name: str, *columns: str) -> str:
    """That an id is one of those where one of these columns holds a value.

    Each column is looked up in its own index, which SQLite does with no OR.
    """
    each = (f"SELECT {sources} WHERE l.profile = :profile AND l.{column} = :{name}" for column in columns)
    return f"id IN ({' UNION ALL '.join(each)})"


# Every item that events are about stands once among the latest, so the events themselves need fewer indexes.
# CROSS JOIN is SQLite's word for: in this order.
_LATEST_IDS = "l.id FROM latest_events l"
_EVENT_IDS = (
    "e.id FROM latest_events l CROSS JOIN events e"
    " ON e.profile = l.profile AND e.order_id = l.order_id AND e.item = l.item"
)


def _search_conditions(search: EventSearch) -> tuple[list[str], dict[str, Any]]:
    """The search as SQL, with its values."""
    by_time = _can_use_index(search) and (search.since or search.until)
    tests = [f"{'' if by_time else '+'}profile = :profile"]
    tests += ["id > :after"] if search.after is not None else []
    tests += ["received_at >= :since"] if search.since else []
    tests += ["received_at < :until"] if search.until else []
    tests += [_id_condition(_EVENT_IDS, "order_id", "order_id", "order_reference")] if search.order else []
    tests += [_id_condition(_EVENT_IDS, "item", "item", "item_reference")] if search.item else []
    tests += [_id_condition(_EVENT_IDS, "reference", "order_reference", "item_reference")] if search.reference else []
    tests += [f"id IN ({_UNDELIVERED})"] if search.undelivered else []
    types = {f"type{number}": name for number, name in enumerate(search.types)}
    tests += [f"type IN ({', '.join(f':{name}' for name in types)})"] if types else []
    return tests, {
        "profile": search.profile,
        "after": search.after or 0,
        "since": to_ms(search.since) if search.since else 0,
        "until": to_ms(search.until) if search.until else 0,
        "order_id": search.order,
        "item": search.item,
        "reference": search.reference,
        "limit": search.limit or -1,
        **types,
    }


def read_in_batches(store: Store, ids: Sequence[int], batch_size: int = 500) -> Iterator[list[dict[str, Any]]]:
    """The events with these ids, some at a time: a hundred thousand need not be in memory together.

    One that was pruned meanwhile is left out. Raises StoreError.
    """
    for begin in range(0, len(ids), batch_size):
        portion = ids[begin : begin + batch_size]
        yield store.read(partial(_load_events, ids=portion))


def _load_events(transaction: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
    wanted = {f"id{number}": each for number, each in enumerate(ids)}
    listed = ", ".join(f":{name}" for name in wanted)
    rows = {row["id"]: row for row in transaction.fetch_all(f"SELECT * FROM events WHERE id IN ({listed})", **wanted)}
    handed: dict[int, list[Row]] = {}
    for row in transaction.fetch_all(f"SELECT * FROM deliveries WHERE event IN ({listed}) ORDER BY target", **wanted):
        handed.setdefault(row["event"], []).append(row)
    return [_event_as_json(rows[each], handed.get(each, [])) for each in ids if each in rows]


def get_events(store: Store, profile: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The events with these ids, in that order. Raises InvalidInput for one that is not there, StoreError."""

    def look(work: Transaction) -> list[dict[str, Any]]:
        for number in ids:
            if not work.fetch_one(
                "SELECT 1 FROM events WHERE id = :id AND profile = :profile", id=number, profile=profile
            ):
                raise _no_such_event(number, profile)
        return [each for begin in range(0, len(ids), 500) for each in _load_events(work, ids[begin : begin + 500])]

    if not store.exists():
        raise _no_such_event(ids[0], profile)
    return store.read(look)


def _no_such_event(event_id: int, profile: str) -> InvalidInput:
    return InvalidInput(f'There is no event {event_id} in profile "{profile}".', "`cpctl webhooks list` shows the ids.")


def find_last_event_id(store: Store) -> int:
    """The id of the event that arrived last, whatever its profile; 0 where none did. Raises StoreError."""
    if not store.exists():
        return 0
    row = store.read(lambda work: work.fetch_one("SELECT max(id) AS id FROM events"))
    return int(row["id"] or 0) if row else 0


def find_last_received_ms(store: Store, profile: str) -> int | None:
    """When an event last came (ms since 1970, UTC); None where none did. Raises StoreError."""
    row = store.read(
        lambda work: work.fetch_one(
            "SELECT max(received_at) AS at FROM events WHERE profile = :profile", profile=profile
        )
    )
    return row["at"] if row else None


def find_item_states(
    store: Store, profile: str, order: str = "", item: str = "", latest_types: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The latest known state of items, and of orders (with item ""). Raises StoreError.

    `order` and `item` name one by its id or its reference; `latest` are the types that are wanted.
    """
    if not store.exists():
        return []
    types = {f"type{number}": name for number, name in enumerate(latest_types)}
    tests = [f"{'+' if order or item else ''}profile = :profile"]
    tests += [f"type IN ({', '.join(f':{name}' for name in types)})"] if types else []
    tests += [_id_condition(_LATEST_IDS, "order_id", "order_id", "order_reference")] if order else []
    tests += [_id_condition(_LATEST_IDS, "item", "item", "item_reference")] if item else []
    sql = f"SELECT * FROM latest_events WHERE {' AND '.join(tests)} ORDER BY order_id, item"
    rows = store.read(lambda work: work.fetch_all(sql, profile=profile, order_id=order, item=item, **types))
    return [
        {
            "order": row["order_id"],
            "item": row["item"],
            "order_reference": row["order_reference"],
            "item_reference": row["item_reference"],
            "latest": row["type"],
            "datetime": format_iso(row["event_at"]),
            "event": str(row["event"]),
            "fields": _specific_fields(json.loads(row["payload"])),
        }
        for row in rows
    ]


def record_known_order(transaction: Transaction, profile: str, reference: str, now_ms: int) -> None:
    """Note an order as ours, for `webhooks serve --known-orders`."""
    transaction.execute(
        "INSERT INTO known_orders (profile, reference, added_at) VALUES (:profile, :reference, :now)"
        " ON CONFLICT DO NOTHING",
        profile=profile,
        reference=reference,
        now=now_ms,
    )


def is_known_order(transaction: Transaction, profile: str, event: Event) -> bool:
    """Whether an event is about an order that was added or reported on from this store.

    An event that names no order is nobody else's.
    """
    if not event.order and not event.order_reference:
        return True
    values = {"profile": profile, "order_id": event.order, "reference": event.order_reference}
    return (
        transaction.fetch_one(
            "SELECT 1 FROM known_orders WHERE profile = :profile AND reference IN (:order_id, :reference)"
            " UNION ALL SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id LIMIT 1",
            **values,
        )
        is not None
    )


def _event_as_json(row: Row, deliveries: Sequence[Row]) -> dict[str, Any]:
    """An event as scripts read it."""
    said = json.loads(row["payload"])
    return {
        "id": str(row["id"]),
        "type": row["type"],
        "order": row["order_id"],
        "item": row["item"],
        "order_reference": row["order_reference"],
        "item_reference": row["item_reference"],
        "datetime": format_iso(row["event_at"]),
        "received": format_iso(row["received_at"]),
        "last_received": format_iso(row["last_received_at"]),
        "times": row["received_count"],
        "fields": _specific_fields(said),
        "targets": [
            {
                "target": each["target"],
                "state": each["state"],
                "attempts": each["attempts"],
                "last": format_iso(each["last_attempt_at"] or None),
                "message": each["message"],
            }
            for each in deliveries
        ],
        "payload": said,
    }


_COMMON_FIELDS = frozenset({"type", "order", "item", "order_reference", "item_reference", "datetime"})


def _specific_fields(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in _COMMON_FIELDS}
