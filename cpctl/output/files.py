"""Writing files that hold what others should not read."""

import os
from contextlib import suppress
from pathlib import Path

from cpctl.errors import InvalidInput


def write_private(file: Path, text: str) -> None:
    """Write a file, readable by its owner alone: all of it, or the old one stays. Raises InvalidInput."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from error
