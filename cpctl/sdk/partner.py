"""Partner: a profile, its outbox and its calls in one object, for scripts that are written in Python."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cpctl.api.calls import call
from cpctl.api.endpoints import ENDPOINTS
from cpctl.clock import utc_now
from cpctl.config.keys import SERVICES, Key
from cpctl.config.profiles import load_profile
from cpctl.errors import CpctlError, ExitCode, InvalidInput, StoreError, suggest
from cpctl.outbox.delivery_result import Send
from cpctl.outbox.dispatcher import Dispatcher
from cpctl.outbox.models import Origin, QueuedSignal, State
from cpctl.outbox.outbox import AcceptedSignal, Outbox
from cpctl.outbox.queries import SignalQuery, find_signals, read_queue_depth
from cpctl.sdk.exit_status import exit_status
from cpctl.sdk.sender import make_client, make_signal_sender
from cpctl.signals.signal import Signal, make_signal
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.store.store import Store

if TYPE_CHECKING:
    from cpctl.api.client import Client

__all__ = ["Partner", "SignalResult", "State", "exit_code"]

# What a script should hear without asking; without a handler of its own, Python writes it to standard error.
_LOGGER = logging.getLogger("cpctl")
_SAFE_STATES = (State.QUEUED, State.HELD, State.DELIVERED, State.DUPLICATE)


class SignalResult(NamedTuple):
    """What became of one signal.

    `id` is its number in the outbox (of a repeat or a contradiction: the number of the earlier
    one); `http_status` the latest answer's, None where there was none; `message` words for a
    person; `maybe_duplicate` says that the service may have it twice. `report` is all of it, as
    `cpctl signal … -o json` prints it.
    """

    id: int
    signal: Signal
    state: State
    http_status: int | None
    message: str
    maybe_duplicate: bool
    report: Mapping[str, Any]

    @property
    def is_safe(self) -> bool:
        """Whether responsibility is taken: it is delivered, or on disk and will be."""
        return self.state in _SAFE_STATES


class Partner:
    """One profile at work. Use it in a `with` block, and in one thread.

    Everything it raises is a `cpctl.errors.CpctlError`, with a sentence for a person (`message`),
    a next step (`hint`) and the status the command line would exit with (`exit_code`).
    """

    def __init__(
        self,
        profile: str | None = None,
        config: str | Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """The profile of that name, else the one the command line would use, from the same places.

        Raises ConfigError.
        """
        self._profile = load_profile(environment, str(config) if config else None, profile)
        self._store = Store(self._profile.store, _LOGGER.warning)
        self._outbox = Outbox(self._store, self._profile.name)
        self._keys: dict[str, Key] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    @property
    def name(self) -> str:
        """The profile's name."""
        return self._profile.name

    def signal(
        self,
        type_name: str,
        order: str,
        item: str = "",
        at: datetime | None = None,
        version: str = "",
        **fields: str | None,
    ) -> Signal:
        """Check and build a signal; nothing is sent yet.

        `kind` is a name such as ItemShipped (`cpctl.signals.KINDS`); `at` is when it happened, now
        if not given, local time if it has no zone; `fields` are its others, such as `tracking`,
        `cause` or `delay` (whole hours, as text). Version of the API and shipping option come from
        the profile where they are not given. Raises InvalidInput with all that is wrong.
        Source: CloudSignal API 1.1 and 2.0, "Signal types".
        """
        said = {"order": order, "item": item or None, **fields}
        for name, value in said.items():
            if value is not None and not isinstance(value, str):
                raise InvalidInput(f'{type_name}: {name} {value!r} is no text; write it as "{value}".')
        if at is not None and not isinstance(at, datetime):
            raise InvalidInput(f"{type_name}: at {at!r} is no datetime.", "datetime.fromisoformat makes one of a text.")
        version = version or self._profile["signal_version"]
        row = SIGNAL_TYPES.get(type_name)
        if row is not None and "shipping_option" in row.required.get(version, ()):
            said["shipping_option"] = said.get("shipping_option") or self._profile["shipping_option"] or None
        now = utc_now()
        return make_signal(type_name, version, said, at or now, now)

    def report(self, signals: Iterable[Signal], force: bool = False, send: bool = True) -> list[SignalResult]:
        """Take responsibility for signals, then try to deliver them; the fates come in the same order.

        They are checked, and written to the store in one transaction, before the first byte is
        sent. What cannot be delivered now stays there, and `flush` or `cpctl outbox flush` sends
        it. The same signal again is a DUPLICATE; one that contradicts an earlier one is a
        CONFLICT and is not taken, unless `force`. Several items of an order travel as one bundle.
        With `send=False` sending is left to a flush.

        Raises InvalidInput, ConfigError and StoreError, and then none was accepted and none sent.
        Once they are accepted, trouble with sending is a fate, not an error.
        """
        signals = list(signals)
        for each in signals:
            if not isinstance(each, Signal):
                raise InvalidInput(f"{each!r} is no signal.", "`signal` makes one; `report` takes a list of them.")
        now = utc_now()
        checked = [make_signal(each.type.name, each.version, each.fields, each.at, now) for each in signals]
        if send:
            self._profile.key_source("signal").check()
        origin = Origin(self._profile["operator"], self._profile["station"])
        accepted = self._outbox.accept(checked, force, [origin] * len(checked))
        new = [one.queued_signal.id for one in accepted if one.is_new]
        return self._signal_results(accepted, self._try_to_deliver(new) if send and new else {})

    def flush(self) -> list[SignalResult]:
        """Send what waits, as `cpctl outbox flush` does; the fates of those that were tried.

        A paused queue sends nothing: see `paused`. Raises ConfigError, StoreError.
        """
        if not self.count_waiting():
            return []
        return [_signal_result(entry) for entry, _ in self._new_dispatcher().flush()]

    def count_waiting(self) -> int:
        """How many accepted signals are neither delivered nor given up. Raises StoreError."""
        return read_queue_depth(self._store, self._profile.name).waiting_count

    def pause_reason(self) -> str:
        """Why the queue stands still, "" where it moves.

        A refused key or a wrong address pauses it; once that is mended, `cpctl outbox release`
        or the next signal that gets through ends the pause. Raises ConfigError, StoreError.
        """
        if not self._store.exists():
            return ""
        pause = self._outbox.read_pause()
        return pause.message or f"answer {pause.http_status}" if pause else ""

    def history(self, order: str = "", item: str = "", limit: int = 0) -> list[SignalResult]:
        """What was accepted and what became of it, oldest first; with a limit the newest. Raises StoreError."""
        if not self._store.exists():
            return []
        search = SignalQuery(self._profile.name, order=order, item=item, limit=limit)
        return [_signal_result(entry) for entry in find_signals(self._store, search)]

    def call(self, name: str, body: Mapping[str, Any] | None = None, timeout: float | None = None) -> Any:
        """Make one call of CloudCore or CloudPublish and return its answer, lists unwrapped.

        `name` is that of a row of `cpctl.api.ENDPOINTS`, such as "orders/info"; `body` are its
        fields without the key; `timeout` is in seconds and bounds the whole call, the profile's if
        not given. Reads are repeated, changes only where they certainly never left. Raises
        ConfigError, KeyRefused, RequestRefused, Conflict, NotFound, and TemporaryError: its
        `may_have_landed` says whether a change may have been done. Sources: CloudCore 1.0 and
        CloudPublish 1.0, a section per call.
        """
        endpoint = ENDPOINTS.get(name)
        if endpoint is None:
            raise InvalidInput(f'There is no call "{name}".', suggest(name, ENDPOINTS))
        if endpoint.key == "signal":
            raise InvalidInput("A signal that is sent as a call is lost with the network.", "Use `report`.")
        return call(self.client(endpoint.key), endpoint, body or {}, timeout or self._profile.timeout)

    def client(self, service: str = "core") -> "Client":
        """A client that posts with the profile's key of a service: core, signal or webhooks.

        Raises InvalidInput, ConfigError.
        """
        if service not in SERVICES:
            raise InvalidInput(f'There is no service "{service}".', suggest(service, SERVICES))
        if service not in self._keys:  # a key command may take its time
            self._keys[service] = self._profile.key_source(service).read()
        return make_client(self._profile, self._keys[service])

    @cached_property
    def _send(self) -> Send:
        return make_signal_sender(self._profile, self.client("signal"))

    def _new_dispatcher(self) -> Dispatcher:
        """A new one each time: within one, a signal is tried once."""
        return Dispatcher(self._outbox, self._send, self._profile.timeout)

    def _try_to_deliver(self, ids: Sequence[int]) -> dict[int, QueuedSignal]:
        """Try to deliver what is accepted. Whatever stands in the way now, it stays accepted."""
        try:
            self._new_dispatcher().deliver(ids)
            return {entry.id: entry for entry in self._outbox.get_by_ids(ids)}
        except StoreError as error:
            _LOGGER.warning("Accepted, but how sending went is not known. %s", error.message)
        except CpctlError as error:
            _LOGGER.warning("Accepted and safe, but not sent: %s %s", error.message, error.hint)
        return {}

    def _signal_results(
        self, accepted: Sequence[AcceptedSignal], delivered: Mapping[int, QueuedSignal]
    ) -> list[SignalResult]:
        return [
            _signal_result(delivered.get(one.queued_signal.id, one.queued_signal))
            if one.is_new
            else _signal_result(one.queued_signal)._replace(
                signal=one.signal, state=one.state, message=one.describe(), report=one.to_dict()
            )
            for one in accepted
        ]


def exit_code(results: Iterable[SignalResult], require_delivery: bool = False) -> ExitCode:
    """What `cpctl signal` would exit with, for `sys.exit`; with `require_delivery`, 75 for what still waits."""
    return exit_status([dict(fate.report) for fate in results], require_delivery)


def _signal_result(queued_signal: QueuedSignal) -> SignalResult:
    return SignalResult(
        queued_signal.id,
        queued_signal.signal,
        queued_signal.state,
        queued_signal.http_status,
        queued_signal.message,
        queued_signal.maybe_duplicate,
        queued_signal.to_dict(),
    )
