"""Lines for cron: read as crontab(5) says, and run by a real shell with next to no environment."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult
from harness.unit_files import ROOT, install_cpctl, print_units

Invoke = Callable[..., CliResult]
ReceivedSignals = Callable[[], list[dict[str, Any]]]
HOSTILE_ARGUMENT = "50% $HOME `id` 'a' \"b\"; exit 9 # %"
PACKED_COMMAND = ("signal", "packed", ITEM, "--order", ORDER, "--queue-only")


def crontab_command(line: str) -> str:
    """What cron hands to the shell: all after five fields, up to a `%` that no backslash takes its meaning."""
    assert line.endswith("\n") and line.count("\n") == 1
    command = line.rstrip("\n").split(" ", 5)[5]
    assert "%" not in command.replace("\\%", ""), "cron would end the command here"
    return command.replace("\\%", "%")


def run_as_cron(cli: CliEnvironment, line: str) -> "subprocess.CompletedProcess[str]":
    """Run the line as cron does: by sh, from the home, with an environment of its own."""
    given = [f"HOME={cli.folder}", "PATH=/usr/bin:/bin", f"PYTHONPATH={ROOT}"]
    command = ["env", "-i", *given, "sh", "-c", crontab_command(line)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cli.folder, timeout=60)


def test_the_line_delivers_what_waits_and_says_nothing(cli: CliEnvironment, received_signals: ReceivedSignals) -> None:
    cli.run(*PACKED_COMMAND)
    shown = cli.run("service", "print", "outbox", "--cron")
    assert (shown.code, shown.err) == (0, "")
    done = run_as_cron(cli, shown.out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]


def test_the_line_delivers_with_a_key_in_a_file_where_there_was_one_in_the_shell(
    unconfigured_cli: CliEnvironment, sandbox: Sandbox, received_signals: ReceivedSignals
) -> None:
    shell = {"CPCTL_SIGNAL_KEY": API_KEYS["signal"], "CPCTL_BASE_URL": sandbox.base_url}
    unconfigured_cli.run(*PACKED_COMMAND, **shell)
    shown = unconfigured_cli.run("service", "print", "outbox", "--cron", **shell)
    make = next(line for line in shown.err.splitlines() if "/dev/stdin" in line)
    subprocess.run(["sh", "-c", make], input=API_KEYS["signal"], text=True, check=True)
    done = run_as_cron(unconfigured_cli, shown.out)
    assert (done.returncode, done.stderr) == (0, "")
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]


def test_names_full_of_traps_reach_cpctl_unchanged(
    cli: CliEnvironment, sandbox: Sandbox, received_signals: ReceivedSignals
) -> None:
    key = API_KEYS["signal"]
    cli.configure(
        f"profiles:\n  {json.dumps(HOSTILE_ARGUMENT)}: {{base_url: '{sandbox.base_url}', signal: {{api_key: {key}}}}}\n"
    )
    place = {"CPCTL_DATA_DIR": str(cli.folder / '100% "of" it\'s $HOME')}
    cli.run(*PACKED_COMMAND, **place)
    done = run_as_cron(cli, cli.run("service", "print", "outbox", "--cron", **place).out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]


def test_the_line_in_the_units_comment_is_the_line_for_cron(cli: CliEnvironment) -> None:
    line = cli.run("service", "print", "outbox", "--cron", "--every", "5m").out
    assert f"\n# {line}" in cli.run("service", "print", "outbox", "--every", "5m").out
    (row,) = print_units(cli, "outbox", "--cron", "--every", "5m")
    assert (row.file, row.content) == ("crontab", line)


@pytest.mark.parametrize(
    ("every", "fields"),
    [
        ("1m", "* * * * *"),
        ("60", "* * * * *"),
        ("2m", "*/2 * * * *"),
        ("30m", "*/30 * * * *"),
        ("1h", "0 * * * *"),
        ("60m", "0 * * * *"),
        ("6h", "0 */6 * * *"),
        ("1d", "0 0 * * *"),
    ],
)
def test_a_span_becomes_the_fields_of_cron(cli: CliEnvironment, invoke: Invoke, every: str, fields: str) -> None:
    assert invoke(cli, "service", "print", "outbox", "--cron", "--every", every).out.startswith(f"{fields} CPCTL")


@pytest.mark.parametrize("every", ["90s", "7m", "45m", "5h", "30s", "90m"])
def test_a_span_that_cron_cannot_keep_is_refused(cli: CliEnvironment, invoke: Invoke, every: str) -> None:
    done = invoke(cli, "service", "print", "outbox", "--cron", "--every", every)
    assert (done.code, done.out) == (2, "")
    assert "cron cannot run a command every" in done.err and "5m" in done.err
    assert "# Without systemd: cron cannot" in invoke(cli, "service", "print", "outbox", "--every", every).out


def test_a_backslash_that_crons_read_differently_is_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "outbox", "--cron", CPCTL_DATA_DIR="/tmp/a\\b")
    assert (done.code, done.out) == (2, "")
    assert "backslash" in done.err


def test_a_line_longer_than_cron_takes_is_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "outbox", "--cron", CPCTL_DATA_DIR="/" + "long/" * 200)
    assert (done.code, done.out) == (2, "")
    assert "some crons accept only 998" in done.err


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock (apt package util-linux) is missing")
def test_cron_starts_the_receiver_of_webhooks_once_and_again_when_it_has_ended(
    unconfigured_cli: CliEnvironment,
) -> None:
    world = unconfigured_cli
    program = install_cpctl(world.folder / "bin")
    command = [program, "service", "print", "webhooks", "--cron", "--", "--port", "8101"]
    shown = subprocess.run(
        command, capture_output=True, text=True, env=world.process_environment(CPCTL_WEBHOOK_KEY="a-key-for-webhooks")
    )
    assert shown.stdout.startswith("* * * * * CPCTL_DATA_DIR="), shown.stderr
    # In place of cpctl, something that says that it runs, until it is told to end; in place of syslog, a file.
    program.write_text('#!/bin/sh\necho "started $*"\nuntil [ -e end ]; do sleep 0.05; done\n')
    logger = world.folder / "logger"
    logger.write_text("#!/bin/sh\nexec cat >>log\n")
    logger.chmod(0o755)
    line = shown.stdout.replace("| logger", f"| {logger}")
    environment = {"HOME": str(world.folder), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["sh", "-c", crontab_command(line)], env=environment, cwd=world.folder) as first:
        _wait_for_lines(world.folder / "log", 1)
        second = run_as_cron(world, line)
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
        (world.folder / "end").touch()
        assert first.wait(timeout=20) == 0
    assert run_as_cron(world, line).returncode == 0
    assert (world.folder / "log").read_text() == "started webhooks serve --port 8101\n" * 2


def _wait_for_lines(file: Path, number: int) -> None:
    deadline = time.monotonic() + 20
    while not file.exists() or file.read_text().count("\n") < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
