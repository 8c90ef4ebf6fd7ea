"""Start and stop of a server: ready file, signals, systemd, and stops within the time limit."""

import os
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from cpctl.store.store import Store
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.app import ReceiverRules
from cpctl.webhooks.server.http_server import bind_sockets
from cpctl.webhooks.server.receiver import Dependencies, Notifier, Receiver
from cpctl.webhooks.server.server_settings import ServerSettings
from harness.cli_environment import CliEnvironment
from harness.webhooks.fast_server import FAST_TIMES
from harness.webhooks.load_generator import generate_load
from harness.webhooks.webhook_server import (
    KEY,
    RawConnection,
    RunningServer,
    encode_request,
    running_server,
    wait_until,
    webhook_body,
)
from harness.webhooks.webhook_targets import target_server, write_program

SHUTDOWN_SECONDS = 10.0
# A process needs time to end, and a busy machine needs more.
FAST_SHUTDOWN_SECONDS = FAST_TIMES.stop + 2.0
HEAD_END = b"\r\n\r\n"


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")]
)
def test_a_signal_stops_the_server_with_a_message(
    webhook_cli: CliEnvironment, number: int, status: int, word: str
) -> None:
    with running_server(webhook_cli) as server, server.connect() as wire:
        assert wire.send(encode_request(webhook_body())).read_response().status == 200
        started = time.monotonic()
        assert server.stop(number) == status
        assert time.monotonic() - started < SHUTDOWN_SECONDS
        assert wire.wait_closed()
        assert server.log_text().splitlines()[-1] == f"cpctl: {word}."
        assert "stored status=200" in server.log_text(), "the last lines of the log are written"
        assert "Traceback" not in server.log_text()


def test_a_stop_under_load_loses_no_answered_webhook(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server, generate_load(server.port, connections=8) as at:
        wait_until(lambda: len(at.accepted) > 100, "under load")
        started = time.monotonic()
        assert server.stop() == 143
        assert time.monotonic() - started < SHUTDOWN_SECONDS
        at.stop()
        assert set(at.statuses) <= {200, 503}
        found = {int(row["item_reference"]) for row in server.select_rows("SELECT item_reference FROM events")}
        assert set(at.accepted) <= found


def test_a_request_in_progress_is_finished_during_a_stop(webhook_cli: CliEnvironment) -> None:
    whole = encode_request(webhook_body())
    cut = whole.index(HEAD_END) + 10
    with running_server(webhook_cli) as server, server.connect() as wire:
        wire.send(whole[:cut])
        assert server.get("/health").status == 200
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(server.port), "no new connections are accepted")
        answer = wire.send(whole[cut:]).read_response()
        assert answer.status == 200
        assert wire.wait_closed()
        assert server.process.wait(SHUTDOWN_SECONDS) == 143
        assert server.count_events() == 1


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def assert_stops_in_time(server: RunningServer) -> None:
    started = time.monotonic()
    assert server.stop(seconds=30) == 143
    assert time.monotonic() - started < FAST_SHUTDOWN_SECONDS


def test_slow_senders_and_hanging_targets_do_not_delay_a_stop(webhook_cli: CliEnvironment) -> None:
    program = write_program(webhook_cli.folder / "program", """echo $$ > "$0.pid"; sleep 1000""")
    with target_server() as target:
        target.is_hanging.set()
        with (
            running_server(webhook_cli, "--forward-to", target.url, "--exec", str(program), fast=True) as server,
            server.connect() as wire,
        ):
            server.post(webhook_body())
            wait_until(lambda: target.attempts and program.with_name("program.pid").exists(), "in progress")
            child = int(program.with_name("program.pid").read_text())
            wire.send(encode_request(webhook_body(2))[:-5])
            assert_stops_in_time(server)
            wait_until(lambda: not Path(f"/proc/{child}").exists(), "the command is terminated")


def test_a_locked_store_does_not_delay_a_stop(webhook_cli: CliEnvironment) -> None:
    with (
        running_server(webhook_cli, fast=True) as server,
        closing(sqlite3.connect(webhook_cli.store, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with server.connect() as wire:
            wire.send(encode_request(webhook_body()))
            assert_stops_in_time(server)
            assert wire.read_response().status == 503, "a request that is not finished in time gets 503"


def test_a_hanging_key_command_does_not_delay_a_stop(webhook_cli: CliEnvironment) -> None:
    first = webhook_cli.folder / "first"
    script = f"#!/bin/sh\n[ -e {first} ] && sleep 1000\ntouch {first}; echo {KEY}\n"
    command = webhook_cli.folder / "key-command"
    command.write_text(script)
    command.chmod(0o700)
    webhook_cli.configure(f"profiles:\n  shop:\n    webhooks: {{api_key_command: [{command}]}}\n")
    changes = {"CPCTL_CONFIG": str(webhook_cli.config), "CPCTL_WEBHOOK_KEY": None}
    with running_server(webhook_cli, changes=changes, fast=True) as server:
        webhook_cli.config.touch()
        wait_until(lambda: any(child_processes(server.process.pid)), "the command runs again")
        assert server.post(webhook_body()).status == 200
        assert_stops_in_time(server)


def child_processes(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def test_an_unread_log_delays_neither_responses_nor_a_stop(webhook_cli: CliEnvironment) -> None:
    ours, theirs = os.pipe()
    try:
        with running_server(webhook_cli, stderr=theirs, fast=True) as server:
            with server.connect() as wire:
                for number in range(700):
                    assert wire.send(encode_request(webhook_body(number))).read_response().status == 200
            assert_stops_in_time(server)
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_ready_file_has_the_address_and_is_deleted_at_the_end(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        ready = webhook_cli.folder / "address-0"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", ready.read_text())
        assert S_IMODE(ready.stat().st_mode) == 0o600
        assert f'Receiving webhooks for profile "default" on {server.address}. Ctrl-C stops it.' in server.log_text()
        assert server.stop() == 143
        assert not ready.exists()


def test_a_ready_file_that_is_not_writable_ends_the_server(webhook_cli: CliEnvironment) -> None:
    result = webhook_cli.run("webhooks", "serve", "--port", "0", "--ready-file", "no/such/folder/ready")
    assert result.code == 2
    assert "no/such/folder/ready cannot be written" in result.err
    assert "Traceback" not in result.err


def test_a_port_in_use_is_reported(webhook_cli: CliEnvironment, invoke: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = invoke(webhook_cli, "webhooks", "serve", "--port", port)
    assert result.code == 3
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in result.err
    assert "--port" in result.err


def test_one_of_two_servers_started_on_one_port_fails(webhook_cli: CliEnvironment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    both = [webhook_cli.start("webhooks", "serve", "--port", str(port)) for _ in range(2)]
    try:
        wait_until(lambda: any(each.poll() is not None for each in both), "one server has ended")
        loser = next(each for each in both if each.poll() is not None)
        winner = next(each for each in both if each is not loser)
        assert loser.communicate()[1].startswith(f"cpctl: Cannot listen on 127.0.0.1 port {port}")
        assert loser.returncode == 3
        wait_until(lambda: is_listening(port), "the other listens")
        with RawConnection(port) as wire:
            assert wire.send(encode_request(webhook_body())).read_response().status == 200
    finally:
        for each in both:
            each.kill()
            each.communicate()
    assert winner.returncode == -9


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "Give an address of this machine"), ("no-such-host.invalid", "Give an address of this machine")],
)
def test_an_address_of_another_machine_is_reported(
    webhook_cli: CliEnvironment, invoke: Callable[..., Any], host: str, words: str
) -> None:
    result = invoke(webhook_cli, "webhooks", "serve", "--host", host, "--behind-proxy")
    assert result.code == 3
    assert f"Cannot listen on {host} port 8100" in result.err
    assert words in result.err


def test_a_dry_run_checks_the_options_and_does_nothing(webhook_cli: CliEnvironment, invoke: Callable[..., Any]) -> None:
    ready = webhook_cli.folder / "ready"
    words = ("webhooks", "serve", "--dry-run", "--ready-file", str(ready), "--exec", "true")
    result = invoke(webhook_cli, *words)
    assert (result.code, result.out) == (0, "")
    assert result.err == "Dry run: the configuration is valid; the server was not started.\n"
    assert not ready.exists()
    assert not webhook_cli.store.exists()
    assert invoke(webhook_cli, *words, "--tls-cert", "nowhere.pem").code == 3
    assert invoke(webhook_cli, *words, "--exec", "no-such-program-here").code == 2
    assert invoke(webhook_cli, *words, CPCTL_WEBHOOK_KEY="short").code == 3


@pytest.mark.parametrize("form", ["xml", "JSON", ""])
def test_an_unknown_log_format_is_refused(webhook_cli: CliEnvironment, invoke: Callable[..., Any], form: str) -> None:
    result = invoke(webhook_cli, "webhooks", "serve", "--log-format", form)
    assert result.code == 2
    assert f'Unknown log format "{form}"' in result.err


# --- systemd ----------------------------------------------------------------------------------


@contextmanager
def fake_systemd_socket(abstract: bool = False) -> Iterator[tuple[socket.socket, str]]:
    """A notify socket, and its name for NOTIFY_SOCKET."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify_socket,
    ):
        name = f"@{folder}" if abstract else f"{folder}/notify"
        notify_socket.bind(f"\0{folder}" if abstract else name)
        notify_socket.settimeout(20)
        yield notify_socket, name


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_systemd_is_notified_of_ready_alive_and_stopping(webhook_cli: CliEnvironment, abstract: bool) -> None:
    with fake_systemd_socket(abstract) as (notify_socket, name):
        changes = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"}
        with running_server(webhook_cli, changes=changes) as server:
            notifications = [notify_socket.recv(4096).decode() for _ in range(5)]
            ready = "READY=1\nSTATUS=Receiving webhooks for profile default"
            assert ready in notifications
            assert notifications.count("WATCHDOG=1") >= 3
            assert server.post(webhook_body()).status == 200
            assert server.stop() == 143
            notify_socket.setblocking(False)
            while True:
                try:
                    notifications.append(notify_socket.recv(4096).decode())
                except BlockingIOError:
                    break
            assert notifications.count("STOPPING=1") == 1
            assert set(notifications) == {ready, "WATCHDOG=1", "STOPPING=1"}


def test_a_missing_notify_socket_is_ignored(webhook_cli: CliEnvironment) -> None:
    changes = {"NOTIFY_SOCKET": "/nowhere/notify", "WATCHDOG_USEC": "nonsense"}
    with running_server(webhook_cli, changes=changes) as server:
        assert server.post(webhook_body()).status == 200


class StuckStore(Store):
    """A store whose writes hang while `is_stuck` is set."""

    is_stuck = threading.Event()
    resume = threading.Event()

    def write(self, work: Any) -> Any:
        if self.is_stuck.is_set():
            self.resume.wait(60)
        return super().write(work)


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_systemd_gets_no_sign_of_life_while_the_writer_is_stuck(tmp_path: Path) -> None:
    StuckStore.is_stuck.clear()
    StuckStore.resume.clear()
    lines: list[str] = []
    with fake_systemd_socket() as (notify_socket, name):
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"})
        ready = threading.Event()
        dependencies = Dependencies(
            lambda: StuckStore(tmp_path / "cpctl.db", lambda message: None),
            [KEY],
            lambda: None,
            ready.set,
            notifier,
            stuck_seconds=0.3,
        )
        rules = ReceiverRules("shop", [], known_orders=False, public_status=False)
        log = AccessLog(lambda line, problem: lines.append(line), "text")
        receiver = Receiver(rules, ServerSettings("127.0.0.1", 0, None, None, False, 10), [], dependencies, log)
        sockets = bind_sockets("127.0.0.1", 0)
        port = sockets[0].getsockname()[1]
        thread = threading.Thread(target=receiver.run, args=(sockets,))
        thread.start()
        try:
            assert ready.wait(20)
            while notify_socket.recv(4096) != b"WATCHDOG=1":
                pass
            StuckStore.is_stuck.set()
            with RawConnection(port) as wire:
                wire.send(encode_request(webhook_body()))
                wait_until(lambda: is_silent(notify_socket), "no more signs of life")
                StuckStore.is_stuck.clear()
                StuckStore.resume.set()
                assert wire.read_response().status == 200
            while notify_socket.recv(4096) != b"WATCHDOG=1":
                pass
        finally:
            StuckStore.resume.set()
            receiver._server.should_exit = True
            thread.join(30)
            log.stop()
        assert not thread.is_alive()


def is_silent(notify_socket: socket.socket) -> bool:
    """Whether there is no notification for the time of six signs of life."""
    notify_socket.settimeout(0.3)
    try:
        notify_socket.recv(4096)
    except TimeoutError:
        notify_socket.settimeout(20)
        return True
    return False
