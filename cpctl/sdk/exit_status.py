"""The exit status for the states of signals."""

from typing import Any

from cpctl.errors import ExitCode
from cpctl.outbox.models import State

_EXIT_CODE_BY_STATE: dict[str, ExitCode] = {
    State.QUEUED: ExitCode.DONE,
    State.DELIVERED: ExitCode.DONE,
    State.DUPLICATE: ExitCode.DONE,
    State.DROPPED: ExitCode.DONE,
    State.HELD: ExitCode.KEY_REFUSED,
    State.REFUSED: ExitCode.REFUSED,
    State.EXPIRED: ExitCode.TEMPORARY,
    State.CONFLICT: ExitCode.CONFLICT,
}


def exit_status(reports: list[dict[str, Any]], require_delivery: bool = False) -> ExitCode:
    """The exit status for the results of one or several signals.

    If all failures are of one kind, its status; otherwise CONFLICT ("some rows failed"). A waiting signal beside
    delivered ones is not a failure.
    """
    codes = {_single_exit_status(report, require_delivery) for report in reports}
    if len(codes) == 1:
        return codes.pop()
    codes.discard(ExitCode.DONE)
    if not codes or codes == {ExitCode.TEMPORARY}:
        return codes.pop() if codes else ExitCode.DONE
    return ExitCode.CONFLICT


def _single_exit_status(report: dict[str, Any], require_delivery: bool) -> ExitCode:
    state = report["state"]
    if state == State.HELD and report["http_status"] not in (401, 403):
        # Held by hand is the user's own wish; held by 404, 410 or a redirect is a refusal.
        return ExitCode.REFUSED if report["held_by"] == "answer" else ExitCode.DONE
    if state == State.QUEUED and require_delivery:
        return ExitCode.TEMPORARY
    return _EXIT_CODE_BY_STATE[state]
