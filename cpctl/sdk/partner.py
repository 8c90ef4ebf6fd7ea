"""Partner: a profile, its outbox and its calls in one object, for Python scripts."""

import logging
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cpctl.api.calls import call
from cpctl.api.endpoints import ENDPOINTS
from cpctl.clock import utc_now
from cpctl.config.keys import SERVICES, Key
from cpctl.config.profiles import load_profile
from cpctl.errors import InvalidInput, suggest
from cpctl.outbox.models import Send, State
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import SignalQuery, find_signals, read_queue_depth
from cpctl.sdk.reporter import SignalReporter, describe_send_error
from cpctl.sdk.results import SignalResult, exit_code, make_result
from cpctl.sdk.sender import make_client, make_signal_sender
from cpctl.signals.signal import Signal, make_signal
from cpctl.store.store import Store

if TYPE_CHECKING:
    from cpctl.api.client import Client

__all__ = ["Partner", "SignalResult", "State", "exit_code"]

# Warnings for the script's author; without a handler, Python writes them to standard error.
_LOGGER = logging.getLogger("cpctl")


class Partner:
    """One profile. Use it in a `with` block, and in one thread.

    Its methods raise only `cpctl.errors.CpctlError`, with a sentence for people (`message`), a next step (`hint`)
    and the exit status of the command line (`exit_code`).
    """

    def __init__(
        self, profile: str | None = None, config: str | Path | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        """Load the profile of that name, or the one that the command line would use. Raises ConfigError."""
        self._profile = load_profile(environment, str(config) if config else None, profile)
        self._store = Store(self._profile.store, _LOGGER.warning)
        self._outbox = Outbox(self._store, self._profile.name)
        self._reporter = SignalReporter(self._profile, self._outbox, lambda: self._send)
        self._keys: dict[str, Key] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    @property
    def name(self) -> str:
        """The name of the profile."""
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

        `type_name` is a name such as ItemShipped (`cpctl.signals.SIGNAL_TYPES`). `at` is the time of the event: now
        by default, local time if it has no zone. `fields` are the other fields, such as `tracking`, `cause` or
        `delay` (whole hours, as a string). API version and shipping option default to the profile's. Raises
        InvalidInput with every problem found. Source: CloudSignal API 1.1 and 2.0, "Signal types".
        """
        given = {"order": order, "item": item or None, **fields}
        for name, value in given.items():
            if value is not None and not isinstance(value, str):
                raise InvalidInput(f'{type_name}: {name} {value!r} is not a string; write it as "{value}".')
        if at is not None and not isinstance(at, datetime):
            raise InvalidInput(f"{type_name}: at {at!r} is not a datetime.", "Use datetime.fromisoformat to make one.")
        given["shipping_option"] = fields.get("shipping_option") or None
        return self._reporter.make_signal(type_name, given, at, version)

    def report(self, signals: Iterable[Signal], force: bool = False, send: bool = True) -> list[SignalResult]:
        """Accept signals, then try to deliver them; returns a result per signal, in the same order.

        The signals are written to the store in one transaction before the first byte is sent. What cannot be
        delivered now is sent by `flush` or `cpctl outbox flush`; with `send=False` everything is. The same signal
        again is a DUPLICATE; a signal that contradicts an earlier one is a CONFLICT and is not accepted, unless
        `force`. Raises InvalidInput, ConfigError and StoreError; then nothing was accepted and nothing was sent.
        """
        signals = list(signals)
        for signal in signals:
            if not isinstance(signal, Signal):
                raise InvalidInput(f"{signal!r} is not a signal.", "`signal` makes one; `report` takes a list of them.")
        now = utc_now()
        checked = [make_signal(signal.type.name, signal.version, signal.fields, signal.at, now) for signal in signals]
        if send:
            self._profile.key_source("signal").check()
        results, error = self._reporter.deliver(self._reporter.accept(checked, force), send)
        if error:
            _LOGGER.warning("%s", describe_send_error(error))
        return results

    def flush(self) -> list[SignalResult]:
        """Send the waiting signals, as `cpctl outbox flush` does; returns the results of those that were tried.

        A paused queue sends nothing: see `pause_reason`. Raises ConfigError, StoreError.
        """
        return self._reporter.flush() if self.count_waiting() else []

    def count_waiting(self) -> int:
        """The number of accepted signals that are neither delivered nor failed. Raises StoreError."""
        return read_queue_depth(self._store, self._profile.name).waiting_count

    def pause_reason(self) -> str:
        """Why the queue is paused; "" if it is not.

        A rejected key or a wrong URL pauses it. Once that is fixed, `cpctl outbox release` or the next signal that
        is delivered ends the pause. Raises StoreError.
        """
        pause = self._outbox.read_pause() if self._store.exists() else None
        return pause.message or f"HTTP status {pause.http_status}" if pause else ""

    def history(self, order: str = "", item: str = "", limit: int = 0) -> list[SignalResult]:
        """The accepted signals and what became of them, oldest first; with a limit, the newest. Raises StoreError."""
        if not self._store.exists():
            return []
        query = SignalQuery(self._profile.name, order=order, item=item, limit=limit)
        return [make_result(entry) for entry in find_signals(self._store, query)]

    def call(self, name: str, body: Mapping[str, Any] | None = None, timeout: float | None = None) -> Any:
        """Make one call of CloudCore or CloudPublish and return its response, lists unwrapped.

        `name` is the name of a row of `cpctl.api.ENDPOINTS`, such as "orders/info"; `body` holds its fields without
        the key; `timeout` is in seconds and limits the whole call, the profile's by default. Reads are repeated,
        changes only if the request was certainly not sent. Raises ConfigError, KeyRefused, RequestRefused, Conflict,
        NotFound, and TemporaryError, whose `maybe_processed` says whether a change may have been made.
        Sources: CloudCore 1.0 and CloudPublish 1.0, a section per call.
        """
        endpoint = ENDPOINTS.get(name)
        if endpoint is None:
            raise InvalidInput(f'There is no call "{name}".', suggest(name, ENDPOINTS))
        if endpoint.key == "signal":
            raise InvalidInput("A signal that is sent as a call is lost if the network fails.", "Use `report`.")
        return call(self.client(endpoint.key), endpoint, body or {}, timeout or self._profile.timeout)

    def client(self, service: str = "core") -> "Client":
        """A client that posts with the profile's key of a service: core, signal or webhooks.

        Raises InvalidInput, ConfigError.
        """
        if service not in SERVICES:
            raise InvalidInput(f'There is no service "{service}".', suggest(service, SERVICES))
        if service not in self._keys:  # a key command may be slow
            self._keys[service] = self._profile.key_source(service).read()
        return make_client(self._profile, self._keys[service])

    @cached_property
    def _send(self) -> Send:
        return make_signal_sender(self._profile, self.client("signal"))
