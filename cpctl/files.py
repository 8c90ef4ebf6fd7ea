"""Atomic writing of private files: configuration, keys, exports, reports, caches."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from cpctl.errors import InvalidInput

FILE_MODE = 0o600


def write_private(file: Path, content: str | bytes) -> None:
    """Replace a file at once by one that only its owner can read; text is written as UTF-8. Raises InvalidInput."""
    with private_file(file, None if isinstance(content, bytes) else "utf-8") as written:
        written.write(content)


@contextmanager
def address_file(file: str | None) -> Iterator[Callable[[str], None]]:
    """A function that writes the address of a server to a file, which is deleted at the end; None for no file."""

    def write_address(address: str) -> None:
        if file:
            write_private(Path(file), f"{address}\n")

    try:
        yield write_address
    finally:
        if file:
            Path(file).unlink(missing_ok=True)


@contextmanager
def private_file(file: Path, encoding: str | None = "utf-8") -> Iterator[IO[Any]]:
    """A file to write piece by piece; it replaces the old one only when all of it is on disk.

    The new file has mode 0600. A link is replaced, not followed. A device, a pipe or an open stream (/dev/stdout,
    `>(…)` of a shell) is written to directly. Without an encoding it takes bytes.
    Raises InvalidInput if the file cannot be written; then the old one is unchanged.
    """
    if not file.name or file.is_dir():
        raise InvalidInput(f'"{file}" is not the name of a file.', "Name a file to write.")
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    is_stream = _is_stream(file)
    mode, line_end = ("wb", None) if encoding is None else ("w", "\n")
    try:
        path, flags = (file, os.O_APPEND) if is_stream else (draft, os.O_CREAT | os.O_EXCL)
        handle = os.open(path, os.O_WRONLY | flags, FILE_MODE)
        with os.fdopen(handle, mode, encoding=encoding, newline=line_end) as written:
            yield written
            if is_stream:
                return
            written.flush()
            os.fsync(written.fileno())  # before the rename: after a power failure the name must not point to nothing
        draft.replace(file)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink()
        if isinstance(error, OSError):
            raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from error
        raise


def _is_stream(file: Path) -> bool:
    """Whether the name is a device, a pipe or a link to one; such a thing must not be replaced by a file."""
    try:
        mode = file.lstat().st_mode
    except OSError:
        return False
    if stat.S_ISLNK(mode):
        folder = file.parent.resolve()
        return folder == Path("/dev") or folder.is_relative_to("/proc")
    return not stat.S_ISREG(mode)
