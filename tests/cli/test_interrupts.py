"""Ctrl-C and SIGTERM: cpctl exits with the status that shells expect, and accepted signals are safe."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, TIMEOUT_SECONDS, CliEnvironment, shipped_command

ReceivedSignals = Callable[[], list[dict[str, Any]]]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fail if it never becomes true."""
    pause = threading.Event()
    for _ in range(int(TIMEOUT_SECONDS * 100)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("the condition never became true")


def stop_with_signal(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Terminated")],
)
@pytest.mark.parametrize("options", [(), ("-q",)], ids=["talking", "quiet"])
def test_a_signal_interrupted_while_sending_is_kept_and_reported(
    cli: CliEnvironment, sandbox: Sandbox, number: int, status: int, word: str, options: tuple[str, ...]
) -> None:
    sandbox.add_fault(make_fault("latency", seconds=60))
    process = cli.start(*shipped_command(), *options)
    wait_until(lambda: bool(sandbox.state.journal.list_entries()))
    code, out, err = stop_with_signal(process, number)
    assert (code, out) == (status, "")
    assert err == f"cpctl: {word}; accepted signals are safe, and `cpctl outbox flush` sends them.\n"
    (row,) = cli.run_json("outbox", "list")
    assert (row["item"], row["state"], row["maybe_duplicate"]) == (ITEM, "queued", True)
    assert row["message"] == "interrupted while sending"
    assert "not sent" not in err + row["message"]


def test_the_next_flush_sends_an_interrupted_signal(
    cli: CliEnvironment, sandbox: Sandbox, received_signals: ReceivedSignals
) -> None:
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = cli.start(*shipped_command())
    wait_until(lambda: bool(sandbox.state.journal.list_entries()))
    stop_with_signal(process, signal.SIGINT)
    assert cli.run("outbox", "flush").code == 0
    assert [row["state"] for row in cli.run_json("signal", "history")] == ["delivered"]


def test_an_interrupted_flush_keeps_its_signals(cli: CliEnvironment, sandbox: Sandbox) -> None:
    cli.run(*shipped_command(), "--queue-only")
    sandbox.add_fault(make_fault("latency", seconds=60))
    process = cli.start("outbox", "flush")
    wait_until(lambda: bool(sandbox.state.journal.list_entries()))
    assert stop_with_signal(process, signal.SIGTERM)[0] == 143
    assert [row["state"] for row in cli.run_json("outbox", "list")] == ["queued"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_watching_flush_ends_on_a_signal(
    cli: CliEnvironment, received_signals: ReceivedSignals, number: int, status: int
) -> None:
    cli.run(*shipped_command(), "--queue-only")
    process = cli.start("outbox", "flush", "--watch")
    wait_until(lambda: bool(received_signals()))
    assert stop_with_signal(process, number)[:2] == (status, "")


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_ctrl_c_at_the_terminal_ends_a_slow_send(cli: CliEnvironment, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("latency", seconds=60))
    command = cli.command_line(*shipped_command())
    env = {"TERM": "dumb", **cli.process_environment()}
    child = pexpect.spawn(
        command[0], command[1:], env=env, encoding="utf-8", timeout=TIMEOUT_SECONDS, dimensions=(24, 200)
    )
    wait_until(lambda: bool(sandbox.state.journal.list_entries()))
    child.sendintr()
    child.expect("Interrupted; accepted signals are safe")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert [row["state"] for row in cli.run_json("outbox", "list")] == ["queued"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_sandbox_ends_on_a_signal_and_removes_its_ready_file(
    unconfigured_cli: CliEnvironment, number: int, status: int
) -> None:
    ready = unconfigured_cli.folder / "ready"
    process = unconfigured_cli.start("sandbox", "serve", "--port", "0", "--ready-file", str(ready))
    wait_until(ready.exists)
    address = ready.read_text(encoding="utf-8").strip()
    assert ready.stat().st_mode & 0o777 == 0o600
    done = unconfigured_cli.run_json(
        "signal", "packed", ITEM, "--order", ORDER, CPCTL_BASE_URL=address, CPCTL_SIGNAL_KEY="sandbox-signal-key"
    )
    assert [row["state"] for row in done] == ["delivered"]
    code, out, err = stop_with_signal(process, number)
    assert code == status
    assert f"export CPCTL_BASE_URL={address}\n" in out
    assert f"The sandbox listens on {address}." in err
    assert "Traceback" not in err
    assert not ready.exists()


def test_a_sandbox_prints_all_variables_that_a_shell_needs(unconfigured_cli: CliEnvironment) -> None:
    ready = unconfigured_cli.folder / "ready"
    process = unconfigured_cli.start("sandbox", "serve", "--port", "0", "--ready-file", str(ready), "-q")
    wait_until(ready.exists)
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if len(lines) == 5:
            break
    given = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
    done = unconfigured_cli.run_json("signal", "packed", ITEM, "--order", ORDER, **given)
    assert [row["state"] for row in done] == ["delivered"]
    assert [row["processed"] for row in unconfigured_cli.run_json("sandbox", "requests", **given)] == [True]
    assert stop_with_signal(process, signal.SIGTERM)[2] == "", "quiet is quiet, also at its end"


def test_a_port_in_use_is_reported(cli: CliEnvironment, sandbox: Sandbox) -> None:
    port = sandbox.base_url.rpartition(":")[2]
    result = cli.run("sandbox", "serve", "--port", port)
    assert (result.code, result.out) == (2, "")
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in result.err
    assert "--port" in result.err


def test_a_stopped_sandbox_run_stops_its_command(unconfigured_cli: CliEnvironment) -> None:
    mark = unconfigured_cli.folder / "pid"
    script = f"echo $$ > {mark}.new; mv {mark}.new {mark}; exec sleep 600"
    process = unconfigured_cli.start("sandbox", "run", "--", "bash", "-c", script)
    wait_until(mark.exists)
    assert stop_with_signal(process, signal.SIGTERM)[0] == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text(encoding="utf-8")), 0)
