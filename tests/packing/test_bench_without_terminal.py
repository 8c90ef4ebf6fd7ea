"""The bench without a terminal: lines in, verdicts out; options, sound, scanner check."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.packing.scanned_codes import TEST_CHARACTERS, TEST_PREFIX
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, sandbox_configuration
from harness.packing.bench_terminal import BENCH_SETTINGS, ITEM, ORDER, OTHER_UPS, SECOND_ITEM, UPS, wait_until

ReceivedSignals = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def bench_cli(cli: CliEnvironment, sandbox: Sandbox) -> CliEnvironment:
    cli.configure(sandbox_configuration(sandbox.base_url, BENCH_SETTINGS))
    return cli


def test_each_line_gets_a_verdict(bench_cli: CliEnvironment) -> None:
    result = bench_cli.run("signal", "scan", input=f"{ITEM}\n{UPS}\r\n")
    assert result.code == 0
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert [line[:2] for line in lines] == [["STEP", ITEM], ["OK", UPS]]
    assert lines[1][2].startswith(f"{ITEM} -> {UPS}")
    (row,) = bench_cli.run_json("outbox", "list")
    assert (row["item"], row["operator"], row["station"], row["carrier"]) == (ITEM, "Ana", "bench-2", "ups")


def test_a_repeated_line_gets_a_verdict_too(bench_cli: CliEnvironment) -> None:
    result = bench_cli.run("signal", "scan", "--type", "packed", input=f"{ITEM}\n{ITEM}\n")
    assert [line.split("\t")[:2] for line in result.out.splitlines()] == [["OK", ITEM], ["DONE", ITEM]]
    assert "THE SAME SCAN AGAIN" in result.out


def test_an_open_question_ends_with_6(bench_cli: CliEnvironment) -> None:
    result = bench_cli.run("signal", "scan", "--type", "packed", input="9780131103627\n")
    assert result.code == 6
    assert result.out.startswith("STOP\t9780131103627\tTHIS IS THE BOOK'S ISBN")


def test_an_item_without_a_label_ends_with_6_and_is_remembered(bench_cli: CliEnvironment) -> None:
    assert bench_cli.run("signal", "scan", input=f"{ITEM}\n").code == 6
    assert bench_cli.run("signal", "scan", input=f"{UPS}\n").code == 0
    assert [row["item"] for row in bench_cli.run_json("outbox", "list")] == [ITEM]


def test_a_stop_that_was_answered_ends_with_0(bench_cli: CliEnvironment) -> None:
    result = bench_cli.run("signal", "scan", "--type", "packed", input=f"JUNK\nCPCTLOK\n{ITEM}\n")
    assert (result.code, [line.split("\t")[0] for line in result.out.splitlines()]) == (0, ["STOP", "STEP", "OK"])


def test_verdicts_can_be_read_as_json(bench_cli: CliEnvironment) -> None:
    result = bench_cli.run("signal", "scan", "--type", "packed", "-o", "jsonl", input=f"{ITEM}\n")
    (verdict,) = [json.loads(line) for line in result.out.splitlines()]
    assert list(verdict) == ["verdict", "code", "message", "hint", "ids", "repaired_layout"]
    assert (verdict["verdict"], verdict["code"], len(verdict["ids"])) == ("ok", ITEM, 1)


def test_the_order_option_applies_to_the_whole_run(bench_cli: CliEnvironment, sandbox: Sandbox) -> None:
    bench_cli.configure(sandbox_configuration(sandbox.base_url))
    result = bench_cli.run("signal", "scan", "--type", "produced", "--order", ORDER, input=f"{ITEM}\n{SECOND_ITEM}\n")
    assert result.code == 0
    assert {row["order"] for row in bench_cli.run_json("outbox", "list")} == {ORDER}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--type", "canceled"), "cannot be scanned"),
        (("--hold", "soon"), "--hold"),
        (("--sound", "no-such-command-anywhere"), "command not found"),
        (("--dry-run",), "no dry run"),
    ],
)
def test_invalid_options_are_refused(bench_cli: CliEnvironment, arguments: tuple[str, ...], message: str) -> None:
    result = bench_cli.run("signal", "scan", *arguments, input="")
    assert result.code == 2 and message in result.err


def test_a_profile_without_a_shipping_option_is_refused_at_the_start(
    bench_cli: CliEnvironment, sandbox: Sandbox
) -> None:
    bench_cli.configure(sandbox_configuration(sandbox.base_url, ""))
    result = bench_cli.run("signal", "scan", input=f"{ITEM}\n")
    assert result.code == 2 and "shipping option" in result.err


def test_a_store_that_cannot_be_opened_ends_with_7(bench_cli: CliEnvironment) -> None:
    blocked = bench_cli.folder / "blocked"
    blocked.write_text("")
    assert bench_cli.run("signal", "scan", input=f"{ITEM}\n", CPCTL_STORE=str(blocked / "x.db")).code == 7


def test_a_missing_key_stops_sending_but_not_scanning(bench_cli: CliEnvironment) -> None:
    bench_cli.configure(f"profiles:\n  sandbox:\n    base_url: {UNREACHABLE_URL}\n{BENCH_SETTINGS}")
    result = bench_cli.run("signal", "scan", input=f"{ITEM}\n{UPS}\n")
    assert result.code == 0 and "Cannot send" in result.err
    assert [row["state"] for row in bench_cli.run_json("outbox", "list")] == ["queued"]


def test_a_command_of_the_shop_plays_the_sound(bench_cli: CliEnvironment) -> None:
    log = bench_cli.folder / "log"
    player = bench_cli.folder / "play.sh"
    player.write_text(f'#!/bin/sh\necho "$1" >> {log}\n')
    player.chmod(0o755)
    codes = f"{ITEM}\n{UPS}\n{SECOND_ITEM}\n{OTHER_UPS}\n{ITEM}\n{OTHER_UPS}\n"
    bench_cli.run("signal", "scan", "--sound", str(player), input=codes)
    wait_until(lambda: log.exists() and len(log.read_text().split()) == 6)
    assert sorted(log.read_text().split()) == ["ok", "ok", "step", "step", "step", "stop"]


def test_a_sound_command_runs_without_a_shell(bench_cli: CliEnvironment) -> None:
    result = bench_cli.run("signal", "scan", "--type", "packed", "--sound", "echo $(touch bad)", input=f"{ITEM}\n")
    assert result.code == 0
    assert not (bench_cli.folder / "bad").exists()


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        (TEST_PREFIX + TEST_CHARACTERS, 0, "are right"),
        (TEST_PREFIX + "AQWYZM0123456789ß", 2, "German (QWERTZ)"),
        (ITEM, 2, "not the test code"),
        ("", 2, "Nothing was scanned"),
    ],
)
def test_the_check_shows_what_to_set(bench_cli: CliEnvironment, code: str, status: int, message: str) -> None:
    result = bench_cli.run("signal", "scan", "--check", input=f"{code}\n")
    assert result.code == status and message in result.err


def test_scans_over_a_pipe_are_sent(bench_cli: CliEnvironment, received_signals: ReceivedSignals) -> None:
    fifo = bench_cli.folder / "scanner"
    import os
    import subprocess

    os.mkfifo(fifo)
    with subprocess.Popen(
        bench_cli.command_line("signal", "scan", "--hold", "0s"),
        stdin=os.open(fifo, os.O_RDWR),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=bench_cli.process_environment(),
        cwd=bench_cli.folder,
    ) as process:
        with Path(fifo).open("w") as scanner:
            scanner.write(f"{ITEM}\n{UPS}\n")
        wait_until(lambda: [body["item"] for body in received_signals()] == [ITEM])
        process.terminate()
