"""Several connections on one outbox: what holds for one holds for all of them together."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Event, Lock

import pytest

from cpctl.outbox.delivery_result import DeliveryResult, Disposition
from cpctl.outbox.dispatcher import MAX_CONSECUTIVE_FAILURES, Dispatcher
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal import Signal, make_signal
from cpctl.store.store import Store
from harness.outbox.csv_files import signal_states, stored_signals

NOW = datetime.now(UTC)
DELIVERED = DeliveryResult(Disposition.DELIVERED, 200)
REFUSED = DeliveryResult(Disposition.REFUSED, 400, "no such item")
RETRY_LATER = DeliveryResult(Disposition.RETRY, 503, "busy")
SERVICE_DOWN = DeliveryResult(Disposition.RETRY, None, "no answer", affects_service=True, maybe_processed=True)
ReplyFunction = Callable[[Sequence[Signal]], DeliveryResult]


class ScriptedService:
    """Answers posts as a test wants, and remembers them."""

    def __init__(self, answers: ReplyFunction) -> None:
        self.posts: list[list[str]] = []
        self._answers = answers
        self._lock = Lock()

    def __call__(self, signals: Sequence[Signal]) -> DeliveryResult:
        with self._lock:
            self.posts.append([f"{each.item} {each.type.command}" for each in signals])
        return self._answers(signals)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox of its own."""
    store = Store(tmp_path / "cpctl.db", print)
    yield Outbox(store, "p")
    store.close()


def accept_signals(outbox: Outbox, orders: int, items: int = 1, kinds: Sequence[str] = ("ItemPacked",)) -> None:
    """Accept signals: all of one kind, then all of the next."""
    named = [(f"{order}0000", f"{order}000{item}") for order in range(1, orders + 1) for item in range(1, items + 1)]
    outbox.accept(
        [make_signal(kind, "2.0", {"order": order, "item": item}, NOW, NOW) for kind in kinds for order, item in named]
    )


def make_dispatcher(outbox: Outbox, service: ScriptedService, connections: int = 4) -> Dispatcher:
    return Dispatcher(outbox, [service] * connections, 30.0)


def stored_states(outbox: Outbox) -> list[str]:
    return signal_states(outbox.store.path)


def test_everything_goes_once_and_each_item_in_its_order(outbox: Outbox) -> None:
    accept_signals(outbox, 30, 2, ("ItemProduce", "ItemProduced", "ItemPacked"))
    service = ScriptedService(lambda signals: DELIVERED)
    assert len(list(make_dispatcher(outbox, service, 8).flush())) == 180
    assert set(stored_states(outbox)) == {"delivered"}
    said = [each for post in service.posts for each in post]
    assert len(said) == len(set(said)) == 180
    for item in ("10001", "300002"):
        assert [each.split()[1] for each in said if each.startswith(item + " ")] == ["produce", "produced", "packed"]


def test_the_connections_are_used_at_once(outbox: Outbox) -> None:
    accept_signals(outbox, 9)
    meeting = Barrier(4, timeout=20)
    first = Event()

    def answer(signals: Sequence[Signal]) -> DeliveryResult:
        if first.is_set():
            meeting.wait()  # passes only when four are here together
        first.set()
        return DELIVERED

    assert len(list(make_dispatcher(outbox, ScriptedService(answer)).flush())) == 9


def test_a_service_that_does_not_answer_is_asked_once(outbox: Outbox) -> None:
    accept_signals(outbox, 20)
    service = ScriptedService(lambda signals: SERVICE_DOWN)
    fates = list(make_dispatcher(outbox, service).flush())
    assert (len(fates), len(service.posts)) == (1, 1)
    assert stored_states(outbox) == ["queued"] * 20
    with closing(sqlite3.connect(outbox.store.path)) as opened:
        assert opened.execute("SELECT outages FROM queues").fetchone() == (1,)


def test_an_outage_that_all_connections_meet_is_noted_once_and_gives_back_what_was_not_sent(outbox: Outbox) -> None:
    accept_signals(outbox, 40)
    calls = iter(range(1000))
    service = ScriptedService(lambda signals: DELIVERED if next(calls) < 5 else SERVICE_DOWN)
    list(make_dispatcher(outbox, service).flush())
    assert len(service.posts) <= 5 + 2 * 4
    assert stored_states(outbox).count("delivered") == 5
    rows = stored_signals(outbox.store.path)
    assert not any(row["lease"] for row in rows)
    assert sum(row["maybe_duplicate"] for row in rows) == len(service.posts) - 5
    with closing(sqlite3.connect(outbox.store.path)) as opened:
        assert opened.execute("SELECT outages FROM queues").fetchone() == (1,)


def test_a_service_that_fails_on_everything_is_left_alone_after_some_tries(outbox: Outbox) -> None:
    accept_signals(outbox, 100)
    service = ScriptedService(lambda signals: RETRY_LATER)
    list(make_dispatcher(outbox, service).flush())
    assert MAX_CONSECUTIVE_FAILURES <= len(service.posts) <= MAX_CONSECUTIVE_FAILURES + 2 * 4
    assert stored_states(outbox) == ["queued"] * 100


def test_a_refused_bundle_goes_again_one_by_one(outbox: Outbox) -> None:
    accept_signals(outbox, 3, 5)
    service = ScriptedService(lambda signals: REFUSED if any(each.item == "20003" for each in signals) else DELIVERED)
    list(make_dispatcher(outbox, service).flush())
    assert stored_states(outbox).count("delivered") == 14
    assert [row["item"] for row in stored_signals(outbox.store.path) if row["state"] == "refused"] == ["20003"]
    assert sum(len(post) == 1 for post in service.posts) == 5


def test_a_refused_key_stops_all_and_loses_nothing(outbox: Outbox) -> None:
    accept_signals(outbox, 20)
    service = ScriptedService(
        lambda signals: DeliveryResult(Disposition.HOLD, 401, "key refused", affects_service=True)
    )
    list(make_dispatcher(outbox, service).flush())
    assert len(service.posts) == 1
    assert sorted(stored_states(outbox)) == ["held"] + ["queued"] * 19
    assert list(make_dispatcher(outbox, service).flush()) == []


def test_a_sender_that_breaks_is_told_and_leaves_nothing_claimed(outbox: Outbox) -> None:
    accept_signals(outbox, 20)
    calls = iter(range(1000))

    def answer(signals: Sequence[Signal]) -> DeliveryResult:
        if next(calls) == 3:
            raise ValueError("broken")
        return DELIVERED

    with pytest.raises(ValueError, match="broken"):
        list(make_dispatcher(outbox, ScriptedService(answer)).flush())
    assert not any(row["lease"] for row in stored_signals(outbox.store.path))
    assert set(stored_states(outbox)) == {"delivered", "queued"}


def test_what_the_disk_has_damaged_is_not_sent_and_holds_nothing_up(outbox: Outbox) -> None:
    accept_signals(outbox, 4)
    with closing(sqlite3.connect(outbox.store.path)) as opened:
        opened.execute("UPDATE signals SET fields = 'nonsense' WHERE id IN (1, 3)")
        opened.commit()
    service = ScriptedService(lambda signals: DELIVERED)
    list(make_dispatcher(outbox, service).flush())
    assert stored_states(outbox) == ["refused", "delivered", "refused", "delivered"]
    assert len(service.posts) == 2


def test_an_outbox_that_waits_for_its_time_is_probed_with_one(outbox: Outbox) -> None:
    accept_signals(outbox, 10)
    list(make_dispatcher(outbox, ScriptedService(lambda signals: SERVICE_DOWN)).flush())
    assert list(make_dispatcher(outbox, ScriptedService(lambda signals: DELIVERED)).flush(probe=False)) == []
    assert len(list(make_dispatcher(outbox, ScriptedService(lambda signals: DELIVERED)).flush(probe=True))) == 10
