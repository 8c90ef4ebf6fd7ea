"""The bench at a terminal: a shift, raw bytes, bursts, and every way to end."""

import os
import resource
import signal
import sqlite3
import termios
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, sandbox_configuration
from harness.packing.bench_terminal import (
    BENCH_SETTINGS,
    ITEM,
    OTHER_UPS,
    SECOND_ITEM,
    THIRD_ITEM,
    UPS,
    BenchTerminal,
    open_bench_terminal,
    wait_until,
)

ReceivedSignals = Callable[[], list[dict[str, Any]]]
pytestmark = pytest.mark.filterwarnings("ignore:.*preexec_fn.*:DeprecationWarning")


@pytest.fixture
def bench_cli(cli: CliEnvironment, sandbox: Sandbox) -> CliEnvironment:
    cli.configure(sandbox_configuration(sandbox.base_url, BENCH_SETTINGS))
    return cli


@pytest.fixture
def shipping_terminal(bench_cli: CliEnvironment) -> Iterator[BenchTerminal]:
    with open_bench_terminal(bench_cli, "--hold", "0s") as terminal:
        yield terminal


@pytest.fixture
def packing_terminal(bench_cli: CliEnvironment) -> Iterator[BenchTerminal]:
    with open_bench_terminal(bench_cli, "--hold", "0s", "--type", "packed") as terminal:
        yield terminal


def stored_items(cli: CliEnvironment) -> list[str]:
    with closing(sqlite3.connect(cli.store)) as connection:
        return [row[0] for row in connection.execute("SELECT item FROM signals ORDER BY id")]


# --- the shift ------------------------------------------------------------------------------


def test_the_first_screen_shows_the_station_and_the_next_step(shipping_terminal: BenchTerminal) -> None:
    top, *rest = shipping_terminal.screen_text.split("\n")
    assert top.startswith(" SANDBOX  sandbox  bench-2  Ana  ")
    assert "ready  waiting 0  today 0  " in top
    assert any(line == " NEXT STEP: scan the ITEM (shipped)" for line in rest)
    assert rest[-1].startswith(" codes: UNDO  OK  NEXT  END  PAUSE  HELP")
    assert len(rest) == 23


def test_an_item_and_its_label_are_accepted_shown_large_and_sent(
    shipping_terminal: BenchTerminal, received_signals: ReceivedSignals
) -> None:
    shipping_terminal.scan(ITEM, "NEXT STEP: scan the LABEL")
    assert f"ITEM {ITEM} of order 123456780000" in shipping_terminal.screen_text
    shipping_terminal.scan(UPS, f"{ITEM} -> {UPS}  UPS")
    assert "██████      ██      ██" in shipping_terminal.screen_text, "the word OK, large"
    assert ("black", "green") in shipping_terminal.line_colors(f"   {ITEM} -> {UPS}")
    shipping_terminal.wait_for("ONLINE", "waiting 0  today 1", "sent ")
    assert [(body["item"], body["tracking"], body["shipping_option"]) for body in received_signals()] == [
        (ITEM, UPS, "UPS")
    ]


def test_already_done_has_its_own_word_and_color(packing_terminal: BenchTerminal) -> None:
    packing_terminal.scan(ITEM, "today 1")
    packing_terminal.scan(SECOND_ITEM, "today 2")
    packing_terminal.scan(ITEM, "ALREADY DONE")
    assert ("black", "cyan") in packing_terminal.line_colors("   ALREADY DONE")
    assert "today 2" in packing_terminal.screen_text


def test_stop_holds_the_bench_until_it_is_answered(shipping_terminal: BenchTerminal, bench_cli: CliEnvironment) -> None:
    shipping_terminal.scan("9780131103627", "THIS IS THE BOOK'S ISBN")
    assert any(background == "red" for _, background in shipping_terminal.line_colors("   THIS IS THE BOOK"))
    shipping_terminal.scan(ITEM, "Answer first.")
    shipping_terminal.scan("CPCTLOK", "NEXT STEP: scan the ITEM")
    assert stored_items(bench_cli) == []


def test_the_time_left_for_undo_is_shown_and_undo_works(
    bench_cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    with open_bench_terminal(bench_cli, "--hold", "1h") as bench:
        bench.send_codes(ITEM, UPS)
        bench.wait_for("sending in 3")
        bench.scan("CPCTLUNDO", f"UNDONE: {ITEM}")
        bench.wait_for("today 0", "undone")
    assert received_signals() == []


def test_a_conflict_is_decided_by_a_scan(shipping_terminal: BenchTerminal, received_signals: ReceivedSignals) -> None:
    shipping_terminal.send_codes(ITEM, UPS)
    shipping_terminal.wait_for("sent ")
    shipping_terminal.send_codes(ITEM, OTHER_UPS)
    shipping_terminal.wait_for(f"ALREADY HAS {UPS}", "NEXT = keep the old one, OK = replace it")
    shipping_terminal.send_codes("CPCTLOK")
    wait_until(lambda: [body["tracking"] for body in received_signals()] == [UPS, OTHER_UPS])


def test_the_bench_works_offline_and_sends_when_online_again(
    shipping_terminal: BenchTerminal, sandbox: Sandbox, received_signals: ReceivedSignals
) -> None:
    sandbox.add_fault(make_fault("down"))
    shipping_terminal.send_codes(ITEM, UPS)
    shipping_terminal.wait_for("OFFLINE since", "waiting, saved here", "waiting 1")
    shipping_terminal.send_codes(SECOND_ITEM, OTHER_UPS)
    shipping_terminal.wait_for(f"{SECOND_ITEM} -> {OTHER_UPS}", "waiting 2", "today 2")
    assert ("black", "green") in shipping_terminal.line_colors(f"   {SECOND_ITEM} -> {OTHER_UPS}")
    sandbox.clear_faults()
    shipping_terminal.send_codes(THIRD_ITEM, UPS)
    shipping_terminal.wait_for("ONLINE", "waiting 0", "today 3")
    assert sorted(body["item"] for body in received_signals()) == [ITEM, SECOND_ITEM, THIRD_ITEM]


def test_a_later_refusal_interrupts_with_bells(shipping_terminal: BenchTerminal, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("status", status=400, times=1))
    shipping_terminal.send_codes(ITEM, UPS)
    shipping_terminal.wait_for(f"PULL THE PARCEL with item {ITEM}: refused")
    assert "REFUSED 1" in shipping_terminal.screen_text
    wait_until(lambda: shipping_terminal.read_output(0.05) or shipping_terminal.raw_output.count(b"\a") >= 5)
    shipping_terminal.scan(SECOND_ITEM, "Answer first.")
    shipping_terminal.send_codes("CPCTLOK")
    shipping_terminal.wait_for("NEXT STEP: scan the ITEM")
    shipping_terminal.scan("CPCTLHELP", f"refused: item {ITEM}")


def test_a_refused_key_stops_sending_but_not_packing(shipping_terminal: BenchTerminal, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("status", status=401))
    shipping_terminal.send_codes(ITEM, UPS)
    shipping_terminal.wait_for("SENDING STOPPED", "waiting 1")
    shipping_terminal.send_codes(SECOND_ITEM, OTHER_UPS)
    shipping_terminal.wait_for("today 2")


def test_the_end_code_ends_with_a_summary(shipping_terminal: BenchTerminal) -> None:
    shipping_terminal.send_codes(ITEM, UPS)
    shipping_terminal.wait_for("sent ")
    shipping_terminal.send_codes("CPCTLEND")
    assert shipping_terminal.wait_for_exit() == 0
    assert "1 today, 0 waiting, 0 refused." in shipping_terminal.raw_output.decode()


def test_pause_locks_the_bench_and_a_badge_unlocks_it(shipping_terminal: BenchTerminal) -> None:
    shipping_terminal.scan("CPCTLLOCK", "NEXT STEP: PAUSED")
    shipping_terminal.scan(ITEM, "nothing was accepted")
    shipping_terminal.scan("BADGE-Ben", "Hello, Ben")
    assert "bench-2  Ben" in shipping_terminal.screen_text


# --- bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inside",
    [b"\x1d", b"\x1e\x1d\x04", b"\x1c", b"\x13", b"\x11", b"\x12\x17", b"\x15\x16", b"\x1a", b"\x0f"],
    ids=lambda data: data.hex(),
)
def test_control_characters_in_a_scan_are_kept_and_do_no_harm(shipping_terminal: BenchTerminal, inside: bytes) -> None:
    shipping_terminal.scan(ITEM, "NEXT STEP: scan the LABEL")
    shipping_terminal.write(b"1Z5R89" + inside + b"390357567127\r")
    shipping_terminal.wait_for("2D code, or two codes")
    shipping_terminal.scan("CPCTLOK", "NEXT STEP: scan the LABEL")
    shipping_terminal.scan(UPS, f"{ITEM} -> {UPS}")


@pytest.mark.parametrize("suffix", ["\r", "\n", "\r\n", "\t"], ids=repr)
def test_every_suffix_of_a_scanner_ends_one_scan(
    packing_terminal: BenchTerminal, bench_cli: CliEnvironment, suffix: str
) -> None:
    packing_terminal.send_codes(ITEM, SECOND_ITEM, suffix=suffix)
    packing_terminal.wait_for("today 2")
    assert stored_items(bench_cli) == [ITEM, SECOND_ITEM]


def test_a_burst_of_twenty_scans_loses_nothing(
    packing_terminal: BenchTerminal, bench_cli: CliEnvironment, sandbox: Sandbox
) -> None:
    sandbox.add_fault(make_fault("down"))  # nobody refuses the items, which nobody knows, before all are scanned
    codes = [f"1234567801{number:02d}" for number in range(20)]
    for code in codes:
        packing_terminal.send_codes(code)
        packing_terminal.read_output(0.005)
    packing_terminal.wait_for("today 20")
    assert stored_items(bench_cli) == codes


def test_a_burst_in_one_piece_loses_nothing(
    packing_terminal: BenchTerminal, bench_cli: CliEnvironment, sandbox: Sandbox
) -> None:
    sandbox.add_fault(make_fault("down"))
    codes = [f"1234567802{number:02d}" for number in range(20)]
    packing_terminal.send_codes(*codes)
    packing_terminal.wait_for("today 20")
    assert stored_items(bench_cli) == codes


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_french_keyboard_is_repaired_whatever_the_encoding(shipping_terminal: BenchTerminal, encoding: str) -> None:
    shipping_terminal.scan(ITEM, "NEXT STEP: scan the LABEL")
    shipping_terminal.write('&W(R_ç"çà"(è(-è&éè\r'.encode(encoding))
    shipping_terminal.wait_for(f"{ITEM} -> {UPS}", "repaired: French")


def test_a_scanner_without_a_suffix_is_noticed(shipping_terminal: BenchTerminal) -> None:
    shipping_terminal.send_codes(ITEM, suffix="")
    shipping_terminal.wait_for("sends no Enter")


def test_nothing_in_a_code_controls_the_terminal(packing_terminal: BenchTerminal) -> None:
    packing_terminal.write(b"\x1b]0;owned\x07\x1b[2Jx\r")
    packing_terminal.wait_for("2D code")
    assert b"owned" not in packing_terminal.raw_output and packing_terminal.raw_output.count(b"\x1b[2J") == 0


# --- sizes ----------------------------------------------------------------------------------


def test_a_resized_terminal_is_redrawn(shipping_terminal: BenchTerminal) -> None:
    shipping_terminal.resize(100, 30)
    shipping_terminal.wait_for("codes: UNDO")
    wait_until(
        lambda: (
            not shipping_terminal.read_output(0.05) or len(shipping_terminal.screen_text.split("\n")[29].strip()) > 0
        )
    )
    assert shipping_terminal.screen_text.split("\n")[29].startswith(" codes: UNDO")
    shipping_terminal.resize(40, 10)
    shipping_terminal.scan("CPCTLNEXT", "no question to answer")
    assert "NEXT STEP: scan the ITEM" in shipping_terminal.screen_text


def test_no_color_disables_color(bench_cli: CliEnvironment) -> None:
    with open_bench_terminal(bench_cli, NO_COLOR="1") as bench:
        bench.scan("9780131103627", "ISBN")
        assert {background for _, background in bench.line_colors("   THIS IS")} == {"default"}


# --- ends -----------------------------------------------------------------------------------


def test_the_terminal_is_raw_while_the_bench_runs(shipping_terminal: BenchTerminal) -> None:
    input_mode, _, _, local_mode, *_ = shipping_terminal.terminal_mode()
    assert not local_mode & (termios.ICANON | termios.ECHO | termios.IEXTEN)
    assert not input_mode & (termios.IXON | termios.ICRNL)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, -signal.SIGHUP)], ids=["TERM", "HUP"]
)
def test_a_signal_restores_the_terminal(
    shipping_terminal: BenchTerminal, bench_cli: CliEnvironment, number: int, status: int
) -> None:
    shipping_terminal.scan(ITEM, "NEXT STEP: scan the LABEL")
    shipping_terminal.process.send_signal(number)
    assert shipping_terminal.wait_for_exit() == status
    assert shipping_terminal.terminal_mode() == shipping_terminal.initial_mode
    assert b"\x1b[?1049l" in shipping_terminal.raw_output
    with open_bench_terminal(bench_cli) as again:
        again.wait_for(f"Item {ITEM} was scanned")


def test_ctrl_c_asks_once_and_leaves_the_second_time(shipping_terminal: BenchTerminal) -> None:
    shipping_terminal.write(b"\x03")
    shipping_terminal.wait_for("0 waiting, they are saved", "Press Ctrl-C again")
    shipping_terminal.write(b"\x03")
    assert shipping_terminal.wait_for_exit() == 130
    assert shipping_terminal.terminal_mode() == shipping_terminal.initial_mode


def test_the_end_code_restores_the_terminal(shipping_terminal: BenchTerminal) -> None:
    shipping_terminal.send_codes("CPCTLEND")
    assert shipping_terminal.wait_for_exit() == 0
    assert shipping_terminal.terminal_mode() == shipping_terminal.initial_mode


def test_a_damaged_store_is_reported_and_the_bench_continues(
    shipping_terminal: BenchTerminal, bench_cli: CliEnvironment
) -> None:
    shipping_terminal.send_codes(ITEM, UPS)
    shipping_terminal.wait_for("sent ")
    for file in bench_cli.store.parent.glob("cpctl.db*"):
        file.write_bytes(b"x" * 8192)
    shipping_terminal.send_codes(SECOND_ITEM)
    shipping_terminal.wait_for("THE STORE WAS DAMAGED")
    shipping_terminal.scan("CPCTLOK", "NEXT STEP: scan")
    shipping_terminal.scan("CPCTLNEXT", "NEXT STEP: scan the ITEM")
    shipping_terminal.scan("CPCTLUNDO", "not in this store anymore")
    shipping_terminal.scan("CPCTLOK", "NEXT STEP: scan the ITEM")
    shipping_terminal.send_codes(THIRD_ITEM, UPS)
    shipping_terminal.wait_for(f"{THIRD_ITEM} -> {UPS}", "sent ")


def test_closing_the_terminal_loses_nothing(bench_cli: CliEnvironment) -> None:
    bench = BenchTerminal(bench_cli)
    try:
        bench.wait_for("NEXT STEP:")
        bench.scan(ITEM, "NEXT STEP: scan the LABEL")
        os.close(bench.slave)
        os.close(bench.master)
        assert bench.process.wait(timeout=60) == -signal.SIGHUP
    finally:
        bench.close()
    with open_bench_terminal(bench_cli) as again:
        again.wait_for(f"Item {ITEM} was scanned")


def test_ctrl_z_suspends_and_fg_resumes_the_bench(bench_cli: CliEnvironment) -> None:
    import sys

    import pexpect

    line = f"{sys.executable} -m cpctl signal scan --type packed --hold 1h"
    env = {"TERM": "xterm-256color", "PS1": "prompt> ", **bench_cli.process_environment()}
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
    shell.send(f"{SECOND_ITEM}\r")
    shell.expect_exact("today 2")
    shell.send("CPCTLEND\r")
    shell.expect_exact("prompt> ")
    shell.close(force=True)
    assert stored_items(bench_cli) == [ITEM, SECOND_ITEM]


def test_after_a_kill_the_items_still_wait_for_their_label(bench_cli: CliEnvironment) -> None:
    with open_bench_terminal(bench_cli) as bench:
        bench.send_codes(ITEM, SECOND_ITEM)
        bench.wait_for("number 2 of this parcel")
        bench.process.kill()
        bench.process.wait(timeout=60)
    with open_bench_terminal(bench_cli) as again:
        again.wait_for(f"Item {ITEM}, {SECOND_ITEM} was scanned", "label yet")
        again.scan(UPS, "2 items -> ")
    assert stored_items(bench_cli) == [ITEM, SECOND_ITEM]


def test_a_full_disk_is_never_an_ok(bench_cli: CliEnvironment) -> None:
    with open_bench_terminal(bench_cli, "--type", "packed") as bench:
        bench.scan(ITEM, "today 1")
        bench.wait_for("sending in")
        size = max(path.stat().st_size for path in bench_cli.store.parent.glob("cpctl.db*"))
        soft, hard = resource.prlimit(bench.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bench.process.pid, resource.RLIMIT_FSIZE, (min(size, 4096), hard))
        bench.scan(SECOND_ITEM, "NOT ACCEPTED, do not ship")
        bench.scan(THIRD_ITEM, "Answer first.")
        resource.prlimit(bench.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        bench.scan("CPCTLOK", "NEXT STEP: scan the ITEM")
        bench.scan(SECOND_ITEM, "today 2")
    assert stored_items(bench_cli) == [ITEM, SECOND_ITEM]


def test_a_refusal_of_another_flush_interrupts_too(bench_cli: CliEnvironment, sandbox: Sandbox) -> None:
    bench_cli.configure(sandbox_configuration(UNREACHABLE_URL, BENCH_SETTINGS))
    with open_bench_terminal(bench_cli, "--hold", "0s", "--type", "packed") as bench:
        bench.scan(ITEM, "today 1")
        bench.wait_for("OFFLINE")
        sandbox.add_fault(make_fault("status", status=400))
        bench_cli.run("outbox", "flush", CPCTL_BASE_URL=sandbox.base_url)
        bench.wait_for(f"PULL THE ITEM {ITEM}")


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(bench_cli: CliEnvironment) -> None:
    bench = BenchTerminal(bench_cli, "--type", "packed", TERM="dumb")
    try:
        bench.send_codes(ITEM)
        bench.wait_for("OK", f"{ITEM}")
        assert b"\x1b" not in bench.raw_output
    finally:
        bench.close()


def test_the_check_at_a_terminal_tests_suffix_and_sound(bench_cli: CliEnvironment) -> None:
    bench = BenchTerminal(bench_cli, "--check")
    try:
        bench.wait_for("Scan the test code")
        bench.send_codes("CPCTLTESTAQWZYM0123456789-")
        assert bench.wait_for_exit() == 0
        assert "Suffix: Enter (CR)" in bench.screen_text and "are right" in bench.screen_text
        assert bench.raw_output.count(b"\a") == 8
    finally:
        bench.close()
