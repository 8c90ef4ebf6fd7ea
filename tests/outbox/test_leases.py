"""Several processes on one store: none sends what another is sending, and a killed one blocks nothing for long."""

import signal
from collections import Counter
from subprocess import Popen
from typing import TYPE_CHECKING, Any

import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.outbox.store_access import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    ForkRunner,
    advance_time,
    execute_sql,
    packed_command,
    sandbox_configuration,
    select_rows,
    shipped_command,
    signal_rows,
    signal_states,
    wait_until,
)

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment


def wait_for_exit(process: "Popen[str]") -> tuple[int, str, str]:
    """Wait for a process; returns its exit status, output and errors."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def kill_during_send(cli: "CliEnvironment", sandbox: Sandbox, *arguments: str) -> None:
    """Start a command, and kill it when the service has received its request and not responded yet."""
    before = len(sandbox.state.journal.list_entries())
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = cli.start(*arguments)
    journal = sandbox.state.journal
    wait_until(
        lambda: any(entry["processed"] for entry in journal.list_entries()[before:]), "the request is in the journal"
    )
    process.kill()
    assert wait_for_exit(process)[0] == -9


def test_concurrent_flushes_send_nothing_twice_and_keep_the_order_of_each_item(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.reset(orders=10, items=3)
    for number in range(10):
        order = f"{12345678 + number}0000"
        items = [f"{12345678 + number}000{n}" for n in (1, 2, 3)]
        fork_runner.run_ok(cli, *packed_command(*items, order=order), "--queue-only")
        fork_runner.run_ok(cli, *shipped_command(*items, order=order), "--queue-only")
    sandbox.add_fault(make_fault("latency", seconds=0.05))  # so that they overlap
    for code, out, err in [wait_for_exit(each) for each in [cli.start("outbox", "flush") for _ in range(4)]]:
        assert (code, out, err) == (0, "", "")
    fork_runner.run_ok(cli, "outbox", "flush")
    received = Counter((body["item"], body["type"]) for body in received_signals())
    assert len(received) == 60
    assert set(received.values()) == {1}
    types: dict[str, list[str]] = {}
    for body in received_signals():
        types.setdefault(body["item"], []).append(body["type"])
    assert set(map(tuple, types.values())) == {("ItemPacked", "ItemShipped")}
    assert {(row["state"], row["maybe_duplicate"]) for row in signal_rows(cli.store)} == {("delivered", 0)}


@pytest.mark.parametrize(
    "arguments", [packed_command(ITEM), packed_command(ITEM, SECOND_ITEM), ["outbox", "flush"]], ids=" ".join
)
def test_a_signal_of_a_killed_process_is_sent_again_after_its_lease_and_marked(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, arguments: list[str]
) -> None:
    if arguments[0] == "outbox":
        fork_runner.run_ok(cli, *packed_command(ITEM), "--queue-only")
    kill_during_send(cli, sandbox, *arguments)
    number = len(signal_rows(cli.store))
    assert signal_states(cli.store) == ["queued"] * number
    assert fork_runner.run(cli, "outbox", "flush", "--require-delivery").code == 75, "its lease is still valid"
    assert len(received_signals()) == number
    advance_time(cli.store)
    fork_runner.run_ok(cli, "outbox", "flush")
    assert [(row["state"], row["maybe_duplicate"], row["attempts"]) for row in signal_rows(cli.store)] == [
        ("delivered", 1, 2)
    ] * number
    assert len(received_signals()) == 2 * number


def test_a_signal_that_is_being_sent_cannot_be_changed(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    kill_during_send(cli, sandbox, *packed_command())
    for arguments in (["hold", "1"], ["drop", "1", "--yes"], ["retry", "1"], ["release", "1"]):
        result = fork_runner.run(cli, "outbox", *arguments)
        assert result.code == 6
        assert "is being sent right now" in result.err
    assert signal_states(cli.store) == ["queued"]


def test_a_later_signal_of_an_item_waits_while_the_earlier_one_is_being_sent(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    kill_during_send(cli, sandbox, *packed_command())
    fork_runner.run_ok(cli, *shipped_command())
    assert signal_states(cli.store) == ["queued", "queued"]
    fork_runner.run_ok(cli, *shipped_command(SECOND_ITEM))
    assert [body["type"] for body in received_signals()] == ["ItemPacked", "ItemShipped"]
    advance_time(cli.store)
    fork_runner.run_ok(cli, "outbox", "flush")
    types = [body["type"] for body in received_signals() if body["item"] == ITEM]
    assert types == ["ItemPacked", "ItemPacked", "ItemShipped"]


def test_a_lease_from_before_the_clock_was_set_back_counts_as_expired(
    cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    execute_sql(cli.store, "UPDATE signals SET lease = 'x', lease_until = next_attempt_at + 86400000")
    fork_runner.run_ok(cli, "outbox", "flush")
    assert signal_states(cli.store) == ["delivered"]


def test_ctrl_c_while_sending_keeps_the_signal_and_marks_it(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = cli.start(*packed_command())
    wait_until(lambda: bool(received_signals()), "the request is in the journal")
    process.send_signal(signal.SIGINT)
    code, out, err = wait_for_exit(process)
    assert (code, out) == (130, "")
    assert "accepted signals are safe" in err
    (row,) = signal_rows(cli.store)
    assert (row["state"], row["maybe_duplicate"], row["lease"]) == ("queued", 1, None)
    fork_runner.run_ok(cli, "outbox", "flush")
    assert signal_states(cli.store) == ["delivered"]


def test_flush_watch_delivers_later_signals_and_stops_on_sigterm(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    process = cli.start("outbox", "flush", "--watch")
    wait_until(lambda: len(received_signals()) == 1, "the waiting signal is sent")
    fork_runner.run_ok(cli, *packed_command(SECOND_ITEM), "--queue-only")
    wait_until(lambda: signal_states(cli.store) == ["delivered", "delivered"], "the later signal is delivered")
    process.terminate()
    code, out, err = wait_for_exit(process)
    assert (code, out) == (143, "")
    assert f"delivered ItemPacked {ORDER} {SECOND_ITEM} (signal 2)" in err
    assert err.endswith("cpctl: Terminated.\n")
    assert select_rows(cli.store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_several_processes_may_create_the_store_at_once(cli: "CliEnvironment", received_signals: Any) -> None:
    items = [f"12345678000{n}" for n in (1, 2, 3)]
    for code, _, err in [wait_for_exit(each) for each in [cli.start(*packed_command(item)) for item in items]]:
        assert (code, err) == (0, "")
    assert sorted(body["item"] for body in received_signals()) == items
    assert signal_states(cli.store) == ["delivered"] * 3


def test_a_signal_stays_queued_if_the_address_cannot_be_reached(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    cli.configure(sandbox_configuration("http://127.0.0.1:9"))
    result = fork_runner.run_ok(cli, *packed_command())
    assert "Connection refused" in result.err
    assert signal_states(cli.store) == ["queued"]
