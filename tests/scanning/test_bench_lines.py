"""The bench without a terminal: lines in, verdicts out; its options, its sound, its check."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench_terminal import ITEM, ORDER, OTHER_UPS, SECOND, SETTINGS, UPS, wait_until
from worlds import NOBODY, World, configuration

from cpctl.packing.scan_decoder import TEST_CHARACTERS, TEST_PREFIX
from cpctl.sandbox.server.sandbox_server import Sandbox

Received = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def shop(world: World, sandbox: Sandbox) -> World:
    world.configure(configuration(sandbox.base_url, SETTINGS))
    return world


def test_lines_in_and_a_verdict_out_for_each(shop: World) -> None:
    result = shop.run("signal", "scan", input=f"{ITEM}\n{UPS}\r\n")
    assert result.code == 0
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert [line[:2] for line in lines] == [["STEP", ITEM], ["OK", UPS]]
    assert lines[1][2].startswith(f"{ITEM} -> {UPS}")
    (row,) = shop.json("outbox", "list")
    assert (row["item"], row["operator"], row["station"], row["carrier"]) == (ITEM, "Ana", "bench-2", "ups")


def test_a_line_that_comes_again_is_answered_too(shop: World) -> None:
    result = shop.run("signal", "scan", "--type", "packed", input=f"{ITEM}\n{ITEM}\n")
    assert [line.split("\t")[:2] for line in result.out.splitlines()] == [["OK", ITEM], ["DONE", ITEM]]
    assert "THE SAME SCAN AGAIN" in result.out


def test_something_that_stayed_stopped_ends_with_6(shop: World) -> None:
    result = shop.run("signal", "scan", "--type", "packed", input="9780131103627\n")
    assert result.code == 6
    assert result.out.startswith("STOP\t9780131103627\tTHIS IS THE BOOK'S ISBN")


def test_a_label_that_never_came_ends_with_6_and_is_not_forgotten(shop: World) -> None:
    assert shop.run("signal", "scan", input=f"{ITEM}\n").code == 6
    assert shop.run("signal", "scan", input=f"{UPS}\n").code == 0
    assert [row["item"] for row in shop.json("outbox", "list")] == [ITEM]


def test_a_stop_that_was_answered_ends_with_0(shop: World) -> None:
    result = shop.run("signal", "scan", "--type", "packed", input=f"JUNK\nCPCTLOK\n{ITEM}\n")
    assert (result.code, [line.split("\t")[0] for line in result.out.splitlines()]) == (0, ["STOP", "STEP", "OK"])


def test_verdicts_can_be_read_as_json(shop: World) -> None:
    result = shop.run("signal", "scan", "--type", "packed", "-o", "jsonl", input=f"{ITEM}\n")
    (said,) = [json.loads(line) for line in result.out.splitlines()]
    assert (said["verdict"], said["code"], len(said["ids"])) == ("ok", ITEM, 1)


def test_an_order_for_the_run(shop: World, sandbox: Sandbox) -> None:
    shop.configure(configuration(sandbox.base_url))
    result = shop.run("signal", "scan", "--type", "produced", "--order", ORDER, input=f"{ITEM}\n{SECOND}\n")
    assert result.code == 0
    assert {row["order"] for row in shop.json("outbox", "list")} == {ORDER}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--type", "canceled"), "cannot be scanned"),
        (("--hold", "soon"), "--hold"),
        (("--sound", "no-such-command-anywhere"), "no such command"),
        (("--dry-run",), "no dry run"),
    ],
)
def test_options_that_cannot_be(shop: World, arguments: tuple[str, ...], words: str) -> None:
    result = shop.run("signal", "scan", *arguments, input="")
    assert result.code == 2 and words in result.err


def test_a_profile_without_any_shipping_option_is_told_at_the_start(shop: World, sandbox: Sandbox) -> None:
    shop.configure(configuration(sandbox.base_url, ""))
    result = shop.run("signal", "scan", input=f"{ITEM}\n")
    assert result.code == 2 and "shipping option" in result.err


def test_a_store_that_cannot_be_opened_ends_with_7(shop: World) -> None:
    blocked = shop.folder / "blocked"
    blocked.write_text("")
    assert shop.run("signal", "scan", input=f"{ITEM}\n", CPCTL_STORE=str(blocked / "x.db")).code == 7


def test_a_key_that_is_missing_stops_sending_and_not_scanning(shop: World) -> None:
    shop.configure(f"profiles:\n  sandbox:\n    base_url: {NOBODY}\n{SETTINGS}")
    result = shop.run("signal", "scan", input=f"{ITEM}\n{UPS}\n")
    assert result.code == 0 and "Nothing can be sent" in result.err
    assert [row["state"] for row in shop.json("outbox", "list")] == ["queued"]


def test_a_command_of_the_shops_own_makes_the_sound(shop: World) -> None:
    heard = shop.folder / "heard"
    player = shop.folder / "play.sh"
    player.write_text(f'#!/bin/sh\necho "$1" >> {heard}\n')
    player.chmod(0o755)
    codes = f"{ITEM}\n{UPS}\n{SECOND}\n{OTHER_UPS}\n{ITEM}\n{OTHER_UPS}\n"
    shop.run("signal", "scan", "--sound", str(player), input=codes)
    wait_until(lambda: heard.exists() and len(heard.read_text().split()) == 6)
    assert sorted(heard.read_text().split()) == ["ok", "ok", "step", "step", "step", "stop"]


def test_a_sound_command_gets_no_shell(shop: World) -> None:
    result = shop.run("signal", "scan", "--type", "packed", "--sound", "echo $(touch bad)", input=f"{ITEM}\n")
    assert result.code == 0
    assert not (shop.folder / "bad").exists()


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (TEST_PREFIX + TEST_CHARACTERS, 0, "are right"),
        (TEST_PREFIX + "AQWYZM0123456789ß", 2, "German (QWERTZ)"),
        (ITEM, 2, "not the test code"),
        ("", 2, "Nothing was scanned"),
    ],
)
def test_the_check_says_what_to_set(shop: World, code: str, status: int, words: str) -> None:
    result = shop.run("signal", "scan", "--check", input=f"{code}\n")
    assert result.code == status and words in result.err


def test_what_is_scanned_over_a_pipe_is_sent(shop: World, received: Received) -> None:
    fifo = shop.folder / "scanner"
    import os
    import subprocess

    os.mkfifo(fifo)
    with subprocess.Popen(
        shop.command("signal", "scan", "--hold", "0s"),
        stdin=os.open(fifo, os.O_RDWR),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=shop.env(),
        cwd=shop.folder,
    ) as process:
        with Path(fifo).open("w") as scanner:
            scanner.write(f"{ITEM}\n{UPS}\n")
        wait_until(lambda: [body["item"] for body in received()] == [ITEM])
        process.terminate()
