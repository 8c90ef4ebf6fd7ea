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
from cpctl.cli.commands.signal.send import Outcome, deliver, not_accepted, prepare, work_through
from cpctl.cli.context import Run
from cpctl.cli.time_args import parse_span
from cpctl.errors import CpctlError, ExitCode, InvalidInput
from cpctl.outbox.queries import depth

BUSY, DONE, ERROR = "busy", "done", "error"
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", "~")
# What Windows and its programs put into folders by themselves.
OF_WINDOWS = ("thumbs.db", "desktop.ini")
_OWNED = "~$"  # begins the name of the note by which Office says that a file is open
_LOCK = ".cpctl.lock"
_OVERDUE_SECONDS = 30.0  # between two looks at what waits in the outbox


class Look(NamedTuple):
    """A file as it was seen: it is complete when a later look, `settle` seconds on, sees the same."""

    size: int
    modified: int
    since: float


class Folder:
    """A hot folder with its four places."""

    def __init__(self, path: Path, settle: float) -> None:
        """Raises InvalidInput where the folder is missing or cannot be written."""
        self.path = path
        self._settle = settle
        self._seen: dict[str, Look] = {}
        if not path.is_dir():
            raise InvalidInput(f"There is no folder {path}.", f"Make it: mkdir {path}")
        for name in (BUSY, DONE, ERROR):
            try:
                (path / name).mkdir(exist_ok=True)
            except OSError as error:
                raise InvalidInput(f"{path / name} cannot be made: {error.strerror}.") from error

    def interrupted(self) -> list[Path]:
        """Files that a run before this one did not finish."""
        return sorted(each for each in (self.path / BUSY).iterdir() if _is_wanted(each))

    def complete(self) -> list[Path]:
        """Files that have not changed since an earlier look, the oldest first; remembers what it saw."""
        now, seen, ready = time.monotonic(), {}, []
        for file in self.path.iterdir():
            with suppress(OSError):  # it may be gone by now
                if not _is_wanted(file):
                    continue
                stat = file.stat()
                before = self._seen.get(file.name)
                same = before is not None and (before.size, before.modified) == (stat.st_size, stat.st_mtime_ns)
                seen[file.name] = before if same and before else Look(stat.st_size, stat.st_mtime_ns, now)
                # An empty file is one that is about to be written.
                if same and before and stat.st_size and now - before.since >= self._settle:
                    ready.append((stat.st_mtime_ns, file))
        self._seen = seen
        return [file for _, file in sorted(ready)]

    def claim(self, file: Path) -> Path | None:
        """Move a file to busy; None where another program holds it, or was faster."""
        busy = self.path / BUSY / file.name
        if busy.exists() or _is_locked(file):
            return None
        try:
            file.rename(busy)
        except OSError:
            return None
        self._seen.pop(file.name, None)
        return busy

    def put_away(self, busy: Path, good: bool, result: Path | None) -> Path:
        """Move a file, and its results, to where it belongs; under a name that nothing has."""
        place = self.path / (DONE if good else ERROR)
        stamp = f"{datetime.now():%Y%m%dT%H%M%S}"
        name, number = f"{stamp}-{busy.name}", 1
        while (place / name).exists() or _result_beside(place / name).exists():
            number += 1
            name = f"{stamp}-{number}-{busy.name}"
        target = place / name
        if result is not None:
            result.rename(_result_beside(target))
        return busy.rename(target)


def watch(run: Run, folder: str, how: FileOptions, interval: str, settle: str, once: bool) -> None:
    """Take up what was left, then every file that is complete; once, or until the process is stopped."""
    pause = parse_span(interval, "--interval").total_seconds()
    calm = parse_span(settle, "--settle").total_seconds()
    if not how.queue_only:
        run.profile.key("signal").check()
    inbox = Folder(Path(folder), calm)
    with _alone(inbox.path):
        if not once:
            run.output.note(f"Watching {folder}; put files there, done and error tell what became of them.")
        for file in inbox.interrupted():
            _work(run, inbox, file, how)
        inbox.complete()
        flushed = time.monotonic()
        while True:
            time.sleep(calm if once else pause)
            for file in inbox.complete():
                if busy := inbox.claim(file):
                    _work(run, inbox, busy, how)
            if once:
                return
            if not how.queue_only and time.monotonic() - flushed > _OVERDUE_SECONDS:
                _send_overdue(run, how)
                flushed = time.monotonic()


def _work(run: Run, inbox: Folder, busy: Path, how: FileOptions) -> None:
    """Work through one file until it no longer changes, put it away, and say a line about it."""
    result = _result_beside(busy.with_name("." + busy.name))
    while True:
        before = busy.stat()
        outcome, words = _outcome(run, busy, result, how)
        after = busy.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            break  # else somebody still wrote into it; what is accepted already will be found as a repeat
    good = outcome is not None and outcome.status not in (ExitCode.USAGE, ExitCode.CONFLICT)
    target = inbox.put_away(busy, good, result if result.exists() else None)
    run.status = ExitCode(max(run.status, ExitCode.DONE if good else ExitCode.CONFLICT))
    _log(run, busy.name, outcome, words, target)


def _outcome(run: Run, busy: Path, result: Path, how: FileOptions) -> tuple[Outcome | None, str]:
    """What a file came to; None where it could not be read at all. Raises StoreError, ConfigError."""
    try:
        with busy.open("rb") as opened:
            batch, table = prepare(run, busy.name, opened, how)
            try:
                outcome = work_through(run, batch, table, how, result)
            finally:
                batch.close()
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except InvalidInput as error:
        return None, f"{error.message} {error.hint}".rstrip()
    if outcome.status is ExitCode.USAGE:
        return outcome, not_accepted(outcome)
    return outcome, "\n".join([outcome.words(), *(f"  {each}" for each in outcome.problems)])


def _log(run: Run, name: str, outcome: Outcome | None, words: str, target: Path) -> None:
    place = f"{target.parent.name}/{target.name}"
    if run.options.output in ("json", "jsonl"):
        told = {
            "time": f"{datetime.now().astimezone().isoformat(timespec='seconds')}",
            "file": name,
            "moved_to": place,
            "rows": outcome.rows if outcome else 0,
            "states": dict(outcome.tally) if outcome else {},
            "message": words,
        }
        run.output.write(iter([json.dumps(told, ensure_ascii=False) + "\n"]))
        return
    first, _, more = words.partition("\n")
    line = f"{datetime.now():%H:%M:%S} {name}: {first.rstrip('.')} → {place}"
    say = run.output.note if target.parent.name == DONE else run.output.fail
    say("\n".join([line, more] if more else [line]))


def _send_overdue(run: Run, how: FileOptions) -> None:
    """What could not be sent when its file was worked through."""
    if waiting := depth(run.store, run.profile.name).waiting:
        try:
            deliver(run, [], how.connections, waiting)
        except CpctlError as error:  # a service goes on; what waits is safe
            run.output.warn(error.message)


def _is_wanted(file: Path) -> bool:
    name = file.name.lower()
    if name.startswith((".", _OWNED)) or name.endswith(UNFINISHED) or name in OF_WINDOWS:
        return False
    return file.is_file()


def _result_beside(file: Path) -> Path:
    return file.with_name(f"{file.stem}.result.csv")


def _is_locked(file: Path) -> bool:
    """Whether a program that locks its files still holds this one. Windows refuses to open or move most of those."""
    try:
        with file.open("rb") as opened:
            return not _lock(opened)
    except OSError:
        return True


def _lock(opened: IO[bytes]) -> bool:
    """Lock an open file until it is closed; False where another has."""
    try:
        if sys.platform == "win32":
            import msvcrt

            opened.seek(0)  # it locks from where one stands
            msvcrt.locking(opened.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder against a second watcher. The lock ends with the process. Raises InvalidInput."""
    with (path / BUSY / _LOCK).open("ab") as held:
        if not _lock(held):
            raise InvalidInput(f"Another cpctl works on {path} already.", "One is enough; it takes every file.")
        yield
