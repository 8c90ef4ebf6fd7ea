"""A repeated signal is a duplicate; a signal that contradicts an earlier one is not sent."""

from collections.abc import Callable
from typing import Any

import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM, THIRD_ITEM, CliEnvironment, CliResult, shipped_command

Invoke = Callable[..., CliResult]
ReceivedSignals = Callable[[], list[dict[str, Any]]]
JSON_OUTPUT = ("-o", "json")


def result_states(result: CliResult) -> list[str]:
    return [row["state"] for row in result.data]


def test_the_same_signal_again_is_a_duplicate_and_is_not_sent(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    first = invoke(cli, *shipped_command(), *JSON_OUTPUT)
    again = invoke(cli, *shipped_command(), *JSON_OUTPUT)
    assert (first.code, result_states(first)) == (0, ["delivered"])
    assert (again.code, result_states(again)) == (0, ["duplicate"])
    assert again.data[0]["id"] == first.data[0]["id"]
    assert again.data[0]["message"] == "already accepted as signal 1 (delivered)"
    assert len(received_signals()) == 1


def test_another_time_of_the_same_event_is_still_a_duplicate(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    invoke(cli, *shipped_command(), "--at", "2026-01-20T13:00:00Z")
    assert result_states(invoke(cli, *shipped_command(), *JSON_OUTPUT)) == ["duplicate"]
    assert [body["datetime"] for body in received_signals()] == ["2026-01-20 13:00:00 GMT"]


def test_another_tracking_code_is_a_conflict_that_names_both(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    invoke(cli, *shipped_command(tracking="FIRST"))
    result = invoke(cli, *shipped_command(tracking="OTHER"), *JSON_OUTPUT)
    assert (result.code, result_states(result)) == (6, ["conflict"])
    assert "signal 1 (delivered) says tracking=FIRST" in result.err
    assert result.data[0]["fields"]["tracking"] == "OTHER"
    assert "tracking=OTHER" in result.err
    assert "repeat the command with --force" in result.err
    assert [body["tracking"] for body in received_signals()] == ["FIRST"]
    assert len(invoke(cli, "signal", "history", *JSON_OUTPUT).data) == 1


def test_a_conflict_can_be_forced(cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals) -> None:
    invoke(cli, *shipped_command(tracking="FIRST"))
    result = invoke(cli, *shipped_command(tracking="OTHER"), "--force", *JSON_OUTPUT)
    assert (result.code, result_states(result)) == (0, ["delivered"])
    assert [body["tracking"] for body in received_signals()] == ["FIRST", "OTHER"]
    again = invoke(cli, *shipped_command(tracking="OTHER"), "--force", *JSON_OUTPUT)
    assert result_states(again) == ["duplicate"], "--force sends what contradicts, not what is said already"
    back = invoke(cli, *shipped_command(tracking="FIRST"), *JSON_OUTPUT)
    assert (back.code, result_states(back)) == (6, ["conflict"])
    assert len(received_signals()) == 2


@pytest.mark.parametrize(("kind", "version"), [("delay", "2.0"), ("error", "2.0"), ("error", "1.1")])
def test_a_delay_may_be_reported_again_at_another_time(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals, kind: str, version: str
) -> None:
    arguments = ["signal", kind, ITEM, "--order", ORDER, "--delay", "24", "--api-version", version, *JSON_OUTPUT]
    assert result_states(invoke(cli, *arguments, "--at", "2026-01-20T13:00:00Z")) == ["delivered"]
    assert result_states(invoke(cli, *arguments, "--at", "2026-01-20T13:00:00+00:00")) == ["duplicate"]
    assert result_states(invoke(cli, *arguments, "--at", "2026-01-20T14:00:00Z")) == ["delivered"]
    assert result_states(invoke(cli, *arguments, "--at", "2026-01-20T14:00:00Z", "-f", "note=x")) == ["delivered"]
    assert len(received_signals()) == 3


def test_different_types_of_one_item_never_contradict_each_other(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    for kind in ("registered", "produce", "produced", "packed"):
        assert result_states(invoke(cli, "signal", kind, ITEM, "--order", ORDER, *JSON_OUTPUT)) == ["delivered"]
    assert len(received_signals()) == 4


def test_a_refused_signal_can_be_reported_again(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    sandbox.add_fault(make_fault("status", times=1, status=400))
    assert result_states(invoke(cli, *shipped_command(tracking="TYPO"), *JSON_OUTPUT)) == ["refused"]
    result = invoke(cli, *shipped_command(tracking="RIGHT"), *JSON_OUTPUT)
    assert (result.code, result_states(result)) == (0, ["delivered"])
    assert [body["tracking"] for body in received_signals()] == ["RIGHT"]


def test_one_conflict_among_several_items_leaves_the_others_delivered(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    invoke(cli, *shipped_command(ITEM, "ONE"))
    arguments = ["signal", "shipped", ITEM, SECOND_ITEM, THIRD_ITEM, "--order", ORDER, "--tracking", "TWO"]
    result = invoke(cli, *arguments, *JSON_OUTPUT)
    assert (result.code, result_states(result)) == (6, ["conflict", "delivered", "delivered"])
    assert [body["tracking"] for body in received_signals()] == ["ONE", "TWO", "TWO"]
    again = invoke(cli, *arguments, *JSON_OUTPUT)
    assert (again.code, result_states(again)) == (6, ["conflict", "duplicate", "duplicate"])


def test_a_repeat_with_require_delivery_tries_the_waiting_signal(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    sandbox.add_fault(make_fault("status", status=503))
    first = invoke(cli, *shipped_command(), *JSON_OUTPUT)
    assert (first.code, result_states(first)) == (0, ["queued"])
    assert invoke(cli, *shipped_command(), *JSON_OUTPUT).code == 0, "responsibility is taken already"
    tried = len(sandbox.state.journal.list_entries())
    assert invoke(cli, *shipped_command(), "--require-delivery", *JSON_OUTPUT).code == 75
    assert len(sandbox.state.journal.list_entries()) == tried + 1
    sandbox.clear_faults()
    done = invoke(cli, *shipped_command(), "--require-delivery", *JSON_OUTPUT)
    assert (done.code, result_states(done)) == (0, ["duplicate"])
    assert len(received_signals()) == 1
    assert invoke(cli, *shipped_command(), "--require-delivery", *JSON_OUTPUT).code == 0
    assert len(received_signals()) == 1, "delivered is delivered"


def test_queue_only_accepts_and_sends_nothing(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    result = invoke(cli, *shipped_command(), "--queue-only", *JSON_OUTPUT)
    assert (result.code, result_states(result)) == (0, ["queued"])
    assert received_signals() == []
    assert invoke(cli, "outbox", "flush").code == 0
    assert len(received_signals()) == 1


def test_two_profiles_of_one_store_do_not_see_each_others_signals(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    text = cli.config.read_text(encoding="utf-8")
    cli.configure(text + text.partition("\n")[2].replace("  sandbox:", "  second:"))
    assert result_states(invoke(cli, *shipped_command(), "-p", "sandbox", *JSON_OUTPUT)) == ["delivered"]
    assert result_states(invoke(cli, *shipped_command(tracking="OTHER"), "-p", "second", *JSON_OUTPUT)) == ["delivered"]
    assert len(received_signals()) == 2
