"""This machine: room on its disk, who may read and write what, its terminal and its language."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cpctl.diagnostics.findings import Finding, failure, ok, warning
from cpctl.errors import ExitCode

BYTES_PER_MB = 1_000_000
LOW_DISK_BYTES, MIN_DISK_BYTES = 500 * BYTES_PER_MB, 50 * BYTES_PER_MB
MIN_TERMINAL_COLUMNS = 60


def check_disk(file: Path) -> Iterator[Finding]:
    """Room where a file lies, or is to lie."""
    there = find_nearest_folder(file)
    free = shutil.disk_usage(there).free
    said = f"{free // BYTES_PER_MB} MB free where the store lies ({there})"
    if free < MIN_DISK_BYTES:
        yield failure(said, "Make room: a store that cannot grow accepts no signal.", ExitCode.STORE)
    elif free < LOW_DISK_BYTES:
        yield warning(said, "Make room before it is full.")
    else:
        yield ok(said)


def find_nearest_folder(file: Path) -> Path:
    """The folder of a file, or the first above it that is there."""
    return next(folder for folder in file.absolute().parents if folder.is_dir())


def check_permissions(private_files: Iterable[Path], folders: Iterable[Path]) -> Iterator[Finding]:
    """Files that only their owner should read, and folders that nobody else should write."""
    if os.name == "nt":
        yield ok("not looked at: Windows has no such modes")
        return
    found = False
    for file in _existing(private_files):
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            found = True
            yield warning(f"{file} can be read by others (its mode is {mode:04o})", f"Type: chmod 600 {file}")
    for folder in _existing(folders):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o022 and not mode & stat.S_ISVTX:
            found = True
            yield warning(f"{folder} can be written by others (its mode is {mode:04o})", f"Type: chmod go-w {folder}")
    if not found:
        yield ok("nobody else can read what is private")


def _existing(paths: Iterable[Path]) -> list[Path]:
    return [path for path in dict.fromkeys(paths) if path.exists()]


def check_terminal(columns: int | None, color: bool, environment: Mapping[str, str]) -> Iterator[Finding]:
    """The terminal that talk goes to; None columns where it is none."""
    if columns is None:
        yield ok("none: output goes to a file or a program")
        return
    said = f"{columns} columns, {'colour' if color else 'no colour'}, TERM={environment.get('TERM', '')}"
    if columns < MIN_TERMINAL_COLUMNS:
        yield warning(said, f"Tables leave out columns below {MIN_TERMINAL_COLUMNS}; make the window wider.")
    else:
        yield ok(said)


def check_locale(environment: Mapping[str, str]) -> Iterator[Finding]:
    """The encoding that the locale names; cpctl itself reads and writes UTF-8 whatever it is."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    name, value = next(((name, environment[name]) for name in names if environment.get(name)), ("", ""))
    if value in ("", "C", "POSIX"):
        yield ok(f"{name + '=' + value if name else 'none set'}; text is UTF-8 all the same")
    elif "utf8" in value.lower().replace("-", ""):
        yield ok(f"{name}={value}")
    else:
        yield warning(f"{name}={value} is not UTF-8; names with accents may show wrongly", f"Set {name}=C.UTF-8.")
