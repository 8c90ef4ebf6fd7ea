"""Rows for a store with times of any day."""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from cpctl.store.store import Store, Transaction
from harness.cli_environment import ORDER

HOUR_MS = 3_600_000
INSERT_AUDIT_EVENT = (
    "INSERT INTO audit_events (occurred_at, profile, kind, type, order_id, item, operator, station, details)"
    " VALUES (:at, :profile, :kind, 'ItemShipped', '1', '1', :operator, :station, '')"
)


def to_ms(text: str) -> int:
    """A time in ISO 8601 with its offset, in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def signal_row(item: str, accepted_at: int, **changes: Any) -> dict[str, Any]:
    """A shipped item; `changes` replaces values."""
    row = {
        "uid": uuid.uuid4().hex,
        "profile": "sandbox",
        "version": "2.0",
        "type": "ItemShipped",
        "order_id": ORDER,
        "item": item,
        "event_at": accepted_at,
        "accepted_at": accepted_at,
        "state": "delivered",
        "held_by": "",
        "attempts": 0,
        "next_attempt_at": accepted_at,
        "not_before": 0,
        "maybe_duplicate": 0,
        "operator": "",
        "station": "",
        "carrier": "",
    } | changes
    return {**row, "fields": json.dumps({"order": row["order_id"], "item": row["item"]})}


def audit_event_row(kind: str, at: int, **changes: Any) -> dict[str, Any]:
    """An audit event of a bench."""
    return {"kind": kind, "at": at, "profile": "sandbox", "operator": "", "station": "", **changes}


def fill_store(path: Path, rows: Iterable[dict[str, Any]], audit_events: Iterable[dict[str, Any]] = ()) -> Store:
    """Create a store with these rows."""
    store = Store(path, print)

    def work(transaction: Transaction) -> None:
        for row in rows:
            transaction.insert("signals", **row)
        for row in audit_events:
            transaction.execute(INSERT_AUDIT_EVENT, **row)

    store.write(work)
    return store
