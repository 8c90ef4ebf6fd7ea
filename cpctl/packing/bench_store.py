"""What a bench asks of the store besides accepting: known items, open parcels, counts, failed signals."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cpctl.clock import from_ms, to_ms
from cpctl.outbox.models import Origin, QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal import Signal
from cpctl.store.store import Row, Transaction

_SAVE_PARCEL_SQL = """
    INSERT INTO open_parcels (profile, station, items, saved_at) VALUES (:profile, :station, :items, :saved_at)
        ON CONFLICT (profile, station) DO UPDATE SET items = excluded.items, saved_at = excluded.saved_at
"""


class ScannedItem(NamedTuple):
    """An item with its order."""

    item: str
    order: str


class CodeHistory(NamedTuple):
    """What the store knows of a code: the orders it was an item of, and whether it was an order."""

    orders: tuple[str, ...]
    is_order: bool


class OpenParcel(NamedTuple):
    """Items that were scanned and have no label yet."""

    items: tuple[ScannedItem, ...]
    since: datetime


class BenchStore:
    """The store as one station of one profile uses it."""

    def __init__(self, outbox: Outbox, station: str) -> None:
        self._outbox = outbox
        self._store = outbox.store
        self._owner = {"profile": outbox.profile, "station": station}

    def find_code_history(self, code: str) -> CodeHistory:
        """Return what is known of a code. Raises StoreError."""
        rows = self._fetch(
            "SELECT DISTINCT order_id FROM signals WHERE profile = :profile AND item = :code ORDER BY order_id",
            code=code,
        )
        order = self._fetch("SELECT 1 FROM signals WHERE profile = :profile AND order_id = :code LIMIT 1", code=code)
        return CodeHistory(tuple(row["order_id"] for row in rows), bool(order))

    def save_open_parcel(self, items: Sequence[ScannedItem], now: datetime) -> None:
        """Save which items wait for their label, so that a crash does not lose them. Raises StoreError."""
        sql = _SAVE_PARCEL_SQL if items else "DELETE FROM open_parcels WHERE profile = :profile AND station = :station"
        values = {**self._owner, "items": json.dumps(items), "saved_at": to_ms(now)}
        self._store.write(lambda transaction: transaction.execute(sql, **values))

    def find_open_parcel(self, signal_type: str) -> OpenParcel | None:
        """Return the parcel that this station left open. Raises StoreError.

        Items accepted after the parcel was saved are left out: a crash may come between the two writes.
        """
        for row in self._fetch("SELECT * FROM open_parcels WHERE profile = :profile AND station = :station"):
            items = (ScannedItem(*pair) for pair in json.loads(row["items"]))
            left = [item for item in items if not self._was_accepted_since(signal_type, item, row["saved_at"])]
            if left:
                return OpenParcel(tuple(left), from_ms(row["saved_at"]))
        return None

    def _was_accepted_since(self, signal_type: str, scanned: ScannedItem, since: int) -> bool:
        found = self._fetch(
            "SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id AND item = :item"
            " AND type = :type AND accepted_at >= :since AND state <> 'dropped'",
            order_id=scanned.order,
            item=scanned.item,
            type=signal_type,
            since=since,
        )
        return bool(found)

    def count_signals(self, signal_type: str, since: datetime) -> int:
        """Count the signals of a type that this station accepted since then and did not undo. Raises StoreError."""
        (row,) = self._fetch(
            "SELECT count(*) AS number FROM signals WHERE accepted_at >= :since AND profile = :profile"
            " AND station = :station AND type = :type AND state <> 'dropped'",
            since=to_ms(since),
            type=signal_type,
        )
        return int(row["number"])

    def find_failed_signals(self) -> list[QueuedSignal]:
        """Return this station's signals that were refused or expired. Raises StoreError."""
        rows = self._fetch(
            "SELECT * FROM signals WHERE profile = :profile AND station = :station"
            " AND state IN ('refused', 'expired') ORDER BY id"
        )
        return [QueuedSignal.from_row(row) for row in rows]

    def record_audit_events(self, kind: str, signals: Sequence[Signal], origin: Origin, details: str) -> None:
        """Record a decision of the operator: an override, an undo. Raises StoreError."""

        def record(transaction: Transaction) -> None:
            for signal in signals:
                self._outbox.record_audit_event(transaction, kind, signal, origin, details)

        self._store.write(record)

    def _fetch(self, sql: str, **values: Any) -> list[Row]:
        return self._store.read(lambda transaction: transaction.fetch_all(sql, **self._owner, **values))


def join_items(items: Iterable[ScannedItem]) -> str:
    """The ids of items, separated by commas."""
    return ", ".join(scanned.item for scanned in items)


def format_signal_status(entry: QueuedSignal, now: datetime) -> str:
    """The state of an accepted signal in a few words for the screen."""
    if entry.state is State.DELIVERED and entry.settled_at:
        return f"sent {from_ms(entry.settled_at).astimezone():%H:%M:%S}"
    if entry.state is State.QUEUED:
        if entry.attempts:
            return "waiting, saved here"
        seconds = (entry.not_before - to_ms(now)) / 1000
        return f"sending in {seconds:.0f} s" if seconds >= 1 else "sending"
    if entry.state is State.REFUSED:
        return f"REFUSED: {entry.message}"
    return {State.DROPPED: "undone", State.EXPIRED: "EXPIRED"}.get(entry.state, str(entry.state))
