"""The statistics of a shift equal a count of every row by hand."""

import math
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl.outbox.models import STORED_STATES
from cpctl.outbox.statistics import LeadTime, ShiftFilter, ShiftStatistics, WaitingSummary, compute_shift_statistics
from harness.outbox.store_rows import HOUR_MS, audit_event_row, fill_store, signal_row

START_MS = 1_768_860_000_000
SPAN = ShiftFilter("sandbox", START_MS, START_MS + 8 * HOUR_MS, START_MS)
NAMES = st.sampled_from(["", "Ana", "Björn", "o'Neil"])
TYPES = st.sampled_from(["ItemRegistered", "OrderRegistered", "ItemShipped", "ItemPacked", "ItemDelay"])
TIMES_AROUND_SHIFT = st.integers(START_MS - 2 * HOUR_MS, START_MS + 10 * HOUR_MS) | st.sampled_from(
    [START_MS - 1, START_MS, SPAN.end_ms - 1, SPAN.end_ms]
)
ROWS = st.lists(
    st.builds(
        lambda item, at, **other: signal_row("" if other["type"] == "OrderRegistered" else item, at, **other),
        st.sampled_from("123"),
        TIMES_AROUND_SHIFT,
        type=TYPES,
        order_id=st.sampled_from(["A", "B"]),
        event_at=st.integers(START_MS - 40 * HOUR_MS, START_MS + 9 * HOUR_MS),
        state=st.sampled_from([str(state) for state in STORED_STATES]),
        profile=st.sampled_from(["sandbox", "sandbox", "other"]),
        operator=NAMES,
        station=NAMES,
        carrier=NAMES,
    ),
    max_size=30,
)
AUDIT_EVENTS = st.lists(
    st.builds(
        audit_event_row,
        st.sampled_from(["conflict", "override", "undo"]),
        TIMES_AROUND_SHIFT,
        profile=st.sampled_from(["sandbox", "other"]),
        operator=NAMES,
        station=NAMES,
    ),
    max_size=10,
)
FILTERS = st.none() | NAMES


def count_by_hand(rows: list[dict[str, Any]], audit_events: list[dict[str, Any]], span: ShiftFilter) -> ShiftStatistics:
    """The same numbers in plain Python."""

    def matches(row: dict[str, Any]) -> bool:
        same_origin = (span.station in (None, row["station"])) and (span.operator in (None, row["operator"]))
        return same_origin and row["profile"] == span.profile

    ours = [{**row, "id": number} for number, row in enumerate(rows, 1) if matches(row)]
    during = [row for row in ours if span.start_ms <= row["accepted_at"] < span.end_ms]
    kept = [row for row in during if row["state"] != "dropped"]
    waiting = sorted((row["accepted_at"], row["id"]) for row in ours if row["state"] in ("queued", "held"))
    return ShiftStatistics(
        Counter(row["state"] for row in during),
        Counter(row["type"] for row in kept),
        Counter((row["accepted_at"] - span.first_hour_ms) // HOUR_MS for row in kept),
        Counter(row["operator"] for row in kept),
        Counter(row["station"] for row in kept),
        Counter(row["carrier"] for row in kept if row["type"] == "ItemShipped"),
        Counter(row["kind"] for row in audit_events if matches(row) and span.start_ms <= row["at"] < span.end_ms),
        WaitingSummary(len(waiting), waiting[0][0]) if waiting else WaitingSummary(),
        lead_times_by_hand([row for row in rows if row["profile"] == span.profile], kept),
    )


def lead_times_by_hand(rows: list[dict[str, Any]], kept: list[dict[str, Any]]) -> LeadTime:
    shipped: dict[tuple[str, str], int] = {}
    for row in kept:
        if row["type"] == "ItemShipped":
            key = (row["order_id"], row["item"])
            shipped[key] = min(shipped.get(key, row["event_at"]), row["event_at"])
    durations = []
    for (order, item), at in shipped.items():
        registered = [
            row["event_at"]
            for row in rows
            if row["order_id"] == order
            and row["item"] in (item, "")
            and row["type"] in ("ItemRegistered", "OrderRegistered")
            and row["state"] != "dropped"
            and row["event_at"] <= at
        ]
        if registered:
            durations.append((at - min(registered), order, item))
    if not durations:
        return LeadTime(unregistered_count=len(shipped))
    spans = sorted(duration for duration, _, _ in durations)
    p90 = spans[math.ceil(len(spans) * 0.9) - 1]
    return LeadTime(
        len(durations), len(shipped) - len(durations), math.floor(statistics.median(spans)), p90, *max(durations)
    )


def assert_same_statistics(counted: ShiftStatistics, expected: ShiftStatistics) -> None:
    for name in ("states", "types", "hours", "operators", "stations", "carriers", "audit_events", "lead_time"):
        assert getattr(counted, name) == getattr(expected, name), name
    assert counted.waiting[:2] == expected.waiting[:2]


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, audit_events=AUDIT_EVENTS, station=FILTERS, operator=FILTERS)
def test_shift_statistics_match_a_count_by_hand(
    rows: list[dict[str, Any]], audit_events: list[dict[str, Any]], station: str | None, operator: str | None
) -> None:
    span = SPAN._replace(station=station, operator=operator)
    rows = [{**row, "uid": str(number)} for number, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as name:
        store = fill_store(Path(name) / "cpctl.db", rows, audit_events)
        assert_same_statistics(compute_shift_statistics(store, span), count_by_hand(rows, audit_events, span))
        store.close()


def test_counts_are_sorted_largest_first(tmp_path: Path) -> None:
    operators = ["Ana", "Cem", "Cem", "Ben", "Cem", "Ben", "Zoe"]
    rows = [signal_row(str(number), START_MS + number, operator=name) for number, name in enumerate(operators)]
    counted = compute_shift_statistics(fill_store(tmp_path / "cpctl.db", rows), SPAN)
    assert list(counted.operators.items()) == [("Cem", 3), ("Ben", 2), ("Ana", 1), ("Zoe", 1)]


def test_a_missing_store_is_an_empty_shift_and_is_not_created(tmp_path: Path) -> None:
    from cpctl.store.store import Store

    assert compute_shift_statistics(Store(tmp_path / "cpctl.db", print), SPAN) == ShiftStatistics()
    assert not list(tmp_path.iterdir())


def test_the_oldest_waiting_signal_is_reported_even_from_an_earlier_day(tmp_path: Path) -> None:
    rows = [
        signal_row("1", START_MS - 90 * HOUR_MS, state="refused"),
        signal_row("2", START_MS - 50 * HOUR_MS, state="queued"),
        signal_row("3", START_MS + 1, state="held"),
    ]
    waiting = compute_shift_statistics(fill_store(tmp_path / "cpctl.db", rows), SPAN).waiting
    assert (waiting.number, waiting.oldest_accepted_ms, waiting.oldest_id, waiting.oldest_item) == (
        2,
        START_MS - 50 * HOUR_MS,
        2,
        "2",
    )


def test_lead_times_of_ten_items_have_the_textbook_median_and_p90(tmp_path: Path) -> None:
    rows = []
    for number in range(1, 11):
        rows.append(signal_row(str(number), START_MS, type="ItemRegistered", event_at=START_MS - number * HOUR_MS))
        rows.append(signal_row(str(number), START_MS + 1, event_at=START_MS))
    lead = compute_shift_statistics(fill_store(tmp_path / "cpctl.db", rows), SPAN).lead_time
    assert lead[:5] == (10, 0, 5 * HOUR_MS + HOUR_MS // 2, 9 * HOUR_MS, 10 * HOUR_MS)
    assert lead.slowest_item == "10"
