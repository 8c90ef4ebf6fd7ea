"""The store: one SQLite file, durable at every commit. The only file that knows sqlite3."""

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
# A row answers to column names; what it is beyond that stays in this file.
Row = Mapping[str, Any]

BUSY_TIMEOUT_SECONDS = 20.0
COMPLETION_TIMEOUT_SECONDS = 0.2
_SNIFF_BYTES = 4096
_STORE_SUFFIX = ".db"
_FILE_SUFFIXES = ("", "-wal", "-shm")
_CORRUPT_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FAILURE_REASONS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room on that disk, then repeat the command."),
    sqlite3.SQLITE_IOERR: ("the disk reports an error, or is full", "Check the disk, then repeat the command."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make the file and its folder writable."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Make the file and its folder readable and writable."),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "Close what holds it, then repeat the command."),
}


class Transaction:
    """What a piece of work is handed: SQL in, rows out, within one transaction."""

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

    def insert(self, sql: str, **values: Any) -> int:
        """Insert one row and return its id."""
        return int(self._connection.execute(sql, values).lastrowid or 0)


class Store:
    """A store file. Opened on first use; a damaged one is set aside and said through `warn`."""

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self.path = path
        self._warn = warn
        self._connection: sqlite3.Connection | None = None

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run work in one transaction; when this returns, what it wrote survives a power cut.

        Raises StoreError when the store cannot be opened, locked or written: then nothing
        of the work is in the store.
        """
        return self._run("BEGIN IMMEDIATE", work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run work on one unchanging view of the store. Raises StoreError."""
        return self._run("BEGIN", work)

    def exists(self) -> bool:
        """Whether there is a store yet. Raises StoreError where nobody may look."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(f"The store {self.path} cannot be looked at: {error.strerror}.") from error
        return True

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _run(self, begin: str, work: Callable[[Transaction], T]) -> T:
        try:
            return self._attempt(begin, work)
        except sqlite3.DatabaseError as error:
            if not _is_corrupt(error):
                raise self._store_error(error) from error
            self._quarantine(error)
        try:
            return self._attempt(begin, work)
        except sqlite3.DatabaseError as error:
            raise self._store_error(error) from error

    def _attempt(self, begin: str, work: Callable[[Transaction], T]) -> T:
        if self._connection is None:
            self._connection = _open(self.path)
        connection = self._connection
        connection.execute(begin)
        try:
            result = work(Transaction(connection))
            connection.execute("COMMIT")
            return result
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _store_error(self, error: sqlite3.DatabaseError) -> StoreError:
        reason, hint = _FAILURE_REASONS.get(
            _primary_result_code(error), (str(error), "Run `cpctl doctor`, or name another store.")
        )
        return StoreError(f"The store {self.path} failed: {reason}.", hint)

    def _quarantine(self, error: sqlite3.DatabaseError) -> None:
        """Rename a damaged store, never delete it: what waits in it may still be read.

        Raises StoreError for a text of another name than a store has: that is a wrong path, and the file is another's.
        """
        self.close()
        if (
            _primary_result_code(error) == sqlite3.SQLITE_NOTADB
            and self.path.suffix != _STORE_SUFFIX
            and _is_text_file(self.path)
        ):
            raise StoreError(
                f"The store {self.path} is no store, but a file of text. It is left as it is.",
                "Name another file: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR.",
            ) from error
        aside = self.path.with_name(f"{self.path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z")
        try:
            for end in _FILE_SUFFIXES:
                part = Path(f"{self.path}{end}")
                if part.exists():
                    part.rename(f"{aside}{end}")
        except OSError as failed:
            raise StoreError(
                f"The store {self.path} is damaged and cannot be set aside: {failed.strerror}."
            ) from failed
        self._warn(
            f"THE STORE WAS DAMAGED ({error}). It is set aside as {aside}, and a new one begins. "
            f"Signals that waited in it were not sent: `cpctl outbox import {aside}` takes over what can be read."
        )


def salvage_rows(path: Path, sql: str) -> tuple[list[Row], str]:
    """Rows of another store file, as far as they can be read, and why reading ended early (or "").

    The file is opened read-only and never changed.
    """
    rows: list[Row] = []
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        with suppress(StopIteration):
            cursor = connection.execute(sql)
            while True:
                rows.append(next(cursor))
        connection.close()
    except sqlite3.DatabaseError as error:
        return rows, str(error)
    return rows, ""


def query_without_waiting(path: Path, sql: str, **values: Any) -> list[Row]:
    """Rows of a store that others may be using: waits for no lock, makes no file. Raises sqlite3.Error, OSError."""
    with closing(_open_read_only(path, COMPLETION_TIMEOUT_SECONDS)) as connection:
        return cast(list[Row], connection.execute(sql, values).fetchall())


def run_read_only(path: Path, work: Callable[[Transaction], T]) -> T:
    """Run work on a store as it lies there: none is made, brought up to date or set aside. Raises StoreError."""
    try:
        with closing(_open_read_only(path, BUSY_TIMEOUT_SECONDS)) as connection:
            connection.execute("BEGIN")
            return work(Transaction(connection))
    except sqlite3.DatabaseError as error:
        if _is_corrupt(error):
            raise StoreError(
                f"The store {path} is damaged: {error}.",
                "The next signal sets it aside and begins a new one; `cpctl outbox import` takes over the old.",
            ) from error
        reason, hint = _FAILURE_REASONS.get(
            _primary_result_code(error), (str(error), "Name another store with CPCTL_STORE.")
        )
        raise StoreError(f"The store {path} cannot be read: {reason}.", hint) from error


def _open_read_only(path: Path, seconds: float) -> sqlite3.Connection:
    """A connection that changes nothing.

    A log beside the store holds what is newest, and reading it needs the memory its users share; without a log
    nobody writes, and the file can be read as it lies there, leaving no empty log beside it.
    """
    log, shared = (Path(f"{path}{end}").exists() for end in _FILE_SUFFIXES[1:])
    how = "mode=ro" if log and shared else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=seconds, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _open(path: Path) -> sqlite3.Connection:
    prepare_location(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        _enable_wal(connection)
        # FULL, because a signal that was accepted must survive the power switch at the bench.
        connection.execute("PRAGMA synchronous=FULL")
        # On macOS alone: there a disk may keep in its own memory what it was asked to write.
        connection.execute("PRAGMA fullfsync=ON")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch once; SQLite answers "locked" at once, without waiting, when two first users switch together."""
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
    if _schema_version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _schema_version(connection)  # another process may have been first
        if version > len(MIGRATIONS):
            raise StoreError(
                f"The store {path} was made by a newer cpctl (step {version}, this one knows {len(MIGRATIONS)}).",
                "Update cpctl on this machine.",
            )
        for step in MIGRATIONS[version:]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _primary_result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code (its low byte); 0 where the error is not SQLite's own."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_text_file(path: Path) -> bool:
    """Whether a file begins as texts do. Only for what SQLite calls no database: see `place`, on closing a store."""
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF_BYTES)
    except OSError:
        return False
    return bool(head) and not any(byte < 0x20 and byte not in b"\t\n\r\f" for byte in head)


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    return _primary_result_code(error) in _CORRUPT_CODES
