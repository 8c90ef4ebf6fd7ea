"""What was answered 200 is in the store, whatever happens to the server."""

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from webhook_senders import sending
from webhook_server import event, eventually, rows, serving
from worlds import World


def kept_numbers(store: Path) -> list[int]:
    """The numbers of all events in the store; see `event`."""
    return [int(row["item_reference"]) for row in rows(store, "SELECT item_reference FROM events")]


@pytest.mark.parametrize("seed", range(5))
def test_every_webhook_that_was_answered_200_survives_a_kill_exactly_once(hook_world: World, seed: int) -> None:
    chance = random.Random(seed)
    answered: list[int] = []
    for _ in range(2):
        goal = chance.randrange(1, 400)

        def fresh(number: int, base: int = len(answered) and 100_000) -> dict[str, Any]:
            return event(base + number)

        with serving(hook_world) as server, sending(server.port, connections=chance.randrange(1, 12), make=fresh) as at:
            eventually(lambda goal=goal, at=at: len(at.kept) >= goal, "a moment to die")
            server.stop(signal.SIGKILL)
        base = 100_000 if answered else 0
        answered += [base + number for number in at.kept]
    found = kept_numbers(hook_world.store)
    assert set(answered) <= set(found)
    assert len(found) == len(set(found))
    assert rows(hook_world.store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    # One for each connection at most was stored and not answered any more.
    assert len(found) <= len(answered) + 2 * 12


def test_two_servers_on_one_store_keep_each_event_once_with_the_right_count(hook_world: World) -> None:
    def one_of_forty(number: int) -> dict[str, Any]:
        return event(number % 40)

    with serving(hook_world) as first, serving(hook_world) as second:
        with sending(first.port, second.port, connections=8, make=one_of_forty) as at:
            eventually(lambda: len(at.kept) >= 800, "enough were sent")
        assert set(at.statuses) == {200}
        (row,) = first.rows("SELECT count(*) AS events, sum(times) AS times FROM events")
        assert row == {"events": 40, "times": len(at.kept)}


def test_one_of_two_servers_is_killed_and_the_other_goes_on(hook_world: World) -> None:
    with serving(hook_world) as first, serving(hook_world) as second:
        with sending(first.port, second.port, connections=6) as at:
            eventually(lambda: len(at.kept) >= 100, "both at work")
            first.stop(signal.SIGKILL)
            before = len(at.kept)
            eventually(lambda: len(at.kept) >= before + 100, "the other goes on")
        found = kept_numbers(second.world.store)
        assert set(at.kept) <= set(found)
        assert len(found) == len(set(found))


LOOKS = {
    "/health": lambda server: server.get("/health"),
    "/metrics": lambda server: server.get("/metrics"),
    "another cpctl": lambda server: server.world.run("outbox", "list"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_looking_at_a_server_and_at_its_store_loses_nothing(hook_world: World, look: str) -> None:
    """A process that takes itself for the last user of the store would delete the log of those before it."""
    script = (
        "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM events').fetchone())"
    )
    with serving(hook_world, "--exec", "true") as server:
        for number in range(1, 4):
            LOOKS[look](server)
            assert server.post(event(number)).status == 200
            seen = subprocess.run([sys.executable, "-c", script, server.world.store], capture_output=True, text=True)
            assert seen.stdout == f"{number}\n"


def test_a_server_takes_up_a_store_that_another_cpctl_has_set_aside(hook_world: World) -> None:
    """A store that is renamed or deleted under a running server takes no more webhooks unseen."""
    with serving(hook_world) as server:
        assert server.post(event(1)).status == 200
        for end in ("", "-wal", "-shm"):
            part = Path(f"{server.world.store}{end}")
            if part.exists():
                part.rename(f"{server.world.store}.aside{end}")
        assert server.post(event(2)).status == 200
        assert kept_numbers(server.world.store) == [2]
        assert 1 in kept_numbers(Path(f"{server.world.store}.aside"))
