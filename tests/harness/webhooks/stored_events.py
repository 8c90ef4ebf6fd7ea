"""Webhooks stored without a server, by the same functions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.store.store import Store
from cpctl.webhooks.events.event import Event, read_event
from cpctl.webhooks.events.event_store import StoredEvent, store_events
from harness.cli_environment import ITEM, ORDER

KEY = API_KEYS["webhooks"]
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# 2026-01-20, 12:00 UTC, in ms.
NOON_MS = 1_768_910_400_000


def webhook_body(kind: str = "ItemPacked", **fields: Any) -> dict[str, Any]:
    """A webhook as the service sends it; None removes a field."""
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


def make_event(kind: str = "ItemPacked", **fields: Any) -> Event:
    """The same webhook as an Event."""
    return read_event(json.dumps(webhook_body(kind, **fields)).encode(), [KEY])


def make_event_store(
    path: Path, events: Sequence[Event], targets: Sequence[str] = (), now: int = NOON_MS, profile: str = "sandbox"
) -> Store:
    """A store that has received these events, one per second."""
    store = Store(path, print)
    receive_events(store, events, targets, now, profile)
    return store


def receive_events(
    store: Store, events: Sequence[Event], targets: Sequence[str] = (), now: int = NOON_MS, profile: str = "sandbox"
) -> list[StoredEvent]:
    """Store events, one per second."""
    return store.write(
        lambda transaction: [
            store_events(transaction, profile, [each], targets, now + 1000 * n)[0] for n, each in enumerate(events)
        ]
    )


ITEM_LIFECYCLE = ("ItemValidated", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped")


def lifecycle_events(item: str = ITEM, **more: Any) -> list[Event]:
    """The events of an item from validation to shipment, one per minute."""
    return [
        make_event(kind, item=item, datetime=f"2026-01-20T12:0{minute}:00+00:00", **more)
        for minute, kind in enumerate(ITEM_LIFECYCLE)
    ]
