"""Every fault of the network and of the service, in a signal command and in a flush."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.outbox.store_access import (
    ITEM,
    ORDER,
    Body,
    CompletedRun,
    ForkRunner,
    packed_command,
    select_rows,
    signal_rows,
)

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment

SHORT_TIMEOUT = ("--timeout", "0.5")
SIGNAL_COMMAND = [*packed_command(), "--at", "2026-01-20T13:00:00Z"]
EXPECTED_BODY = {"type": "ItemPacked", "order": ORDER, "item": ITEM, "datetime": "2026-01-20 13:00:00 GMT"}
RETRY_AFTER_DATE = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)


@dataclass(frozen=True)
class FaultCase:
    """A fault, and the expected result for a signal."""

    fault: dict[str, Any]
    state: str
    code: int
    message: str
    status: int | None = None
    maybe_duplicate: bool = False
    is_processed: bool = False


def status_case(
    status: int, state: str, code: int, message: str, maybe_duplicate: bool = False, **more: Any
) -> FaultCase:
    return FaultCase({"kind": "status", "status": status, **more}, state, code, message, status, maybe_duplicate)


NO_ANSWER = "no answer within 0.5 s"
CONNECTION_BROKEN = "the connection was lost before an answer arrived"
KEY_REFUSED, WRONG_ADDRESS = "the service refused the key", "there is no CloudSignal at this address"
SERVICE_FAILED = "the service failed"
FAULT_CASES = {
    "a late answer": FaultCase({"kind": "latency", "seconds": 30}, "queued", 0, NO_ANSWER, None, True, True),
    "a slow header": FaultCase({"kind": "slow-drip", "seconds": 0.5}, "queued", 0, NO_ANSWER, None, True, True),
    "a reset before the work": FaultCase({"kind": "reset-before"}, "queued", 0, CONNECTION_BROKEN, None, True),
    "a reset after the work": FaultCase({"kind": "reset-after"}, "queued", 0, CONNECTION_BROKEN, None, True, True),
    "no network": FaultCase({"kind": "down"}, "queued", 0, "Connection refused"),
    "a late answer in time": FaultCase({"kind": "latency", "seconds": 0.1}, "delivered", 0, "", 200, False, True),
    "a slow body": FaultCase({"kind": "slow-drip", "seconds": 0.001}, "delivered", 0, "", 200, False, True),
    "a truncated body": FaultCase({"kind": "truncated"}, "delivered", 0, "", 200, False, True),
    "a body that is not JSON": FaultCase({"kind": "invalid-json"}, "delivered", 0, "", 200, False, True),
    "302": status_case(302, "held", 5, WRONG_ADDRESS),
    "400": status_case(400, "refused", 5, "the service refused the request"),
    "401": status_case(401, "held", 4, KEY_REFUSED),
    "403": status_case(403, "held", 4, KEY_REFUSED),
    "404": status_case(404, "held", 5, WRONG_ADDRESS),
    "408": status_case(408, "queued", 0, "the service timed out waiting for the request"),
    "410": status_case(410, "held", 5, WRONG_ADDRESS),
    "422": status_case(422, "refused", 5, "the service refused the request"),
    "429": status_case(429, "queued", 0, "rate limit exceeded"),
    "429, later": status_case(429, "queued", 0, "rate limit exceeded", retry_after="7200"),
    "500": status_case(500, "queued", 0, SERVICE_FAILED, True),
    "502": status_case(502, "queued", 0, SERVICE_FAILED, True),
    "503": status_case(503, "queued", 0, "the service is unavailable"),
    "503, later": status_case(503, "queued", 0, "the service is unavailable", retry_after=RETRY_AFTER_DATE),
}
RETRYING_CASES = [name for name in FAULT_CASES if name.endswith("later")]
each_fault = pytest.mark.parametrize("name", FAULT_CASES)


def expected_exit_status(case: FaultCase) -> int:
    """The exit status with --require-delivery."""
    return 75 if case.state == "queued" else case.code


def check_outcome(cli: "CliEnvironment", case: FaultCase, result: CompletedRun) -> None:
    """Check the output of the command and the row in the store."""
    (row,) = signal_rows(cli.store)
    assert (row["state"], row["http_status"], row["maybe_duplicate"]) == (case.state, case.status, case.maybe_duplicate)
    (report,) = result.data
    assert (report["state"], report["http_status"], report["maybe_duplicate"]) == (
        case.state,
        case.status,
        case.maybe_duplicate,
    )
    assert (report["attempts"], report["datetime"]) == (1, EXPECTED_BODY["datetime"])
    assert case.message in report["message"]


def fix_and_retry(fork_runner: ForkRunner, cli: "CliEnvironment", sandbox: Sandbox) -> None:
    """Clear the fault, and do what a person would do."""
    sandbox.clear_faults()
    (row,) = signal_rows(cli.store)
    if row["state"] == "held":
        fork_runner.run_ok(cli, "outbox", "release")
    elif row["state"] in ("queued", "refused"):
        fork_runner.run_ok(cli, "outbox", "retry", "--all")
    assert fork_runner.run_ok(cli, "outbox", "flush", "--require-delivery").err == ""
    assert signal_rows(cli.store)[0]["state"] == "delivered"


def check_received(bodies: Sequence[Body], case: FaultCase) -> None:
    """The service received the signal once, or twice if the first response was lost."""
    assert bodies == [EXPECTED_BODY] * (2 if case.is_processed and case.state != "delivered" else 1)


@each_fault
def test_a_signal_command_reports_a_fault_and_a_later_flush_delivers(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    case = FAULT_CASES[name]
    sandbox.add_fault(make_fault(**case.fault))
    result = fork_runner.run(cli, *SIGNAL_COMMAND, *SHORT_TIMEOUT, "-o", "json")
    assert result.code == case.code, result
    assert case.message in result.err
    assert bool(result.err) == bool(case.message)
    check_outcome(cli, case, result)
    fix_and_retry(fork_runner, cli, sandbox)
    check_received(received_signals(), case)


@each_fault
def test_a_flush_treats_a_fault_like_a_signal_command(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    case = FAULT_CASES[name]
    fork_runner.run_ok(cli, *SIGNAL_COMMAND, "--queue-only")
    sandbox.add_fault(make_fault(**case.fault))
    result = fork_runner.run(cli, "outbox", "flush", *SHORT_TIMEOUT, "-o", "json", "--require-delivery")
    assert result.code == expected_exit_status(case), result
    is_error = case.state not in ("queued", "delivered")
    assert bool(result.err) == is_error, "cron sends no mail for what needs nobody"
    assert not is_error or case.message in result.err
    check_outcome(cli, case, result)
    fix_and_retry(fork_runner, cli, sandbox)
    check_received(received_signals(), case)


@pytest.mark.parametrize("name", ["a late answer", "no network", "401", "404", "400", "503"])
def test_require_delivery_changes_only_the_exit_status_of_waiting_signals(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, name: str
) -> None:
    case = FAULT_CASES[name]
    sandbox.add_fault(make_fault(**case.fault))
    assert fork_runner.run(cli, *SIGNAL_COMMAND, *SHORT_TIMEOUT, "--require-delivery").code == expected_exit_status(
        case
    )


def test_a_lost_response_is_never_reported_as_not_sent(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.add_fault(make_fault("reset-after"))
    result = fork_runner.run_ok(cli, *SIGNAL_COMMAND, *SHORT_TIMEOUT)
    assert "not sent" not in result.err + result.out
    assert "safe in the outbox" in result.err
    assert "`cpctl outbox flush` sends" in result.err


@pytest.mark.parametrize("name", RETRYING_CASES)
def test_every_flush_honors_retry_after_until_the_user_retries(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    sandbox.add_fault(make_fault(**FAULT_CASES[name].fault, times=1))
    fork_runner.run_ok(cli, *SIGNAL_COMMAND)
    for _ in range(2):
        assert fork_runner.run(cli, "outbox", "flush", "--require-delivery").code == 75
    assert "the service asked to wait until" in fork_runner.run_ok(cli, "outbox", "flush", "-v").err
    assert len(sandbox.state.journal.list_entries()) == 1
    (row,) = signal_rows(cli.store)
    # The date is two hours after the start of the tests, which may have been a while ago.
    assert 3600 < (row["not_before"] - row["last_attempt_at"]) / 1000 < 7210
    fork_runner.run_ok(cli, "outbox", "retry", "--all")
    fork_runner.run_ok(cli, "outbox", "flush")
    assert received_signals() == [EXPECTED_BODY]


@pytest.mark.parametrize("name", ["401", "403", "404", "410", "302"])
def test_a_paused_queue_sends_nothing_until_it_is_released(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    case = FAULT_CASES[name]
    sandbox.add_fault(make_fault(**case.fault, times=1))
    fork_runner.run(cli, *SIGNAL_COMMAND)
    fork_runner.run_ok(cli, *packed_command("123456780002"), "--queue-only")
    result = fork_runner.run(cli, "outbox", "flush")
    assert result.code == case.code
    assert "is paused since" in result.err
    assert "2 wait and are safe" in result.err
    assert len(sandbox.state.journal.list_entries()) == 1
    fork_runner.run_ok(cli, "outbox", "release")
    fork_runner.run_ok(cli, "outbox", "flush")
    assert sorted(body["item"] for body in received_signals()) == [ITEM, "123456780002"]


def test_a_delivered_signal_ends_the_pause(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    assert fork_runner.run(cli, *SIGNAL_COMMAND).code == 4
    assert select_rows(cli.store, "SELECT paused_status FROM queues") == [{"paused_status": 401}]
    fork_runner.run_ok(cli, *packed_command("123456780002"))
    fork_runner.run_ok(cli, "outbox", "flush")
    assert [row["state"] for row in signal_rows(cli.store)] == ["delivered", "delivered"]
    assert [body["item"] for body in received_signals()] == ["123456780002", ITEM]


def test_a_paused_queue_accepts_new_signals_and_a_command_still_tries_its_own(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.add_fault(make_fault("status", status=403))
    for item in (ITEM, "123456780002", "123456780003"):
        assert fork_runner.run(cli, *packed_command(item)).code == 4
    assert [row["state"] for row in signal_rows(cli.store)] == ["held"] * 3
    assert len(sandbox.state.journal.list_entries()) == 3


def test_a_refused_item_does_not_fail_the_others_of_its_bundle(
    cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    result = fork_runner.run(cli, *packed_command(ITEM, "000000009999", "123456780002"), "-o", "json")
    assert result.code == 6
    assert [report["state"] for report in result.data] == ["delivered", "refused", "delivered"]
    assert "item_unknown: item 000000009999 is unknown" in result.data[1]["message"]
    assert [body["item"] for body in received_signals()] == [ITEM, "123456780002"]
