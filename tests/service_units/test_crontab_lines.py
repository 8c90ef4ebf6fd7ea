"""Crontab lines, parsed as in crontab(5) and run by a real shell with a minimal environment."""

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
    """What cron passes to the shell: everything after five fields, up to an unescaped `%`."""
    assert line.endswith("\n") and line.count("\n") == 1
    command = line.rstrip("\n").split(" ", 5)[5]
    assert "%" not in command.replace("\\%", ""), "cron would end the command here"
    return command.replace("\\%", "%")


def run_as_cron(cli: CliEnvironment, line: str) -> "subprocess.CompletedProcess[str]":
    """Run the line as cron does: with sh, in the home folder, with a minimal environment."""
    given = [f"HOME={cli.folder}", "PATH=/usr/bin:/bin", f"PYTHONPATH={ROOT}"]
    command = ["env", "-i", *given, "sh", "-c", crontab_command(line)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cli.folder, timeout=60)


def test_the_line_delivers_signals_silently(cli: CliEnvironment, received_signals: ReceivedSignals) -> None:
    cli.run(*PACKED_COMMAND)
    shown = cli.run("service", "print", "outbox", "--cron")
    assert (shown.code, shown.err) == (0, "")
    done = run_as_cron(cli, shown.out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]


def test_the_line_uses_a_key_file_if_the_key_came_from_the_shell(
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


def test_names_with_special_characters_reach_cpctl_unchanged(
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


def test_the_comment_after_the_units_is_the_cron_line(cli: CliEnvironment) -> None:
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
def test_an_interval_becomes_the_fields_of_cron(cli: CliEnvironment, invoke: Invoke, every: str, fields: str) -> None:
    assert invoke(cli, "service", "print", "outbox", "--cron", "--every", every).out.startswith(f"{fields} CPCTL")


@pytest.mark.parametrize("every", ["90s", "7m", "45m", "5h", "30s", "90m"])
def test_an_interval_that_cron_cannot_express_is_refused(cli: CliEnvironment, invoke: Invoke, every: str) -> None:
    done = invoke(cli, "service", "print", "outbox", "--cron", "--every", every)
    assert (done.code, done.out) == (2, "")
    assert "cron cannot run a command every" in done.err and "5m" in done.err
    assert "# Without systemd: cron cannot" in invoke(cli, "service", "print", "outbox", "--every", every).out


def test_a_backslash_in_a_cron_line_is_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "outbox", "--cron", CPCTL_DATA_DIR="/tmp/a\\b")
    assert (done.code, done.out) == (2, "")
    assert "backslash" in done.err


def test_a_line_too_long_for_cron_is_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "outbox", "--cron", CPCTL_DATA_DIR="/" + "long/" * 200)
    assert (done.code, done.out) == (2, "")
    assert "some crons accept only 998" in done.err


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock (apt package util-linux) is missing")
def test_cron_runs_the_receiver_once_and_restarts_it(
    unconfigured_cli: CliEnvironment,
) -> None:
    cli = unconfigured_cli
    program = install_cpctl(cli.folder / "bin")
    command = [program, "service", "print", "webhooks", "--cron", "--", "--port", "8101"]
    shown = subprocess.run(
        command, capture_output=True, text=True, env=cli.process_environment(CPCTL_WEBHOOK_KEY="a-key-for-webhooks")
    )
    assert shown.stdout.startswith("* * * * * CPCTL_DATA_DIR="), shown.stderr
    # Instead of cpctl, a script that runs until the file `end` exists; instead of syslog, a file.
    program.write_text('#!/bin/sh\necho "started $*"\nuntil [ -e end ]; do sleep 0.05; done\n')
    logger = cli.folder / "logger"
    logger.write_text("#!/bin/sh\nexec cat >>log\n")
    logger.chmod(0o755)
    line = shown.stdout.replace("| logger", f"| {logger}")
    environment = {"HOME": str(cli.folder), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["sh", "-c", crontab_command(line)], env=environment, cwd=cli.folder) as first:
        _wait_for_lines(cli.folder / "log", 1)
        second = run_as_cron(cli, line)
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
        (cli.folder / "end").touch()
        assert first.wait(timeout=20) == 0
    assert run_as_cron(cli, line).returncode == 0
    assert (cli.folder / "log").read_text() == "started webhooks serve --port 8101\n" * 2


def _wait_for_lines(file: Path, number: int) -> None:
    deadline = time.monotonic() + 20
    while not file.exists() or file.read_text().count("\n") < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
