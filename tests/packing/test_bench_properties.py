"""Whatever is scanned, undone, cut off and started anew: one effective signal per item, and only what was accepted."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpctl.outbox.delivery_result import DeliveryResult, Disposition, Send
from cpctl.packing.models import Severity
from cpctl.packing.shop_rules import ShopRules
from harness.packing.bench_harness import (
    ITEM,
    OTHER_UPS,
    PACKING_RULES,
    SECOND_ITEM,
    SHIPPING_RULES,
    THIRD_ITEM,
    UPS,
    BenchHarness,
)

SCAN_CODES = (
    ITEM,
    SECOND_ITEM,
    THIRD_ITEM,
    UPS,
    OTHER_UPS,
    "CPCTLUNDO",
    "CPCTLOK",
    "CPCTLNEXT",
    "9780131103627",
    "JUNK-1",
)
STEPS = st.one_of(
    st.sampled_from(SCAN_CODES),
    st.sampled_from(SCAN_CODES[:5]),
    st.sampled_from(["send", "offline", "lost answer", "restart", "wait"]),
)


class FakeService:
    """A service that keeps what it is told, unless it cannot be reached."""

    def __init__(self) -> None:
        self.received: dict[str, str] = {}

    def make_send(self, mood: str) -> Send:
        def send(signals: object) -> DeliveryResult:
            if mood == "offline":
                return DeliveryResult(Disposition.RETRY, affects_service=True)
            for signal in signals:  # type: ignore[attr-defined]
                self.received[signal.item] = signal.fields.get("tracking", "")
            if mood == "lost answer":
                return DeliveryResult(Disposition.RETRY, affects_service=True, maybe_processed=True)
            return DeliveryResult(Disposition.DELIVERED, 200)

        return send


def run_steps(steps: list[str], rules: ShopRules, path: Path) -> None:
    bank, wire = BenchHarness(path, rules), FakeService()
    said_ok: set[int] = set()
    bank.bench.recover()
    for step in steps:
        bank.advance_time(3)
        if step in ("send", "offline", "lost answer"):
            bank.deliver(wire.make_send(step))
        elif step == "restart":
            bank.store.close()
            bank.reopen().recover()
        elif step == "wait":
            bank.advance_time(7200)
        elif (verdict := bank.bench.scan(step)) is not None and verdict.severity is Severity.OK:
            said_ok |= set(verdict.signal_ids)
        elif verdict is not None and bank.bench.question is not None:
            # A parcel of several, of which one contradicts: the others were accepted, and the question says so.
            said_ok |= {
                entry.id for entry in bank.queued_signals() if entry.accepted_at == int(bank.now.timestamp() * 1000)
            }
    bank.advance_time(7200)
    bank.deliver(wire.make_send("send"))
    entries = bank.queued_signals()
    assert {entry.id for entry in entries} <= said_ok
    left = {entry.signal.item: entry.signal.fields.get("tracking", "") for entry in entries if entry.state != "dropped"}
    assert wire.received == left, "what the service last heard of an item is what the bench accepted last"
    assert all(entry.state in ("delivered", "dropped") for entry in entries)
    bank.store.close()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=25))
def test_pairs_have_one_effective_signal_per_item(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_steps(steps, SHIPPING_RULES, Path(folder) / "bench.db")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=25))
def test_single_scans_have_one_effective_signal_per_item(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_steps(steps, PACKING_RULES, Path(folder) / "bench.db")
