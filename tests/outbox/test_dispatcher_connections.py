"""The dispatcher over one connection and over several: the same promises hold for both."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, Lock

import pytest

from cpctl.outbox.dispatcher import LEASE_MARGIN_MS, MAX_CONSECUTIVE_FAILURES, Dispatcher
from cpctl.outbox.models import DeliveryResult, Disposition
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal import Signal, make_signal
from cpctl.store.store import Store
from harness.outbox.csv_files import signal_states, stored_signals

NOW = datetime.now(UTC)
TIMEOUT_SECONDS = 30.0
AFTER_LEASE = timedelta(seconds=2 * TIMEOUT_SECONDS, milliseconds=LEASE_MARGIN_MS + 1)
DELIVERED = DeliveryResult(Disposition.DELIVERED, 200)
REFUSED = DeliveryResult(Disposition.REFUSED, 400, "no such item")
RETRY_LATER = DeliveryResult(Disposition.RETRY, 503, "busy")
KEY_REFUSED = DeliveryResult(Disposition.HOLD, 401, "key refused", affects_service=True)
SERVICE_DOWN = DeliveryResult(Disposition.RETRY, None, "no answer", affects_service=True, maybe_processed=True)
ReplyFunction = Callable[[Sequence[Signal]], DeliveryResult]

each_connection_count = pytest.mark.parametrize("connections", [1, 4])


class ScriptedService:
    """Responds to posts as a test wants, and remembers them."""

    def __init__(self, reply: ReplyFunction) -> None:
        self.posts: list[list[str]] = []
        self._reply = reply
        self._lock = Lock()

    def __call__(self, signals: Sequence[Signal]) -> DeliveryResult:
        with self._lock:
            self.posts.append([f"{signal.item} {signal.type.command}" for signal in signals])
        return self._reply(signals)


class SettableClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    store = Store(tmp_path / "cpctl.db", print)
    yield Outbox(store, "p", lambda: NOW)
    store.close()


def accept_signals(
    outbox: Outbox, orders: int, items: int = 1, types: Sequence[str] = ("ItemPacked",), version: str = "2.0"
) -> None:
    """Accept a signal of the first type for every item, then one of the next type."""
    pairs = [(f"{order}0000", f"{order}000{item}") for order in range(1, orders + 1) for item in range(1, items + 1)]
    outbox.accept(
        [
            make_signal(name, version, {"order": order, "item": item}, NOW, NOW)
            for name in types
            for order, item in pairs
        ]
    )


def make_dispatcher(
    outbox: Outbox, service: ReplyFunction, connections: int = 4, clock: Callable[[], datetime] = lambda: NOW
) -> Dispatcher:
    return Dispatcher(outbox, [service] * connections, TIMEOUT_SECONDS, clock)


def flush(outbox: Outbox, service: ReplyFunction, connections: int = 4, probe: bool = True) -> int:
    """Flush; returns how many signals were tried."""
    return len(list(make_dispatcher(outbox, service, connections).flush(probe)))


def stored_states(outbox: Outbox) -> list[str]:
    return signal_states(outbox.store.path)


def count_outages(outbox: Outbox) -> int:
    with closing(sqlite3.connect(outbox.store.path)) as opened:
        return int(opened.execute("SELECT outages FROM queues").fetchone()[0])


@pytest.mark.parametrize("connections", [1, 8])
def test_every_signal_is_sent_once_and_each_item_in_its_order(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 30, 2, ("ItemProduce", "ItemProduced", "ItemPacked"))
    service = ScriptedService(lambda signals: DELIVERED)
    assert flush(outbox, service, connections) == 180
    assert set(stored_states(outbox)) == {"delivered"}
    sent = [entry for post in service.posts for entry in post]
    assert len(sent) == len(set(sent)) == 180
    for item in ("10001", "300002"):
        assert [entry.split()[1] for entry in sent if entry.startswith(item + " ")] == ["produce", "produced", "packed"]


def test_several_connections_are_used_at_the_same_time(outbox: Outbox) -> None:
    accept_signals(outbox, 9)
    meeting = Barrier(4, timeout=20)
    first = Event()

    def reply(signals: Sequence[Signal]) -> DeliveryResult:
        if first.is_set():
            meeting.wait()  # passes only when four posts are under way
        first.set()
        return DELIVERED

    assert flush(outbox, reply) == 9


@each_connection_count
def test_a_service_that_does_not_respond_gets_one_post(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 20)
    service = ScriptedService(lambda signals: SERVICE_DOWN)
    assert flush(outbox, service, connections) == 1
    assert len(service.posts) == 1
    assert stored_states(outbox) == ["queued"] * 20
    assert count_outages(outbox) == 1


@each_connection_count
def test_an_outage_counts_once_and_releases_what_was_not_sent(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 40)
    calls = iter(range(1000))
    service = ScriptedService(lambda signals: DELIVERED if next(calls) < 5 else SERVICE_DOWN)
    tried = flush(outbox, service, connections)
    assert tried == len(service.posts) <= 5 + 2 * connections
    assert stored_states(outbox).count("delivered") == 5
    rows = stored_signals(outbox.store.path)
    assert not any(row["lease"] for row in rows)
    assert sum(row["maybe_duplicate"] for row in rows) == sum(row["attempts"] for row in rows) - 5 == tried - 5
    assert count_outages(outbox) == 1


@each_connection_count
def test_a_service_that_fails_on_everything_is_left_alone_after_some_posts(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 100)
    service = ScriptedService(lambda signals: RETRY_LATER)
    flush(outbox, service, connections)
    assert MAX_CONSECUTIVE_FAILURES <= len(service.posts) <= MAX_CONSECUTIVE_FAILURES + 2 * (connections - 1)
    assert stored_states(outbox) == ["queued"] * 100


@each_connection_count
def test_a_refused_bundle_is_sent_again_one_by_one(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 3, 5)
    service = ScriptedService(
        lambda signals: REFUSED if any(signal.item == "20003" for signal in signals) else DELIVERED
    )
    flush(outbox, service, connections)
    assert stored_states(outbox).count("delivered") == 14
    assert [row["item"] for row in stored_signals(outbox.store.path) if row["state"] == "refused"] == ["20003"]
    assert sum(len(post) == 1 for post in service.posts) == 5


@each_connection_count
def test_an_outage_in_the_middle_of_a_refused_bundle_holds_for_its_rest(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 1, 5)
    replies = iter([REFUSED, DELIVERED, SERVICE_DOWN, SERVICE_DOWN, SERVICE_DOWN, SERVICE_DOWN])
    service = ScriptedService(lambda signals: next(replies))
    flush(outbox, service, connections)
    rows = stored_signals(outbox.store.path)
    assert sorted(row["state"] for row in rows) == ["delivered"] + ["queued"] * 4
    assert {row["message"] for row in rows if row["state"] == "queued"} == {"no answer"}
    assert sum(row["maybe_duplicate"] for row in rows) == len(service.posts) - 2, "what was not sent is not marked"
    assert not any(row["lease"] for row in rows)
    assert count_outages(outbox) == 1


def test_the_rest_of_a_refused_bundle_keeps_its_leases_while_each_is_sent(outbox: Outbox) -> None:
    accept_signals(outbox, 1, 5)
    clock = SettableClock()
    other = ScriptedService(lambda signals: DELIVERED)

    def reply(signals: Sequence[Signal]) -> DeliveryResult:
        if len(signals) > 1:
            return REFUSED
        clock.now += timedelta(seconds=TIMEOUT_SECONDS - 1)  # five of these are longer than any lease
        second = Outbox(Store(outbox.store.path, print), "p", clock)
        assert list(make_dispatcher(second, other, 1, clock).flush()) == []
        second.store.close()
        return DELIVERED

    service = ScriptedService(reply)
    list(make_dispatcher(outbox, service, 1, clock).flush())
    assert other.posts == []
    assert len(service.posts) == 6
    assert {row["maybe_duplicate"] for row in stored_signals(outbox.store.path)} == {0}


def test_a_signal_whose_lease_was_lost_is_not_sent_and_keeps_the_result_of_the_new_holder(outbox: Outbox) -> None:
    accept_signals(outbox, 1, 3)
    clock = SettableClock()
    sleeper = ScriptedService(lambda signals: REFUSED)
    flushing = make_dispatcher(outbox, sleeper, 1, clock).flush()
    next(flushing)  # the bundle and its first signal were refused; the process now sleeps through its leases
    assert sleeper.posts[1:] == [["10001 packed"]]
    clock.now += AFTER_LEASE
    successor = ScriptedService(lambda signals: DELIVERED)
    list(make_dispatcher(outbox, successor, 1, clock).flush())
    assert list(flushing) == []
    assert len(sleeper.posts) == 2
    assert [sorted(post) for post in successor.posts] == [["10002 packed", "10003 packed"]]
    rows = stored_signals(outbox.store.path)
    assert [row["state"] for row in rows] == ["refused", "delivered", "delivered"]
    assert [row["maybe_duplicate"] for row in rows] == [0, 1, 1], "nobody can know that the sleeper had not sent them"


@each_connection_count
def test_a_caller_that_stops_early_leaves_nothing_leased(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 20)
    flushing = make_dispatcher(outbox, lambda signals: DELIVERED, connections).flush()
    next(flushing)
    flushing.close()  # type: ignore[attr-defined]
    rows = stored_signals(outbox.store.path)
    assert not any(row["lease"] for row in rows)
    assert all(row["attempts"] == 1 for row in rows if row["state"] == "delivered" or row["maybe_duplicate"])
    assert flush(outbox, lambda signals: DELIVERED, connections) == sum(row["state"] == "queued" for row in rows)
    assert set(stored_states(outbox)) == {"delivered"}


@each_connection_count
def test_a_refused_key_stops_the_run_and_loses_nothing(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 20)
    service = ScriptedService(lambda signals: KEY_REFUSED)
    flush(outbox, service, connections)
    assert len(service.posts) == 1
    assert sorted(stored_states(outbox)) == ["held"] + ["queued"] * 19
    assert flush(outbox, service, connections) == 0
    pause = outbox.read_pause()
    assert pause is not None
    assert (pause.http_status, pause.message) == (401, "key refused")


@each_connection_count
def test_named_signals_are_sent_out_of_a_paused_queue_and_end_the_pause(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 4, types=("ItemProduced", "ItemPacked"))
    flush(outbox, lambda signals: KEY_REFUSED, connections)
    service = ScriptedService(lambda signals: DELIVERED)
    make_dispatcher(outbox, service, connections).deliver([5, 6])  # with what goes before them, of items 1 and 2
    sent = [entry for post in service.posts for entry in post]
    assert sorted(sent) == ["10001 packed", "10001 produced", "20001 packed", "20001 produced"]
    assert outbox.read_pause() is None


def test_one_dispatcher_tries_a_signal_once(outbox: Outbox) -> None:
    accept_signals(outbox, 3)
    service = ScriptedService(lambda signals: RETRY_LATER)
    dispatcher = make_dispatcher(outbox, service)
    dispatcher.deliver([1])
    list(dispatcher.flush())
    assert sorted(service.posts) == [["10001 packed"], ["20001 packed"], ["30001 packed"]]


@each_connection_count
def test_an_error_of_a_sender_is_raised_and_leaves_nothing_leased(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 20)
    calls = iter(range(1000))

    def reply(signals: Sequence[Signal]) -> DeliveryResult:
        if next(calls) == 3:
            raise ValueError("broken")
        return DELIVERED

    with pytest.raises(ValueError, match="broken"):
        flush(outbox, reply, connections)
    rows = stored_signals(outbox.store.path)
    assert not any(row["lease"] for row in rows)
    assert set(stored_states(outbox)) == {"delivered", "queued"}
    assert [row["message"] for row in rows if row["maybe_duplicate"]] == ["interrupted while sending"]


@each_connection_count
def test_a_signal_that_the_disk_damaged_is_not_sent_and_stops_no_other(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 4)
    with closing(sqlite3.connect(outbox.store.path)) as opened:
        opened.execute("UPDATE signals SET fields = 'nonsense' WHERE id IN (1, 3)")
        opened.commit()
    service = ScriptedService(lambda signals: DELIVERED)
    flush(outbox, service, connections)
    assert stored_states(outbox) == ["refused", "delivered", "refused", "delivered"]
    assert len(service.posts) == 2


@each_connection_count
def test_a_queue_that_is_not_due_is_probed_with_one_signal(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 10)
    flush(outbox, lambda signals: SERVICE_DOWN, connections)
    assert flush(outbox, lambda signals: DELIVERED, connections, probe=False) == 0
    assert flush(outbox, lambda signals: DELIVERED, connections, probe=True) == 10


@each_connection_count
def test_version_1_1_has_no_bundles(outbox: Outbox, connections: int) -> None:
    accept_signals(outbox, 1, 4, version="1.1")
    service = ScriptedService(lambda signals: DELIVERED)
    flush(outbox, service, connections)
    assert sorted(map(len, service.posts)) == [1, 1, 1, 1]
