"""What the disk does to single rows, and how loudly it is said."""

import sqlite3
import subprocess
from typing import TYPE_CHECKING, Any

from shop import ITEM, ORDER, SECOND, shipped

from cpctl.sandbox.server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from worlds import World


def damage(world: "World", setting: str) -> None:
    """Change the first signal as a bad disk would, without SQLite noticing."""
    with sqlite3.connect(world.store) as store:
        store.execute(f"UPDATE signals SET {setting} WHERE id = 1")
    store.close()


def test_a_signal_the_disk_damaged_is_refused_and_stops_no_other(world: "World", sandbox: Sandbox) -> None:
    world.run(*shipped(), "--queue-only")
    world.run("signal", "packed", SECOND, "--order", ORDER, "--queue-only")
    damage(world, "fields = '{'")
    flushed = world.run("outbox", "flush")
    assert flushed.code == 6
    assert "the disk has damaged it" in flushed.err
    states = {row["item"]: row["state"] for row in world.json("signal", "history")}
    assert states == {ITEM: "refused", SECOND: "delivered"}
    requests: list[dict[str, Any]] = sandbox.state.journal.list_entries()  # type: ignore[assignment]
    assert [request["body"]["item"] for request in requests] == [SECOND]


def test_a_signal_of_a_type_that_is_damaged_can_still_be_listed_and_dropped(world: "World") -> None:
    world.run(*shipped(), "--queue-only")
    damage(world, "type = 'ItemShippe'")
    assert world.json("outbox", "list")[0]["type"] == "ItemShippe"
    assert world.run("outbox", "drop", "1", "--yes").code == 0


def test_monitoring_is_critical_while_a_damaged_store_lies_aside(world: "World") -> None:
    world.run(*shipped(), "--queue-only")
    world.store.write_bytes(b"not a database" * 500)
    found = world.run("outbox", "check")
    assert (found.code, "1 damaged store set aside" in found.out) == (2, True)
    next(world.store.parent.glob("cpctl.db.corrupt-*Z")).unlink()
    assert world.run("outbox", "check").code == 0


def test_a_store_is_imported_from_its_file_and_not_from_standard_input(world: "World") -> None:
    world.run(*shipped(), "--queue-only")
    with world.store.open("rb") as store:
        done = subprocess.run(
            world.command("outbox", "import", "-"), stdin=store, capture_output=True, text=True, env=world.env()
        )
    assert (done.returncode, "Name its file" in done.stderr) == (2, True)
