"""The event store: each event once, in the order in which it happened, whatever the order of arrival."""

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl.clock import from_ms
from cpctl.errors import InvalidInput
from cpctl.store.store import Store
from cpctl.webhooks.events.deliveries import claim, drop_target, requeue, settle
from cpctl.webhooks.events.event import Event, read_event
from cpctl.webhooks.events.event_search import (
    EventSearch,
    find_event_ids,
    find_events,
    find_item_states,
    find_last_event_id,
    get_events,
    read_events,
)
from cpctl.webhooks.events.event_store import (
    PruneCounts,
    count_prunable,
    is_known_order,
    prune_events,
    record_known_order,
)
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM
from harness.webhooks.stored_events import (
    DAY_MS,
    ITEM_LIFECYCLE,
    KEY,
    NOON_MS,
    lifecycle_events,
    make_event,
    make_event_store,
    receive_events,
    webhook_body,
)

ALL_EVENTS = EventSearch("sandbox")


def event_types(found: Sequence[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in found]


def test_a_repeated_event_is_stored_once_with_a_count(tmp_path: Path) -> None:
    store = make_event_store(
        tmp_path / "cpctl.db",
        [make_event(), make_event("ItemShipped", tracking="1"), make_event(), make_event()],
        ["crm"],
    )
    packed, shipped = find_events(store, ALL_EVENTS)
    assert (packed["id"], packed["received_count"], shipped["received_count"]) == ("1", 3, 1)
    assert (packed["received"], packed["last_received"]) == ("2026-01-20T12:00:00Z", "2026-01-20T12:00:03Z")
    assert [each["state"] for each in packed["targets"]] == ["waiting"], "a repeated event is not delivered again"


def test_an_event_is_shown_with_all_its_fields_but_no_key(tmp_path: Path) -> None:
    store = make_event_store(
        tmp_path / "cpctl.db", [make_event("ItemShipped", tracking="1A", delay=24, colour={"a": [1]})]
    )
    assert find_events(store, ALL_EVENTS) == [
        {
            "id": "1",
            "type": "ItemShipped",
            "order": ORDER,
            "item": ITEM,
            "order_reference": "order-1",
            "item_reference": "order-1-1",
            "datetime": "2026-01-20T12:00:00Z",
            "received": "2026-01-20T12:00:00Z",
            "last_received": "2026-01-20T12:00:00Z",
            "received_count": 1,
            "fields": {"tracking": "1A", "delay": 24, "colour": {"a": [1]}},
            "targets": [],
            "payload": {
                name: value
                for name, value in webhook_body("ItemShipped", tracking="1A", delay=24, colour={"a": [1]}).items()
                if name != "apikey"
            },
        }
    ]
    assert KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


EVENT_STRATEGY = st.builds(
    make_event,
    st.sampled_from([*ITEM_LIFECYCLE, "ItemError", "ItemCanceled", "CloudprinterOrderValidated", "Unknown"]),
    order=st.sampled_from(["1", "2"]),
    item=st.sampled_from([None, "11", "12"]),
    tracking=st.sampled_from([None, "x", "y"]),
    datetime=st.sampled_from(["2026-01-20T12:00:00Z", "2026-01-20T12:00:01Z", "2026-01-20T13:00:01+0100"]),
)


def listed_events(events: Sequence[Event]) -> tuple[list[Any], list[Any]]:
    """What `items` and `list` show for events that arrived in this order, without the fields about the arrival."""
    with tempfile.TemporaryDirectory() as folder:
        store = make_event_store(Path(folder) / "cpctl.db", events)
        states, found = find_item_states(store, "sandbox"), find_events(store, ALL_EVENTS)
        store.close()
    return [{**each, "event": None} for each in states], [each["payload"] for each in found]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(EVENT_STRATEGY, max_size=8), st.data())
def test_the_order_of_arrival_and_repeats_do_not_change_the_result(events: list[Event], data: st.DataObject) -> None:
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=3) if events else st.just([]))
    assert listed_events(data.draw(st.permutations(repeated))) == listed_events(events)


def test_the_state_of_an_item_is_its_latest_event(tmp_path: Path) -> None:
    events = lifecycle_events()
    store = make_event_store(tmp_path / "cpctl.db", [])
    for order in itertools.permutations(range(5)):
        profile = str(order)
        receive_events(store, [events[n] for n in order], profile=profile)
        assert event_types(find_events(store, EventSearch(profile))) == list(ITEM_LIFECYCLE)
        (state,) = find_item_states(store, profile)
        assert (state["latest"], state["datetime"], state["item"]) == ("ItemShipped", "2026-01-20T12:04:00Z", ITEM)


def test_events_of_the_same_second_are_in_the_order_of_production(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", [make_event(kind) for kind in reversed(ITEM_LIFECYCLE)])
    assert event_types(find_events(store, ALL_EVENTS)) == list(ITEM_LIFECYCLE)
    assert find_item_states(store, "sandbox")[0]["latest"] == "ItemShipped"


def test_each_order_and_item_has_a_state(tmp_path: Path) -> None:
    order = make_event("CloudprinterOrderValidated", item=None, item_reference=None)
    store = make_event_store(
        tmp_path / "cpctl.db",
        [*lifecycle_events(), *lifecycle_events(SECOND_ITEM)[:2], order, make_event(order="7", item="71")],
    )
    states = [(each["order"], each["item"], each["latest"]) for each in find_item_states(store, "sandbox")]
    assert states == [
        (ORDER, "", "CloudprinterOrderValidated"),
        (ORDER, ITEM, "ItemShipped"),
        (ORDER, SECOND_ITEM, "ItemProduce"),
        ("7", "71", "ItemPacked"),
    ]
    for by in (
        {"order": ORDER},
        {"order": "order-1", "item": SECOND_ITEM},
        {"item": SECOND_ITEM},
        {"latest_types": ["ItemPacked"]},
    ):
        found = find_item_states(store, "sandbox", **by)  # type: ignore[arg-type]
        assert found and len(found) < 4, by


def test_an_event_without_order_is_stored_and_an_item_alone_has_a_state(tmp_path: Path) -> None:
    nothing = make_event("Ping", order=None, item=None, order_reference=None, item_reference=None)
    alone = make_event("ItemPacked", order=None, item="77", order_reference=None)
    store = make_event_store(tmp_path / "cpctl.db", [nothing, alone])
    assert event_types(find_events(store, ALL_EVENTS)) == ["Ping", "ItemPacked"]
    assert [(each["order"], each["item"]) for each in find_item_states(store, "sandbox")] == [("", "77")]


def test_an_event_without_a_time_happened_when_it_arrived(tmp_path: Path) -> None:
    store = make_event_store(
        tmp_path / "cpctl.db", [make_event("ItemProduce", datetime=None), make_event("ItemPacked", datetime="soon")]
    )
    assert [each["datetime"] for each in find_events(store, ALL_EVENTS)] == [
        "2026-01-20T12:00:00Z",
        "2026-01-20T12:00:01Z",
    ]


def test_profiles_share_a_store_but_no_events(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", [make_event()], ["crm"], profile="one")
    receive_events(store, [make_event()], ["crm"], profile="two")
    assert [len(find_events(store, EventSearch(name))) for name in ("one", "two", "three")] == [1, 1, 0]
    assert [len(find_item_states(store, name)) for name in ("one", "two", "three")] == [1, 1, 0]
    with pytest.raises(InvalidInput, match='Event 2 does not exist in profile "one"'):
        get_events(store, "one", [1, 2])


def test_a_search_finds_the_same_events_as_a_filter_in_python(tmp_path: Path) -> None:
    events = [
        make_event(kind, order=order, item=item, order_reference=f"r{order}", item_reference=f"r{item}")
        for kind in ("ItemPacked", "ItemShipped")
        for order in ("1", "2")
        for item in ("1", "12", "13")
    ]
    store = make_event_store(tmp_path / "cpctl.db", events[:6], ["crm"])
    receive_events(store, events[6:], now=NOON_MS + 60_000)
    receive_events(store, events, profile="other")
    everything = find_events(store, ALL_EVENTS)
    assert len(everything) == 12
    times: list[Any] = [None, from_ms(NOON_MS + 3000), from_ms(NOON_MS + 60_000)]
    choices = itertools.product(
        [(), ("ItemPacked",), ("ItemPacked", "Other")], ["", "1", "r2"], ["", "12", "r12"], ["", "r1"], times, times
    )
    for kinds, order, item, reference, since, until in choices:
        for undelivered in (False, True):
            search = EventSearch("sandbox", kinds, order, item, reference, since, until, undelivered)
            expected = [
                each
                for each in everything
                if (not kinds or each["type"] in kinds)
                and order in ("", each["order"], each["order_reference"])
                and item in ("", each["item"], each["item_reference"])
                and reference in ("", each["order_reference"], each["item_reference"])
                and (since is None or each["received"] >= f"{since:%Y-%m-%dT%H:%M:%SZ}")
                and (until is None or each["received"] < f"{until:%Y-%m-%dT%H:%M:%SZ}")
                and (not undelivered or int(each["id"]) <= 6)
            ]
            assert find_events(store, search) == expected, search
            by_id = sorted(expected, key=lambda each: int(each["id"]))
            for limit in (1, 3):
                assert (
                    find_events(store, search._replace(after=4, limit=limit))
                    == [each for each in by_id if int(each["id"]) > 4][:limit]
                )
                newest = {each["id"] for each in by_id[-limit:]}
                assert find_events(store, search._replace(limit=limit)) == [e for e in expected if e["id"] in newest]


def test_a_missing_store_is_empty_and_not_created(tmp_path: Path) -> None:
    store = Store(tmp_path / "cpctl.db", print)
    assert (find_events(store, ALL_EVENTS), find_item_states(store, "sandbox"), find_last_event_id(store)) == (
        [],
        [],
        0,
    )
    assert count_prunable(store, "sandbox", from_ms(NOON_MS)) == PruneCounts(0, 0)
    with pytest.raises(InvalidInput, match="Event 1 does not exist"):
        get_events(store, "sandbox", [1])
    assert not store.path.exists()


def test_an_event_pruned_while_a_list_is_written_is_left_out(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events())
    ids = find_event_ids(store, ALL_EVENTS)
    events = read_events(store, ids, batch_size=2)
    assert event_types([next(events), next(events)]) == list(ITEM_LIFECYCLE[:2])
    assert list(prune_events(store, "sandbox", from_ms(NOON_MS + 3000))) == [3]
    assert event_types(list(events)) == ["ItemPacked", "ItemShipped"]


# --- pruning ---------------------------------------------------------------------------------


def test_pruning_deletes_old_events_but_no_undelivered_ones(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events(), now=NOON_MS - 90 * DAY_MS)
    receive_events(store, lifecycle_events("98"), ["crm", "erp"], NOON_MS - 80 * DAY_MS)
    receive_events(store, lifecycle_events("99"), now=NOON_MS)
    for _ in range(4):  # of item 98, crm accepts all but the last event, erp all
        _attempt_delivery(store, "crm")
    for _ in range(5):
        _attempt_delivery(store, "erp")
    before = from_ms(NOON_MS - 50 * DAY_MS)
    assert count_prunable(store, "sandbox", before) == PruneCounts(9, 1)
    assert count_prunable(store, "sandbox", before, ignored_target="crm") == PruneCounts(10, 0)
    assert list(prune_events(store, "sandbox", before, batch_size=2)) == [2, 2, 2, 2, 1]
    left = find_events(store, ALL_EVENTS)
    assert {(each["item"], each["type"]) for each in left} == {
        ("98", ITEM_LIFECYCLE[-1]),
        *(("99", kind) for kind in ITEM_LIFECYCLE),
    }
    assert len(find_item_states(store, "sandbox")) == 3, "the latest states stay"
    assert drop_target(store, "sandbox", "crm") == 1
    assert sum(prune_events(store, "sandbox", before)) == 1


def _attempt_delivery(store: Store, target: str, problem: str | None = None, now: int = NOON_MS) -> None:
    due = store.write(lambda transaction: claim(transaction, "sandbox", target, now))
    assert due is not None
    store.write(lambda transaction: settle(transaction, target, due, problem, now))


def test_failed_deliveries_are_not_pruned(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", [make_event()], ["crm"], now=NOON_MS - 30 * DAY_MS)
    for n in range(7):
        _attempt_delivery(store, "crm", "500", NOON_MS + n * DAY_MS)
    (found,) = find_events(store, ALL_EVENTS)
    assert [(each["state"], each["attempts"]) for each in found["targets"]] == [("failed", 7)]
    assert list(prune_events(store, "sandbox", from_ms(NOON_MS))) == []


def test_an_event_requeued_during_pruning_stays(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events(), ["crm"])
    for _ in range(5):
        _attempt_delivery(store, "crm")
    going = prune_events(store, "sandbox", from_ms(NOON_MS + DAY_MS), batch_size=2)
    assert next(going) == 2
    requeue(store, [3], NOON_MS)
    assert sum(going) == 2
    assert [each["id"] for each in find_events(store, ALL_EVENTS)] == ["3"]


def test_the_ids_of_pruned_events_are_not_reused(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events())
    assert sum(prune_events(store, "sandbox", from_ms(NOON_MS + DAY_MS))) == 5
    assert [stored.id for stored in receive_events(store, [make_event()])] == [6]


# --- known orders ----------------------------------------------------------------------------


def test_an_order_is_known_by_its_reference_or_by_a_signal(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", [])
    ours = make_event(order_reference="mine", order="5")
    known = lambda each, profile="sandbox": store.read(lambda transaction: is_known_order(transaction, profile, each))  # noqa: E731
    assert not known(ours)
    for _ in range(2):
        store.write(lambda transaction: record_known_order(transaction, "sandbox", "mine", NOON_MS))
    assert known(ours)
    assert not known(ours, "other")
    assert known(make_event(order="mine", order_reference=None)), "version 1.1 names an order by its reference"
    assert not known(make_event(order="6", order_reference="yours"))
    assert known(make_event("Ping", order=None, order_reference=None))


# --- large stores ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large_event_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with 60,000 events of one profile, all delivered."""
    store = Store(tmp_path_factory.mktemp("long") / "cpctl.db", print)
    store.write(
        lambda transaction: transaction.execute(
            "INSERT INTO events (profile, digest, type, order_id, item, order_reference, item_reference, event_at,"
            " occurred_at, stage, payload, received_at, last_received_at)"
            " WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < 60000)"
            " SELECT 'sandbox', n, 'ItemPacked', n / 4, n, 'o' || (n / 4), 'i' || n, n, n, 50,"
            " json_object('type', 'ItemPacked', 'note', hex(zeroblob(100))), n, n FROM n"
        )
    )
    store.write(
        lambda transaction: transaction.execute(
            "INSERT INTO latest_events SELECT id, profile, order_id, item, order_reference, item_reference, id, type,"
            " event_at, stage, digest, payload FROM events"
        )
    )
    return store


@pytest.mark.parametrize(
    "look",
    [
        lambda store: find_events(store, ALL_EVENTS._replace(limit=10)),
        lambda store: find_events(store, ALL_EVENTS._replace(order="17")),
        lambda store: find_events(store, ALL_EVENTS._replace(order="o17", limit=5)),
        lambda store: find_events(store, ALL_EVENTS._replace(item="i17")),
        lambda store: find_events(store, ALL_EVENTS._replace(reference="o17")),
        lambda store: find_events(store, ALL_EVENTS._replace(since=from_ms(59_990))),
        lambda store: find_events(store, ALL_EVENTS._replace(after=59_990, limit=500)),
        lambda store: find_events(store, ALL_EVENTS._replace(undelivered=True)),
        lambda store: find_last_event_id(store),
        lambda store: find_item_states(store, "sandbox", order="o17"),
        lambda store: find_item_states(store, "sandbox", item="17"),
        lambda store: list(prune_events(store, "sandbox", from_ms(0))),
    ],
    ids=["newest", "order", "reference", "item", "any", "since", "new", "open", "last", "states", "state", "prune"],
)
def test_common_searches_use_an_index(large_event_store: Store, look: Callable[[Store], object]) -> None:
    def fastest(work: Callable[[], object]) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return min(times)

    whole = fastest(
        lambda: large_event_store.read(
            lambda transaction: transaction.fetch_one("SELECT sum(length(payload)) FROM events")
        )
    )
    assert fastest(lambda: look(large_event_store)) < whole / 2


def test_a_stored_payload_is_read_like_the_sent_one(tmp_path: Path) -> None:
    store = make_event_store(tmp_path / "cpctl.db", lifecycle_events())
    for found in find_events(store, ALL_EVENTS):
        again = read_event(json.dumps({**found["payload"], "apikey": KEY}).encode(), [KEY])
        assert (again.type, again.order, again.item) == (found["type"], found["order"], found["item"])
        assert receive_events(store, [again])[0].received_count == 2
