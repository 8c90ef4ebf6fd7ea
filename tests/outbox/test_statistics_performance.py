"""The cost of shift statistics, compared to a count of all rows on the same machine."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.outbox.statistics import ShiftFilter, compute_shift_statistics
from cpctl.store.store import Store
from harness.outbox.store_rows import HOUR_MS, to_ms

ROW_COUNT = 100_000
DAY_START_MS = to_ms("2026-01-20T00:00:00+00:00")
INSERT_MANY = """
    INSERT INTO signals (uid, profile, version, type, order_id, item, fields, event_at, accepted_at, state,
                         next_attempt_at, operator, station, carrier)
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :rows)
    SELECT n, 'sandbox', '2.0', CASE n % 2 WHEN 0 THEN 'ItemRegistered' ELSE 'ItemShipped' END, n / 6, n / 2, '{}',
           :first + n * :step, :first + n * :step, 'delivered', 0, 'operator ' || (n % 7), 'bench ' || (n % 3), 'ups'
    FROM numbers
"""
COUNT_QUERY = "SELECT count(*) AS number FROM signals WHERE +profile = 'sandbox'"


def make_store(path: Path, first: int, step: int) -> Store:
    store = Store(path, print)
    store.write(lambda transaction: transaction.execute(INSERT_MANY, rows=ROW_COUNT, first=first, step=step))
    return store


def ratio_to_counting(store: Store, span: ShiftFilter, tries: int) -> float:
    """The time of the statistics divided by that of a count of all rows: the fastest of each, measured in turn."""
    statistics_times, count_times = [], []
    for _ in range(tries):
        statistics_times.append(measure_seconds(lambda: compute_shift_statistics(store, span)))
        count_times.append(measure_seconds(lambda: store.read(lambda transaction: transaction.fetch_one(COUNT_QUERY))))
    return min(statistics_times) / min(count_times)


def measure_seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@pytest.fixture(scope="module")
def speed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speed")


def test_statistics_of_100_000_signals_cost_a_bounded_number_of_counts(speed_folder: Path) -> None:
    store = make_store(speed_folder / "day.db", DAY_START_MS, 24 * HOUR_MS // ROW_COUNT)
    span = ShiftFilter("sandbox", DAY_START_MS, DAY_START_MS + 24 * HOUR_MS, DAY_START_MS)
    shift = compute_shift_statistics(store, span)
    assert (shift.accepted_count, shift.lead_time.item_count) == (ROW_COUNT, ROW_COUNT // 2)
    assert ratio_to_counting(store, span, 4) < 400


def test_statistics_of_a_short_day_do_not_depend_on_the_history(speed_folder: Path) -> None:
    # 200 days of 500 signals, and the statistics of one of them.
    store = make_store(speed_folder / "history.db", DAY_START_MS - 200 * 24 * HOUR_MS, 24 * HOUR_MS // 500)
    span = ShiftFilter("sandbox", DAY_START_MS - 24 * HOUR_MS, DAY_START_MS, DAY_START_MS - 24 * HOUR_MS)
    assert 499 <= compute_shift_statistics(store, span).accepted_count <= 501
    assert ratio_to_counting(store, span, 15) < 4
