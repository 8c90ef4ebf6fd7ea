"""Several processes at one store: none sends what another is sending, and none waits for the dead."""

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
    """Wait for a process, and say how it ended."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def kill_during_send(cli: "CliEnvironment", sandbox: Sandbox, *words: str) -> None:
    """Start a command, and kill it when the service has its request and has not answered yet."""
    before = len(sandbox.state.journal.list_entries())
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = cli.start(*words)
    journal = sandbox.state.journal
    wait_until(
        lambda: any(entry["processed"] for entry in journal.list_entries()[before:]), "the request is in the journal"
    )
    process.kill()
    assert wait_for_exit(process)[0] == -9


def test_several_flushes_at_once_send_nothing_twice_and_keep_the_order_of_each_item(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.reset(orders=10, items=3)
    for number in range(10):
        order = f"{12345678 + number}0000"
        items = [f"{12345678 + number}000{n}" for n in (1, 2, 3)]
        fork_runner.run_ok(cli, *packed_command(*items, order=order), "--queue-only")
        fork_runner.run_ok(cli, *shipped_command(*items, order=order), "--queue-only")
    sandbox.add_fault(make_fault("latency", seconds=0.05))  # so that they meet
    for code, out, err in [wait_for_exit(each) for each in [cli.start("outbox", "flush") for _ in range(4)]]:
        assert (code, out, err) == (0, "", "")
    fork_runner.run_ok(cli, "outbox", "flush")
    told = Counter((body["item"], body["type"]) for body in received_signals())
    assert len(told) == 60
    assert set(told.values()) == {1}
    kinds: dict[str, list[str]] = {}
    for body in received_signals():
        kinds.setdefault(body["item"], []).append(body["type"])
    assert set(map(tuple, kinds.values())) == {("ItemPacked", "ItemShipped")}
    assert {(row["state"], row["maybe_duplicate"]) for row in signal_rows(cli.store)} == {("delivered", 0)}


@pytest.mark.parametrize(
    "words", [packed_command(ITEM), packed_command(ITEM, SECOND_ITEM), ["outbox", "flush"]], ids=lambda w: " ".join(w)
)
def test_one_killed_in_mid_send_is_followed_by_another_after_its_lease_and_marked(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, words: list[str]
) -> None:
    if words[0] == "outbox":
        fork_runner.run_ok(cli, *packed_command(ITEM), "--queue-only")
    kill_during_send(cli, sandbox, *words)
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


def test_a_signal_that_is_being_sent_can_be_neither_held_nor_dropped(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    kill_during_send(cli, sandbox, *packed_command())
    for words in (["hold", "1"], ["drop", "1", "--yes"], ["retry", "1"], ["release", "1"]):
        ended = fork_runner.run(cli, "outbox", *words)
        assert ended.code == 6
        assert "is being sent right now" in ended.err
    assert signal_states(cli.store) == ["queued"]


def test_what_comes_later_of_an_item_waits_while_the_earlier_is_being_sent(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    kill_during_send(cli, sandbox, *packed_command())
    fork_runner.run_ok(cli, *shipped_command())
    assert signal_states(cli.store) == ["queued", "queued"]
    fork_runner.run_ok(cli, *shipped_command(SECOND_ITEM))
    assert [body["type"] for body in received_signals()] == ["ItemPacked", "ItemShipped"]
    advance_time(cli.store)
    fork_runner.run_ok(cli, "outbox", "flush")
    kinds = [body["type"] for body in received_signals() if body["item"] == ITEM]
    assert kinds == ["ItemPacked", "ItemPacked", "ItemShipped"]


def test_a_lease_of_a_clock_that_was_set_back_since_holds_nobody_up(
    cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    execute_sql(cli.store, "UPDATE signals SET lease = 'x', lease_until = next_attempt_at + 86400000")
    fork_runner.run_ok(cli, "outbox", "flush")
    assert signal_states(cli.store) == ["delivered"]


def test_ctrl_c_in_mid_send_says_that_the_signal_is_safe_and_doubtful(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = cli.start(*packed_command())
    wait_until(lambda: bool(received_signals()), "the request is in the journal")
    process.send_signal(signal.SIGINT)
    code, out, err = wait_for_exit(process)
    assert (code, out) == (130, "")
    assert "what was accepted is safe" in err
    (row,) = signal_rows(cli.store)
    assert (row["state"], row["maybe_duplicate"], row["lease"]) == ("queued", 1, None)
    fork_runner.run_ok(cli, "outbox", "flush")
    assert signal_states(cli.store) == ["delivered"]


def test_a_watching_outbox_delivers_what_is_added_later_and_stops_when_it_is_told(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    process = cli.start("outbox", "flush", "--watch")
    wait_until(lambda: len(received_signals()) == 1, "what waited is sent")
    fork_runner.run_ok(cli, *packed_command(SECOND_ITEM), "--queue-only")
    wait_until(lambda: signal_states(cli.store) == ["delivered", "delivered"], "what came later is delivered")
    process.terminate()
    code, out, err = wait_for_exit(process)
    assert (code, out) == (143, "")
    assert f"delivered ItemPacked {ORDER} {SECOND_ITEM} (signal 2)" in err
    assert err.endswith("cpctl: Terminated.\n")
    assert select_rows(cli.store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_the_first_users_of_a_store_may_come_together(cli: "CliEnvironment", received_signals: Any) -> None:
    items = [f"12345678000{n}" for n in (1, 2, 3)]
    for code, _, err in [wait_for_exit(each) for each in [cli.start(*packed_command(item)) for item in items]]:
        assert (code, err) == (0, "")
    assert sorted(body["item"] for body in received_signals()) == items
    assert signal_states(cli.store) == ["delivered"] * 3


def test_another_address_does_not_meet_the_signals_of_this_profile_unless_told(
    cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    cli.configure(sandbox_configuration("http://127.0.0.1:9"))
    ended = fork_runner.run_ok(cli, *packed_command())
    assert "is not reached: Connection refused" in ended.err
    assert signal_states(cli.store) == ["queued"]
