"""Deliveries to a target: order, retries, leases and failures."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl import retry
from cpctl.store.migrations import MIGRATIONS
from cpctl.store.store import Store
from cpctl.webhooks.events import deliveries as deliveries
from cpctl.webhooks.events.deliveries import (
    LEASE_MS,
    Backlog,
    DeliveryState,
    DueDelivery,
    find_next_due_ms,
    read_backlogs,
    requeue,
)
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_search import EventSearch, find_events
from harness.cli_environment import ITEM, SECOND_ITEM
from harness.webhooks.stored_events import (
    DAY_MS,
    HOUR_MS,
    ITEM_LIFECYCLE,
    NOON_MS,
    lifecycle_events,
    make_event,
    make_event_store,
    receive_events,
)

NOW_MS = NOON_MS + 60_000


@pytest.fixture
def event_store(tmp_path: Path) -> Store:
    """A store with the events of one item, none of which the target "crm" has accepted."""
    return make_event_store(tmp_path / "cpctl.db", lifecycle_events(), ["crm"])


def claim_delivery(
    store: Store, now: int = NOW_MS, target: str = "crm", profile: str = "sandbox"
) -> DueDelivery | None:
    return store.write(lambda transaction: deliveries.claim(transaction, profile, target, now))


def claim_due(store: Store, now: int = NOW_MS, target: str = "crm", profile: str = "sandbox") -> DueDelivery:
    due = claim_delivery(store, now, target, profile)
    assert due is not None
    return due


def settle_delivery(
    store: Store, due: DueDelivery, problem: str | None = None, now: int = NOW_MS, target: str = "crm"
) -> DeliveryState:
    return store.write(lambda transaction: deliveries.settle(transaction, target, due, problem, now))


def next_due_time(store: Store, profile: str = "sandbox") -> int | None:
    return store.read(lambda transaction: find_next_due_ms(transaction, profile, "crm"))


def has_due_delivery(store: Store, now: int = NOW_MS) -> bool:
    next_due = next_due_time(store)
    return next_due is not None and next_due <= now


def delivery_state(store: Store, number: int = 1) -> tuple[str, int, str]:
    (found,) = [each for each in find_events(store, EventSearch("sandbox")) if each["id"] == str(number)]
    (target,) = found["targets"]
    return target["state"], target["attempts"], target["message"]


def test_events_of_an_item_are_delivered_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    events = lifecycle_events()
    store = make_event_store(tmp_path / "cpctl.db", [events[n] for n in (3, 0, 4, 2, 1)], ["crm"])
    for kind in ITEM_LIFECYCLE:
        due = claim_due(store)
        assert (due.type, due.attempt, due.payload["type"]) == (kind, 1, kind)
        assert claim_delivery(store) is None, "the next event waits until this one is settled"
        assert settle_delivery(store, due) is DeliveryState.DONE
    assert (claim_delivery(store), next_due_time(store)) == (None, None)


def test_items_do_not_wait_for_each_other_or_for_their_order(event_store: Store) -> None:
    receive_events(
        event_store, [*lifecycle_events(SECOND_ITEM), make_event("CloudprinterOrderValidated", item=None)], ["crm"]
    )
    found = [claim_due(event_store) for _ in range(3)]
    assert {due.payload.get("item") for due in found} == {ITEM, SECOND_ITEM, None}
    assert claim_delivery(event_store) is None


def test_events_without_order_and_item_wait_for_no_other(tmp_path: Path) -> None:
    pings = [make_event("Ping", order=None, item=None, note=n) for n in range(3)]
    store = make_event_store(tmp_path / "cpctl.db", pings, ["crm"])
    assert len({claim_due(store).event_id for _ in range(3)}) == 3


@pytest.mark.parametrize("attempt", range(1, 10))
def test_failed_deliveries_are_retried_with_growing_delays(tmp_path: Path, attempt: int) -> None:
    store = make_event_store(tmp_path / "cpctl.db", [make_event()], ["crm"])
    now = NOW_MS
    for number in range(1, attempt + 1):
        due = claim_due(store, now)
        assert due.attempt == number
        assert settle_delivery(store, due, "500 broken", now) is DeliveryState.WAITING
        wait = retry.TARGETS.delays[min(number, len(retry.TARGETS.delays)) - 1] * 1000
        assert (next_due_time(store), has_due_delivery(store, now + wait - 1)) == (now + wait, False)
        now += wait
    assert delivery_state(store) == ("waiting", attempt, "500 broken")


def test_later_events_of_an_item_are_deferred_until_the_next_attempt(event_store: Store) -> None:
    for _ in range(3):
        settle_delivery(event_store, claim_due(event_store, NOW_MS), "500", NOW_MS)
        assert claim_delivery(event_store) is None
        assert not has_due_delivery(event_store), "a worker would poll for an event that cannot be delivered"
        requeue(event_store, [1], NOW_MS)
    settle_delivery(event_store, claim_due(event_store, NOW_MS), "500", NOW_MS)
    assert next_due_time(event_store) == NOW_MS + retry.TARGETS.delays[0] * 1000
    later = NOW_MS + retry.TARGETS.delays[0] * 1000
    settle_delivery(event_store, claim_due(event_store, later), None, later)
    assert claim_due(event_store, later).type == "ItemProduce", "the next event is due at once"


def test_after_seven_days_a_delivery_fails_and_the_next_event_is_due(event_store: Store) -> None:
    at = NOON_MS + 8 * DAY_MS
    for number in range(len(retry.TARGETS.delays)):
        due = claim_due(event_store, at + number * HOUR_MS)
        expected = DeliveryState.FAILED if number == len(retry.TARGETS.delays) - 1 else DeliveryState.WAITING
        assert settle_delivery(event_store, due, "500", at + number * HOUR_MS) is expected
    assert delivery_state(event_store) == ("failed", len(retry.TARGETS.delays), "500")
    assert claim_due(event_store, at + len(retry.TARGETS.delays) * HOUR_MS).type == "ItemProduce"


def test_an_interrupted_attempt_counts_and_is_repeated_after_its_lease(event_store: Store) -> None:
    claim_due(event_store)
    assert claim_delivery(event_store, NOW_MS + LEASE_MS - 1) is None
    assert next_due_time(event_store) == NOW_MS + LEASE_MS
    assert claim_due(event_store, NOW_MS + LEASE_MS).attempt == 2


def test_after_the_lease_only_a_success_is_recorded(event_store: Store) -> None:
    late = claim_due(event_store)
    again = claim_due(event_store, NOW_MS + LEASE_MS)
    settle_delivery(event_store, late, "500 late", NOW_MS + LEASE_MS)
    assert delivery_state(event_store) == ("waiting", 2, "")
    settle_delivery(event_store, late, None, NOW_MS + LEASE_MS)
    settle_delivery(event_store, again, "500", NOW_MS + LEASE_MS)
    assert delivery_state(event_store)[0] == "done"


def test_an_unreachable_target_costs_no_attempt(event_store: Store) -> None:
    for _ in range(3):
        due = claim_due(event_store)
        assert due.attempt == 1
        event_store.write(lambda transaction, due=due: deliveries.release(transaction, "crm", due, "refused", NOW_MS))  # type: ignore[misc]
        assert (delivery_state(event_store), has_due_delivery(event_store)) == (("waiting", 0, "refused"), True)


def test_profiles_with_the_same_target_are_separate(event_store: Store) -> None:
    receive_events(event_store, lifecycle_events(), ["crm"], NOON_MS - DAY_MS, profile="other")
    assert claim_due(event_store).event_id <= 5
    assert claim_delivery(event_store) is None
    assert claim_due(event_store, profile="other").event_id > 5
    assert next_due_time(event_store, profile="nobody") is None
    assert deliveries.drop_target(event_store, "other", "crm") == 5
    assert read_backlogs(event_store, "sandbox") == [Backlog("crm", 5, NOON_MS, 0)]


def test_a_backlog_has_the_count_and_the_oldest_event(event_store: Store) -> None:
    assert read_backlogs(event_store, "sandbox", ["new", "crm"]) == [
        Backlog("new", 0, None, 0),
        Backlog("crm", 5, NOON_MS, 0),
    ]
    settle_delivery(event_store, claim_due(event_store))
    assert read_backlogs(event_store, "sandbox") == [Backlog("crm", 4, NOON_MS + 1000, 0)]


def test_a_requeued_event_is_due_at_all_its_targets(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events(), ["crm", "erp"])
    for _ in range(5):
        for target in ("crm", "erp"):
            settle_delivery(store, claim_due(store, target=target), target=target)
    assert requeue(store, [2, 4], NOW_MS) == 4
    for target in ("crm", "erp"):
        due = claim_due(store, target=target)
        assert (due.type, due.attempt) == ("ItemProduce", 1)
        settle_delivery(store, due, target=target)
        assert claim_due(store, target=target).type == "ItemPacked"


def test_an_event_requeued_during_its_delivery_waits_for_the_lease(event_store: Store) -> None:
    due = claim_due(event_store)
    requeue(event_store, [due.event_id], NOW_MS)
    assert claim_delivery(event_store) is None
    settle_delivery(event_store, due)
    assert delivery_state(event_store)[0] == "done"


def test_a_target_dropped_during_a_delivery_stays_dropped(event_store: Store) -> None:
    due = claim_due(event_store)
    assert deliveries.drop_target(event_store, "sandbox", "crm") == 5
    settle_delivery(event_store, due, "500")
    assert delivery_state(event_store) == ("done", 1, "target dropped")


def test_a_long_queue_behind_one_event_is_deferred_in_batches(tmp_path: Path) -> None:
    many = [make_event("Unknown", datetime=f"2026-01-20T{n // 60:02}:{n % 60:02}:00Z") for n in range(450)]
    store = make_event_store(tmp_path / "cpctl.db", list(reversed(many)), ["crm"], NOON_MS - HOUR_MS)
    looks = 0
    while (due := claim_delivery(store)) is None:
        looks += 1
        assert looks < 10
    assert due.payload["datetime"].startswith("2026-01-20T00:00")
    assert next_due_time(store) is not None


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.permutations(lifecycle_events() + lifecycle_events(SECOND_ITEM)), st.lists(st.booleans(), max_size=12))
def test_every_item_is_delivered_completely_and_in_order_despite_failures(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], failures: list[bool]
) -> None:
    store = make_event_store(tmp_path_factory.mktemp("shelf") / "cpctl.db", events, ["crm"])
    delivered: dict[str, list[str]] = {ITEM: [], SECOND_ITEM: []}
    now, rest = NOW_MS, list(failures)
    while due := _wait_for_next(store, now):
        now, found = due
        if rest and rest.pop():
            settle_delivery(store, found, "500", now)
        else:
            settle_delivery(store, found, None, now)
            delivered[found.payload["item"]].append(found.type)
    assert delivered == {ITEM: list(ITEM_LIFECYCLE), SECOND_ITEM: list(ITEM_LIFECYCLE)}
    store.close()


def _wait_for_next(store: Store, now: int) -> tuple[int, DueDelivery] | None:
    """The next delivery and its time, as for a worker that sleeps until an event is due."""
    for _ in range(100):
        if has_due_delivery(store, now):
            if due := claim_delivery(store, now):
                return now, due
            continue
        later = next_due_time(store)
        if later is None:
            return None
        now = later
    raise AssertionError("it never comes")


def test_requeued_events_do_not_go_to_a_dropped_target(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events(), ["crm", "shop"])
    assert deliveries.drop_target(store, "sandbox", "crm") == 5
    assert requeue(store, [1, 2], NOON_MS) == 2
    assert [(each.target, each.waiting) for each in read_backlogs(store, "sandbox")] == [("shop", 5)]


def test_a_target_dropped_by_an_older_version_stays_dropped(tmp_path: Path) -> None:
    path = tmp_path / "cpctl.db"
    with closing(sqlite3.connect(path)) as connection:
        for schema in MIGRATIONS[:4]:
            connection.executescript(schema)
        connection.execute(
            "INSERT INTO handovers (profile, target, event, state, next_at, message)"
            " VALUES ('sandbox', 'crm', 1, 'done', 0, 'given up')"
        )
        connection.execute("PRAGMA user_version = 4")
        connection.commit()
    assert requeue(Store(path, print), [1], NOON_MS) == 0
