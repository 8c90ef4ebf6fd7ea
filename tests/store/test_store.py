"""The store file: damaged, on a full disk, read-only, newer, locked, on a network."""

import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING, Any

import pytest

from cpctl.errors import ExitCode, StoreError
from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.store import store as store_module
from cpctl.store.location import NETWORK_FILE_SYSTEMS, detect_network_file_system, prepare_location
from cpctl.store.migrations import MIGRATIONS
from cpctl.store.store import Store
from harness.outbox.store_access import (
    ITEM,
    SECOND_ITEM,
    ForkRunner,
    execute_sql,
    packed_command,
    select_rows,
    shipped_command,
    signal_rows,
    signal_states,
)

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment


def quarantined_stores(cli: "CliEnvironment") -> list[Path]:
    """The damaged stores that were moved aside."""
    return sorted(path for path in cli.store.parent.glob("cpctl.db.corrupt-*") if path.name.endswith("Z"))


def corrupt_header(path: Path) -> None:
    path.write_bytes(b"\x00" * 100 + path.read_bytes()[100:])


def corrupt_index_pages(path: Path) -> None:
    """Invert the pages of the indexes; the table of the signals stays unchanged."""
    pages = select_rows(path, "SELECT rootpage, name FROM sqlite_master WHERE type = 'index' AND name LIKE 'signals_%'")
    size = select_rows(path, "PRAGMA page_size")[0]["page_size"]
    data = bytearray(path.read_bytes())
    for page in pages:
        start = (page["rootpage"] - 1) * size
        data[start : start + size] = bytes(byte ^ 0xFF for byte in data[start : start + size])
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [corrupt_header, corrupt_index_pages])
def test_a_damaged_store_is_quarantined_with_a_warning_and_the_new_signal_is_accepted(
    cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any, damage: Callable[[Path], None]
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    damage(cli.store)
    damaged = cli.store.read_bytes()
    result = fork_runner.run_ok(cli, *packed_command(SECOND_ITEM))
    (kept,) = quarantined_stores(cli)
    assert kept.read_bytes() == damaged
    assert "THE STORE WAS DAMAGED" in result.err
    assert f"`cpctl outbox import {kept}`" in result.err
    assert [body["item"] for body in received_signals()] == [SECOND_ITEM]
    assert [row["item"] for row in signal_rows(cli.store)] == [SECOND_ITEM]


def test_the_readable_rows_of_a_damaged_store_are_imported_and_sent(
    cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    fork_runner.run_ok(cli, *packed_command(SECOND_ITEM))
    corrupt_index_pages(cli.store)
    fork_runner.run_ok(cli, "outbox", "list")
    (kept,) = quarantined_stores(cli)
    before = kept.read_bytes()
    result = fork_runner.run_ok(cli, "outbox", "import", str(kept), "-o", "json")
    assert result.data == {"imported": 1, "known": 0, "unreadable": None}
    assert kept.read_bytes() == before
    fork_runner.run_ok(cli, "outbox", "flush")
    assert [body["item"] for body in received_signals()] == [SECOND_ITEM, ITEM]


def test_a_damaged_signal_is_not_imported_and_is_reported(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    for item in (ITEM, SECOND_ITEM, "123456780003"):
        fork_runner.run_ok(cli, *packed_command(item), "--queue-only")
    execute_sql(cli.store, "UPDATE signals SET type = 'ItemPacjed' WHERE id = 1")
    execute_sql(cli.store, "UPDATE signals SET fields = '{\"order' WHERE id = 2")
    broken = cli.store.rename(cli.folder / "broken.db")
    result = fork_runner.run_ok(cli, "outbox", "import", str(broken), "-o", "json")
    assert result.data == {"imported": 1, "known": 0, "unreadable": "2 damaged"}
    assert "could be read only in part: 2 damaged" in result.err
    assert [one["item"] for one in fork_runner.run_ok(cli, "outbox", "list", "-o", "json").data] == ["123456780003"]


def test_a_file_that_is_not_a_store_is_quarantined_as_well(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    cli.store.parent.mkdir(mode=0o700)
    cli.store.write_text("All my letters to the print shop\n" * 40)
    result = fork_runner.run_ok(cli, *packed_command())
    assert "THE STORE WAS DAMAGED (file is not a database)" in result.err
    (kept,) = quarantined_stores(cli)
    assert "All my letters" in kept.read_text()


@pytest.mark.parametrize("name", ["config.yaml", "passwd", "parcels.csv"])
def test_a_text_file_named_as_the_store_by_mistake_is_left_unchanged(
    cli: "CliEnvironment", fork_runner: ForkRunner, name: str
) -> None:
    text = cli.folder / "texts" / name
    text.parent.mkdir()
    text.write_text("root:x:0:0:Größe:/root:/bin/bash\n" * 400, encoding="utf-8")
    before = text.read_bytes()
    for arguments in (packed_command(), ["outbox", "list"]):
        result = fork_runner.run(cli, *arguments, env={"CPCTL_STORE": str(text)})
        assert result.code == ExitCode.STORE
        assert f"{text} is a text file, not a cpctl store; it was left unchanged." in result.err
    assert text.read_bytes() == before
    assert [each.name for each in text.parent.iterdir()] == [name]


def test_a_store_of_a_newer_version_is_left_unchanged(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    execute_sql(cli.store, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = cli.store.read_bytes()
    for arguments in (packed_command(SECOND_ITEM), ["outbox", "flush"], ["outbox", "list"]):
        result = fork_runner.run(cli, *arguments)
        assert result.code == ExitCode.STORE
        assert "was made by a newer cpctl" in result.err
        assert "Update cpctl on this machine." in result.err
    assert "NOT ACCEPTED" in fork_runner.run(cli, *packed_command(SECOND_ITEM)).err
    assert cli.store.read_bytes() == before
    assert sandbox.state.journal.list_entries() == []


@pytest.mark.parametrize(("room", "prepared"), [(0, False), (10_000, False), (4096, True)])
def test_a_full_disk_accepts_and_sends_nothing(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, room: int, prepared: bool
) -> None:
    if prepared:
        fork_runner.run_ok(cli, *packed_command(), "--queue-only")
    done = subprocess.run(
        cli.command_line(*packed_command(SECOND_ITEM)),
        capture_output=True,
        text=True,
        env=cli.process_environment(),
        cwd=cli.folder,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        timeout=60,
    )
    assert done.returncode == ExitCode.STORE, done
    assert "NOT ACCEPTED, nothing sent" in done.stderr
    assert done.stdout == ""
    assert sandbox.state.journal.list_entries() == []
    assert SECOND_ITEM not in [one["item"] for one in fork_runner.run_ok(cli, "outbox", "list", "-o", "json").data]
    fork_runner.run_ok(cli, *packed_command(SECOND_ITEM))


def test_writes_stay_visible_while_the_same_process_opens_the_store_twice(
    cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    """Otherwise a second process takes itself for the last reader, and deletes the log of the first."""
    receiver, reader = (Store(cli.store, lambda message: None) for _ in range(2))

    def write(name: str) -> None:
        receiver.write(
            lambda transaction: transaction.execute("INSERT INTO known_orders VALUES ('p', :name, 0)", name=name)
        )

    write("before")
    reader.read(lambda transaction: transaction.fetch_one("SELECT 1"))
    reader.close()
    fork_runner.run_ok(cli, "outbox", "list")
    write("after")
    script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())"
    sql = "SELECT reference FROM known_orders ORDER BY 1"
    seen = subprocess.run([sys.executable, "-c", script, cli.store, sql], capture_output=True, text=True, check=True)
    assert seen.stdout == "[('after',), ('before',)]\n"


def test_a_folder_that_cannot_be_created_accepts_nothing(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    (cli.folder / "file").write_text("")
    for path in (cli.folder / "file" / "cpctl.db", cli.folder, Path("/proc/nobody/cpctl.db")):
        result = fork_runner.run(cli, *packed_command(), env={"CPCTL_STORE": str(path)})
        assert result.code == ExitCode.STORE, result
        assert "NOT ACCEPTED, nothing sent" in result.err
    assert sandbox.state.journal.list_entries() == []


def without_root(command: list[str]) -> list[str]:
    """The command without the capabilities of root."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("root can write to every folder, and setpriv is not installed")
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all", *command]


def test_a_read_only_folder_accepts_nothing(cli: "CliEnvironment", sandbox: Sandbox) -> None:
    closed = cli.folder / "closed"
    closed.mkdir(mode=0o500)
    for path in (closed / "cpctl.db", closed / "deeper" / "cpctl.db"):
        done = subprocess.run(
            without_root(cli.command_line(*packed_command())),
            capture_output=True,
            text=True,
            env=cli.process_environment(CPCTL_STORE=str(path)),
            cwd=cli.folder,
            timeout=60,
        )
        assert done.returncode == ExitCode.STORE, done
        assert "NOT ACCEPTED, nothing sent" in done.stderr
        assert "cannot be written: Permission denied" in done.stderr
    assert sandbox.state.journal.list_entries() == []


def test_a_read_only_store_accepts_nothing(cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner) -> None:
    fork_runner.run_ok(cli, *packed_command())
    cli.store.chmod(0o400)
    done = subprocess.run(
        without_root(cli.command_line(*packed_command(SECOND_ITEM))),
        capture_output=True,
        text=True,
        env=cli.process_environment(),
        cwd=cli.folder,
        timeout=60,
    )
    assert done.returncode == ExitCode.STORE, done
    assert "NOT ACCEPTED, nothing sent" in done.stderr
    assert len(sandbox.state.journal.list_entries()) == 1


def test_only_the_owner_can_read_the_store(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    fork_runner.run_ok(cli, *packed_command())
    assert S_IMODE(cli.store.parent.stat().st_mode) == 0o700
    assert {S_IMODE(path.stat().st_mode) for path in cli.store.parent.iterdir()} == {0o600}


def test_a_commit_is_durable_and_the_file_holds_no_key(
    cli: "CliEnvironment", fork_runner: ForkRunner, tmp_path: Path
) -> None:
    fork_runner.run_ok(cli, *shipped_command())
    store = Store(tmp_path / "new.db", print)
    assert [tuple(row.values()) for row in _pragma_values(store)] == [(2,), (1,), ("wal",)]
    store.close()
    for file in cli.store.parent.iterdir():
        assert b"sandbox-signal-key" not in file.read_bytes()


def _pragma_values(store: Store) -> list[dict[str, Any]]:
    names = ("synchronous", "fullfsync", "journal_mode")
    return store.read(lambda transaction: [dict(transaction.fetch_all(f"PRAGMA {name}")[0]) for name in names])


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    path = tmp_path / "cpctl.db"
    for _ in range(2):
        store = Store(path, print)
        store.read(lambda transaction: transaction.fetch_all("SELECT * FROM signals"))
        store.close()
        assert select_rows(path, "PRAGMA user_version") == [{"user_version": len(MIGRATIONS)}]


def test_a_failed_migration_leaves_the_store_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpctl.db"
    store = Store(path, print)
    store.write(lambda transaction: transaction.execute("INSERT INTO queues (profile) VALUES ('kept')"))
    store.close()
    monkeypatch.setattr(store_module, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE more (id); CREATE TABLE queues (id);"))
    with pytest.raises(StoreError):
        Store(path, print).read(lambda transaction: transaction.fetch_all("SELECT * FROM queues"))
    assert select_rows(path, "SELECT profile FROM queues") == [{"profile": "kept"}]
    assert select_rows(path, "SELECT name FROM sqlite_master WHERE name = 'more'") == []
    assert select_rows(path, "PRAGMA user_version") == [{"user_version": len(MIGRATIONS)}]


def test_a_locked_store_accepts_nothing_and_is_not_quarantined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "BUSY_TIMEOUT_SECONDS", 0.05)
    path = tmp_path / "cpctl.db"
    first = Store(path, print)
    first.read(lambda transaction: None)
    store = Store(path, pytest.fail)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program keeps it locked"):
            store.write(lambda transaction: transaction.execute("INSERT INTO queues (profile) VALUES ('late')"))
        assert store.read(lambda transaction: transaction.fetch_all("SELECT * FROM queues")) == [], (
            "reading needs no lock"
        )
        other.execute("ROLLBACK")
    assert store.write(lambda transaction: transaction.execute("INSERT INTO queues (profile) VALUES ('now')")) == 1
    first.close()
    store.close()


def test_a_failed_transaction_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "cpctl.db", print)

    def work(transaction: Any) -> None:
        transaction.execute("INSERT INTO queues (profile) VALUES ('half')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(work)
    assert store.read(lambda transaction: transaction.fetch_all("SELECT * FROM queues")) == []
    store.close()


def test_the_environment_may_name_another_store(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    other = cli.folder / "elsewhere" / "signals.db"
    result = fork_runner.run(cli, *packed_command(), "--queue-only", env={"CPCTL_STORE": str(other)})
    assert result.code == 0
    assert signal_states(other) == ["queued"]
    assert not cli.store.exists()


# --- network file systems -------------------------------------------------------------------

LOCAL_MOUNT = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw"


def write_mountinfo(folder: Path, *lines: str) -> Path:
    table = folder / "mountinfo"
    table.write_text("\n".join((LOCAL_MOUNT, *lines)) + "\n", encoding="utf-8")
    return table


def mount_line(point: str, kind: str) -> str:
    return f"40 22 0:35 / {point} rw,relatime shared:1 - {kind} source rw"


@pytest.mark.parametrize("kind", sorted(NETWORK_FILE_SYSTEMS))
def test_a_network_file_system_is_detected_by_its_type(tmp_path: Path, kind: str) -> None:
    table = write_mountinfo(tmp_path, mount_line("/mnt/share", kind))
    assert detect_network_file_system(Path("/mnt/share/shop/data"), table) == kind
    assert detect_network_file_system(Path("/mnt/share"), table) == kind
    assert detect_network_file_system(Path("/mnt/shared"), table) is None
    assert detect_network_file_system(Path("/mnt"), table) is None


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuseblk", "apfs"])
def test_a_local_file_system_is_accepted(tmp_path: Path, kind: str) -> None:
    assert (
        detect_network_file_system(Path("/mnt/disk/data"), write_mountinfo(tmp_path, mount_line("/mnt/disk", kind)))
        is None
    )


def test_the_innermost_mount_counts(tmp_path: Path) -> None:
    inside = write_mountinfo(tmp_path, mount_line("/home", "nfs4"), mount_line("/home/bench/local", "ext4"))
    assert detect_network_file_system(Path("/home/bench/local/data"), inside) is None
    assert detect_network_file_system(Path("/home/bench/data"), inside) == "nfs4"
    outside = write_mountinfo(tmp_path, mount_line("/srv/remote/share", "cifs"), mount_line("/srv", "ext4"))
    assert detect_network_file_system(Path("/srv/remote/share/x"), outside) == "cifs"


def test_spaces_and_backslashes_in_a_mount_point_are_unescaped(tmp_path: Path) -> None:
    table = write_mountinfo(
        tmp_path, mount_line(r"/mnt/print\040shop", "9p"), mount_line(r"/mnt/a\134b\011c", "fuse.sshfs")
    )
    assert detect_network_file_system(Path("/mnt/print shop/data"), table) == "9p"
    assert detect_network_file_system(Path("/mnt/a\\b\tc/data"), table) == "fuse.sshfs"


def test_a_symbolic_link_to_a_network_folder_is_followed(tmp_path: Path) -> None:
    target = tmp_path / "share"
    target.mkdir()
    (tmp_path / "link").symlink_to(target)
    table = write_mountinfo(tmp_path, mount_line(str(target), "nfs"))
    assert detect_network_file_system(tmp_path / "link" / "data", table) == "nfs"


def test_without_a_mount_table_a_folder_counts_as_local(tmp_path: Path) -> None:
    assert detect_network_file_system(tmp_path, tmp_path / "none") is None
    junk = tmp_path / "mountinfo"
    junk.write_bytes(b"\xff\xfe\n - \n1 2 3 - nfs\n\n1 2 3 4 /mnt - \n")
    assert detect_network_file_system(tmp_path, junk) is None


def test_a_store_on_a_network_is_refused_before_a_folder_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cpctl.store.location.detect_network_file_system", lambda folder: "nfs4")
    with pytest.raises(StoreError, match=re.escape("network file system (nfs4)")):
        prepare_location(tmp_path / "data" / "cpctl.db")
    assert not (tmp_path / "data").exists()


def test_a_store_error_is_json_if_the_output_is_json(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    result = fork_runner.run(cli, *packed_command(), "-o", "json", env={"CPCTL_STORE": str(cli.folder)})
    error = json.loads(result.err)["error"]
    assert (result.out, error["code"], error["exit_code"]) == ("", "store", 7)


def test_several_connections_of_a_process_lose_nothing_when_another_program_reads_the_store(
    tmp_path: Path,
) -> None:
    """Closing a file ends all locks of the process on it; the other program would then delete the log."""
    path, count = tmp_path / "cpctl.db", "SELECT count(*) AS number FROM known_orders"
    first, second = Store(path, print), Store(path, print)

    def write(store: Store, number: int) -> None:
        values = {"reference": str(number)}
        store.write(
            lambda transaction: transaction.execute("INSERT INTO known_orders VALUES ('p', :reference, 0)", **values)
        )

    def seen_by_another() -> int:
        script = f"import sqlite3; print(*sqlite3.connect({str(path)!r}).execute({count!r}).fetchone())"
        return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)

    write(first, 1)
    write(second, 2)
    assert seen_by_another() == 2
    write(first, 3)
    write(second, 4)
    assert seen_by_another() == 4
    for store in (first, second):
        store.close()
    assert seen_by_another() == 4


def test_a_store_may_be_a_link_to_a_missing_file(tmp_path: Path) -> None:
    link, real = tmp_path / "cpctl.db", tmp_path / "elsewhere.db"
    link.symlink_to(real)
    store = Store(link, print)
    store.write(lambda transaction: None)
    store.close()
    assert S_IMODE(real.stat().st_mode) == 0o600


def test_a_folder_named_as_the_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: Is a directory"):
        Store(tmp_path, print).write(lambda transaction: None)
