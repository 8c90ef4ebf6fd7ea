"""Webhooks put on a shelf without a server: through the same reading and keeping."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worlds import ITEM, ORDER

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.store.store import Store
from cpctl.webhooks.events.event import Event, read_event
from cpctl.webhooks.events.event_store import StoredEvent, store_events

KEY = API_KEYS["webhooks"]
HOUR, DAY = 3_600_000, 86_400_000
# 2026-01-20, 12:00 UTC, in ms.
NOON = 1_768_910_400_000


def said(kind: str = "ItemPacked", **fields: Any) -> dict[str, Any]:
    """A webhook as the service sends it; None takes a field away."""
    body = {
        "apikey": KEY,
        "type": kind,
        "order": ORDER,
        "item": ITEM,
        "order_reference": "order-1",
        "item_reference": "order-1-1",
        "datetime": "2026-01-20T12:00:00+00:00",
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def event(kind: str = "ItemPacked", **fields: Any) -> Event:
    """The same, read."""
    return read_event(json.dumps(said(kind, **fields)).encode(), [KEY])


def filled(
    path: Path, events: Sequence[Event], targets: Sequence[str] = (), now: int = NOON, profile: str = "sandbox"
) -> Store:
    """A store that has received these events, one each second."""
    store = Store(path, print)
    fill(store, events, targets, now, profile)
    return store


def fill(
    store: Store, events: Sequence[Event], targets: Sequence[str] = (), now: int = NOON, profile: str = "sandbox"
) -> list[StoredEvent]:
    """Let a store receive events, one each second."""
    return store.write(
        lambda work: [store_events(work, profile, [each], targets, now + 1000 * n)[0] for n, each in enumerate(events)]
    )


LIFE = ("ItemValidated", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped")


def life(item: str = ITEM, **more: Any) -> list[Event]:
    """The life of an item as it happens, a minute from one to the next."""
    return [
        event(kind, item=item, datetime=f"2026-01-20T12:0{minute}:00+00:00", **more) for minute, kind in enumerate(LIFE)
    ]
