"""Checks of this machine: disk space, file permissions, terminal and locale."""

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
    """Check the free space for a file that may not exist yet."""
    folder = find_nearest_folder(file)
    free = shutil.disk_usage(folder).free
    message = f"{free // BYTES_PER_MB} MB free on the disk of the store ({folder})"
    if free < MIN_DISK_BYTES:
        yield failure(message, "Free some space: a store that cannot grow accepts no signal.", ExitCode.STORE)
    elif free < LOW_DISK_BYTES:
        yield warning(message, "Free some space before the disk is full.")
    else:
        yield ok(message)


def find_nearest_folder(file: Path) -> Path:
    """The folder of a file, or the nearest parent that exists."""
    return next(folder for folder in file.absolute().parents if folder.is_dir())


def check_permissions(private_files: Iterable[Path], folders: Iterable[Path]) -> Iterator[Finding]:
    """Check that only the owner can read the files, and that nobody else can write the folders."""
    if os.name == "nt":
        yield ok("not checked: Windows has no such modes")
        return
    found = [
        warning(f"{file} can be read by others (its mode is {mode:04o})", f"Type: chmod 600 {file}")
        for file, mode in _existing_modes(private_files)
        if mode & 0o077
    ]
    found += [
        warning(f"{folder} can be written by others (its mode is {mode:04o})", f"Type: chmod go-w {folder}")
        for folder, mode in _existing_modes(folders)
        if mode & 0o022 and not mode & stat.S_ISVTX
    ]
    yield from found or [ok("nobody else can read private files")]


def _existing_modes(paths: Iterable[Path]) -> list[tuple[Path, int]]:
    return [(path, stat.S_IMODE(path.stat().st_mode)) for path in dict.fromkeys(paths) if path.exists()]


def check_terminal(columns: int | None, has_color: bool, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Check the terminal of standard error; `columns` is None if it is not a terminal."""
    if columns is None:
        yield ok("none: output goes to a file or a program")
        return
    message = f"{columns} columns, {'color' if has_color else 'no color'}, TERM={environment.get('TERM', '')}"
    if columns < MIN_TERMINAL_COLUMNS:
        yield warning(message, f"Tables leave out columns below {MIN_TERMINAL_COLUMNS}; make the window wider.")
    else:
        yield ok(message)


def check_locale(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Check the encoding of the locale; cpctl itself always reads and writes UTF-8."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    name, value = next(((name, environment[name]) for name in names if environment.get(name)), ("", ""))
    if value in ("", "C", "POSIX"):
        yield ok(f"{f'{name}={value}' if name else 'not set'}; cpctl uses UTF-8 anyway")
    elif "utf8" in value.lower().replace("-", ""):
        yield ok(f"{name}={value}")
    else:
        yield warning(
            f"{name}={value} is not UTF-8; names with accents may be displayed wrongly", f"Set {name}=C.UTF-8."
        )
