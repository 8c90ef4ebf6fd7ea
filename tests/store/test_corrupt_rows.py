"""Rows that a bad disk damaged, and how cpctl reports them."""

import sqlite3
import subprocess
from typing import TYPE_CHECKING, Any

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.outbox.store_access import ITEM, ORDER, SECOND_ITEM, shipped_command

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment


def corrupt_row(cli: "CliEnvironment", setting: str) -> None:
    """Change the first signal like a bad disk, without SQLite noticing."""
    with sqlite3.connect(cli.store) as store:
        store.execute(f"UPDATE signals SET {setting} WHERE id = 1")
    store.close()


def test_a_signal_damaged_on_disk_is_refused_and_does_not_stop_others(cli: "CliEnvironment", sandbox: Sandbox) -> None:
    cli.run(*shipped_command(), "--queue-only")
    cli.run("signal", "packed", SECOND_ITEM, "--order", ORDER, "--queue-only")
    corrupt_row(cli, "fields = '{'")
    flushed = cli.run("outbox", "flush")
    assert flushed.code == 6
    assert "the disk has damaged it" in flushed.err
    states = {row["item"]: row["state"] for row in cli.run_json("signal", "history")}
    assert states == {ITEM: "refused", SECOND_ITEM: "delivered"}
    requests: list[dict[str, Any]] = sandbox.state.journal.list_entries()  # type: ignore[assignment]
    assert [request["body"]["item"] for request in requests] == [SECOND_ITEM]


def test_a_signal_with_a_damaged_type_can_still_be_listed_and_dropped(cli: "CliEnvironment") -> None:
    cli.run(*shipped_command(), "--queue-only")
    corrupt_row(cli, "type = 'ItemShippe'")
    assert cli.run_json("outbox", "list")[0]["type"] == "ItemShippe"
    assert cli.run("outbox", "drop", "1", "--yes").code == 0


def test_check_is_critical_while_a_quarantined_store_exists(cli: "CliEnvironment") -> None:
    cli.run(*shipped_command(), "--queue-only")
    cli.store.write_bytes(b"not a database" * 500)
    found = cli.run("outbox", "check")
    assert (found.code, "1 damaged store set aside" in found.out) == (2, True)
    next(cli.store.parent.glob("cpctl.db.corrupt-*Z")).unlink()
    assert cli.run("outbox", "check").code == 0


def test_a_store_cannot_be_imported_from_standard_input(cli: "CliEnvironment") -> None:
    cli.run(*shipped_command(), "--queue-only")
    with cli.store.open("rb") as store:
        done = subprocess.run(
            cli.command_line("outbox", "import", "-"),
            stdin=store,
            capture_output=True,
            text=True,
            env=cli.process_environment(),
        )
    assert (done.returncode, "Name its file" in done.stderr) == (2, True)
