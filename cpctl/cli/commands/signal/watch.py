"""`cpctl signal watch`: a hot folder. A file is taken when it is complete, worked through, and put away.

folder/            files are put here
folder/busy/       the one that is worked through; what lies there at the start is taken up again
folder/done/       files of which every row is safe, each with its results beside it
folder/error/      files of which rows failed, each with its results beside it
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

from cpctl.cli.commands.signal.file_options import FileOptions
from cpctl.cli.commands.signal.send import FileOutcome, deliver_backlog, format_rejection, import_batch, open_batch
from cpctl.cli.context import Context
from cpctl.cli.time_args import parse_duration
from cpctl.errors import CpctlError, ExitCode, InvalidInput
from cpctl.outbox.queries import read_queue_depth

BUSY_FOLDER, DONE_FOLDER, ERROR_FOLDER = "busy", "done", "error"
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".filepart", "~")
# What Windows and its programs put into folders by themselves.
WINDOWS_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
_OFFICE_LOCK_PREFIX = "~$"  # begins the name of the note by which Office says that a file is open
_LOCK_FILE = ".cpctl.lock"
_FLUSH_INTERVAL_SECONDS = 30.0  # between two looks at what waits in the outbox


class FileSnapshot(NamedTuple):
    """A file as it was seen: it is complete when a later look, `settle` seconds on, sees the same."""

    size: int
    modified_ns: int
    unchanged_since: float


class HotFolder:
    """A hot folder with its four places."""

    def __init__(self, path: Path, settle_seconds: float) -> None:
        """Raises InvalidInput where the folder is missing or cannot be written."""
        self.path = path
        self._settle_seconds = settle_seconds
        self._snapshots: dict[str, FileSnapshot] = {}
        if not path.is_dir():
            raise InvalidInput(f"There is no folder {path}.", f"Make it: mkdir {path}")
        for name in (BUSY_FOLDER, DONE_FOLDER, ERROR_FOLDER):
            try:
                (path / name).mkdir(exist_ok=True)
            except OSError as error:
                raise InvalidInput(f"{path / name} cannot be made: {error.strerror}.") from error

    def find_interrupted(self) -> list[Path]:
        """Files that a run before this one did not finish."""
        return sorted(each for each in (self.path / BUSY_FOLDER).iterdir() if _is_signal_file(each))

    def find_complete(self) -> list[Path]:
        """Files that have not changed since an earlier look, the oldest first; remembers what it saw."""
        now, seen, ready = time.monotonic(), {}, []
        for file in self.path.iterdir():
            with suppress(OSError):  # it may be gone by now
                if not _is_signal_file(file):
                    continue
                stat = file.stat()
                before = self._snapshots.get(file.name)
                same = before is not None and (before.size, before.modified_ns) == (stat.st_size, stat.st_mtime_ns)
                seen[file.name] = before if same and before else FileSnapshot(stat.st_size, stat.st_mtime_ns, now)
                # An empty file is one that is about to be written.
                if same and before and stat.st_size and now - before.unchanged_since >= self._settle_seconds:
                    ready.append((stat.st_mtime_ns, file))
        self._snapshots = seen
        return [file for _, file in sorted(ready)]

    def claim(self, file: Path) -> Path | None:
        """Move a file to busy; None where another program holds it, or was faster."""
        busy = self.path / BUSY_FOLDER / file.name
        if busy.exists() or _is_locked(file):
            return None
        try:
            file.rename(busy)
        except OSError:
            return None
        self._snapshots.pop(file.name, None)
        return busy

    def archive(self, busy: Path, succeeded: bool, result: Path | None) -> Path:
        """Move a file, and its results, to where it belongs; under a name that nothing has."""
        place = self.path / (DONE_FOLDER if succeeded else ERROR_FOLDER)
        stamp = f"{datetime.now():%Y%m%dT%H%M%S}"
        name, number = f"{stamp}-{busy.name}", 1
        while (place / name).exists() or _result_path(place / name).exists():
            number += 1
            name = f"{stamp}-{number}-{busy.name}"
        target = place / name
        if result is not None:
            result.rename(_result_path(target))
        return busy.rename(target)


def run_hot_folder(context: Context, folder: str, options: FileOptions, interval: str, settle: str, once: bool) -> None:
    """Take up what was left, then every file that is complete; once, or until the process is stopped."""
    pause = parse_duration(interval, "--interval").total_seconds()
    calm = parse_duration(settle, "--settle").total_seconds()
    if not options.queue_only:
        context.profile.key_source("signal").check()
    inbox = HotFolder(Path(folder), calm)
    with _hold_folder_lock(inbox.path):
        if not once:
            context.output.note(f"Watching {folder}; put files there, done and error tell what became of them.")
        for file in inbox.find_interrupted():
            _import_and_archive(context, inbox, file, options)
        inbox.find_complete()
        flushed = time.monotonic()
        while True:
            time.sleep(calm if once else pause)
            for file in inbox.find_complete():
                if busy := inbox.claim(file):
                    _import_and_archive(context, inbox, busy, options)
            if once:
                return
            if not options.queue_only and time.monotonic() - flushed > _FLUSH_INTERVAL_SECONDS:
                _flush_overdue(context, options)
                flushed = time.monotonic()


def _import_and_archive(context: Context, hot_folder: HotFolder, busy: Path, options: FileOptions) -> None:
    """Work through one file until it no longer changes, put it away, and say a line about it."""
    result = _result_path(busy.with_name("." + busy.name))
    while True:
        before = busy.stat()
        outcome, words = _import_file(context, busy, result, options)
        after = busy.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            break  # else somebody still wrote into it; what is accepted already will be found as a repeat
    good = outcome is not None and outcome.status not in (ExitCode.USAGE, ExitCode.CONFLICT)
    target = hot_folder.archive(busy, good, result if result.exists() else None)
    context.exit_status = ExitCode(max(context.exit_status, ExitCode.DONE if good else ExitCode.CONFLICT))
    _log_outcome(context, busy.name, outcome, words, target)


def _import_file(context: Context, busy: Path, result: Path, options: FileOptions) -> tuple[FileOutcome | None, str]:
    """What a file came to; None where it could not be read at all. Raises StoreError, ConfigError."""
    try:
        with busy.open("rb") as opened:
            batch, table = open_batch(context, busy.name, opened, options)
            try:
                outcome = import_batch(context, batch, table, options, result)
            finally:
                batch.close()
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except InvalidInput as error:
        return None, f"{error.message} {error.hint}".rstrip()
    if outcome.status is ExitCode.USAGE:
        return outcome, format_rejection(outcome)
    return outcome, "\n".join([outcome.summary(), *(f"  {each}" for each in outcome.problems)])


def _log_outcome(context: Context, name: str, outcome: FileOutcome | None, message: str, target: Path) -> None:
    place = f"{target.parent.name}/{target.name}"
    if context.options.output in ("json", "jsonl"):
        told = {
            "time": f"{datetime.now().astimezone().isoformat(timespec='seconds')}",
            "file": name,
            "moved_to": place,
            "rows": outcome.rows if outcome else 0,
            "states": dict(outcome.state_counts) if outcome else {},
            "message": message,
        }
        context.output.write(iter([json.dumps(told, ensure_ascii=False) + "\n"]))
        return
    first, _, more = message.partition("\n")
    line = f"{datetime.now():%H:%M:%S} {name}: {first.rstrip('.')} → {place}"
    say = context.output.note if target.parent.name == DONE_FOLDER else context.output.error
    say("\n".join([line, more] if more else [line]))


def _flush_overdue(context: Context, options: FileOptions) -> None:
    """What could not be sent when its file was worked through."""
    if waiting := read_queue_depth(context.store, context.profile.name).waiting_count:
        try:
            deliver_backlog(context, [], options.connections, waiting)
        except CpctlError as error:  # a service goes on; what waits is safe
            context.output.warn(error.message)


def _is_signal_file(file: Path) -> bool:
    name = file.name.lower()
    if (
        name.startswith((".", _OFFICE_LOCK_PREFIX))
        or name.endswith(UNFINISHED_SUFFIXES)
        or name in WINDOWS_SYSTEM_FILES
    ):
        return False
    return file.is_file()


def _result_path(file: Path) -> Path:
    return file.with_name(f"{file.stem}.result.csv")


def _is_locked(file: Path) -> bool:
    """Whether a program that locks its files still holds this one. Windows refuses to open or move most of those."""
    try:
        with file.open("rb") as opened:
            return not _try_lock(opened)
    except OSError:
        return True


def _try_lock(file: IO[bytes]) -> bool:
    """Lock an open file until it is closed; False where another has."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)  # it locks from where one stands
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _hold_folder_lock(path: Path) -> Iterator[None]:
    """Hold the folder against a second watcher. The lock ends with the process. Raises InvalidInput."""
    with (path / BUSY_FOLDER / _LOCK_FILE).open("ab") as held:
        if not _try_lock(held):
            raise InvalidInput(f"Another cpctl works on {path} already.", "One is enough; it takes every file.")
        yield
