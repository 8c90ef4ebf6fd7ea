"""When waiting signals are sent again: rarely while the service is in trouble, at once when it has recovered."""

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

from cpctl import retry
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.outbox.store_access import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    THIRD_ITEM,
    ForkRunner,
    advance_time,
    packed_command,
    sandbox_configuration,
    select_rows,
    shipped_command,
    signal_rows,
    signal_states,
)

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment

FAILING_ITEM = "123456780002"


class FailingItemHandler(BaseHTTPRequestHandler):
    """A service that fails on every post with one item, and accepts all others."""

    protocol_version = "HTTP/1.1"
    accepted: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signals = body.get("items", [body])
        fails = any(signal["item"] == FAILING_ITEM for signal in signals)
        if not fails:
            self.accepted += signals
        self.send_response(500 if fails else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def failing_item_server(cli: "CliEnvironment") -> Iterator[list[dict[str, Any]]]:
    """Configure the CLI for such a service; yields the list of the signals it has accepted."""
    handler = type("Handler", (FailingItemHandler,), {"accepted": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        cli.configure(sandbox_configuration(f"http://127.0.0.1:{server.server_port}"))
        yield handler.accepted
        server.shutdown()
        thread.join()


# --- the schedule ---------------------------------------------------------------------------


def test_the_retry_schedule_is_the_documented_one() -> None:
    assert [retry.SIGNALS.delay_ms(n, lambda: 0.0) for n in range(1, 9)] == [
        5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 3_600_000, 3_600_000,
    ]  # fmt: skip


@settings(derandomize=True, database=None)
@given(failures=st.integers(0, 10_000))
def test_jitter_adds_at_most_a_tenth(failures: int) -> None:
    planned = retry.SIGNALS.delays[min(max(failures, 1), len(retry.SIGNALS.delays)) - 1] * 1000
    assert planned <= retry.SIGNALS.delay_ms(failures) <= planned * 1.1


def test_each_outage_waits_longer_and_a_success_makes_everything_due(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    for item in (ITEM, SECOND_ITEM):
        fork_runner.run_ok(cli, *packed_command(item), "--queue-only")
    sandbox.add_fault(make_fault("status", status=503))
    for failures, seconds in enumerate(retry.SIGNALS.delays[:4], 1):
        fork_runner.run_ok(cli, "outbox", "flush")
        assert select_rows(cli.store, "SELECT outages FROM queues") == [{"outages": failures}]
        for row in signal_rows(cli.store):
            latest = max(each["last_attempt_at"] for each in signal_rows(cli.store))
            assert seconds <= (row["next_attempt_at"] - latest) / 1000 <= seconds * 1.1 + 5
    sandbox.clear_faults()
    fork_runner.run_ok(cli, "outbox", "flush")
    assert signal_states(cli.store) == ["delivered"] * 2
    assert select_rows(cli.store, "SELECT outages, delayed FROM queues") == [{"outages": 0, "delayed": 0}]


def test_a_flush_probes_with_one_signal_and_sends_the_rest_if_it_is_delivered(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    for arguments in (packed_command(ITEM), packed_command("123456790001", order="123456790000")):
        fork_runner.run_ok(cli, *arguments, "--queue-only")
    sandbox.add_fault(make_fault("down"))
    fork_runner.run_ok(cli, "outbox", "flush")
    sandbox.clear_faults()
    fork_runner.run_ok(cli, "outbox", "flush")
    assert len(received_signals()) == 2


def test_a_successful_flush_prints_nothing(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    assert fork_runner.run_ok(cli, "outbox", "flush") == fork_runner.run_ok(
        cli, "outbox", "flush", "--require-delivery"
    )
    assert not cli.store.exists()
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    result = fork_runner.run_ok(cli, "outbox", "flush")
    assert (result.out, result.err) == ("", "")
    assert signal_states(cli.store) == ["delivered"]


def test_a_flush_without_network_prints_nothing(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    sandbox.add_fault(make_fault("down"))
    result = fork_runner.run_ok(cli, "outbox", "flush")
    assert (result.out, result.err) == ("", "")
    stderr = fork_runner.run_ok(cli, "outbox", "flush", "--verbose").err
    assert stderr.startswith("0 delivered, 1 waiting (http://127.0.0.1:")
    assert fork_runner.run(cli, "outbox", "flush", "--require-delivery").code == 75


def test_a_silent_service_costs_one_timeout_not_one_per_signal(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.reset(orders=20, items=1)
    for number in range(20):
        base = str(12345678 + number)
        fork_runner.run_ok(cli, *packed_command(f"{base}0001", order=f"{base}0000"), "--queue-only")
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        cli.configure(sandbox_configuration(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        begin = time.monotonic()
        fork_runner.run_ok(cli, "outbox", "flush", "--timeout", "1")
        assert time.monotonic() - begin < 5
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert [row["attempts"] for row in signal_rows(cli.store)] == [1] + [0] * 19
    assert [row["maybe_duplicate"] for row in signal_rows(cli.store)] == [1] + [0] * 19


def test_a_service_that_always_fails_gets_five_posts(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.reset(orders=12, items=1)
    for number in range(12):
        base = str(12345678 + number)
        fork_runner.run_ok(cli, *packed_command(f"{base}0001", order=f"{base}0000"), "--queue-only")
    sandbox.add_fault(make_fault("status", status=500))
    fork_runner.run_ok(cli, "outbox", "flush")
    assert len(sandbox.state.journal.list_entries()) == 5


# --- one bad signal -------------------------------------------------------------------------


def test_a_signal_that_the_service_fails_on_does_not_block_other_orders(
    cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    with failing_item_server(cli) as accepted:
        fork_runner.run_ok(cli, *packed_command(FAILING_ITEM), "--queue-only")
        fork_runner.run_ok(cli, *shipped_command(FAILING_ITEM), "--queue-only")
        for number in range(1, 8):
            base = str(12345678 + number)
            fork_runner.run_ok(cli, *packed_command(f"{base}0001", order=f"{base}0000"), "--queue-only")
        fork_runner.run_ok(cli, "outbox", "flush")
        assert len(accepted) == 7
        assert [row["state"] for row in signal_rows(cli.store) if row["item"] == FAILING_ITEM] == ["queued", "queued"]


def test_the_next_flush_sends_a_failed_bundle_one_by_one(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    items = [f"12345678{n:04d}" for n in range(1, 9)]
    with failing_item_server(cli) as accepted:
        fork_runner.run_ok(cli, *packed_command(*items))
        assert accepted == []
        fork_runner.run_ok(cli, "outbox", "flush")
        advance_time(cli.store)
        fork_runner.run_ok(cli, "outbox", "flush")
        assert sorted(signal["item"] for signal in accepted) == sorted(set(items) - {FAILING_ITEM})
        assert [row["item"] for row in signal_rows(cli.store) if row["state"] == "queued"] == [FAILING_ITEM]


def test_one_failed_bundle_counts_as_one_failure(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    items = [f"12345678{n:04d}" for n in range(1, 9)]
    with failing_item_server(cli) as accepted:
        fork_runner.run_ok(cli, *packed_command(*items), "--queue-only")
        fork_runner.run_ok(cli, *packed_command("123456790001", order="123456790000"), "--queue-only")
        fork_runner.run_ok(cli, "outbox", "flush")
        assert [signal["item"] for signal in accepted] == ["123456790001"]


def test_new_signals_are_delivered_although_another_one_fails(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    with failing_item_server(cli) as accepted:
        fork_runner.run_ok(cli, *packed_command(FAILING_ITEM))
        for item in (ITEM, THIRD_ITEM):
            fork_runner.run_ok(cli, *packed_command(item), "--require-delivery")
        assert [signal["item"] for signal in accepted] == [ITEM, THIRD_ITEM]


def test_version_1_1_has_no_bundles(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(cli, *packed_command(ITEM, SECOND_ITEM, THIRD_ITEM), "--api-version", "1.1")
    assert [entry["path"] for entry in sandbox.state.journal.list_entries()] == ["/1.1/status/"] * 3
    assert [body["item"] for body in received_signals()] == [ITEM, SECOND_ITEM, THIRD_ITEM]


def test_the_items_of_an_order_are_sent_as_one_bundle(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    for item in (ITEM, SECOND_ITEM, THIRD_ITEM):
        fork_runner.run_ok(cli, *packed_command(item), "--queue-only")
        fork_runner.run_ok(cli, *shipped_command(item), "--queue-only")
    fork_runner.run_ok(cli, "outbox", "flush")
    posts = [[signal["type"] for signal in entry["body"]["items"]] for entry in sandbox.state.journal.list_entries()]
    assert posts == [["ItemPacked"] * 3, ["ItemShipped"] * 3]
    assert {row["order_id"] for row in signal_rows(cli.store)} == {ORDER}
