"""How a server begins and ends: what systemd is told, the ready file, signals, and ends that come in time."""

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
from webhook_senders import sending
from webhook_server import KEY, Served, Wire, event, eventually, request, serving
from webhook_target import program, target_server
from worlds import World

from cpctl.store.store import Store
from cpctl.webhooks.server import writer as writer_module
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.app import ReceiverRules
from cpctl.webhooks.server.receiver import Dependencies, Receiver
from cpctl.webhooks.server.sockets import ServerSettings, bind_sockets
from cpctl.webhooks.server.systemd import Notifier

IN_TIME = 10.0
HEAD_END = b"\r\n\r\n"


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")]
)
def test_a_server_that_is_told_to_end_says_so_and_ends(hook_world: World, number: int, status: int, word: str) -> None:
    with serving(hook_world) as server, server.wire() as wire:
        assert wire.send(request(event())).answer().status == 200
        started = time.monotonic()
        assert server.stop(number) == status
        assert time.monotonic() - started < IN_TIME
        assert wire.is_closed()
        assert server.said().splitlines()[-1] == f"cpctl: {word}."
        assert "stored status=200" in server.said(), "the last lines of the log are written"
        assert "Traceback" not in server.said()


def test_stopped_under_load_all_that_was_answered_is_stored_and_nobody_hangs(hook_world: World) -> None:
    with serving(hook_world) as server, sending(server.port, connections=8) as at:
        eventually(lambda: len(at.kept) > 100, "under load")
        started = time.monotonic()
        assert server.stop() == 143
        assert time.monotonic() - started < IN_TIME
        at.stop()
        assert set(at.statuses) <= {200, 503}
        found = {int(row["item_reference"]) for row in server.rows("SELECT item_reference FROM events")}
        assert set(at.kept) <= found


def test_a_webhook_that_is_half_said_at_the_end_is_heard_out_and_stored(hook_world: World) -> None:
    whole = request(event())
    cut = whole.index(HEAD_END) + 10
    with serving(hook_world) as server, server.wire() as wire:
        wire.send(whole[:cut])
        assert server.get("/health").status == 200
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: not is_listening(server.port), "no new connections")
        answer = wire.send(whole[cut:]).answer()
        assert answer.status == 200
        assert wire.is_closed()
        assert server.process.wait(IN_TIME) == 143
        assert server.events() == 1


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def ends_in_time(server: Served) -> None:
    started = time.monotonic()
    assert server.stop(seconds=30) == 143
    # Half a second for a busy machine.
    assert time.monotonic() - started < IN_TIME + 0.5


def test_slow_senders_and_hanging_targets_do_not_hold_up_the_end(hook_world: World) -> None:
    told = program(hook_world.folder / "told", """echo $$ > "$0.pid"; sleep 1000""")
    with target_server() as target:
        target.hangs.set()
        with serving(hook_world, "--forward-to", target.url, "--exec", str(told)) as server, server.wire() as wire:
            server.post(event())
            eventually(lambda: target.taken and told.with_name("told.pid").exists(), "under way")
            child = int(told.with_name("told.pid").read_text())
            wire.send(request(event(2))[:-5])
            ends_in_time(server)
            eventually(lambda: not Path(f"/proc/{child}").exists(), "the command was ended too")


def test_a_locked_store_does_not_hold_up_the_end(hook_world: World) -> None:
    with serving(hook_world) as server, closing(sqlite3.connect(hook_world.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with server.wire() as wire:
            wire.send(request(event()))
            ends_in_time(server)
            assert wire.answer().status == 503, "who is not answered in time is asked to come back"


def test_a_key_command_that_hangs_does_not_hold_up_the_end(hook_world: World) -> None:
    first = hook_world.folder / "first"
    script = f"#!/bin/sh\n[ -e {first} ] && sleep 1000\ntouch {first}; echo {KEY}\n"
    command = hook_world.folder / "key-command"
    command.write_text(script)
    command.chmod(0o700)
    hook_world.configure(f"profiles:\n  shop:\n    webhooks: {{api_key_command: [{command}]}}\n")
    changes = {"CPCTL_CONFIG": str(hook_world.config), "CPCTL_WEBHOOK_KEY": None}
    with serving(hook_world, changes=changes) as server:
        hook_world.config.touch()
        eventually(lambda: any(is_child_of(server.process.pid)), "the command runs again")
        assert server.post(event()).status == 200
        ends_in_time(server)


def is_child_of(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def test_a_log_that_nobody_reads_holds_up_neither_answers_nor_the_end(hook_world: World) -> None:
    ours, theirs = os.pipe()
    try:
        with serving(hook_world, stderr=theirs) as server:
            with server.wire() as wire:
                for number in range(1500):
                    assert wire.send(request(event(number))).answer().status == 200
            ends_in_time(server)
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_ready_file_holds_the_address_and_is_gone_at_the_end(hook_world: World) -> None:
    with serving(hook_world) as server:
        ready = hook_world.folder / "address-0"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", ready.read_text())
        assert S_IMODE(ready.stat().st_mode) == 0o600
        assert f'Receives webhooks for profile "default" on {server.address}. Ctrl-C stops it.' in server.said()
        assert server.stop() == 143
        assert not ready.exists()


def test_a_ready_file_that_cannot_be_written_ends_the_server(hook_world: World) -> None:
    result = hook_world.run("webhooks", "serve", "--port", "0", "--ready-file", "no/such/folder/ready")
    assert result.code == 2
    assert "no/such/folder/ready cannot be written" in result.err
    assert "Traceback" not in result.err


def test_a_port_that_is_in_use_is_said(hook_world: World, inside: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = inside(hook_world, "webhooks", "serve", "--port", port)
    assert result.code == 3
    assert f"127.0.0.1 port {port} cannot be listened on: Address already in use." in result.err
    assert "--port" in result.err


def test_of_two_servers_that_start_at_once_on_one_port_one_is_told_so(hook_world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    both = [hook_world.start("webhooks", "serve", "--port", str(port)) for _ in range(2)]
    try:
        eventually(lambda: any(each.poll() is not None for each in both), "one has ended")
        loser = next(each for each in both if each.poll() is not None)
        winner = next(each for each in both if each is not loser)
        assert loser.communicate()[1].startswith(f"cpctl: 127.0.0.1 port {port} cannot be listened on")
        assert loser.returncode == 3
        eventually(lambda: is_listening(port), "the other listens")
        with Wire(port) as wire:
            assert wire.send(request(event())).answer().status == 200
    finally:
        for each in both:
            each.kill()
            each.communicate()
    assert winner.returncode == -9


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "Name an address of this machine"), ("no-such-host.invalid", "Name an address of this machine")],
)
def test_an_address_that_is_not_here_is_said(
    hook_world: World, inside: Callable[..., Any], host: str, words: str
) -> None:
    result = inside(hook_world, "webhooks", "serve", "--host", host, "--behind-proxy")
    assert result.code == 3
    assert f"{host} port 8100 cannot be listened on" in result.err
    assert words in result.err


def test_a_dry_run_looks_at_all_that_was_told_and_does_nothing(hook_world: World, inside: Callable[..., Any]) -> None:
    ready = hook_world.folder / "ready"
    words = ("webhooks", "serve", "--dry-run", "--ready-file", str(ready), "--exec", "true")
    result = inside(hook_world, *words)
    assert (result.code, result.out) == (0, "")
    assert result.err == "Dry run: all that was told can be used; nothing listens.\n"
    assert not ready.exists()
    assert not hook_world.store.exists()
    assert inside(hook_world, *words, "--tls-cert", "nowhere.pem").code == 3
    assert inside(hook_world, *words, "--exec", "no-such-program-here").code == 2
    assert inside(hook_world, *words, CPCTL_WEBHOOK_KEY="short").code == 3


@pytest.mark.parametrize("form", ["xml", "JSON", ""])
def test_a_log_format_that_is_none_is_refused(hook_world: World, inside: Callable[..., Any], form: str) -> None:
    result = inside(hook_world, "webhooks", "serve", "--log-format", form)
    assert result.code == 2
    assert f'There is no log format "{form}"' in result.err


# --- systemd ----------------------------------------------------------------------------------


@contextmanager
def manager(abstract: bool = False) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens as systemd's does, and its name in NOTIFY_SOCKET."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        name = f"@{folder}" if abstract else f"{folder}/notify"
        ear.bind(f"\0{folder}" if abstract else name)
        ear.settimeout(20)
        yield ear, name


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_systemd_is_told_ready_alive_and_stopping(hook_world: World, abstract: bool) -> None:
    with manager(abstract) as (ear, name):
        changes = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"}
        with serving(hook_world, changes=changes) as server:
            heard = [ear.recv(4096).decode() for _ in range(5)]
            ready = "READY=1\nSTATUS=Receives webhooks for profile default"
            assert ready in heard
            assert heard.count("WATCHDOG=1") >= 3
            assert server.post(event()).status == 200
            assert server.stop() == 143
            ear.setblocking(False)
            while True:
                try:
                    heard.append(ear.recv(4096).decode())
                except BlockingIOError:
                    break
            assert heard.count("STOPPING=1") == 1
            assert set(heard) == {ready, "WATCHDOG=1", "STOPPING=1"}


def test_a_manager_that_is_gone_is_no_trouble(hook_world: World) -> None:
    changes = {"NOTIFY_SOCKET": "/nowhere/notify", "WATCHDOG_USEC": "nonsense"}
    with serving(hook_world, changes=changes) as server:
        assert server.post(event()).status == 200


class Blocked(Store):
    """A store whose disk answers no more once `stuck` is set."""

    stuck = threading.Event()
    goes_on = threading.Event()

    def write(self, work: Any) -> Any:
        if self.stuck.is_set():
            self.goes_on.wait(60)
        return super().write(work)


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_the_watchdog_barks_when_the_writing_thread_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "STUCK_SECONDS", 0.3)
    Blocked.stuck.clear()
    Blocked.goes_on.clear()
    lines: list[str] = []
    with manager() as (ear, name):
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"})
        ready = threading.Event()
        surroundings = Dependencies(
            lambda: Blocked(tmp_path / "cpctl.db", lambda said: None), [KEY], lambda: None, ready.set, notifier
        )
        rules = ReceiverRules("shop", [], known_orders=False, public_status=False)
        log = AccessLog(lambda line, problem: lines.append(line), "text")
        receiver = Receiver(rules, ServerSettings("127.0.0.1", 0, None, None, False, 10), [], surroundings, log)
        sockets = bind_sockets("127.0.0.1", 0)
        port = sockets[0].getsockname()[1]
        thread = threading.Thread(target=receiver.run, args=(sockets,))
        thread.start()
        try:
            assert ready.wait(20)
            while ear.recv(4096) != b"WATCHDOG=1":
                pass
            Blocked.stuck.set()
            with Wire(port) as wire:
                wire.send(request(event()))
                eventually(lambda: silent(ear), "no sign of life")
                Blocked.stuck.clear()
                Blocked.goes_on.set()
                assert wire.answer().status == 200
            while ear.recv(4096) != b"WATCHDOG=1":
                pass
        finally:
            Blocked.goes_on.set()
            receiver._server.should_exit = True
            thread.join(30)
            log.stop()
        assert not thread.is_alive()


def silent(ear: socket.socket) -> bool:
    """Whether nothing is heard for as long as six signs of life would take."""
    ear.settimeout(0.3)
    try:
        ear.recv(4096)
    except TimeoutError:
        ear.settimeout(20)
        return True
    return False
