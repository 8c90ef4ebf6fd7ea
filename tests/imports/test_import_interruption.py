"""Imports that are killed or stopped: every row is delivered, and possible duplicates are marked."""

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from threading import Event
from typing import Any

import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import CliEnvironment
from harness.outbox.csv_files import ITEMS, ORDER, generate_csv, read_rows, signal_states, stored_signals

ReceivedSignals = Callable[[], list[dict[str, Any]]]
ROW_COUNT = 8_000


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Poll until a condition is true."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        pause.wait(0.005)


def count_signals(store: Path) -> int:
    """How many signals a store holds just now."""
    if not store.exists():
        return 0
    try:
        with closing(sqlite3.connect(store)) as opened:
            return int(opened.execute("SELECT count(*) FROM signals").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return 0


def wait_for_exit(process: "Popen[str]") -> tuple[int, str]:
    """Wait for a process; its status and its talk."""
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def expire_leases(store: Path) -> None:
    """Let the time pass after which a killed process's claims are void."""
    with closing(sqlite3.connect(store)) as opened:
        opened.execute("UPDATE signals SET lease_until = 0, next_attempt_at = 0 WHERE state = 'queued'")
        opened.commit()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_send_stopped_while_accepting_accepts_every_row_once_when_repeated(cli: CliEnvironment, how: int) -> None:
    (cli.folder / "many.csv").write_text(generate_csv(ROW_COUNT), encoding="utf-8")
    process = cli.start("signal", "send", "many.csv", "--queue-only")
    wait_until(lambda: count_signals(cli.store) > 0, "the first rows are accepted")
    process.send_signal(how)
    code, err = wait_for_exit(process)
    if how != signal.SIGKILL:
        assert code == {signal.SIGTERM: 143, signal.SIGINT: 130}[signal.Signals(how)]
        assert "accepted signals are safe" in err
    assert 0 < count_signals(cli.store) < ROW_COUNT
    again = cli.run("signal", "send", "many.csv", "--queue-only")
    assert again.code == 0, again.err
    assert len({row["item"] for row in stored_signals(cli.store)}) == count_signals(cli.store) == ROW_COUNT


def test_send_killed_while_sending_delivers_every_row_and_marks_possible_duplicates(
    cli: CliEnvironment, sandbox: Sandbox, received_signals: ReceivedSignals
) -> None:
    sandbox.reset(orders=40, items=3)
    lines = [f"packed,{12345678 + at}0000,{12345678 + at}000{n}\n" for at in range(40) for n in (1, 2, 3)]
    (cli.folder / "rows.csv").write_text("type,order,item\n" + "".join(lines), encoding="utf-8")
    sandbox.add_fault(make_fault("latency", seconds=0.1))
    process = cli.start("signal", "send", "rows.csv", "--connections", "4")
    wait_until(lambda: len(sandbox.state.journal.list_entries()) > 8, "some orders are sent")
    process.kill()
    assert wait_for_exit(process)[0] == -9
    sandbox.clear_faults()
    expire_leases(cli.store)
    again = cli.run("signal", "send", "rows.csv")
    assert again.code == 0, again.err
    assert signal_states(cli.store) == ["delivered"] * 120
    times = Counter(body["item"] for body in received_signals())
    assert len(times) == 120
    marked = {row["item"] for row in stored_signals(cli.store) if row["maybe_duplicate"]}
    assert {item for item, number in times.items() if number > 1} <= marked


def test_send_stopped_by_sigterm_leaves_no_leases(cli: CliEnvironment, sandbox: Sandbox) -> None:
    (cli.folder / "many.csv").write_text(generate_csv(200), encoding="utf-8")
    sandbox.add_fault(make_fault("latency", seconds=60))
    process = cli.start("signal", "send", "many.csv", "--connections", "4")
    wait_until(lambda: len(sandbox.state.journal.list_entries()) > 0, "the service has a request")
    process.terminate()
    assert wait_for_exit(process)[0] == 143
    assert not any(row["lease"] for row in stored_signals(cli.store))
    assert count_signals(cli.store) == 200


def test_a_watch_killed_during_a_file_imports_it_again(cli: CliEnvironment) -> None:
    inbox = cli.folder / "in"
    inbox.mkdir()
    (inbox / "many.csv").write_text(generate_csv(ROW_COUNT), encoding="utf-8")
    arguments = ("signal", "watch", "in", "--once", "--settle", "0s", "--queue-only")
    process = cli.start(*arguments)
    wait_until(lambda: count_signals(cli.store) > 0, "the first rows are accepted")
    process.kill()
    assert wait_for_exit(process)[0] == -9
    assert [each.name for each in (inbox / "busy").glob("*.csv")] == ["many.csv"]
    again = cli.run(*arguments)
    assert again.code == 0, again.err
    assert len({row["item"] for row in stored_signals(cli.store)}) == count_signals(cli.store) == ROW_COUNT
    assert not list((inbox / "busy").glob("*.csv"))
    results = read_rows(next((inbox / "done").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert {row["cpctl_state"] for row in results} == {"queued", "duplicate"}
    assert len(results) == ROW_COUNT


def test_a_watch_imports_new_files_and_exits_on_sigterm(cli: CliEnvironment, sandbox: Sandbox) -> None:
    inbox = cli.folder / "in"
    inbox.mkdir()
    process = cli.start("signal", "watch", "in", "--interval", "1s", "--settle", "0s")
    wait_until((inbox / "busy").is_dir, "the watch has begun")
    draft = inbox / "rows.csv.part"
    draft.write_text(f"type,order,item\npacked,{ORDER},{ITEMS[0]}\n", encoding="utf-8")
    draft.rename(inbox / "rows.csv")
    wait_until(lambda: bool(list((inbox / "done").glob("*-rows.result.csv"))), "the file is done")
    wait_until(lambda: bool(list((inbox / "done").glob("*-rows.csv"))), "the file is done")
    process.terminate()
    code, err = wait_for_exit(process)
    assert code == 143
    assert "rows.csv: 1 row: 1 delivered → done/" in err
    assert signal_states(cli.store) == ["delivered"]
