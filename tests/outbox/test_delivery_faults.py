"""Every fault of the network and of the service, met by a signal command and by a flush."""

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
    """A fault, and what is to become of a signal that meets it."""

    fault: dict[str, Any]
    state: str
    code: int
    message: str
    status: int | None = None
    maybe_duplicate: bool = False
    is_processed: bool = False


def status_case(status: int, state: str, code: int, words: str, doubt: bool = False, **more: Any) -> FaultCase:
    return FaultCase({"kind": "status", "status": status, **more}, state, code, words, status, doubt)


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
    "a body that is no JSON": FaultCase({"kind": "invalid-json"}, "delivered", 0, "", 200, False, True),
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
    """The exit status where delivery is insisted on."""
    return 75 if case.state == "queued" else case.code


def check_outcome(cli: "CliEnvironment", case: FaultCase, ended: CompletedRun) -> None:
    """What the command said, and what the store holds."""
    (row,) = signal_rows(cli.store)
    assert (row["state"], row["http_status"], row["maybe_duplicate"]) == (case.state, case.status, case.maybe_duplicate)
    (told,) = ended.data
    assert (told["state"], told["http_status"], told["maybe_duplicate"]) == (
        case.state,
        case.status,
        case.maybe_duplicate,
    )
    assert (told["attempts"], told["datetime"]) == (1, EXPECTED_BODY["datetime"])
    assert case.message in told["message"]


def fix_and_retry(fork_runner: ForkRunner, cli: "CliEnvironment", sandbox: Sandbox) -> None:
    """Clear the fault, and do what a person does then."""
    sandbox.clear_faults()
    (row,) = signal_rows(cli.store)
    if row["state"] == "held":
        fork_runner.run_ok(cli, "outbox", "release")
    elif row["state"] in ("queued", "refused"):
        fork_runner.run_ok(cli, "outbox", "retry", "--all")
    assert fork_runner.run_ok(cli, "outbox", "flush", "--require-delivery").err == ""
    assert signal_rows(cli.store)[0]["state"] == "delivered"


def check_received(bodies: Sequence[Body], case: FaultCase) -> None:
    """The service has it exactly as told: once, or twice where the first answer was lost."""
    assert bodies == [EXPECTED_BODY] * (2 if case.is_processed and case.state != "delivered" else 1)


@each_fault
def test_a_signal_command_tells_what_a_fault_made_of_it_and_a_flush_delivers_it(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    case = FAULT_CASES[name]
    sandbox.add_fault(make_fault(**case.fault))
    ended = fork_runner.run(cli, *SIGNAL_COMMAND, *SHORT_TIMEOUT, "-o", "json")
    assert ended.code == case.code, ended
    assert case.message in ended.err
    assert bool(ended.err) == bool(case.message)
    check_outcome(cli, case, ended)
    fix_and_retry(fork_runner, cli, sandbox)
    check_received(received_signals(), case)


@each_fault
def test_a_flush_meets_a_fault_as_a_signal_command_does(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    case = FAULT_CASES[name]
    fork_runner.run_ok(cli, *SIGNAL_COMMAND, "--queue-only")
    sandbox.add_fault(make_fault(**case.fault))
    ended = fork_runner.run(cli, "outbox", "flush", *SHORT_TIMEOUT, "-o", "json", "--require-delivery")
    assert ended.code == expected_exit_status(case), ended
    loud = case.state not in ("queued", "delivered")
    assert bool(ended.err) == loud, "cron sends no mail for what mends itself"
    assert not loud or case.message in ended.err
    check_outcome(cli, case, ended)
    fix_and_retry(fork_runner, cli, sandbox)
    check_received(received_signals(), case)


@pytest.mark.parametrize("name", ["a late answer", "no network", "401", "404", "400", "503"])
def test_require_delivery_changes_the_exit_status_of_what_waits_only(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, name: str
) -> None:
    case = FAULT_CASES[name]
    sandbox.add_fault(make_fault(**case.fault))
    assert fork_runner.run(cli, *SIGNAL_COMMAND, *SHORT_TIMEOUT, "--require-delivery").code == expected_exit_status(
        case
    )


def test_a_lost_answer_is_never_called_not_sent(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.add_fault(make_fault("reset-after"))
    ended = fork_runner.run_ok(cli, *SIGNAL_COMMAND, *SHORT_TIMEOUT)
    assert "not sent" not in ended.err + ended.out
    assert "safe in the outbox" in ended.err
    assert "`cpctl outbox flush` sends" in ended.err


@pytest.mark.parametrize("name", RETRYING_CASES)
def test_retry_after_is_honoured_by_every_flush_until_a_person_says_otherwise(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any, name: str
) -> None:
    sandbox.add_fault(make_fault(**FAULT_CASES[name].fault, times=1))
    fork_runner.run_ok(cli, *SIGNAL_COMMAND)
    for _ in range(2):
        assert fork_runner.run(cli, "outbox", "flush", "--require-delivery").code == 75
    assert "the service asked to wait until" in fork_runner.run_ok(cli, "outbox", "flush", "-v").err
    assert len(sandbox.state.journal.list_entries()) == 1
    (row,) = signal_rows(cli.store)
    # A date is two hours after the start of the tests, which may run for a while.
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
    ended = fork_runner.run(cli, "outbox", "flush")
    assert ended.code == case.code
    assert "is paused since" in ended.err
    assert "2 wait and are safe" in ended.err
    assert len(sandbox.state.journal.list_entries()) == 1
    fork_runner.run_ok(cli, "outbox", "release")
    fork_runner.run_ok(cli, "outbox", "flush")
    assert sorted(body["item"] for body in received_signals()) == [ITEM, "123456780002"]


def test_any_signal_that_gets_through_ends_the_pause(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    assert fork_runner.run(cli, *SIGNAL_COMMAND).code == 4
    assert select_rows(cli.store, "SELECT paused_status FROM queues") == [{"paused_status": 401}]
    fork_runner.run_ok(cli, *packed_command("123456780002"))
    fork_runner.run_ok(cli, "outbox", "flush")
    assert [row["state"] for row in signal_rows(cli.store)] == ["delivered", "delivered"]
    assert [body["item"] for body in received_signals()] == ["123456780002", ITEM]


def test_a_paused_queue_takes_new_signals_and_a_command_still_tries_its_own(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.add_fault(make_fault("status", status=403))
    for item in (ITEM, "123456780002", "123456780003"):
        assert fork_runner.run(cli, *packed_command(item)).code == 4
    assert [row["state"] for row in signal_rows(cli.store)] == ["held"] * 3
    assert len(sandbox.state.journal.list_entries()) == 3


def test_a_bad_item_does_not_take_the_others_of_its_bundle_down(
    cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    ended = fork_runner.run(cli, *packed_command(ITEM, "000000009999", "123456780002"), "-o", "json")
    assert ended.code == 6
    assert [one["state"] for one in ended.data] == ["delivered", "refused", "delivered"]
    assert "item_unknown: item 000000009999 is unknown" in ended.data[1]["message"]
    assert [body["item"] for body in received_signals()] == [ITEM, "123456780002"]
