"""What a bench asks of the store beside accepting: known items, unfinished parcels, counts, refusals."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.outbox.models import Entry, Origin, State, from_ms, to_ms
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal import Signal
from cpctl.store.store import Transaction


class Piece(NamedTuple):
    """An item with its order."""

    item: str
    order: str


class Heard(NamedTuple):
    """What outbox and history know of a code: the orders it was an item of, and whether it was an order."""

    orders: tuple[str, ...]
    is_order: bool


class Unfinished(NamedTuple):
    """Items that were scanned and have no label yet."""

    pieces: tuple[Piece, ...]
    since: datetime


class Memory:
    """The store of one profile as one station uses it."""

    def __init__(self, outbox: Outbox, station: str) -> None:
        self.outbox = outbox
        self.station = station
        self._store = outbox.store
        self._profile = outbox.profile

    def heard(self, code: str) -> Heard:
        """What is known of a code. Raises StoreError."""

        def work(transaction: Transaction) -> Heard:
            values = {"profile": self._profile, "code": code}
            rows = transaction.rows(
                "SELECT DISTINCT order_id FROM signals WHERE profile = :profile AND item = :code ORDER BY order_id",
                **values,
            )
            order = transaction.one(
                "SELECT 1 FROM signals WHERE profile = :profile AND order_id = :code LIMIT 1", **values
            )
            return Heard(tuple(row["order_id"] for row in rows), order is not None)

        return self._store.read(work)

    def keep(self, pieces: Sequence[Piece], now: datetime) -> None:
        """Write down which items wait for their label, so that a crash does not lose them. Raises StoreError."""

        def work(transaction: Transaction) -> None:
            values = {"profile": self._profile, "station": self.station}
            if not pieces:
                transaction.change("DELETE FROM benches WHERE profile = :profile AND station = :station", **values)
                return
            transaction.insert(
                "INSERT INTO benches (profile, station, waiting, since) VALUES (:profile, :station, :waiting, :since)"
                " ON CONFLICT (profile, station) DO UPDATE SET waiting = excluded.waiting, since = excluded.since",
                waiting=json.dumps(pieces),
                since=to_ms(now),
                **values,
            )

        self._store.write(work)

    def unfinished(self, kind: str) -> Unfinished | None:
        """What this station left behind: without what was accepted in the same breath. Raises StoreError."""

        def work(transaction: Transaction) -> Unfinished | None:
            values = {"profile": self._profile, "station": self.station}
            row = transaction.one("SELECT * FROM benches WHERE profile = :profile AND station = :station", **values)
            if row is None:
                return None
            pieces = tuple(Piece(*each) for each in json.loads(row["waiting"]))
            left = [each for each in pieces if not self._accepted_since(transaction, kind, each, row["since"])]
            return Unfinished(tuple(left), from_ms(row["since"])) if left else None

        return self._store.read(work)

    def _accepted_since(self, transaction: Transaction, kind: str, piece: Piece, since: int) -> bool:
        found = transaction.one(
            "SELECT 1 FROM signals WHERE profile = :profile AND order_id = :order_id AND item = :item"
            " AND type = :type AND accepted_at >= :since AND state <> 'dropped'",
            profile=self._profile,
            order_id=piece.order,
            item=piece.item,
            type=kind,
            since=since,
        )
        return found is not None

    def count(self, kind: str, since: datetime) -> int:
        """How many signals of a kind this station had accepted since then, and did not take back."""
        row = self._store.read(
            lambda work: work.one(
                "SELECT count(*) AS number FROM signals WHERE accepted_at >= :since AND profile = :profile"
                " AND station = :station AND type = :type AND state <> 'dropped'",
                since=to_ms(since),
                profile=self._profile,
                station=self.station,
                type=kind,
            )
        )
        return int(row["number"]) if row else 0

    def given_up(self) -> list[Entry]:
        """What this station reported and the service refused, or did not take in time."""
        rows = self._store.read(
            lambda work: work.rows(
                "SELECT * FROM signals WHERE profile = :profile AND station = :station"
                " AND state IN ('refused', 'expired') ORDER BY id",
                profile=self._profile,
                station=self.station,
            )
        )
        return [Entry.from_row(row) for row in rows]

    def note(self, kind: str, signals: Sequence[Signal], origin: Origin, words: str) -> None:
        """Write down what the operator decided: an override, an undo. Raises StoreError."""

        def work(transaction: Transaction) -> None:
            for signal in signals:
                self.outbox.note_moment(transaction, kind, signal, origin, words)

        self._store.write(work)


def fate_words(entry: Entry, now: datetime) -> str:
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
