"""The findings of a check: ok, a warning or a failure, with its remedy."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from cpctl.errors import CpctlError, ExitCode

OK, WARNING, FAILURE = "ok", "warning", "failure"
# Of several failures the one to fix first decides the exit status: nothing works without a configuration, no signal
# is accepted without a store, and a network may recover without help.
FAILURE_PRECEDENCE = (ExitCode.CONFIG, ExitCode.STORE, ExitCode.KEY_REFUSED, ExitCode.TEMPORARY, ExitCode.BUG)

Subject = TypeVar("Subject")


class Finding(NamedTuple):
    """One line of the report. `status` is the exit status for a failure."""

    level: str
    message: str
    remedy: str = ""
    status: ExitCode = ExitCode.DONE


def ok(message: str) -> Finding:
    """A finding that is in order."""
    return Finding(OK, message)


def warning(message: str, remedy: str = "") -> Finding:
    """A problem that does not stop work."""
    return Finding(WARNING, message, remedy)


def failure(message: str, remedy: str, status: ExitCode) -> Finding:
    """A problem that stops work."""
    return Finding(FAILURE, message, remedy, status)


def run_check(check: Callable[[Subject], Iterable[Finding]], subject: Subject) -> list[Finding]:
    """The findings of a check. An exception becomes a finding, so that other checks still run."""
    try:
        return list(check(subject))
    except CpctlError as error:
        return [failure(error.message, error.hint, error.exit_code)]
    except Exception as error:
        message = f"this check failed with an exception: {type(error).__name__}: {error}"
        remedy = "This is a bug in cpctl; report it with the file of `cpctl doctor --bundle FILE`."
        return [failure(message, remedy, ExitCode.BUG)]


def exit_status(findings: Sequence[Finding]) -> ExitCode:
    """The exit status for all findings: DONE, or that of the failure to fix first."""
    found = {finding.status for finding in findings if finding.level == FAILURE}
    return next((status for status in FAILURE_PRECEDENCE if status in found), ExitCode.DONE)
