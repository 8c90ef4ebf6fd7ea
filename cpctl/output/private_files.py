"""Writing files that hold what others should not read."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from cpctl.errors import InvalidInput


def write_private(file: Path, text: str) -> None:
    """Write a file, readable by its owner alone: all of it, or the old one stays. Raises InvalidInput."""
    with private_file(file) as written:
        written.write(text)


def write_private_bytes(file: Path, content: bytes) -> None:
    """Like `write_private`, for what is not text. Raises InvalidInput."""
    with private_file(file, encoding=None) as written:
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
    """A file to write piece by piece, readable by its owner alone; it is there when all of it is, or the old one stays.

    A device, a pipe or an open stream (/dev/stdout, `>(…)` of a shell) is written to where it stands. Without an
    encoding it takes bytes. Raises InvalidInput where it cannot be written.
    """
    if not file.name or file.is_dir():
        raise InvalidInput(f'"{file}" is not the name of a file.', "Name a file to write.")
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        if _is_stream(file):
            with _open_handle(os.open(file, os.O_WRONLY | os.O_APPEND), encoding) as written:
                yield written
            return
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with _open_handle(handle, encoding) as written:
            yield written
            written.flush()
            os.fsync(written.fileno())
        draft.replace(file)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink()
        if isinstance(error, OSError):
            raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from error
        raise


def _is_stream(file: Path) -> bool:
    """Whether a name stands for what no file may replace. A link elsewhere is a name as any other."""
    try:
        mode = file.lstat().st_mode
    except OSError:
        return False
    if stat.S_ISLNK(mode):
        folder = file.parent.resolve()
        return folder == Path("/dev") or folder.is_relative_to("/proc")
    return not stat.S_ISREG(mode)


def _open_handle(handle: int, encoding: str | None) -> IO[Any]:
    if encoding is None:
        return os.fdopen(handle, "wb")
    return os.fdopen(handle, "w", encoding=encoding, newline="\n")
