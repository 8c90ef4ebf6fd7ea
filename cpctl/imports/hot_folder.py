"""A hot folder: files are taken when they are complete, and moved out of the way when they are imported.

folder/            files are put here
folder/busy/       the file that is being imported; a file found here at the start was interrupted
folder/done/       files of which every row is accepted, each with its result file
folder/error/      files of which rows failed, each with its result file
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from cpctl.errors import InvalidInput

BUSY_FOLDER, DONE_FOLDER, ERROR_FOLDER = "busy", "done", "error"
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".filepart", "~")
WINDOWS_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
_IGNORED_PREFIXES = (".", "~$")  # hidden files, and those by which Office marks a file as open
_LOCK_FILE = ".cpctl.lock"


class HotFolder:
    """A hot folder with its subfolders."""

    def __init__(self, path: Path, settle_seconds: float) -> None:
        """Raises InvalidInput if the folder does not exist or cannot be written."""
        self.path = path
        self._settle_seconds = settle_seconds
        self._first_seen: dict[tuple[str, int, int], float] = {}  # by name, size and time of change
        if not path.is_dir():
            raise InvalidInput(f"There is no folder {path}.", f"Create it: mkdir {path}")
        for name in (BUSY_FOLDER, DONE_FOLDER, ERROR_FOLDER):
            try:
                (path / name).mkdir(exist_ok=True)
            except OSError as error:
                raise InvalidInput(f"Cannot create {path / name}: {error.strerror}.") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from watching the folder. The lock ends with the process. Raises InvalidInput."""
        with (self.path / BUSY_FOLDER / _LOCK_FILE).open("ab") as file:
            if not _try_lock(file):
                raise InvalidInput(f"Another cpctl is watching {self.path}.", "One is enough; it takes every file.")
            yield

    def find_interrupted(self) -> list[Path]:
        """Files that an earlier run did not finish."""
        return sorted(file for file in (self.path / BUSY_FOLDER).iterdir() if _is_signal_file(file))

    def find_complete(self) -> list[Path]:
        """Files that have not changed for `settle_seconds`, the oldest first."""
        now, first_seen, complete = time.monotonic(), {}, []
        for file in self.path.iterdir():
            with suppress(OSError):  # the file may be gone by now
                if not _is_signal_file(file):
                    continue
                stat = file.stat()
                key = (file.name, stat.st_size, stat.st_mtime_ns)
                first_seen[key] = self._first_seen.get(key, now)
                # A program that creates an empty file is about to write it.
                if key in self._first_seen and stat.st_size and now - first_seen[key] >= self._settle_seconds:
                    complete.append((stat.st_mtime_ns, file))
        self._first_seen = first_seen
        return [file for _, file in sorted(complete)]

    def claim(self, file: Path) -> Path | None:
        """Move a file to busy; None if another program has it open or took it first."""
        busy = self.path / BUSY_FOLDER / file.name
        if busy.exists() or _is_locked(file):
            return None
        try:
            file.rename(busy)
        except OSError:
            return None
        return busy

    def archive(self, busy: Path, succeeded: bool, result: Path) -> Path:
        """Move a file, and its result file if there is one, to done or error, under an unused name."""
        folder = self.path / (DONE_FOLDER if succeeded else ERROR_FOLDER)
        timestamp = f"{datetime.now():%Y%m%dT%H%M%S}"
        target, number = folder / f"{timestamp}-{busy.name}", 1
        while target.exists() or result_path(target).exists():
            number += 1
            target = folder / f"{timestamp}-{number}-{busy.name}"
        if result.exists():
            result.rename(result_path(target))
        return busy.rename(target)


def result_path(file: Path) -> Path:
    """Where the results of a file belong: `bench2.csv` → `bench2.result.csv`."""
    return file.with_name(f"{file.stem}.result.csv")


def _is_signal_file(file: Path) -> bool:
    name = file.name.lower()
    is_ignored = name.startswith(_IGNORED_PREFIXES) or name.endswith(UNFINISHED_SUFFIXES)
    return not is_ignored and name not in WINDOWS_SYSTEM_FILES and file.is_file()


def _is_locked(file: Path) -> bool:
    """Whether another program has locked this file. Windows refuses to open or move most such files."""
    try:
        with file.open("rb") as opened:
            return not _try_lock(opened)
    except OSError:
        return True


def _try_lock(file: IO[bytes]) -> bool:
    """Lock an open file until it is closed; False if another process has locked it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)  # it locks from the current position
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
