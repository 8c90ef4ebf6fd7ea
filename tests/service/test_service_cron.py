"""Lines for cron: read as crontab(5) says, and run by a real shell with next to no environment."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service_world import ROOT, install_cpctl, printed
from worlds import ITEM, ORDER, Result, World

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
Received = Callable[[], list[dict[str, Any]]]
HOSTILE = "50% $HOME `id` 'a' \"b\"; exit 9 # %"
PACKED = ("signal", "packed", ITEM, "--order", ORDER, "--queue-only")


def command_of(line: str) -> str:
    """What cron hands to the shell: all after five fields, up to a `%` that no backslash takes its meaning."""
    assert line.endswith("\n") and line.count("\n") == 1
    command = line.rstrip("\n").split(" ", 5)[5]
    assert "%" not in command.replace("\\%", ""), "cron would end the command here"
    return command.replace("\\%", "%")


def by_cron(world: World, line: str) -> "subprocess.CompletedProcess[str]":
    """Run the line as cron does: by sh, from the home, with an environment of its own."""
    given = [f"HOME={world.folder}", "PATH=/usr/bin:/bin", f"PYTHONPATH={ROOT}"]
    command = ["env", "-i", *given, "sh", "-c", command_of(line)]
    return subprocess.run(command, capture_output=True, text=True, cwd=world.folder, timeout=60)


def test_the_line_delivers_what_waits_and_says_nothing(world: World, received: Received) -> None:
    world.run(*PACKED)
    shown = world.run("service", "print", "outbox", "--cron")
    assert (shown.code, shown.err) == (0, "")
    done = by_cron(world, shown.out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received()] == ["ItemPacked"]


def test_the_line_delivers_with_a_key_in_a_file_where_there_was_one_in_the_shell(
    empty_world: World, sandbox: Sandbox, received: Received
) -> None:
    shell = {"CPCTL_SIGNAL_KEY": API_KEYS["signal"], "CPCTL_BASE_URL": sandbox.base_url}
    empty_world.run(*PACKED, **shell)
    shown = empty_world.run("service", "print", "outbox", "--cron", **shell)
    make = next(line for line in shown.err.splitlines() if "/dev/stdin" in line)
    subprocess.run(["sh", "-c", make], input=API_KEYS["signal"], text=True, check=True)
    done = by_cron(empty_world, shown.out)
    assert (done.returncode, done.stderr) == (0, "")
    assert [body["type"] for body in received()] == ["ItemPacked"]


def test_names_full_of_traps_reach_cpctl_unchanged(world: World, sandbox: Sandbox, received: Received) -> None:
    key = API_KEYS["signal"]
    world.configure(
        f"profiles:\n  {json.dumps(HOSTILE)}: {{base_url: '{sandbox.base_url}', signal: {{api_key: {key}}}}}\n"
    )
    place = {"CPCTL_DATA_DIR": str(world.folder / '100% "of" it\'s $HOME')}
    world.run(*PACKED, **place)
    done = by_cron(world, world.run("service", "print", "outbox", "--cron", **place).out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received()] == ["ItemPacked"]


def test_the_line_in_the_units_comment_is_the_line_for_cron(world: World) -> None:
    line = world.run("service", "print", "outbox", "--cron", "--every", "5m").out
    assert f"\n# {line}" in world.run("service", "print", "outbox", "--every", "5m").out
    (row,) = printed(world, "outbox", "--cron", "--every", "5m")
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
def test_a_span_becomes_the_fields_of_cron(world: World, inside: Inside, every: str, fields: str) -> None:
    assert inside(world, "service", "print", "outbox", "--cron", "--every", every).out.startswith(f"{fields} CPCTL")


@pytest.mark.parametrize("every", ["90s", "7m", "45m", "5h", "30s", "90m"])
def test_a_span_that_cron_cannot_keep_is_refused(world: World, inside: Inside, every: str) -> None:
    done = inside(world, "service", "print", "outbox", "--cron", "--every", every)
    assert (done.code, done.out) == (2, "")
    assert "cron cannot run something every" in done.err and "5m" in done.err
    assert "# Without systemd: cron cannot" in inside(world, "service", "print", "outbox", "--every", every).out


def test_a_backslash_that_crons_read_differently_is_refused(world: World, inside: Inside) -> None:
    done = inside(world, "service", "print", "outbox", "--cron", CPCTL_DATA_DIR="/tmp/a\\b")
    assert (done.code, done.out) == (2, "")
    assert "backslash" in done.err


def test_a_line_longer_than_cron_takes_is_refused(world: World, inside: Inside) -> None:
    done = inside(world, "service", "print", "outbox", "--cron", CPCTL_DATA_DIR="/" + "long/" * 200)
    assert (done.code, done.out) == (2, "")
    assert "some crons take 998" in done.err


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock (apt package util-linux) is missing")
def test_cron_starts_the_receiver_of_webhooks_once_and_again_when_it_has_ended(empty_world: World) -> None:
    world = empty_world
    program = install_cpctl(world.folder / "bin")
    command = [program, "service", "print", "webhooks", "--cron", "--", "--port", "8101"]
    shown = subprocess.run(
        command, capture_output=True, text=True, env=world.env(CPCTL_WEBHOOK_KEY="a-key-for-webhooks")
    )
    assert shown.stdout.startswith("* * * * * CPCTL_DATA_DIR="), shown.stderr
    # In place of cpctl, something that says that it runs, until it is told to end; in place of syslog, a file.
    program.write_text('#!/bin/sh\necho "started $*"\nuntil [ -e end ]; do sleep 0.05; done\n')
    logger = world.folder / "logger"
    logger.write_text("#!/bin/sh\nexec cat >>log\n")
    logger.chmod(0o755)
    line = shown.stdout.replace("| logger", f"| {logger}")
    environment = {"HOME": str(world.folder), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(["sh", "-c", command_of(line)], env=environment, cwd=world.folder) as first:
        _wait_for_lines(world.folder / "log", 1)
        second = by_cron(world, line)
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
        (world.folder / "end").touch()
        assert first.wait(timeout=20) == 0
    assert by_cron(world, line).returncode == 0
    assert (world.folder / "log").read_text() == "started webhooks serve --port 8101\n" * 2


def _wait_for_lines(file: Path, number: int) -> None:
    deadline = time.monotonic() + 20
    while not file.exists() or file.read_text().count("\n") < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
