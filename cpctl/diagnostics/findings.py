"""What a look at something found: all right, a warning or a failure, and what to do about it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from cpctl.errors import CpctlError, ExitCode

OK, WARNING, FAILURE = "ok", "warning", "failure"
# With several failures, the one that must be mended first decides: without a configuration nothing else
# can be right, without a store no signal is accepted, and the network may mend itself.
FAILURE_PRECEDENCE = (ExitCode.CONFIG, ExitCode.STORE, ExitCode.KEY_REFUSED, ExitCode.TEMPORARY, ExitCode.BUG)

Subject = TypeVar("Subject")


class Finding(NamedTuple):
    """One line of a doctor. `status` is the exit status that a failure stands for."""

    level: str
    message: str
    remedy: str = ""
    status: ExitCode = ExitCode.DONE


def ok(message: str) -> Finding:
    """All right."""
    return Finding(OK, message)


def warning(message: str, remedy: str = "") -> Finding:
    """Something to look at; work goes on."""
    return Finding(WARNING, message, remedy)


def failure(message: str, remedy: str, status: ExitCode) -> Finding:
    """Something that stops work."""
    return Finding(FAILURE, message, remedy, status)


def failure_from_error(error: CpctlError) -> Finding:
    """A failure in the words that a command would have used."""
    return failure(error.message, error.hint, error.exit_code)


def run_check(name: str, check: Callable[[Subject], Iterable[Finding]], subject: Subject) -> list[tuple[str, Finding]]:
    """What one look found, under its name. A look that breaks down is a finding, too."""
    try:
        return [(name, finding) for finding in check(subject)]
    except CpctlError as error:
        return [(name, failure_from_error(error))]
    except Exception as error:
        said = f"this check broke down: {type(error).__name__}: {error}"
        return [
            (
                name,
                failure(said, "This is a bug in cpctl; `cpctl doctor --bundle FILE` helps to report it.", ExitCode.BUG),
            )
        ]


def exit_status(findings: Sequence[Finding]) -> ExitCode:
    """The exit status for all findings: DONE, or that of the failure to mend first."""
    found = {finding.status for finding in findings if finding.level == FAILURE}
    return next((status for status in FAILURE_PRECEDENCE if status in found), ExitCode.DONE)
