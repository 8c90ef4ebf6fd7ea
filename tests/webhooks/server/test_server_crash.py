"""Every webhook answered 200 is in the store, even if the server is killed."""

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli_environment import CliEnvironment
from harness.webhooks.load_generator import generate_load
from harness.webhooks.webhook_server import running_server, select_rows, wait_until, webhook_body


def stored_numbers(store: Path) -> list[int]:
    """The numbers of all events in the store."""
    return [int(row["item_reference"]) for row in select_rows(store, "SELECT item_reference FROM events")]


@pytest.mark.parametrize("seed", range(5))
def test_every_webhook_answered_200_survives_a_kill_exactly_once(webhook_cli: CliEnvironment, seed: int) -> None:
    chance = random.Random(seed)
    answered: list[int] = []
    for _ in range(2):
        goal = chance.randrange(1, 400)

        def fresh(number: int, base: int = len(answered) and 100_000) -> dict[str, Any]:
            return webhook_body(base + number)

        with (
            running_server(webhook_cli) as server,
            generate_load(server.port, connections=chance.randrange(1, 12), make_event=fresh) as at,
        ):
            wait_until(lambda goal=goal, at=at: len(at.accepted) >= goal, "enough for a kill")
            server.stop(signal.SIGKILL)
        base = 100_000 if answered else 0
        answered += [base + number for number in at.accepted]
    found = stored_numbers(webhook_cli.store)
    assert set(answered) <= set(found)
    assert len(found) == len(set(found))
    assert select_rows(webhook_cli.store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    # At most one event per connection was stored without a response.
    assert len(found) <= len(answered) + 2 * 12


def test_two_servers_on_one_store_store_each_event_once(webhook_cli: CliEnvironment) -> None:
    def one_of_forty(number: int) -> dict[str, Any]:
        return webhook_body(number % 40)

    with running_server(webhook_cli) as first, running_server(webhook_cli) as second:
        with generate_load(first.port, second.port, connections=8, make_event=one_of_forty) as at:
            wait_until(lambda: len(at.accepted) >= 800, "enough were sent")
        assert set(at.statuses) == {200}
        (row,) = first.select_rows("SELECT count(*) AS events, sum(received_count) AS received_count FROM events")
        assert row == {"events": 40, "received_count": len(at.accepted)}


def test_one_of_two_servers_survives_the_kill_of_the_other(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as first, running_server(webhook_cli) as second:
        with generate_load(first.port, second.port, connections=6) as at:
            wait_until(lambda: len(at.accepted) >= 100, "both are busy")
            first.stop(signal.SIGKILL)
            before = len(at.accepted)
            wait_until(lambda: len(at.accepted) >= before + 100, "the other continues")
        found = stored_numbers(second.cli.store)
        assert set(at.accepted) <= set(found)
        assert len(found) == len(set(found))


READ_REQUESTS = {
    "/health": lambda server: server.get("/health"),
    "/metrics": lambda server: server.get("/metrics"),
    "another cpctl": lambda server: server.cli.run("outbox", "list"),
}


@pytest.mark.parametrize("look", READ_REQUESTS)
def test_reading_the_store_of_a_running_server_loses_nothing(webhook_cli: CliEnvironment, look: str) -> None:
    """A reader that closes the store last would delete the WAL of the server."""
    script = (
        "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM events').fetchone())"
    )
    with running_server(webhook_cli, "--exec", "true") as server:
        for number in range(1, 4):
            READ_REQUESTS[look](server)
            assert server.post(webhook_body(number)).status == 200
            seen = subprocess.run([sys.executable, "-c", script, server.cli.store], capture_output=True, text=True)
            assert seen.stdout == f"{number}\n"


def test_a_server_notices_that_its_store_was_quarantined(webhook_cli: CliEnvironment) -> None:
    """A server writes no webhooks to a store that was renamed or deleted."""
    with running_server(webhook_cli) as server:
        assert server.post(webhook_body(1)).status == 200
        for end in ("", "-wal", "-shm"):
            part = Path(f"{server.cli.store}{end}")
            if part.exists():
                part.rename(f"{server.cli.store}.aside{end}")
        assert server.post(webhook_body(2)).status == 200
        assert stored_numbers(server.cli.store) == [2]
        assert 1 in stored_numbers(Path(f"{server.cli.store}.aside"))
