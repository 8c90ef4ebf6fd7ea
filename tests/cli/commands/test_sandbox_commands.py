"""`cpctl sandbox`: a simulated Cloudprinter on this machine, for scripts."""

from collections.abc import Callable
from typing import Any

import pytest

from cpctl.sandbox.faults import FAULT_KINDS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, UNREACHABLE_URL, CliEnvironment, CliResult, shipped_command

Invoke = Callable[..., CliResult]
PACKED_COMMAND = f"cpctl signal packed {ITEM} --order {ORDER} -o value --query '[].state'"
# The shell runs this cpctl, not an installed one.
CPCTL_SHELL_FUNCTION = 'cpctl() { python -m cpctl "$@"; }; '


@pytest.mark.parametrize(
    ("script", "status"),
    [("true", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("cpctl sgnal", 2)],
)
def test_sandbox_run_exits_with_the_status_of_its_command(
    unconfigured_cli: CliEnvironment, script: str, status: int
) -> None:
    assert unconfigured_cli.run("sandbox", "run", "--", "bash", "-c", CPCTL_SHELL_FUNCTION + script).code == status


def test_sandbox_run_provides_a_command_a_profile_and_a_store(unconfigured_cli: CliEnvironment) -> None:
    requests = "cpctl sandbox requests -o value --query '[].[path, processed][]'"
    script = f"{CPCTL_SHELL_FUNCTION}{PACKED_COMMAND}; {requests}; cpctl whoami -o json"
    result = unconfigured_cli.run("sandbox", "run", "--", "bash", "-c", script)
    assert result.code == 0, result
    assert result.out.startswith("delivered\n/cloudsignal/2.0/status/\ntrue\n{")
    assert '"environment": "sandbox"' in result.out
    assert not unconfigured_cli.store.exists(), "the command has a store of its own"


def test_sandbox_run_hides_the_settings_of_the_caller(
    cli: CliEnvironment, received_signals: Callable[[], list[Any]]
) -> None:
    """A script under test must never reach the real service with the real key."""
    changes = {"CPCTL_SIGNAL_KEY": "a-real-key", "CPCTL_BASE_URL": UNREACHABLE_URL, "CPCTL_PROFILE": "live"}
    script = f"{CPCTL_SHELL_FUNCTION}env | grep ^CPCTL_ | sort; {PACKED_COMMAND}"
    result = cli.run("sandbox", "run", "--", "bash", "-c", script, **changes)
    assert result.code == 0, result
    names = [line.partition("=")[0] for line in result.out.splitlines()]
    assert names == ["CPCTL_CACHE_DIR", "CPCTL_CONFIG", "CPCTL_DATA_DIR", "CPCTL_SANDBOX_CONTROL", "delivered"]
    assert str(cli.folder) not in result.out
    assert received_signals() == []


def test_sandbox_run_removes_its_temporary_folder(unconfigured_cli: CliEnvironment) -> None:
    script = f"{CPCTL_SHELL_FUNCTION}{PACKED_COMMAND}; echo $CPCTL_CONFIG"
    result = unconfigured_cli.run("sandbox", "run", "--", "bash", "-c", script, TMPDIR=str(unconfigured_cli.folder))
    assert str(unconfigured_cli.folder) in result.out
    assert list(unconfigured_cli.folder.glob("cpctl-sandbox-*")) == []


def test_sandbox_run_passes_options_and_input_to_its_command(unconfigured_cli: CliEnvironment) -> None:
    result = unconfigured_cli.run("sandbox", "run", "--items", "5", "--", "cat", "-A", input="tab\there\n")
    assert (result.code, result.out) == (0, "tab^Ihere$\n")
    result = unconfigured_cli.run(
        "sandbox", "run", "--orders", "3", "--", *unconfigured_cli.command_line("sandbox", "orders")
    )
    assert result.out.count("123456800000") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-command-here"], "Cannot run no-such-command-here: No such file or directory"),
        (["/"], "Cannot run /: Permission denied"),
        ([], "COMMAND"),
    ],
)
def test_sandbox_run_with_an_invalid_command_exits_with_2(
    unconfigured_cli: CliEnvironment, arguments: list[str], message: str
) -> None:
    result = unconfigured_cli.run("sandbox", "run", "--", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_faults_are_injected_listed_and_cleared(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> None:
    assert invoke(cli, "sandbox", "fault", "-o", "json").data == []
    arguments = ["status", "--status", "503", "--retry-after", "30", "--times", "2", "--path", "/cloudsignal/"]
    assert invoke(cli, "sandbox", "fault", *arguments).code == 0
    (fault,) = invoke(cli, "sandbox", "fault", "-o", "json").data
    expected = {"kind": "status", "path": "/cloudsignal/", "times": 2, "status": 503, "retry_after": "30"}
    assert fault == expected
    assert invoke(cli, *shipped_command(), "--require-delivery").code == 75
    result = invoke(cli, "sandbox", "fault", "clear")
    assert (result.code, result.err) == (0, "No fault is active.\n")
    assert sandbox.state.list_faults() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latancy"], 'There is no fault "latancy". Did you mean "latency"?'),
        (["clera"], "There is no fault"),
        (["status"], "The fault status needs status."),
        (["status", "--status", "99"], 'Invalid status: "99"'),
        (["latency"], "The fault latency needs seconds."),
        (["latency", "--seconds", "-1"], 'Invalid seconds: "-1.0"'),
        (["down", "--status", "500"], "The fault down takes no status."),
        (["status", "--status", "500", "--path", "x"], 'Invalid path: "x"'),
        (["status", "--status", "x"], "x"),
    ],
)
def test_an_invalid_fault_is_an_error(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, arguments: list[str], message: str
) -> None:
    result = invoke(cli, "sandbox", "fault", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err.replace("\n ", "")
    assert sandbox.state.list_faults() == []


def test_help_names_every_fault(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    text = invoke(unconfigured_cli, "sandbox", "fault", "--help").out
    assert [name for name in FAULT_KINDS if name not in text] == []


def test_requests_and_orders_are_listed_and_cleared_by_a_reset(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "sandbox", "requests").err == "The sandbox has received no requests.\n"
    invoke(cli, *shipped_command())
    invoke(cli, "signal", "packed", ITEM, "--order", ORDER)
    requests = invoke(cli, "sandbox", "requests", "-o", "json").data
    assert [(row["n"], row["status"], row["processed"], row["body"]["apikey"]) for row in requests] == [
        (1, 200, True, "***"),
        (2, 200, True, "***"),
    ]
    assert [row["n"] for row in invoke(cli, "sandbox", "requests", "--limit", "1", "-o", "json").data] == [2]
    orders = invoke(cli, "sandbox", "orders", "-o", "json").data
    assert (orders[0]["order"], orders[0]["item"], orders[0]["latest_signal"]) == (ORDER, ITEM, "ItemPacked")
    assert invoke(cli, "sandbox", "reset", "--orders", "1", "--items", "2").code == 0
    assert invoke(cli, "sandbox", "requests", "-o", "json").data == []
    assert [row["latest_signal"] for row in invoke(cli, "sandbox", "orders", "-o", "json").data] == ["", ""]


@pytest.mark.parametrize("arguments", [["fault"], ["fault", "down"], ["reset"], ["requests"], ["orders"]])
def test_without_a_running_sandbox_the_error_says_how_to_start_one(
    cli: CliEnvironment, invoke: Invoke, arguments: list[str]
) -> None:
    result = invoke(cli, "sandbox", *arguments, "-o", "json", CPCTL_SANDBOX_CONTROL=UNREACHABLE_URL)
    assert (result.code, result.out) == (75, "")
    assert "cpctl sandbox serve" in result.error["hint"]
    assert result.error["retryable"] is True


@pytest.mark.parametrize("arguments", [["fault", "down"], ["reset"], ["requests"], ["orders"]])
def test_control_commands_refuse_the_real_service(
    unconfigured_cli: CliEnvironment, invoke: Invoke, arguments: list[str]
) -> None:
    result = invoke(unconfigured_cli, "sandbox", *arguments, CPCTL_CORE_KEY="a-real-key")
    assert (result.code, result.out) == (2, "")
    assert "https://api.cloudprinter.com is not a sandbox" in result.err


def test_a_sandbox_that_is_down_is_reached_by_its_control_address(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    control = {"CPCTL_SANDBOX_CONTROL": sandbox.control_url}
    assert invoke(cli, "sandbox", "fault", "down", **control).code == 0
    assert invoke(cli, *shipped_command(), "--require-delivery").code == 75
    assert invoke(cli, "sandbox", "fault", "clear").code == 75, "the address of the API is down"
    assert invoke(cli, "sandbox", "fault", "clear", **control).code == 0
    assert invoke(cli, *shipped_command(), "--require-delivery").code == 0
