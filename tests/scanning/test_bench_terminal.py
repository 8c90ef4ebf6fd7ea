"""The bench at a terminal: the scenes of a shift, raw bytes, bursts, and every way to end."""

import os
import resource
import signal
import sqlite3
import termios
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from bench_terminal import ITEM, OTHER_UPS, SECOND, SETTINGS, THIRD, UPS, BenchTerminal, at_bench, wait_until
from worlds import NOBODY, World, configuration

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

Received = Callable[[], list[dict[str, Any]]]
pytestmark = pytest.mark.filterwarnings("ignore:.*preexec_fn.*:DeprecationWarning")


@pytest.fixture
def shop(world: World, sandbox: Sandbox) -> World:
    world.configure(configuration(sandbox.base_url, SETTINGS))
    return world


@pytest.fixture
def bench(shop: World) -> Iterator[BenchTerminal]:
    with at_bench(shop, "--hold", "0s") as opened:
        yield opened


@pytest.fixture
def packing(shop: World) -> Iterator[BenchTerminal]:
    with at_bench(shop, "--hold", "0s", "--type", "packed") as opened:
        yield opened


def items_in(world: World) -> list[str]:
    with closing(sqlite3.connect(world.store)) as opened:
        return [row[0] for row in opened.execute("SELECT item FROM signals ORDER BY id")]


# --- the shift ------------------------------------------------------------------------------


def test_the_first_screen_says_where_one_is_and_what_comes_next(bench: BenchTerminal) -> None:
    top, *rest = bench.text.split("\n")
    assert top.startswith(" SANDBOX  sandbox  bench-2  Ana  ")
    assert "ready  waiting 0  today 0  " in top
    assert any(line == " NEXT: scan the ITEM (shipped)" for line in rest)
    assert rest[-1].startswith(" codes: UNDO  OK  NEXT  STOP  PAUSE  HELP")
    assert len(rest) == 23


def test_a_pair_is_accepted_shown_large_and_sent(bench: BenchTerminal, received: Received) -> None:
    bench.scan(ITEM, "NEXT: scan the LABEL")
    assert f"ITEM {ITEM} of order 123456780000" in bench.text
    bench.scan(UPS, f"{ITEM} -> {UPS}  UPS")
    assert "██████      ██      ██" in bench.text, "the word OK, large"
    assert ("black", "green") in bench.colors(f"   {ITEM} -> {UPS}")
    bench.until("ONLINE", "waiting 0  today 1", "sent ")
    assert [(body["item"], body["tracking"], body["shipping_option"]) for body in received()] == [(ITEM, UPS, "UPS")]


def test_already_done_has_its_own_word_and_colour(packing: BenchTerminal) -> None:
    packing.scan(ITEM, "today 1")
    packing.scan(SECOND, "today 2")
    packing.scan(ITEM, "ALREADY DONE")
    assert ("black", "cyan") in packing.colors("   ALREADY DONE")
    assert "today 2" in packing.text


def test_stop_holds_the_loop_until_it_is_answered(bench: BenchTerminal, shop: World) -> None:
    bench.scan("9780131103627", "THIS IS THE BOOK'S ISBN")
    assert any(background == "red" for _, background in bench.colors("   THIS IS THE BOOK"))
    bench.scan(ITEM, "Answer first.")
    bench.scan("CPCTLOK", "NEXT: scan the ITEM")
    assert items_in(shop) == []


def test_the_time_to_take_back_is_shown_and_undo_works(shop: World, received: Received) -> None:
    with at_bench(shop, "--hold", "1h") as bench:
        bench.send(ITEM, UPS)
        bench.until("sending in 3")
        bench.scan("CPCTLUNDO", f"TAKEN BACK: {ITEM}")
        bench.until("today 0", "taken back")
    assert received() == []


def test_a_conflict_is_decided_by_a_scan(bench: BenchTerminal, received: Received) -> None:
    bench.send(ITEM, UPS)
    bench.until("sent ")
    bench.send(ITEM, OTHER_UPS)
    bench.until(f"ALREADY HAS {UPS}", "NEXT = keep the old one, OK = replace it")
    bench.send("CPCTLOK")
    wait_until(lambda: [body["tracking"] for body in received()] == [UPS, OTHER_UPS])


def test_offline_is_no_stop_and_online_again_drains(bench: BenchTerminal, sandbox: Sandbox, received: Received) -> None:
    sandbox.add_fault(make_fault("down"))
    bench.send(ITEM, UPS)
    bench.until("OFFLINE since", "waits, safe here", "waiting 1")
    bench.send(SECOND, OTHER_UPS)
    bench.until(f"{SECOND} -> {OTHER_UPS}", "waiting 2", "today 2")
    assert ("black", "green") in bench.colors(f"   {SECOND} -> {OTHER_UPS}")
    sandbox.clear_faults()
    bench.send(THIRD, UPS)
    bench.until("ONLINE", "waiting 0", "today 3")
    assert sorted(body["item"] for body in received()) == [ITEM, SECOND, THIRD]


def test_a_refusal_later_interrupts_loudly(bench: BenchTerminal, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("status", status=400, times=1))
    bench.send(ITEM, UPS)
    bench.until(f"PULL THE PARCEL of item {ITEM}: refused")
    assert "REFUSED 1" in bench.text
    wait_until(lambda: bench.pump(0.05) or bench.raw.count(b"\a") >= 5)
    bench.scan(SECOND, "Answer first.")
    bench.send("CPCTLOK")
    bench.until("NEXT: scan the ITEM")
    bench.scan("CPCTLHELP", f"refused: item {ITEM}")


def test_a_key_that_is_refused_stops_sending_and_not_packing(bench: BenchTerminal, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("status", status=401))
    bench.send(ITEM, UPS)
    bench.until("SENDING STOPPED", "waiting 1")
    bench.send(SECOND, OTHER_UPS)
    bench.until("today 2")


def test_the_stop_code_ends_with_a_summary(bench: BenchTerminal) -> None:
    bench.send(ITEM, UPS)
    bench.until("sent ")
    bench.send("CPCTLSTOP")
    assert bench.end() == 0
    assert "1 today, 0 waiting, 0 refused." in bench.raw.decode()


def test_pause_locks_and_a_badge_unlocks(bench: BenchTerminal) -> None:
    bench.scan("CPCTLLOCK", "NEXT: PAUSED")
    bench.scan(ITEM, "nothing was accepted")
    bench.scan("BADGE-Ben", "Good day, Ben")
    assert "bench-2  Ben" in bench.text


# --- bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inside",
    [b"\x1d", b"\x1e\x1d\x04", b"\x1c", b"\x13", b"\x11", b"\x12\x17", b"\x15\x16", b"\x1a", b"\x0f"],
    ids=lambda data: data.hex(),
)
def test_control_characters_in_a_scan_are_kept_and_harm_nothing(bench: BenchTerminal, inside: bytes) -> None:
    bench.scan(ITEM, "NEXT: scan the LABEL")
    bench.write(b"1Z5R89" + inside + b"390357567127\r")
    bench.until("2D code, or two codes")
    bench.scan("CPCTLOK", "NEXT: scan the LABEL")
    bench.scan(UPS, f"{ITEM} -> {UPS}")


@pytest.mark.parametrize("suffix", ["\r", "\n", "\r\n", "\t"], ids=repr)
def test_every_suffix_of_a_scanner_ends_one_scan(packing: BenchTerminal, shop: World, suffix: str) -> None:
    packing.send(ITEM, SECOND, suffix=suffix)
    packing.until("today 2")
    assert items_in(shop) == [ITEM, SECOND]


def test_a_burst_of_twenty_scans_loses_nothing(packing: BenchTerminal, shop: World, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("down"))  # nobody refuses the items, which nobody knows, before all are scanned
    codes = [f"1234567801{number:02d}" for number in range(20)]
    for code in codes:
        packing.send(code)
        packing.pump(0.005)
    packing.until("today 20")
    assert items_in(shop) == codes


def test_a_burst_in_one_piece_loses_nothing(packing: BenchTerminal, shop: World, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("down"))
    codes = [f"1234567802{number:02d}" for number in range(20)]
    packing.send(*codes)
    packing.until("today 20")
    assert items_in(shop) == codes


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_french_keyboard_is_repaired_whatever_the_encoding(bench: BenchTerminal, encoding: str) -> None:
    bench.scan(ITEM, "NEXT: scan the LABEL")
    bench.write('&W(R_ç"çà"(è(-è&éè\r'.encode(encoding))
    bench.until(f"{ITEM} -> {UPS}", "repaired: French")


def test_a_scanner_without_a_suffix_is_noticed(bench: BenchTerminal) -> None:
    bench.send(ITEM, suffix="")
    bench.until("sends no Enter")


def test_nothing_in_a_code_steers_the_terminal(packing: BenchTerminal) -> None:
    packing.write(b"\x1b]0;owned\x07\x1b[2Jx\r")
    packing.until("2D code")
    assert b"owned" not in packing.raw and packing.raw.count(b"\x1b[2J") == 0


# --- sizes ----------------------------------------------------------------------------------


def test_a_resized_terminal_is_drawn_anew(bench: BenchTerminal) -> None:
    bench.resize(100, 30)
    bench.until("codes: UNDO")
    wait_until(lambda: not bench.pump(0.05) or len(bench.text.split("\n")[29].strip()) > 0)
    assert bench.text.split("\n")[29].startswith(" codes: UNDO")
    bench.resize(40, 10)
    bench.scan("CPCTLNEXT", "Nothing is asked")
    assert "NEXT: scan the ITEM" in bench.text


def test_without_colour_no_colour_is_used(shop: World) -> None:
    with at_bench(shop, NO_COLOR="1") as bench:
        bench.scan("9780131103627", "ISBN")
        assert {background for _, background in bench.colors("   THIS IS")} == {"default"}


# --- ends -----------------------------------------------------------------------------------


def test_the_terminal_is_raw_meanwhile(bench: BenchTerminal) -> None:
    input_mode, _, _, local_mode, *_ = bench.mode()
    assert not local_mode & (termios.ICANON | termios.ECHO | termios.IEXTEN)
    assert not input_mode & (termios.IXON | termios.ICRNL)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, -signal.SIGHUP)], ids=["TERM", "HUP"]
)
def test_a_signal_restores_the_terminal(bench: BenchTerminal, shop: World, number: int, status: int) -> None:
    bench.scan(ITEM, "NEXT: scan the LABEL")
    bench.process.send_signal(number)
    assert bench.end() == status
    assert bench.mode() == bench.before
    assert b"\x1b[?1049l" in bench.raw
    with at_bench(shop) as again:
        again.until(f"Item {ITEM} was scanned")


def test_ctrl_c_asks_once_and_leaves_the_second_time(bench: BenchTerminal) -> None:
    bench.write(b"\x03")
    bench.until("0 waiting, they are safe", "Press Ctrl-C again")
    bench.write(b"\x03")
    assert bench.end() == 130
    assert bench.mode() == bench.before


def test_the_stop_code_restores_the_terminal(bench: BenchTerminal) -> None:
    bench.send("CPCTLSTOP")
    assert bench.end() == 0
    assert bench.mode() == bench.before


def test_a_damaged_store_is_told_and_the_bench_goes_on(bench: BenchTerminal, shop: World) -> None:
    bench.send(ITEM, UPS)
    bench.until("sent ")
    for file in shop.store.parent.glob("cpctl.db*"):
        file.write_bytes(b"x" * 8192)
    bench.send(SECOND)
    bench.until("THE STORE WAS DAMAGED")
    bench.scan("CPCTLOK", "NEXT: scan")
    bench.scan("CPCTLNEXT", "NEXT: scan the ITEM")
    bench.scan("CPCTLUNDO", "not in this store any more")
    bench.scan("CPCTLOK", "NEXT: scan the ITEM")
    bench.send(THIRD, UPS)
    bench.until(f"{THIRD} -> {UPS}", "sent ")


def test_a_terminal_that_goes_away_loses_nothing(shop: World) -> None:
    bench = BenchTerminal(shop)
    try:
        bench.until("NEXT:")
        bench.scan(ITEM, "NEXT: scan the LABEL")
        os.close(bench.slave)
        os.close(bench.master)
        assert bench.process.wait(timeout=60) == -signal.SIGHUP
    finally:
        bench.close()
    with at_bench(shop) as again:
        again.until(f"Item {ITEM} was scanned")


def test_ctrl_z_gives_the_terminal_back_and_cont_takes_it_again(shop: World) -> None:
    import sys

    import pexpect

    line = f"{sys.executable} -m cpctl signal scan --type packed --hold 1h"
    env = {"TERM": "xterm-256color", "PS1": "prompt> ", **shop.env()}
    shell = pexpect.spawn("/bin/bash", ["--norc", "-i"], env=env, encoding="utf-8", timeout=60, dimensions=(24, 80))
    shell.expect_exact("prompt> ")
    shell.sendline(line)
    shell.expect_exact("scan the ITEM")
    shell.send(f"{ITEM}\r")
    shell.expect_exact("today 1")
    shell.send("\x1a")
    shell.expect_exact("Stopped")
    shell.expect_exact("prompt> ")
    shell.sendline("stty -a | tr ' ' '\\n' | grep -x -e -icanon -e -echo -e icanon -e echo | tr '\\n' ,; echo end")
    shell.expect_exact("icanon,echo,end")
    shell.sendline("fg")
    shell.expect_exact("today 1")
    shell.send(f"{SECOND}\r")
    shell.expect_exact("today 2")
    shell.send("CPCTLSTOP\r")
    shell.expect_exact("prompt> ")
    shell.close(force=True)
    assert items_in(shop) == [ITEM, SECOND]


def test_killed_in_mid_pair_the_item_still_waits_for_its_label(shop: World) -> None:
    with at_bench(shop) as bench:
        bench.send(ITEM, SECOND)
        bench.until("number 2 of this parcel")
        bench.process.kill()
        bench.process.wait(timeout=60)
    with at_bench(shop) as again:
        again.until(f"Item {ITEM}, {SECOND} was scanned", "label yet")
        again.scan(UPS, "2 items -> ")
    assert items_in(shop) == [ITEM, SECOND]


def test_a_full_disk_is_never_an_ok(shop: World) -> None:
    with at_bench(shop, "--type", "packed") as bench:
        bench.scan(ITEM, "today 1")
        bench.until("sending in")
        size = max(path.stat().st_size for path in shop.store.parent.glob("cpctl.db*"))
        soft, hard = resource.prlimit(bench.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bench.process.pid, resource.RLIMIT_FSIZE, (min(size, 4096), hard))
        bench.scan(SECOND, "NOT ACCEPTED, do not ship")
        bench.scan(THIRD, "Answer first.")
        resource.prlimit(bench.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        bench.scan("CPCTLOK", "NEXT: scan the ITEM")
        bench.scan(SECOND, "today 2")
    assert items_in(shop) == [ITEM, SECOND]


def test_what_another_flush_had_refused_interrupts_too(shop: World, sandbox: Sandbox) -> None:
    shop.configure(configuration(NOBODY, SETTINGS))
    with at_bench(shop, "--hold", "0s", "--type", "packed") as bench:
        bench.scan(ITEM, "today 1")
        bench.until("OFFLINE")
        sandbox.add_fault(make_fault("status", status=400))
        shop.run("outbox", "flush", CPCTL_BASE_URL=sandbox.base_url)
        bench.until(f"PULL THE ITEM of item {ITEM}")


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(shop: World) -> None:
    bench = BenchTerminal(shop, "--type", "packed", TERM="dumb")
    try:
        bench.send(ITEM)
        bench.until("OK", f"{ITEM}")
        assert b"\x1b" not in bench.raw
    finally:
        bench.close()


def test_the_check_at_a_terminal_tests_suffix_and_sound(shop: World) -> None:
    bench = BenchTerminal(shop, "--check")
    try:
        bench.until("Scan the test code")
        bench.send("CPCTLTESTAQWZYM0123456789-")
        assert bench.end() == 0
        assert "Suffix: Enter (CR)" in bench.text and "are right" in bench.text
        assert bench.raw.count(b"\a") == 8
    finally:
        bench.close()
