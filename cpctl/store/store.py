"""The store: one SQLite file, durable at every commit. The only module that knows sqlite3."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from cpctl.errors import StoreError
from cpctl.store.location import prepare_location
from cpctl.store.migrations import MIGRATIONS

T = TypeVar("T")
Row = Mapping[str, Any]  # values by column name; that it is sqlite3's own class stays in this file

BUSY_TIMEOUT_SECONDS = 20.0
COMPLETION_TIMEOUT_SECONDS = 0.2
_FILE_SUFFIXES = ("", "-wal", "-shm")
_CORRUPT_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FAILURE_REASONS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space on that disk, then repeat the command."),
    sqlite3.SQLITE_IOERR: ("the disk reports an error, or is full", "Check the disk, then repeat the command."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make the file and its folder writable."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Make the file and its folder readable and writable."),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "Close that program, then repeat the command."),
}


class Transaction:
    """SQL in, rows out, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def fetch_all(self, sql: str, **values: Any) -> list[Row]:
        """Run one statement and return all its rows."""
        return cast(list[Row], self._connection.execute(sql, values).fetchall())

    def fetch_one(self, sql: str, **values: Any) -> Row | None:
        """Run one statement and return its first row, or None."""
        return cast(Row | None, self._connection.execute(sql, values).fetchone())

    def execute(self, sql: str, **values: Any) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row, given by the names of its columns, and return its id."""
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"
        return int(self._connection.execute(sql, values).lastrowid or 0)


class Store:
    """A store file, opened on first use. A damaged one is moved aside, and `warn` gets a message about it."""

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self.path = path
        self._warn = warn
        self._connection: sqlite3.Connection | None = None

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in one transaction; when this returns, what it wrote survives a power cut.

        Raises StoreError if the store cannot be opened, locked or written: then nothing of the work is in the store.
        """
        # IMMEDIATE takes the write lock first: a transaction that reads and then writes would fail at once,
        # whatever the timeout, if another one wrote in between.
        return self._run("BEGIN IMMEDIATE", work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run work on one unchanging view of the store. Raises StoreError."""
        return self._run("BEGIN", work)

    def exists(self) -> bool:
        """Whether the store file exists. Raises StoreError if its folder cannot be read."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(f"Cannot access the store {self.path}: {error.strerror}.") from error
        return True

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _run(self, begin: str, work: Callable[[Transaction], T], may_quarantine: bool = True) -> T:
        try:
            if self._connection is None:
                self._connection = _open(self.path)
            return _run_transaction(self._connection, begin, work)
        except sqlite3.DatabaseError as error:
            if not may_quarantine or _primary_result_code(error) not in _CORRUPT_CODES:
                message = f"The store {self.path} failed"
                raise _explain(error, message, "Run `cpctl doctor`, or name another store.") from error
            self._quarantine(error)
        return self._run(begin, work, may_quarantine=False)

    def _quarantine(self, error: sqlite3.DatabaseError) -> None:
        """Rename a damaged store, never delete it: the signals that wait in it may still be readable.

        Raises StoreError for a text file without the suffix of a store: the path is wrong, and the file is not ours.
        """
        self.close()
        is_foreign = _primary_result_code(error) == sqlite3.SQLITE_NOTADB and self.path.suffix != ".db"
        if is_foreign and _is_text_file(self.path):
            raise StoreError(
                f"{self.path} is a text file, not a cpctl store; it was left unchanged.",
                "Name another file: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR.",
            ) from error
        aside = self.path.with_name(f"{self.path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z")
        try:
            for suffix in _FILE_SUFFIXES:
                with suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
        except OSError as failure:
            message = f"The store {self.path} is damaged and cannot be moved aside: {failure.strerror}."
            raise StoreError(message) from failure
        self._warn(
            f"THE STORE WAS DAMAGED ({error}). It was moved to {aside}, and a new one was created. Signals that waited "
            f"in it were not sent: `cpctl outbox import {aside}` imports those that can still be read."
        )


def salvage_rows(path: Path, sql: str) -> tuple[list[Row], str]:
    """Rows of another store file, read-only and as far as they can be read, and why reading ended early (or "")."""
    rows: list[Row] = []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            for row in connection.execute(sql):
                rows.append(row)  # one by one: those before the damage are kept
    except sqlite3.DatabaseError as error:
        return rows, str(error)
    return rows, ""


def query_without_waiting(path: Path, sql: str, **values: Any) -> list[Row]:
    """Rows of a store that others may be using: waits for no lock, makes no file. Raises sqlite3.Error, OSError."""
    with closing(_open_read_only(path, COMPLETION_TIMEOUT_SECONDS)) as connection:
        return cast(list[Row], connection.execute(sql, values).fetchall())


def run_read_only(path: Path, work: Callable[[Transaction], T]) -> T:
    """Run read-only work on a store without creating, migrating or quarantining it. Raises StoreError."""
    try:
        with closing(_open_read_only(path, BUSY_TIMEOUT_SECONDS)) as connection:
            connection.execute("BEGIN")
            return work(Transaction(connection))
    except sqlite3.DatabaseError as error:
        if _primary_result_code(error) in _CORRUPT_CODES:
            raise StoreError(
                f"The store {path} is damaged: {error}.",
                "The next signal moves it aside and creates a new one; `cpctl outbox import` reads the old one.",
            ) from error
        raise _explain(error, f"Cannot read the store {path}", "Name another store with CPCTL_STORE.") from error


def _open_read_only(path: Path, timeout_seconds: float) -> sqlite3.Connection:
    """A connection that changes nothing.

    With a log (-wal) beside the store, the newest rows are in it, and reading them needs the memory that its users
    share (-shm). Without, nobody writes: `immutable` reads the file as it is, and leaves no empty log beside it.
    """
    in_use = all(Path(f"{path}{suffix}").exists() for suffix in _FILE_SUFFIXES[1:])
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_seconds, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _open(path: Path) -> sqlite3.Connection:
    prepare_location(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        _enable_wal(connection)
        # FULL, because an accepted signal must survive the power switch at the bench.
        connection.execute("PRAGMA synchronous=FULL")
        # For macOS: there a disk may keep what it was asked to write in its own memory.
        connection.execute("PRAGMA fullfsync=ON")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. When two first users switch at once, SQLite says "locked" without waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if _primary_result_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the steps that the store has not had: all in one transaction, so that a failure leaves the old shape.

    The version is read twice: without a lock, because nearly always nothing is to do, and again under the write
    lock, because another process may have migrated in between.
    """
    latest = len(MIGRATIONS)
    if _schema_version(connection) == latest:
        return

    def work(transaction: Transaction) -> None:
        version = _schema_version(connection)
        if version > latest:
            message = f"The store {path} was made by a newer cpctl (schema version {version}, this one knows {latest})."
            raise StoreError(message, "Update cpctl on this machine.")
        for step in MIGRATIONS[version:]:
            # Statement by statement: `executescript` would commit first. So no step may have a `;` inside a statement.
            for statement in filter(str.strip, step.split(";")):
                transaction.execute(statement)
        transaction.execute(f"PRAGMA user_version={latest}")

    _run_transaction(connection, "BEGIN IMMEDIATE", work)


def _run_transaction(connection: sqlite3.Connection, begin: str, work: Callable[[Transaction], T]) -> T:
    connection.execute(begin)
    try:
        result = work(Transaction(connection))
        connection.execute("COMMIT")
        return result
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _explain(error: sqlite3.DatabaseError, failure: str, default_hint: str) -> StoreError:
    reason, hint = _FAILURE_REASONS.get(_primary_result_code(error), (str(error), default_hint))
    return StoreError(f"{failure}: {reason}.", hint)


def _primary_result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code (its low byte); 0 if the error comes from Python's module."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_text_file(path: Path) -> bool:
    """Whether a file begins like a text. Only for what SQLite calls no database: see `location._create_file`."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return bool(head) and not any(byte < 0x20 and byte not in b"\t\n\r\f" for byte in head)
