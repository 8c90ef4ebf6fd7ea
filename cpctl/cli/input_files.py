"""Reading what a command is given: a file, or - for standard input."""

import sys
from pathlib import Path

from cpctl.errors import InvalidInput


def read_input(file: str, limit: int = -1) -> bytes:
    """The content of a file, or of standard input for "-"; at most so many bytes. Raises InvalidInput."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(limit)
        with Path(file).open("rb") as opened:
            return opened.read(limit)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    except AttributeError as error:
        raise InvalidInput("Standard input is closed; there is nothing to read.") from error
