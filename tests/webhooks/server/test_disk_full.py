"""A store that is not writable: 503, so that the sender retries and nothing is lost."""

import os
import resource
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from harness.cli_environment import CliEnvironment
from harness.webhooks.load_generator import generate_load
from harness.webhooks.webhook_server import RunningServer, encode_request, running_server, wait_until, webhook_body


def limit_file_size(server: RunningServer, size: int) -> None:
    """Limit the size of the server's files, which it sees as a full disk."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_full_disk_is_answered_503_until_there_is_space_again(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        assert server.post(webhook_body(1)).status == 200
        limit_file_size(server, 4096)
        with server.connect() as wire:
            answer = wire.send(encode_request(webhook_body(2))).read_response()
            assert (answer.status, answer.headers["retry-after"]) == (503, "30")
            assert answer.headers["connection"] == "close"
            assert answer.data == {"error": "Service Unavailable"}
            assert wire.wait_closed()
        wait_until(lambda: server.get("/health").status == 503, "the result of the write probe is renewed")
        health = server.get("/health")
        assert (health.data["status"], health.data["store_writable"]) == ("failing", False)
        assert server.get("/metrics").status == 200
        limit_file_size(server, resource.RLIM_INFINITY)
        assert server.post(webhook_body(2)).data["received_count"] == 1
        wait_until(lambda: server.get("/health").status == 200, "healthy again")
        assert server.count_events() == 2


def test_every_200_is_stored_while_the_disk_fills_up_under_load(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server, generate_load(server.port, connections=6) as at:
        for _ in range(3):
            before = len(at.accepted)
            wait_until(lambda before=before: len(at.accepted) > before + 50, "stored")
            limit_file_size(server, 4096)
            refused = at.statuses.count(503)
            wait_until(lambda refused=refused: at.statuses.count(503) > refused + 20, "refused")
            limit_file_size(server, resource.RLIM_INFINITY)
        at.stop()
        assert set(at.statuses) == {200, 503}
        found = {int(row["item_reference"]) for row in server.select_rows("SELECT item_reference FROM events")}
        assert set(at.accepted) <= found
        assert server.select_rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_a_delivery_that_cannot_be_recorded_is_not_repeated(webhook_cli: CliEnvironment) -> None:
    go = webhook_cli.folder / "go"
    program = webhook_cli.folder / "program"
    program.write_text(f'#!/bin/sh\necho x >> "$0.out"\nwhile [ ! -e {go} ]; do sleep 0.05; done\n')
    program.chmod(0o700)
    with running_server(webhook_cli, "--exec", str(program)) as server:
        server.post(webhook_body())
        wait_until(program.with_name("program.out").exists, "the command runs")
        limit_file_size(server, 4096)
        go.touch()
        wait_until(lambda: server.get("/health").status == 503, "the disk is full")
        limit_file_size(server, resource.RLIM_INFINITY)
        wait_until(lambda: server.select_rows("SELECT state FROM deliveries") == [{"state": "done"}], "recorded")
        assert program.with_name("program.out").read_text() == "x\n"


def test_webhooks_wait_while_the_store_is_locked(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        assert server.post(webhook_body(0)).status == 200
        with closing(sqlite3.connect(webhook_cli.store, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wires = [server.connect() for _ in range(5)]
            for number, wire in enumerate(wires, 1):
                wire.send(encode_request(webhook_body(number)))
            assert server.get("/metrics").status == 200, "reading is still possible"
            other.execute("COMMIT")
        for wire in wires:
            assert wire.read_response().status == 200
            wire.__exit__()
        assert server.count_events() == 6


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_store_that_is_not_writable_is_reported_at_the_start(webhook_cli: CliEnvironment, what: str) -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root writes into every folder, and there is no setpriv to take that power away")
    webhook_cli.store.parent.mkdir(mode=0o700)
    if what == "file":
        webhook_cli.store.touch(mode=0o400)
    else:
        webhook_cli.store.parent.chmod(0o500)
    power = [] if os.geteuid() else ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    done = subprocess.run(
        [*power, *webhook_cli.command_line("webhooks", "serve", "--port", "0")],
        capture_output=True,
        text=True,
        env=webhook_cli.process_environment(),
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert "Receiving webhooks" not in done.stderr
