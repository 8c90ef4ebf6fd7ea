"""A store that cannot be written: 503, so that the sender comes back; and nothing is lost."""

import os
import resource
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
from webhook_senders import sending
from webhook_server import Served, event, eventually, request, serving
from worlds import World


def let_files_grow(server: Served, size: int) -> None:
    """No file of the server may become larger: what a full disk looks like to it."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_on_a_full_disk_the_answer_is_503_and_when_there_is_room_again_200(hook_world: World) -> None:
    with serving(hook_world) as server:
        assert server.post(event(1)).status == 200
        let_files_grow(server, 4096)
        with server.wire() as wire:
            answer = wire.send(request(event(2))).answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "30")
            assert answer.headers["connection"] == "close"
            assert answer.data == {"error": "Service Unavailable"}
            assert wire.is_closed()
        eventually(lambda: server.get("/health").status == 503, "the state is asked for anew each second")
        health = server.get("/health")
        assert (health.data["status"], health.data["store_writable"]) == ("failing", False)
        assert server.get("/metrics").status == 200
        let_files_grow(server, resource.RLIM_INFINITY)
        assert server.post(event(2)).data["times"] == 1
        eventually(lambda: server.get("/health").status == 200, "well again")
        assert server.events() == 2


def test_under_load_every_200_is_in_the_store_though_the_disk_fills_up_and_empties(hook_world: World) -> None:
    with serving(hook_world) as server, sending(server.port, connections=6) as at:
        for _ in range(3):
            before = len(at.kept)
            eventually(lambda before=before: len(at.kept) > before + 50, "stored")
            let_files_grow(server, 4096)
            refused = at.statuses.count(503)
            eventually(lambda refused=refused: at.statuses.count(503) > refused + 20, "refused")
            let_files_grow(server, resource.RLIM_INFINITY)
        at.stop()
        assert set(at.statuses) == {200, 503}
        found = {int(row["item_reference"]) for row in server.rows("SELECT item_reference FROM events")}
        assert set(at.kept) <= found
        assert server.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_a_hand_over_that_cannot_be_written_down_is_not_repeated(hook_world: World) -> None:
    go = hook_world.folder / "go"
    told = hook_world.folder / "told"
    told.write_text(f'#!/bin/sh\necho x >> "$0.out"\nwhile [ ! -e {go} ]; do sleep 0.05; done\n')
    told.chmod(0o700)
    with serving(hook_world, "--exec", str(told)) as server:
        server.post(event())
        eventually(told.with_name("told.out").exists, "it runs")
        let_files_grow(server, 4096)
        go.touch()
        eventually(lambda: server.get("/health").status == 503, "the disk is full")
        let_files_grow(server, resource.RLIM_INFINITY)
        eventually(lambda: server.rows("SELECT state FROM handovers") == [{"state": "done"}], "written down")
        assert told.with_name("told.out").read_text() == "x\n"


def test_while_another_program_locks_the_store_webhooks_wait_and_are_then_stored(hook_world: World) -> None:
    with serving(hook_world) as server:
        assert server.post(event(0)).status == 200
        with closing(sqlite3.connect(hook_world.store, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wires = [server.wire() for _ in range(5)]
            for number, wire in enumerate(wires, 1):
                wire.send(request(event(number)))
            assert server.get("/metrics").status == 200, "what only reads is answered"
            other.execute("COMMIT")
        for wire in wires:
            assert wire.answer().status == 200
            wire.__exit__()
        assert server.events() == 6


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_store_that_cannot_be_written_is_said_at_the_start(hook_world: World, what: str) -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root writes into every folder, and there is no setpriv to take that power away")
    hook_world.store.parent.mkdir(mode=0o700)
    if what == "file":
        hook_world.store.touch(mode=0o400)
    else:
        hook_world.store.parent.chmod(0o500)
    power = [] if os.geteuid() else ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    done = subprocess.run(
        [*power, *hook_world.command("webhooks", "serve", "--port", "0")],
        capture_output=True,
        text=True,
        env=hook_world.env(),
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert "Receives webhooks" not in done.stderr
