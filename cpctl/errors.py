"""Every failure that is reported to a person, with its exit status."""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit statuses of cpctl; the meaning of each number is a promise to scripts."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    KEY_REFUSED = 4
    REFUSED = 5
    CONFLICT = 6
    STORE = 7
    PENDING = 8
    NOT_FOUND = 9
    TEMPORARY = 75
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


EXIT_CODE_MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done, or responsibility taken, or already done",
    ExitCode.BUG: "a bug in cpctl, or the output could not be written",
    ExitCode.USAGE: "usage or invalid input; nothing sent",
    ExitCode.CONFIG: "configuration, profile, key or file permission",
    ExitCode.KEY_REFUSED: "the API refused the key (401, 403)",
    ExitCode.REFUSED: "the API refused the request (400, 422, other 4xx)",
    ExitCode.CONFLICT: "conflict, or some rows of several failed",
    ExitCode.STORE: "the store failed: nothing accepted",
    ExitCode.PENDING: "still pending when the time limit was reached",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.TEMPORARY: "temporary: not reached, no response, 5xx; or not delivered yet",
    ExitCode.INTERRUPTED: "interrupted (SIGINT)",
    ExitCode.CLOSED_PIPE: "the reader of the output closed it (SIGPIPE)",
    ExitCode.TERMINATED: "terminated (SIGTERM)",
}


class CpctlError(Exception):
    """A failure: a message for a person, a hint with the next step, and an exit status for a script."""

    exit_code = ExitCode.BUG
    code = "bug"
    retryable = False

    def __init__(self, message: str, hint: str = "", http_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.http_status = http_status


class InvalidInput(CpctlError):
    """The input cannot be sent; nothing was sent and nothing was stored."""

    exit_code = ExitCode.USAGE
    code = "invalid_input"


class ConfigError(CpctlError):
    """The configuration, a profile, a key or the permissions of a file are wrong."""

    exit_code = ExitCode.CONFIG
    code = "configuration"


class KeyRefused(CpctlError):
    """The API responded with 401 or 403."""

    exit_code = ExitCode.KEY_REFUSED
    code = "key_refused"


class RequestRefused(CpctlError):
    """The API responded that the request itself is wrong."""

    exit_code = ExitCode.REFUSED
    code = "refused"


class Conflict(CpctlError):
    """The request contradicts what already exists."""

    exit_code = ExitCode.CONFLICT
    code = "conflict"


class StoreError(CpctlError):
    """The store cannot be read or written; nothing was accepted."""

    exit_code = ExitCode.STORE
    code = "store"


class NotFound(CpctlError):
    """The named resource does not exist."""

    exit_code = ExitCode.NOT_FOUND
    code = "not_found"


class TemporaryError(CpctlError):
    """Not reached, no response, or one that asks to retry. With `maybe_processed`, a change may have been made."""

    exit_code = ExitCode.TEMPORARY
    code = "temporary"
    retryable = True
    maybe_processed = True
    retry_after = 0.0  # seconds that the service asked to wait


class OutputError(CpctlError):
    """The result could not be written to standard output."""

    code = "output"


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
