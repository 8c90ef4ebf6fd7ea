"""When what waits is tried again: gently with a service in trouble, at once when it is well."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import ITEM, ORDER, SECOND, THIRD, Forks, configuration, packed, pass_time, rows, select, shipped, states

from cpctl.outbox.dispatcher import RETRY_DELAYS_SECONDS, backoff_ms
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from worlds import World

POISON = "123456780002"


class Poisoned(BaseHTTPRequestHandler):
    """A service that fails on one item, wherever it is mentioned, and takes all else."""

    protocol_version = "HTTP/1.1"
    taken: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signals = body.get("items", [body])
        bad = any(signal["item"] == POISON for signal in signals)
        if not bad:
            self.taken += signals
        self.send_response(500 if bad else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def poisoned(world: "World") -> Iterator[list[dict[str, Any]]]:
    """Lead the world to such a service; what it has taken is in the list."""
    handler = type("Handler", (Poisoned,), {"taken": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        world.configure(configuration(f"http://127.0.0.1:{server.server_port}"))
        yield handler.taken
        server.shutdown()
        thread.join()


# --- the schedule ---------------------------------------------------------------------------


def test_the_schedule_is_the_one_that_is_promised() -> None:
    assert [backoff_ms(n, lambda: 0.0) for n in range(1, 9)] == [
        5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 3_600_000, 3_600_000,
    ]  # fmt: skip


@settings(derandomize=True, database=None)
@given(failures=st.integers(0, 10_000))
def test_the_jitter_only_ever_adds_up_to_a_tenth(failures: int) -> None:
    planned = RETRY_DELAYS_SECONDS[min(max(failures, 1), len(RETRY_DELAYS_SECONDS)) - 1] * 1000
    assert planned <= backoff_ms(failures) <= planned * 1.1


def test_each_failure_waits_longer_and_a_success_makes_all_due(world: "World", sandbox: Sandbox, forks: Forks) -> None:
    for item in (ITEM, SECOND):
        forks.ok(world, *packed(item), "--queue-only")
    sandbox.add_fault(make_fault("status", status=503))
    for failures, seconds in enumerate(RETRY_DELAYS_SECONDS[:4], 1):
        forks.ok(world, "outbox", "flush")
        assert select(world.store, "SELECT outages FROM queues") == [{"outages": failures}]
        for row in rows(world.store):
            latest = max(each["last_attempt_at"] for each in rows(world.store))
            assert seconds <= (row["next_at"] - latest) / 1000 <= seconds * 1.1 + 5
    sandbox.clear_faults()
    forks.ok(world, "outbox", "flush")
    assert states(world.store) == ["delivered"] * 2
    assert select(world.store, "SELECT outages, delayed FROM queues") == [{"outages": 0, "delayed": 0}]


def test_a_flush_tries_one_signal_that_is_not_due_and_the_rest_when_that_gets_through(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    for words in (packed(ITEM), packed("123456790001", order="123456790000")):
        forks.ok(world, *words, "--queue-only")
    sandbox.add_fault(make_fault("down"))
    forks.ok(world, "outbox", "flush")
    sandbox.clear_faults()
    forks.ok(world, "outbox", "flush")
    assert len(received()) == 2


def test_when_nothing_waits_or_all_is_well_a_flush_says_nothing(world: "World", forks: Forks) -> None:
    assert forks.ok(world, "outbox", "flush") == forks.ok(world, "outbox", "flush", "--require-delivery")
    assert not world.store.exists()
    forks.ok(world, *packed(), "--queue-only")
    ended = forks.ok(world, "outbox", "flush")
    assert (ended.out, ended.err) == ("", "")
    assert states(world.store) == ["delivered"]


def test_a_flush_without_network_says_nothing_to_cron(world: "World", sandbox: Sandbox, forks: Forks) -> None:
    forks.ok(world, *packed(), "--queue-only")
    sandbox.add_fault(make_fault("down"))
    ended = forks.ok(world, "outbox", "flush")
    assert (ended.out, ended.err) == ("", "")
    told = forks.ok(world, "outbox", "flush", "--verbose").err
    assert told.startswith("0 delivered, 1 waiting (http://127.0.0.1:")
    assert forks.run(world, "outbox", "flush", "--require-delivery").code == 75


def test_a_service_that_never_answers_costs_one_timeout_and_not_one_per_signal(
    world: "World", sandbox: Sandbox, forks: Forks
) -> None:
    sandbox.reset(orders=20, items=1)
    for number in range(20):
        base = str(12345678 + number)
        forks.ok(world, *packed(f"{base}0001", order=f"{base}0000"), "--queue-only")
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        world.configure(configuration(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        begin = time.monotonic()
        forks.ok(world, "outbox", "flush", "--timeout", "1")
        assert time.monotonic() - begin < 5
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert [row["attempts"] for row in rows(world.store)] == [1] + [0] * 19
    assert [row["maybe_duplicate"] for row in rows(world.store)] == [1] + [0] * 19


def test_a_service_that_fails_every_time_is_left_alone_after_a_few_tries(
    world: "World", sandbox: Sandbox, forks: Forks
) -> None:
    sandbox.reset(orders=12, items=1)
    for number in range(12):
        base = str(12345678 + number)
        forks.ok(world, *packed(f"{base}0001", order=f"{base}0000"), "--queue-only")
    sandbox.add_fault(make_fault("status", status=500))
    forks.ok(world, "outbox", "flush")
    assert len(sandbox.state.journal.list_entries()) == 5


# --- one bad signal -------------------------------------------------------------------------


def test_a_signal_that_the_service_fails_on_never_blocks_other_orders(world: "World", forks: Forks) -> None:
    with poisoned(world) as taken:
        forks.ok(world, *packed(POISON), "--queue-only")
        forks.ok(world, *shipped(POISON), "--queue-only")
        for number in range(1, 8):
            base = str(12345678 + number)
            forks.ok(world, *packed(f"{base}0001", order=f"{base}0000"), "--queue-only")
        forks.ok(world, "outbox", "flush")
        assert len(taken) == 7
        assert [row["state"] for row in rows(world.store) if row["item"] == POISON] == ["queued", "queued"]


def test_a_bundle_that_the_service_fails_on_is_told_apart_by_the_next_flush(world: "World", forks: Forks) -> None:
    items = [f"12345678{n:04d}" for n in range(1, 9)]
    with poisoned(world) as taken:
        forks.ok(world, *packed(*items))
        assert taken == []
        forks.ok(world, "outbox", "flush")
        pass_time(world.store)
        forks.ok(world, "outbox", "flush")
        assert sorted(signal["item"] for signal in taken) == sorted(set(items) - {POISON})
        assert [row["item"] for row in rows(world.store) if row["state"] == "queued"] == [POISON]


def test_one_failed_bundle_counts_as_one_failure(world: "World", forks: Forks) -> None:
    items = [f"12345678{n:04d}" for n in range(1, 9)]
    with poisoned(world) as taken:
        forks.ok(world, *packed(*items), "--queue-only")
        forks.ok(world, *packed("123456790001", order="123456790000"), "--queue-only")
        forks.ok(world, "outbox", "flush")
        assert [signal["item"] for signal in taken] == ["123456790001"]


def test_new_signals_get_through_beside_one_that_fails(world: "World", forks: Forks) -> None:
    with poisoned(world) as taken:
        forks.ok(world, *packed(POISON))
        for item in (ITEM, THIRD):
            forks.ok(world, *packed(item), "--require-delivery")
        assert [signal["item"] for signal in taken] == [ITEM, THIRD]


def test_version_1_1_has_no_bundles(world: "World", sandbox: Sandbox, forks: Forks, received: Any) -> None:
    forks.ok(world, *packed(ITEM, SECOND, THIRD), "--api-version", "1.1")
    assert [entry["path"] for entry in sandbox.state.journal.list_entries()] == ["/1.1/status/"] * 3
    assert [body["item"] for body in received()] == [ITEM, SECOND, THIRD]


def test_the_items_of_one_order_travel_together(world: "World", sandbox: Sandbox, forks: Forks) -> None:
    for item in (ITEM, SECOND, THIRD):
        forks.ok(world, *packed(item), "--queue-only")
        forks.ok(world, *shipped(item), "--queue-only")
    forks.ok(world, "outbox", "flush")
    posts = [[signal["type"] for signal in entry["body"]["items"]] for entry in sandbox.state.journal.list_entries()]
    assert posts == [["ItemPacked"] * 3, ["ItemShipped"] * 3]
    assert {row["order_id"] for row in rows(world.store)} == {ORDER}
