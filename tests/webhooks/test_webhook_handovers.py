"""What a target gets: each event, in the order of its item, until it has it or its time is over."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf_filling import DAY, HOUR, LIFE, NOON, event, fill, filled, life
from worlds import ITEM, SECOND

from cpctl.store.store import Store
from cpctl.webhooks.events import deliveries as handovers
from cpctl.webhooks.events.deliveries import (
    LEASE_MS,
    RETRY_DELAYS_SECONDS,
    Backlog,
    DeliveryState,
    DueDelivery,
    find_next_due_ms,
    read_backlogs,
    requeue,
)
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_store import EventSearch, find_events

NOW = NOON + 60_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A shelf with the life of one item, of which the target "crm" has nothing yet."""
    return filled(tmp_path / "cpctl.db", life(), ["crm"])


def claim(store: Store, now: int = NOW, target: str = "crm", profile: str = "sandbox") -> DueDelivery | None:
    return store.write(lambda work: handovers.claim(work, profile, target, now))


def claimed(store: Store, now: int = NOW, target: str = "crm", profile: str = "sandbox") -> DueDelivery:
    due = claim(store, now, target, profile)
    assert due is not None
    return due


def settle(
    store: Store, due: DueDelivery, problem: str | None = None, now: int = NOW, target: str = "crm"
) -> DeliveryState:
    return store.write(lambda work: handovers.settle(work, target, due, problem, now))


def soonest(store: Store, now: int = NOW, profile: str = "sandbox") -> int | None:
    return store.read(lambda work: find_next_due_ms(work, profile, "crm", now))


def is_due(store: Store, now: int = NOW) -> bool:
    return store.read(lambda work: handovers.has_due(work, "sandbox", "crm", now))


def state_of(store: Store, number: int = 1) -> tuple[str, int, str]:
    (found,) = [each for each in find_events(store, EventSearch("sandbox")) if each["id"] == str(number)]
    (target,) = found["targets"]
    return target["state"], target["attempts"], target["message"]


def test_events_of_an_item_go_one_after_the_other_as_they_happened(tmp_path: Path) -> None:
    events = life()
    store = filled(tmp_path / "cpctl.db", [events[n] for n in (3, 0, 4, 2, 1)], ["crm"])
    for kind in LIFE:
        due = claimed(store)
        assert (due.type, due.attempt, due.payload["type"]) == (kind, 1, kind)
        assert claim(store) is None, "the next one waits until this one is settled"
        assert settle(store, due) is DeliveryState.DONE
    assert (claim(store), soonest(store)) == (None, None)


def test_items_do_not_wait_for_each_other_nor_for_their_order(store: Store) -> None:
    fill(store, [*life(SECOND), event("CloudprinterOrderValidated", item=None)], ["crm"])
    found = [claimed(store) for _ in range(3)]
    assert {due.payload.get("item") for due in found} == {ITEM, SECOND, None}
    assert claim(store) is None


def test_events_that_name_neither_order_nor_item_wait_for_nothing(tmp_path: Path) -> None:
    pings = [event("Ping", order=None, item=None, note=n) for n in range(3)]
    store = filled(tmp_path / "cpctl.db", pings, ["crm"])
    assert len({claimed(store).event_id for _ in range(3)}) == 3


@pytest.mark.parametrize("attempt", range(1, 10))
def test_what_is_not_taken_is_tried_again_later_and_later(tmp_path: Path, attempt: int) -> None:
    store = filled(tmp_path / "cpctl.db", [event()], ["crm"])
    now = NOW
    for number in range(1, attempt + 1):
        due = claimed(store, now)
        assert due.attempt == number
        assert settle(store, due, "500 broken", now) is DeliveryState.WAITING
        wait = RETRY_DELAYS_SECONDS[min(number, len(RETRY_DELAYS_SECONDS)) - 1] * 1000
        assert (soonest(store, now), is_due(store, now + wait - 1)) == (now + wait, False)
        now += wait
    assert state_of(store) == ("waiting", attempt, "500 broken")


def test_what_comes_after_one_that_is_not_taken_waits_with_it_and_nobody_looks_in_between(store: Store) -> None:
    for _ in range(3):
        settle(store, claimed(store, NOW), "500", NOW)
        assert claim(store) is None
        assert not is_due(store), "a worker that looks again and again for what cannot go"
        requeue(store, [1], NOW)
    settle(store, claimed(store, NOW), "500", NOW)
    assert soonest(store) == NOW + RETRY_DELAYS_SECONDS[0] * 1000
    later = NOW + RETRY_DELAYS_SECONDS[0] * 1000
    settle(store, claimed(store, later), None, later)
    assert claimed(store, later).type == "ItemProduce", "the next one goes at once"


def test_after_seven_days_an_event_is_given_up_and_the_next_moves_on(store: Store) -> None:
    at = NOON + 8 * DAY
    for number in range(len(RETRY_DELAYS_SECONDS)):
        due = claimed(store, at + number * HOUR)
        expected = DeliveryState.FAILED if number == len(RETRY_DELAYS_SECONDS) - 1 else DeliveryState.WAITING
        assert settle(store, due, "500", at + number * HOUR) is expected
    assert state_of(store) == ("failed", len(RETRY_DELAYS_SECONDS), "500")
    assert claimed(store, at + len(RETRY_DELAYS_SECONDS) * HOUR).type == "ItemProduce"


def test_an_attempt_that_was_cut_off_counts_and_is_made_again_when_its_lease_is_over(store: Store) -> None:
    claimed(store)
    assert claim(store, NOW + LEASE_MS - 1) is None
    assert soonest(store) == NOW + LEASE_MS
    assert claimed(store, NOW + LEASE_MS).attempt == 2


def test_whoever_is_late_changes_nothing_but_a_success(store: Store) -> None:
    late = claimed(store)
    again = claimed(store, NOW + LEASE_MS)
    settle(store, late, "500 late", NOW + LEASE_MS)
    assert state_of(store) == ("waiting", 2, "")
    settle(store, late, None, NOW + LEASE_MS)
    settle(store, again, "500", NOW + LEASE_MS)
    assert state_of(store)[0] == "done"


def test_a_target_that_is_not_there_costs_no_attempt(store: Store) -> None:
    for _ in range(3):
        due = claimed(store)
        assert due.attempt == 1
        store.write(lambda work, due=due: handovers.release(work, "crm", due, "refused", NOW))  # type: ignore[misc]
        assert (state_of(store), is_due(store)) == (("waiting", 0, "refused"), True)


def test_two_profiles_with_the_same_target_do_not_meet(store: Store) -> None:
    fill(store, life(), ["crm"], NOON - DAY, profile="other")
    assert claimed(store).event_id <= 5
    assert claim(store) is None
    assert claimed(store, profile="other").event_id > 5
    assert soonest(store, profile="nobody") is None
    assert handovers.drop_target(store, "other", "crm") == 5
    assert read_backlogs(store, "sandbox") == [Backlog("crm", 5, NOON, 0)]


def test_a_backlog_tells_how_many_wait_and_since_when(store: Store) -> None:
    assert read_backlogs(store, "sandbox", ["new", "crm"]) == [Backlog("new", 0, None, 0), Backlog("crm", 5, NOON, 0)]
    settle(store, claimed(store))
    assert read_backlogs(store, "sandbox") == [Backlog("crm", 4, NOON + 1000, 0)]


def test_what_is_put_back_goes_to_all_its_targets_again(tmp_path: Path) -> None:
    store = filled(tmp_path / "cpctl.db", life(), ["crm", "erp"])
    for _ in range(5):
        for target in ("crm", "erp"):
            settle(store, claimed(store, target=target), target=target)
    assert requeue(store, [2, 4], NOW) == 4
    for target in ("crm", "erp"):
        due = claimed(store, target=target)
        assert (due.type, due.attempt) == ("ItemProduce", 1)
        settle(store, due, target=target)
        assert claimed(store, target=target).type == "ItemPacked"


def test_what_is_put_back_while_it_is_handed_over_is_not_sent_twice_at_once(store: Store) -> None:
    due = claimed(store)
    requeue(store, [due.event_id], NOW)
    assert claim(store) is None
    settle(store, due)
    assert state_of(store)[0] == "done"


def test_what_is_given_up_while_it_is_handed_over_stays_given_up(store: Store) -> None:
    due = claimed(store)
    assert handovers.drop_target(store, "sandbox", "crm") == 5
    settle(store, due, "500")
    assert state_of(store) == ("done", 1, "given up")


def test_a_long_queue_behind_one_event_is_put_off_in_portions_and_comes_in_the_end(tmp_path: Path) -> None:
    many = [event("Unknown", datetime=f"2026-01-20T{n // 60:02}:{n % 60:02}:00Z") for n in range(450)]
    store = filled(tmp_path / "cpctl.db", list(reversed(many)), ["crm"], NOON - HOUR)
    looks = 0
    while (due := claim(store)) is None:
        looks += 1
        assert looks < 10
    assert due.payload["datetime"].startswith("2026-01-20T00:00")
    assert soonest(store) is not None


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.permutations(life() + life(SECOND)), st.lists(st.booleans(), max_size=12))
def test_whatever_arrives_and_fails_each_item_is_told_in_order_and_whole(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], failures: list[bool]
) -> None:
    store = filled(tmp_path_factory.mktemp("shelf") / "cpctl.db", events, ["crm"])
    told: dict[str, list[str]] = {ITEM: [], SECOND: []}
    now, rest = NOW, list(failures)
    while due := _next(store, now):
        now, found = due
        if rest and rest.pop():
            settle(store, found, "500", now)
        else:
            settle(store, found, None, now)
            told[found.payload["item"]].append(found.type)
    assert told == {ITEM: list(LIFE), SECOND: list(LIFE)}
    store.close()


def _next(store: Store, now: int) -> tuple[int, DueDelivery] | None:
    """What goes next, and when: as a worker that sleeps until something is due."""
    for _ in range(100):
        if is_due(store, now):
            if due := claim(store, now):
                return now, due
            continue
        later = soonest(store, now)
        if later is None:
            return None
        now = later
    raise AssertionError("it never comes")


def test_a_target_that_was_given_up_gets_nothing_again_when_events_are_put_back(tmp_path: Path) -> None:
    store = filled(tmp_path / "cpctl.db", life(), ["crm", "shop"])
    assert handovers.drop_target(store, "sandbox", "crm") == 5
    assert requeue(store, [1, 2], NOON) == 2
    assert [(each.target, each.waiting) for each in read_backlogs(store, "sandbox")] == [("shop", 5)]
