"""Whatever happens in whatever order: every accepted signal is delivered, in its order, with its time."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cpctl.errors import Conflict
from cpctl.outbox.dispatcher import Dispatcher
from cpctl.outbox.models import DeliveryResult, Disposition, QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import SignalQuery, find_signals
from cpctl.signals.signal import Signal, make_signal, wire_time
from cpctl.store.store import Store, Transaction

ORDERS = ("123456780000", "123456790000")
ITEMS = ("0001", "0002")
TIMEOUT_SECONDS = 30.0
LEASE = timedelta(seconds=46)
DELIVERED = DeliveryResult(Disposition.DELIVERED, 200)
ANSWER_LOST = DeliveryResult(Disposition.RETRY, None, "no answer", affects_service=True, maybe_processed=True)
# What the service may do with one post: its result, and whether the signals arrived.
NETWORK_CONDITIONS: dict[str, tuple[DeliveryResult | None, bool]] = {
    "healthy": (DELIVERED, True),
    "down": (DeliveryResult(Disposition.RETRY, None, "not reached", affects_service=True), False),
    "answer lost": (ANSWER_LOST, True),
    "request lost": (ANSWER_LOST, False),
    "failing": (DeliveryResult(Disposition.RETRY, 500, "failed", maybe_processed=True), False),
    "failing after processing": (DeliveryResult(Disposition.RETRY, 500, "failed", maybe_processed=True), True),
    "busy": (DeliveryResult(Disposition.RETRY, 429, "too many", retry_after=600.0, affects_service=True), False),
    "unavailable": (DeliveryResult(Disposition.RETRY, 503, "unavailable", affects_service=True), False),
    "key refused": (DeliveryResult(Disposition.HOLD, 401, "key refused", affects_service=True), False),
    "wrong address": (DeliveryResult(Disposition.HOLD, 404, "wrong address", affects_service=True), False),
    "killed before it arrives": (None, False),
    "killed after it arrived": (None, True),
}
CONDITION_SEQUENCES: st.SearchStrategy[list[str]] = st.one_of(
    st.just([]),
    st.just(["killed after it arrived"]),
    st.lists(st.sampled_from(sorted(NETWORK_CONDITIONS)), min_size=1, max_size=3),
)
SignalKey = tuple[str, str, str]
T = TypeVar("T")


class ProcessKilled(BaseException):
    """The process was killed: none of its code runs any more."""


class KillableStore(Store):
    """The store in one process; once that is killed, nothing more is written."""

    is_killed = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        if self.is_killed:
            raise ProcessKilled
        return super().write(work)


class OutboxMachine(RuleBasedStateMachine):
    """People, cron jobs and an unreliable service, all on one store, with a settable clock."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.path = Path(self._folder.name) / "cpctl.db"
        self.now = datetime(2026, 1, 20, 13, tzinfo=UTC)
        self.accepted_commands = 0
        self.conditions: list[str] = []
        self.refused: set[str] = set()
        self.arrived: list[Signal] = []
        self.flush_during_send = False
        self.doubtful: set[SignalKey] = set()  # may have arrived, or not
        self.running: list[tuple[KillableStore, Iterator[object]]] = []
        self.store = self.open_store()
        self.outbox = Outbox(self.store, "bench", self.clock)

    def teardown(self) -> None:
        self.service_recovers()
        self.store.close()
        self._folder.cleanup()

    def clock(self) -> datetime:
        return self.now

    def open_store(self) -> KillableStore:
        return KillableStore(self.path, self.fail_on_warning)

    def fail_on_warning(self, message: str) -> None:
        raise AssertionError(message)

    # --- the service and its clients ---------------------------------------------------

    def send(self, store: KillableStore, signals: Sequence[Signal]) -> DeliveryResult:
        """One post: the service responds by its condition, and another process may flush at the same time."""
        self.check_no_earlier_signal_is_queued(signals)
        if self.flush_during_send:
            self.flush_during_send = False
            self.flush_all()
        if any(signal.item in self.refused for signal in signals):
            return DeliveryResult(Disposition.REFUSED, 400, "refused")
        reply, arrives = NETWORK_CONDITIONS[self.conditions.pop(0) if self.conditions else "healthy"]
        if arrives:
            self.arrived += signals
        if reply is None or reply.maybe_processed:
            self.doubtful |= {signal_key(signal) for signal in signals}
        if reply is None:
            store.is_killed = True
            raise ProcessKilled
        return reply

    def check_no_earlier_signal_is_queued(self, signals: Sequence[Signal]) -> None:
        """Nothing earlier of an item that is being sent is queued or held."""
        sent = {signal_key(signal) for signal in signals}
        ids = {entry.signal.item: entry.id for entry in self.stored_signals() if signal_key(entry.signal) in sent}
        waiting = self.stored_signals(State.QUEUED, State.HELD)
        assert self.running or all(entry.id >= ids.get(entry.signal.item, 0) for entry in waiting)

    def make_dispatcher(self) -> tuple[KillableStore, Dispatcher]:
        """A dispatcher in another process."""
        store = self.open_store()
        outbox = Outbox(store, "bench", self.clock)
        return store, Dispatcher(outbox, lambda signals: self.send(store, signals), TIMEOUT_SECONDS, self.clock)

    def flush_all(self) -> None:
        store, dispatcher = self.make_dispatcher()
        with suppress(ProcessKilled):
            list(dispatcher.flush())
        store.close()

    # --- what happens -----------------------------------------------------------------------

    @initialize()
    def create_store(self) -> None:
        self.outbox.accept([])

    @rule(
        kind=st.sampled_from(["ItemProduce", "ItemPacked", "ItemShipped", "ItemDelay"]),
        version=st.sampled_from(["2.0", "2.0", "2.0", "1.1"]),
        order=st.sampled_from(ORDERS),
        items=st.just([*ITEMS]) | st.lists(st.sampled_from(ITEMS), min_size=1, max_size=2, unique=True),
        tracking=st.sampled_from(["A", "B"]),
        force=st.booleans(),
        send=st.sampled_from([False, False, True]),
        conditions=CONDITION_SEQUENCES,
    )
    def accept_and_send(
        self,
        kind: str,
        version: str,
        order: str,
        items: list[str],
        tracking: str,
        force: bool,
        send: bool,
        conditions: list[str],
    ) -> None:
        self.conditions = list(conditions)
        if kind == "ItemDelay":
            version = "2.0"
        self.accepted_commands += 1
        at = self.now - timedelta(days=30) + timedelta(seconds=self.accepted_commands)  # a different time each
        signals = []
        for item in items:
            fields: dict[str, str | None] = {"order": order, "item": order[:-4] + item}
            if kind == "ItemShipped":
                fields |= {"tracking": tracking} | ({"shipping_option": "GLS"} if version == "2.0" else {})
            signals.append(make_signal(kind, version, fields, at, self.now))
        accepted = self.outbox.accept(signals, force)
        if send:
            store, dispatcher = self.make_dispatcher()
            with suppress(ProcessKilled):
                dispatcher.deliver([one.queued_signal.id for one in accepted if one.is_new])
            store.close()

    @precondition(lambda self: self.accepted_commands > 3)
    @rule(order=st.sampled_from(ORDERS), item=st.sampled_from(ITEMS))
    def refuse_item(self, order: str, item: str) -> None:
        self.refused ^= {order[:-4] + item}

    @rule(
        span=st.sampled_from(
            [timedelta(seconds=3), timedelta(seconds=20), LEASE, timedelta(minutes=20), timedelta(hours=2)]
        )
    )
    def advance_clock(self, span: timedelta) -> None:
        self.now += span
        if self.running:  # their leases may expire without them noticing
            self.doubtful |= {signal_key(entry.signal) for entry in self.stored_signals()}

    @rule(flush_during_send=st.booleans(), conditions=CONDITION_SEQUENCES)
    def flush_once(self, flush_during_send: bool, conditions: list[str]) -> None:
        self.conditions = list(conditions)
        self.flush_during_send = flush_during_send
        self.flush_all()

    @rule()
    def start_long_flush(self) -> None:
        store, dispatcher = self.make_dispatcher()
        self.running.append((store, dispatcher.flush()))

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 9))
    def continue_long_flush(self, which: int) -> None:
        index = which % len(self.running)
        store, going = self.running[index]
        try:
            next(going)
        except (StopIteration, ProcessKilled):
            store.close()
            del self.running[index]

    @precondition(lambda self: self.stored_signals(State.QUEUED, State.HELD))
    @rule(data=st.data(), what=st.sampled_from(["hold", "hold", "release", "drop", "retry"]))
    def run_outbox_command(self, data: st.DataObject, what: str) -> None:
        wanted = (State.HELD,) if what == "release" else (State.QUEUED, State.HELD)
        ids = [entry.id for entry in self.stored_signals(*wanted)]
        if ids:
            with suppress(Conflict):
                getattr(self.outbox, what)([data.draw(st.sampled_from(ids))])

    @rule()
    def release_queue(self) -> None:
        self.outbox.release_queue()

    # --- what holds -------------------------------------------------------------------------

    def stored_signals(self, *states: State) -> list[QueuedSignal]:
        return find_signals(self.store, SignalQuery("bench", states))

    @invariant()
    def delivered_signals_were_received(self) -> None:
        for entry in self.stored_signals(State.DELIVERED):
            assert self.count_received(entry) >= 1, entry

    @invariant()
    def signals_arrive_in_order(self) -> None:
        # By their first arrival; dropped and refused signals do not count.
        places: dict[str, list[int]] = {}
        for entry in self.stored_signals(State.DELIVERED, State.QUEUED, State.HELD):
            first = next((n for n, signal in enumerate(self.arrived) if is_same_signal(signal, entry.signal)), None)
            if first is not None:
                places.setdefault(entry.signal.item, []).append(first)
        assert all(place == sorted(place) for place in places.values()), places

    def count_received(self, entry: QueuedSignal) -> int:
        return sum(is_same_signal(signal, entry.signal) for signal in self.arrived)

    def service_recovers(self) -> None:
        """Everything works again and is released; then every signal arrives."""
        self.conditions, self.refused = [], set()
        for store, going in self.running:
            with suppress(ProcessKilled):
                list(going)
            store.close()
        self.now += LEASE
        self.outbox.release_queue()
        self.outbox.release([entry.id for entry in self.stored_signals(State.HELD)])
        self.outbox.retry([entry.id for entry in self.stored_signals(State.QUEUED)])
        self.flush_all()
        assert self.stored_signals(State.QUEUED, State.HELD) == []
        self.delivered_signals_were_received()
        self.signals_arrive_in_order()
        entries = self.stored_signals()
        accepted = {signal_key(entry.signal) for entry in entries}
        for entry in self.stored_signals(State.DELIVERED):
            is_single = self.count_received(entry) == 1
            assert is_single or (entry.maybe_duplicate and signal_key(entry.signal) in self.doubtful), entry
        for signal in self.arrived:
            assert signal_key(signal) in accepted, "arrived without being accepted"


def signal_key(signal: Signal) -> SignalKey:
    """Everything that is sent, including the time."""
    return signal.version, str(signal.body()), wire_time(signal.at)


def is_same_signal(one: Signal, other: Signal) -> bool:
    return signal_key(one) == signal_key(other)


def test_after_any_history_every_signal_is_delivered_once_in_order_with_its_time() -> None:
    run_state_machine_as_test(
        OutboxMachine,
        settings=settings(
            max_examples=100,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
