"""What became of a signal, as scripts and the command line get it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cpctl.errors import ExitCode
from cpctl.outbox.acceptance import AcceptedSignal
from cpctl.outbox.models import QueuedSignal, State
from cpctl.signals.signal import Signal

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
_SAFE_STATES = (State.QUEUED, State.HELD, State.DELIVERED, State.DUPLICATE)


class SignalResult(NamedTuple):
    """What became of one signal.

    `id` is its number in the outbox (of a duplicate or conflict, the number of the earlier signal), `http_status` the
    status of the latest response, None if there was none, and `message` a sentence for people. `maybe_duplicate`
    is true if the service may have received it twice. `report` holds all of it, as `cpctl signal … -o json` prints it;
    `stored` is the same for the signal in the outbox, which for a duplicate is the earlier one.
    """

    id: int
    signal: Signal
    state: State
    http_status: int | None
    message: str
    maybe_duplicate: bool
    report: Mapping[str, Any]
    stored: Mapping[str, Any]

    @property
    def is_safe(self) -> bool:
        """True if the signal is delivered, or is on disk and will be delivered."""
        return self.state in _SAFE_STATES


def make_result(entry: QueuedSignal, accepted: AcceptedSignal | None = None) -> SignalResult:
    """The result of a signal in the outbox; `accepted` says whether it repeats or contradicts an earlier one."""
    stored = entry.to_dict()
    result = SignalResult(
        entry.id, entry.signal, entry.state, entry.http_status, entry.message, entry.maybe_duplicate, stored, stored
    )
    if accepted is None or accepted.is_new:
        return result
    return result._replace(
        signal=accepted.signal, state=accepted.state, message=accepted.describe(), report=accepted.to_dict()
    )


def exit_code(results: Iterable[SignalResult], require_delivery: bool = False) -> ExitCode:
    """The exit status of `cpctl signal` for these results; with `require_delivery`, 75 if one is not delivered yet."""
    # A duplicate is delivered when the signal that it repeats is.
    reports = (
        result.stored if require_delivery and result.state is State.DUPLICATE else result.report for result in results
    )
    return exit_status(reports, require_delivery)


def exit_status(reports: Iterable[Mapping[str, Any]], require_delivery: bool = False) -> ExitCode:
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


def _single_exit_status(report: Mapping[str, Any], require_delivery: bool) -> ExitCode:
    state = report["state"]
    if state == State.HELD and report["http_status"] not in (401, 403):
        # Held by hand is the user's own wish; held by 404, 410 or a redirect is a refusal.
        return ExitCode.REFUSED if report["held_by"] == "answer" else ExitCode.DONE
    if state == State.QUEUED and require_delivery:
        return ExitCode.TEMPORARY
    return _EXIT_CODE_BY_STATE[state]
