"""Problems that users have reported."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.order_documents.skeletons import CORE_SKELETON
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    CliEnvironment,
    CliResult,
    sandbox_configuration,
    shipped_command,
)

Invoke = Callable[..., CliResult]
QUEUE_ONLY_COMMAND = (*shipped_command(), "--queue-only")


@pytest.fixture
def two_profile_cli(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> CliEnvironment:
    """An environment with the default profile "spare", and a signal waiting in the profile "sandbox"."""
    text = sandbox_configuration(sandbox.base_url)
    spare = text.split("profiles:\n")[1].replace("  sandbox:", "  spare:")
    cli.configure(f"default_profile: spare\n{text}{spare}")
    assert invoke(cli, *QUEUE_ONLY_COMMAND, "-p", "sandbox").code == 0
    return cli


def test_a_dry_run_of_export_writes_no_file_and_holds_no_signal(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *QUEUE_ONLY_COMMAND)
    result = invoke(cli, "outbox", "export", "out.jsonl", "--hold", "--dry-run")
    assert (result.code, result.err) == (0, "Dry run: nothing was written or held; 1 would be exported.\n")
    assert not Path("out.jsonl").exists() and not (cli.folder / "out.jsonl").exists()
    assert cli.run_json("outbox", "list")[0]["state"] == "queued"


def test_a_dry_run_does_not_change_the_sandbox(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> None:
    for arguments in (("fault", "down"), ("reset",), ("advance", "1h"), ("trigger", "ItemShipped")):
        assert "the sandbox was not changed" in invoke(cli, "sandbox", *arguments, "-n").err
    assert invoke(cli, "sandbox", "fault", "-o", "json").data == []
    assert sandbox.state.webhooks.list_deliveries() == []


@pytest.mark.parametrize("command", [("show",), ("hold",), ("drop", "--yes"), ("retry",), ("release",)])
def test_a_signal_of_another_profile_cannot_be_changed_by_its_id(
    two_profile_cli: CliEnvironment, invoke: Invoke, command: tuple[str, ...]
) -> None:
    result = invoke(two_profile_cli, "outbox", command[0], "1", *command[1:])
    assert result.code == 9
    assert 'belongs to the profile "sandbox", not to "spare"' in result.err
    assert "Add --profile sandbox." in result.err


def test_monitoring_checks_every_profile_unless_one_is_selected(
    two_profile_cli: CliEnvironment, invoke: Invoke
) -> None:
    arguments = ("outbox", "check", "--warn", "0s", "--crit", "1d")
    result = invoke(two_profile_cli, *arguments)
    assert (result.code, "1 waiting" in result.out) == (1, True)
    assert invoke(two_profile_cli, *arguments, "-p", "spare").code == 0
    assert invoke(two_profile_cli, *arguments, CPCTL_PROFILE="sandbox").code == 1


def test_monitoring_is_critical_if_no_signal_can_be_accepted(cli: CliEnvironment, invoke: Invoke) -> None:
    (cli.folder / "data").write_text("a file where the folder should be")
    result = invoke(cli, "outbox", "check")
    assert (result.code, result.out.startswith("CPCTL CRITICAL - no signal can be accepted")) == (2, True)


@pytest.mark.parametrize("swallowed", ["--require-delivery", "--force", "--"])
def test_an_option_is_never_taken_for_a_tracking_code(cli: CliEnvironment, invoke: Invoke, swallowed: str) -> None:
    result = invoke(cli, "signal", "shipped", ITEM, "--order", ORDER, "--tracking", swallowed)
    assert result.code == 2
    assert cli.run_json("signal", "history") == []


def test_ids_joined_by_a_comma_are_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "signal", "packed", f"{ITEM},{SECOND_ITEM}", "--order", ORDER)
    assert (result.code, "it must be one value" in result.err) == (2, True)


def test_an_interrupted_order_is_reported_as_unknown(cli: CliEnvironment, sandbox: Sandbox) -> None:
    (cli.folder / "o.yaml").write_text(CORE_SKELETON, encoding="utf-8")
    sandbox.add_fault(make_fault("latency", seconds=30))
    adding = cli.start("orders", "add", "o.yaml")
    while not any(entry["path"].endswith("orders/add") for entry in sandbox.state.journal.list_entries()):  # type: ignore[attr-defined]
        assert adding.poll() is None
    os.kill(adding.pid, signal.SIGINT)
    _, message = adding.communicate(timeout=20)
    assert adding.returncode == 130
    assert 'It is unknown whether the order "order-0001" was created' in message


def test_a_held_signal_is_released_by_the_command_in_the_notice(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *QUEUE_ONLY_COMMAND)
    assert "`cpctl outbox release 1` releases them" in invoke(cli, "outbox", "hold", "1").err
    assert "was not paused" in invoke(cli, "outbox", "release").err
    assert invoke(cli, "outbox", "release", "1", "-o", "json").data[0]["state"] == "queued"


@pytest.mark.parametrize("file", ["", ".", "/"])
def test_an_invalid_file_name_is_refused(cli: CliEnvironment, invoke: Invoke, file: str) -> None:
    result = invoke(cli, "outbox", "export", file)
    assert (result.code, "is not the name of a file" in result.err) == (2, True)
