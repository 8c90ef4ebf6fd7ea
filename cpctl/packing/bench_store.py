"""What a bench asks of the store beside accepting: known items, unfinished parcels, counts, refusals."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.clock import from_ms, to_ms
from cpctl.outbox.models import Origin, QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal import Signal
from cpctl.store.store import Transaction


class ScannedItem(NamedTuple):
    """An item with its order."""

    item: str
    order: str


class CodeHistory(NamedTuple):
    """What outbox and history know of a code: the orders it was an item of, and whether it was an order."""

    orders: tuple[str, ...]
    is_order: bool


class UnfinishedParcel(NamedTuple):
    """Items that were scanned and have no label yet."""

    items: tuple[ScannedItem, ...]
    since: datetime


class BenchStore:
    """The store of one profile as one station uses it."""

    def __init__(self, outbox: Outbox, station: str) -> None:
        self.outbox = outbox
        self.station = station
        self._store = outbox.store
        self._profile = outbox.profile

    def find_code_history(self, code: str) -> CodeHistory:
        """What is known of a code. Raises StoreError."""

        def work(transaction: Transaction) -> CodeHistory:
            values = {"profile": self._profile, "code": code}
            rows = transaction.fetch_all(
                "SELECT DISTINCT order_id FROM signals WHERE profile = :profile AND item = :code ORDER BY order_id",
                **values,
            )
            order = transaction.fetch_one(
                "SELECT 1 FROM signals WHERE profile = :profile AND order_id = :code LIMIT 1", **values
            )
            return CodeHistory(tuple(row["order_id"] for row in rows), order is not None)

        return self._store.read(work)

    def save_open_parcel(self, items: Sequence[ScannedItem], now: datetime) -> None:
        """Write down which items wait for their label, so that a crash does not lose them. Raises StoreError."""

        def work(transaction: Transaction) -> None:
            values = {"profile": self._profile, "station": self.station}
            if not items:
                transaction.execute(
                    "DELETE FROM open_parcels WHERE profile = :profile AND station = :station", **values
                )
                return
            transaction.insert(
                "INSERT INTO open_parcels (profile, station, items, saved_at) VALUES (:profile, :station, :items, :saved_at)"
                " ON CONFLICT (profile, station) DO UPDATE SET items = excluded.items, saved_at = excluded.saved_at",
                items=json.dumps(items),
                saved_at=to_ms(now),
                **values,
            )

        self._store.write(work)

    def find_open_parcel(self, signal_type: str) -> UnfinishedParcel | None:
        """What this station left behind: without what was accepted in the same breath. Raises StoreError."""

        def work(transaction: Transaction) -> UnfinishedParcel | None:
            values = {"profile": self._profile, "station": self.station}
            row = transaction.fetch_one(
                "SELECT * FROM open_parcels WHERE profile = :profile AND station = :station", **values
            )
            if row is None:
                return None
            pieces = tuple(ScannedItem(*each) for each in json.loads(row["items"]))
            left = [
                each for each in pieces if not self._was_accepted_since(transaction, signal_type, each, row["saved_at"])
            ]
            return UnfinishedParcel(tuple(left), from_ms(row["saved_at"])) if left else None

        return self._store.read(work)

    def _was_accepted_since(self, transaction: Transaction, signal_type: str, item: ScannedItem, since: int) -> bool:
        found = transaction.fetch_one(
            "SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id AND item = :item"
            " AND type = :type AND accepted_at >= :since AND state <> 'dropped'",
            profile=self._profile,
            order_id=item.order,
            item=item.item,
            type=signal_type,
            since=since,
        )
        return found is not None

    def count_signals(self, signal_type: str, since: datetime) -> int:
        """How many signals of a kind this station had accepted since then, and did not take back."""
        row = self._store.read(
            lambda work: work.fetch_one(
                "SELECT count(*) AS number FROM signals WHERE accepted_at >= :since AND profile = :profile"
                " AND station = :station AND type = :type AND state <> 'dropped'",
                since=to_ms(since),
                profile=self._profile,
                station=self.station,
                type=signal_type,
            )
        )
        return int(row["number"]) if row else 0

    def find_failed_signals(self) -> list[QueuedSignal]:
        """What this station reported and the service refused, or did not take in time."""
        rows = self._store.read(
            lambda work: work.fetch_all(
                "SELECT * FROM signals WHERE profile = :profile AND station = :station"
                " AND state IN ('refused', 'expired') ORDER BY id",
                profile=self._profile,
                station=self.station,
            )
        )
        return [QueuedSignal.from_row(row) for row in rows]

    def record_audit_events(self, kind: str, signals: Sequence[Signal], origin: Origin, details: str) -> None:
        """Write down what the operator decided: an override, an undo. Raises StoreError."""

        def work(transaction: Transaction) -> None:
            for signal in signals:
                self.outbox.record_audit_event(transaction, kind, signal, origin, details)

        self._store.write(work)


def format_signal_status(entry: QueuedSignal, now: datetime) -> str:
    """What became of an accepted signal, in a few words for the screen."""
    if entry.state is State.DELIVERED and entry.settled_at:
        return f"sent {from_ms(entry.settled_at).astimezone():%H:%M:%S}"
    if entry.state is State.QUEUED:
        left = (entry.not_before - to_ms(now)) / 1000
        if left > 0 and not entry.attempts:
            return f"sending in {left:.0f} s" if left >= 1 else "sending"
        return "waits, safe here" if entry.attempts else "sending"
    if entry.state is State.REFUSED:
        return f"REFUSED: {entry.message}"
    return {State.DROPPED: "taken back", State.EXPIRED: "EXPIRED"}.get(entry.state, str(entry.state))
