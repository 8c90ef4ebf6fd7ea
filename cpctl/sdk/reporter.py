"""Reporting signals: build, accept, deliver, results."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cpctl.clock import utc_now
from cpctl.config.profiles import Profile
from cpctl.errors import CpctlError, StoreError
from cpctl.outbox.acceptance import AcceptedSignal
from cpctl.outbox.models import WAITING_STATES, Origin, State
from cpctl.outbox.outbox import Outbox
from cpctl.sdk.results import SignalResult, make_result
from cpctl.signals.signal import Signal, make_signal
from cpctl.signals.signal_types import fill_shipping_option

if TYPE_CHECKING:
    from cpctl.outbox.dispatcher import Dispatcher
    from cpctl.outbox.models import Send


class SignalReporter:
    """Reports the signals of one profile. `make_send` opens a connection; it may raise ConfigError."""

    def __init__(self, profile: Profile, outbox: Outbox, make_send: "Callable[[], Send]") -> None:
        self._profile = profile
        self._outbox = outbox
        self._make_send = make_send

    def make_signal(
        self, type_name: str, fields: Mapping[str, str | None], at: datetime | None = None, version: str = ""
    ) -> Signal:
        """Check and build a signal; version and shipping option default to the profile's. Raises InvalidInput."""
        version = version or self._profile["signal_version"]
        now = utc_now()
        filled = fill_shipping_option(fields, type_name, version, self._profile["shipping_option"])
        return make_signal(type_name, version, filled, at or now, now)

    def accept(self, signals: Sequence[Signal], force: bool = False) -> list[AcceptedSignal]:
        """Write signals to the outbox in one transaction. Raises StoreError, and then none is accepted."""
        origin = Origin(self._profile["operator"], self._profile["station"])
        return self._outbox.accept(signals, force, [origin] * len(signals))

    def deliver(
        self, accepted: Sequence[AcceptedSignal], send: bool = True, retry_duplicates: bool = False
    ) -> tuple[list[SignalResult], CpctlError | None]:
        """Try to deliver accepted signals; with `retry_duplicates`, also the waiting signals that they repeat.

        Returns a result per signal, and the error that prevented sending: the signals stay accepted.
        """
        ids = [
            each.queued_signal.id
            for each in accepted
            if each.is_new
            or (retry_duplicates and each.state is State.DUPLICATE and each.queued_signal.state in WAITING_STATES)
        ]
        entries = {each.queued_signal.id: each.queued_signal for each in accepted}
        error = None
        if send and ids:
            try:
                self._dispatcher().deliver(ids)
                entries |= {entry.id: entry for entry in self._outbox.get_by_ids(ids)}
            except CpctlError as failed:
                error = failed
        return [make_result(entries[each.queued_signal.id], each) for each in accepted], error

    def deliver_backlog(
        self, first_ids: Sequence[int], connections: int, on_progress: Callable[[int], None]
    ) -> CpctlError | None:
        """Send everything that waits over several connections; `on_progress` is called with the number of signals sent.

        The signals `first_ids` are sent first and alone, even while the queue is paused: they show whether the
        service responds. Returns the error that prevented sending.
        """
        try:
            dispatcher = self._dispatcher(connections)
            if first_ids:
                dispatcher.deliver(first_ids)
            for sent, _ in enumerate(dispatcher.flush(probe=not first_ids), len(first_ids) + 1):
                on_progress(sent)
        except CpctlError as error:
            return error
        return None

    def flush(self) -> list[SignalResult]:
        """Send everything that is due. Raises ConfigError, StoreError."""
        return [make_result(entry) for entry, _ in self._dispatcher().flush()]

    def _dispatcher(self, connections: int = 1) -> "Dispatcher":
        """A new dispatcher each time: one dispatcher tries a signal only once."""
        from cpctl.outbox.dispatcher import Dispatcher

        return Dispatcher(self._outbox, [self._make_send() for _ in range(connections)], self._profile.timeout)


def describe_send_error(error: CpctlError) -> str:
    """A sentence about an error of `deliver`: whatever prevented sending, the signals are accepted."""
    if isinstance(error, StoreError):
        return f"Accepted, but the result of sending is not known. {error.message}"
    return f"Accepted and safe, but not sent: {error.message} {error.hint}".rstrip()
