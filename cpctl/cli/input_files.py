"""Input files of commands: a file, or - for standard input."""

import sys
from pathlib import Path

from cpctl.errors import InvalidInput


def read_input(file: str, limit: int = -1) -> bytes:
    """Read a file, or standard input for "-"; at most `limit` bytes, -1 for all. Raises InvalidInput."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(limit)
        with Path(file).open("rb") as opened:
            return opened.read(limit)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    except AttributeError as error:
        raise InvalidInput("Standard input is closed; there is nothing to read.") from error
