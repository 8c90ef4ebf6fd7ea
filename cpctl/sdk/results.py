"""What became of a signal, as scripts and the command line get it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cpctl.errors import ExitCode
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import AcceptedSignal
from cpctl.sdk.exit_status import exit_status
from cpctl.signals.signal import Signal

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
    return exit_status(
        [
            # A duplicate is delivered when the signal that it repeats is.
            dict(result.stored if require_delivery and result.state is State.DUPLICATE else result.report)
            for result in results
        ],
        require_delivery,
    )
