"""A bench without a terminal: a real store, a clock that a test advances, and scans as text."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cpctl.outbox.dispatcher import Dispatcher
from cpctl.outbox.models import DeliveryResult, Disposition, Send
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import SignalQuery, find_signals
from cpctl.packing.controller import Bench
from cpctl.packing.models import Verdict
from cpctl.packing.scanned_codes import ShopRules
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.store.store import Store

UPS = "1Z5R89390357567127"
OTHER_UPS = "1Z879E930346834440"
DAMAGED_UPS = "1Z5R89390357567128"
LEITCODE = "21348075016401"
ISBN = "9780131103627"
ORDER, ITEM, SECOND_ITEM, THIRD_ITEM = "123456780000", "123456780001", "123456780002", "123456780003"
OTHER_ORDER, OTHER_ORDER_ITEM = "123456790000", "123456790001"


def derive_order(item: str) -> str | None:
    """The order of an item, as the example profile derives it."""
    return f"{item[:8]}0000" if re.fullmatch(r"[0-9]{12}", item) else None


SHIPPING_RULES = ShopRules(
    SIGNAL_TYPES["ItemShipped"],
    "2.0",
    station="bench-2",
    environment="live",
    carriers=("ups", "dhl-de"),
    carrier_options={"ups": "UPS"},
    shipping_option="GLS",
    order_rule=derive_order,
    badge_prefix="BADGE-",
    hold_seconds=10.0,
)
PACKING_RULES = SHIPPING_RULES._replace(signal_type=SIGNAL_TYPES["ItemPacked"])


class BenchHarness:
    """A bench, its store, and its clock."""

    def __init__(self, path: Path, rules: ShopRules = SHIPPING_RULES) -> None:
        self.path = path
        self.rules = rules
        self.now = datetime(2026, 1, 20, 13, 0, tzinfo=UTC)
        self.warnings: list[str] = []
        self.bench = self.reopen()

    def reopen(self) -> Bench:
        """The bench as after a crash: only the store is left."""
        self.store = Store(self.path, self.warnings.append)
        self.outbox = Outbox(self.store, "shop", lambda: self.now)
        self.bench = Bench(self.outbox, self.rules, "Ana", lambda: self.now, lambda: self.now.timestamp())
        return self.bench

    def advance_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def scan(self, *codes: str, is_typed: bool = False) -> Verdict:
        """Scan codes, two seconds apart; the last verdict."""
        verdict = None
        for code in codes:
            self.advance_time(2)
            verdict = self.bench.scan(code, is_typed)
        assert verdict is not None
        return verdict

    def deliver(self, send: Send | None = None) -> None:
        """Send all that is due."""
        send = send or (lambda signals: DeliveryResult(Disposition.DELIVERED, 200))
        for _ in Dispatcher(self.outbox, send, 1.0, lambda: self.now).flush():
            pass

    def queued_signals(self) -> list[Any]:
        return find_signals(self.store, SignalQuery("shop"))

    def signal_summaries(self) -> list[tuple[str, str, str, str]]:
        """Item, tracking, option and state of every signal."""
        return [
            (
                entry.signal.item,
                entry.signal.fields.get("tracking", ""),
                entry.signal.fields.get("shipping_option", ""),
                str(entry.state),
            )
            for entry in self.queued_signals()
        ]

    def audit_events(self) -> list[tuple[str, str, str]]:
        rows = self.store.read(lambda work: work.fetch_all("SELECT * FROM audit_events ORDER BY id"))
        return [(row["kind"], row["item"], row["details"]) for row in rows]


@contextmanager
def open_bench(path: Path, rules: ShopRules = SHIPPING_RULES) -> Iterator[BenchHarness]:
    harness = BenchHarness(path, rules)
    try:
        yield harness
    finally:
        harness.store.close()
