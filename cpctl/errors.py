"""Every failure that is reported to a person, with its exit status."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """The exit statuses of cpctl; the meaning of each number is a promise to scripts."""

    meaning: str

    def __new__(cls, status: int, meaning: str = "") -> Self:
        member = int.__new__(cls, status)
        member._value_, member.meaning = status, meaning
        return member

    DONE = 0, "done, or responsibility taken, or already done"
    BUG = 1, "a bug in cpctl, or the output could not be written"
    USAGE = 2, "usage or invalid input; nothing sent"
    CONFIG = 3, "configuration, profile, key or file permission"
    KEY_REFUSED = 4, "the API refused the key (401, 403)"
    REFUSED = 5, "the API refused the request (400, 422, other 4xx)"
    CONFLICT = 6, "conflict, or some rows of several failed"
    STORE = 7, "the store failed: nothing accepted"
    PENDING = 8, "still pending when the time limit was reached"
    NOT_FOUND = 9, "not found"
    TEMPORARY = 75, "temporary: not reached, no response, 5xx; or not delivered yet"
    INTERRUPTED = 130, "interrupted (SIGINT)"
    CLOSED_PIPE = 141, "the reader of the output closed it (SIGPIPE)"
    TERMINATED = 143, "terminated (SIGTERM)"


EXIT_CODE_MEANINGS = {code: code.meaning for code in ExitCode}


class CpctlError(Exception):
    """A failure: a message for a person, a hint with the next step, and an exit status for a script."""

    exit_code = ExitCode.BUG
    code = "bug"
    retryable = False

    def __init_subclass__(cls, code: str, exit_code: ExitCode = ExitCode.BUG) -> None:
        cls.code, cls.exit_code = code, exit_code

    def __init__(self, message: str, hint: str = "", http_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.http_status = http_status


class InvalidInput(CpctlError, code="invalid_input", exit_code=ExitCode.USAGE):
    """The input cannot be sent; nothing was sent and nothing was stored."""


class ConfigError(CpctlError, code="configuration", exit_code=ExitCode.CONFIG):
    """The configuration, a profile, a key or the permissions of a file are wrong."""


class KeyRefused(CpctlError, code="key_refused", exit_code=ExitCode.KEY_REFUSED):
    """The API responded with 401 or 403."""


class RequestRefused(CpctlError, code="refused", exit_code=ExitCode.REFUSED):
    """The API responded that the request itself is wrong."""


class Conflict(CpctlError, code="conflict", exit_code=ExitCode.CONFLICT):
    """The request contradicts what already exists."""


class StoreError(CpctlError, code="store", exit_code=ExitCode.STORE):
    """The store cannot be read or written; nothing was accepted."""


class NotFound(CpctlError, code="not_found", exit_code=ExitCode.NOT_FOUND):
    """The named resource does not exist."""


class TemporaryError(CpctlError, code="temporary", exit_code=ExitCode.TEMPORARY):
    """Not reached, no response, or one that asks to retry. With `maybe_processed`, a change may have been made."""

    retryable = True
    maybe_processed = True
    retry_after = 0.0  # seconds that the service asked to wait


class OutputError(CpctlError, code="output"):
    """The result could not be written to standard output."""


def find_closest(value: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """The name most similar to the value, ignoring case; "" if none is similar."""
    from difflib import get_close_matches  # only failures pay for it

    by_lower = {name.lower(): name for name in names}
    matches = get_close_matches(value.strip().lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[matches[0]] if matches else ""


def suggest(value: str, names: Iterable[str], cutoff: float = 0.5) -> str:
    """A hint with the most similar of the valid names, or else all of them."""
    valid = list(names)
    closest = find_closest(value, valid, cutoff)
    return f'Did you mean "{closest}"?' if closest else f"Valid: {', '.join(valid)}."
