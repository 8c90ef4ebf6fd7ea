"""Whatever is scanned, undone, interrupted and restarted: one effective signal per item, and only accepted ones."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpctl.outbox.models import DeliveryResult, Disposition, Send
from cpctl.packing.models import Severity
from cpctl.packing.scanned_codes import ShopRules
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
    """A service that keeps the tracking code of each item, if it can be reached."""

    def __init__(self) -> None:
        self.received: dict[str, str] = {}

    def make_send(self, condition: str) -> Send:
        def send(signals: object) -> DeliveryResult:
            if condition == "offline":
                return DeliveryResult(Disposition.RETRY, affects_service=True)
            for signal in signals:  # type: ignore[attr-defined]
                self.received[signal.item] = signal.fields.get("tracking", "")
            if condition == "lost answer":
                return DeliveryResult(Disposition.RETRY, affects_service=True, maybe_processed=True)
            return DeliveryResult(Disposition.DELIVERED, 200)

        return send


def run_steps(steps: list[str], rules: ShopRules, path: Path) -> None:
    harness, service = BenchHarness(path, rules), FakeService()
    accepted_ids: set[int] = set()
    harness.bench.recover()
    for step in steps:
        harness.advance_time(3)
        if step in ("send", "offline", "lost answer"):
            harness.deliver(service.make_send(step))
        elif step == "restart":
            harness.store.close()
            harness.reopen().recover()
        elif step == "wait":
            harness.advance_time(7200)
        elif (verdict := harness.bench.scan(step)) is not None and verdict.severity is Severity.OK:
            accepted_ids |= set(verdict.signal_ids)
        elif verdict is not None and harness.bench.question is not None:
            # A conflict of one item of a parcel: the others were accepted, as the question says.
            accepted_ids |= {
                entry.id
                for entry in harness.queued_signals()
                if entry.accepted_at == int(harness.now.timestamp() * 1000)
            }
    harness.advance_time(7200)
    harness.deliver(service.make_send("send"))
    entries = harness.queued_signals()
    assert {entry.id for entry in entries} <= accepted_ids
    left = {entry.signal.item: entry.signal.fields.get("tracking", "") for entry in entries if entry.state != "dropped"}
    assert service.received == left, "the last tracking code sent for an item is the last one accepted"
    assert all(entry.state in ("delivered", "dropped") for entry in entries)
    harness.store.close()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=25))
def test_each_item_with_a_label_has_one_effective_signal(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_steps(steps, SHIPPING_RULES, Path(folder) / "bench.db")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=25))
def test_each_item_without_a_label_has_one_effective_signal(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_steps(steps, PACKING_RULES, Path(folder) / "bench.db")
