"""Queries find the same signals with every combination of filters, and do not read the whole history."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.clock import from_ms
from cpctl.outbox.models import OPEN_STATES, STORED_STATES, State
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import SignalQuery, count_waiting_in_other_profiles, find_signals, read_queue_depth
from cpctl.store.store import Store

# Each state, order, item and profile occurs with each other.
INSERT_MANY = """
    INSERT INTO signals (uid, profile, version, type, order_id, item, fields, event_at, accepted_at, state,
                         next_attempt_at)
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :rows)
    SELECT n, 'profile ' || (n % 2), '2.0', 'ItemPacked', n / :each, n % 3,
           json_object('order', CAST(n / :each AS TEXT), 'item', CAST(n % 3 AS TEXT)), 0, 1000 + n, {state}, 0
    FROM numbers
"""
STATE_EXPRESSION = (
    f"CASE n % 7 % 6 {' '.join(f'WHEN {n} THEN {str(state)!r}' for n, state in enumerate(STORED_STATES))} END"
)
STATE_FILTERS = [
    (),
    (State.QUEUED,),
    (State.QUEUED, State.HELD),
    OPEN_STATES,
    (State.DELIVERED,),
    (State.QUEUED, State.DELIVERED),
]
COUNT_QUERY = "SELECT count(*) AS number FROM signals WHERE +profile = 'profile 0'"


def test_a_query_finds_the_same_signals_as_filtering_by_hand(tmp_path: Path) -> None:
    store = Store(tmp_path / "cpctl.db", print)
    store.write(lambda transaction: transaction.execute(INSERT_MANY.format(state=STATE_EXPRESSION), rows=200, each=20))
    everything = find_signals(store, SignalQuery())
    assert len(everything) == 200
    since = from_ms(1100)
    choices = itertools.product(["", "profile 1"], STATE_FILTERS, ["", "3", "9"], ["", "2"], [None, since], [0, 1, 5])
    for query in itertools.starmap(SignalQuery, choices):
        expected = [
            entry
            for entry in everything
            if query.profile in ("", entry.profile)
            and (not query.states or entry.state in query.states)
            and query.order in ("", entry.signal.order)
            and query.item in ("", entry.signal.item)
            and (query.since is None or entry.accepted_at >= 1100)
        ]
        assert find_signals(store, query) == expected[-query.limit or None :], query
    waiting_signals = [entry for entry in everything if entry.state in (State.QUEUED, State.HELD)]
    waiting = sum(entry.profile == "profile 1" for entry in waiting_signals)
    assert count_waiting_in_other_profiles(store, "profile 0") == {"profile 1": waiting}
    assert read_queue_depth(store, "profile 1").waiting_count == waiting


@pytest.fixture(scope="module")
def large_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of 100,000 delivered signals."""
    store = Store(tmp_path_factory.mktemp("long") / "cpctl.db", print)
    store.write(lambda transaction: transaction.execute(INSERT_MANY.format(state="'delivered'"), rows=100_000, each=4))
    return store


@pytest.mark.parametrize(
    "query",
    [
        lambda store: find_signals(store, SignalQuery("profile 0", (State.QUEUED,))),
        lambda store: find_signals(store, SignalQuery("profile 0", OPEN_STATES)),
        lambda store: find_signals(store, SignalQuery("profile 0", order="17")),
        lambda store: find_signals(store, SignalQuery("profile 0", (State.DELIVERED, State.QUEUED), "17", "1")),
        lambda store: find_signals(store, SignalQuery("profile 0", limit=10)),
        lambda store: count_waiting_in_other_profiles(store, "profile 0"),
        lambda store: read_queue_depth(store, "profile 0"),
        lambda store: Outbox(store, "profile 0").release_queue(),
    ],
    ids=["waiting", "open", "order", "item", "newest", "other profiles", "depth", "resume"],
)
def test_everyday_queries_cost_far_less_than_reading_the_history(
    large_store: Store, query: Callable[[Store], object]
) -> None:
    def fastest(work: Callable[[], object]) -> float:
        times = []
        for _ in range(7):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return min(times)

    full_scan = fastest(lambda: large_store.read(lambda transaction: transaction.fetch_one(COUNT_QUERY)))
    assert fastest(lambda: query(large_store)) < full_scan / 2
