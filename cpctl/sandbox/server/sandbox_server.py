"""The sandbox: a simulated Cloudprinter on loopback that can be started, given faults, and stopped."""

from collections.abc import Callable
from datetime import datetime
from threading import RLock
from typing import Self

from cpctl.clock import utc_now
from cpctl.errors import InvalidInput
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.request_journal import MAX_ENTRIES
from cpctl.sandbox.sandbox_state import DEFAULT_ITEMS_PER_ORDER, DEFAULT_ORDERS, SandboxState
from cpctl.sandbox.server.sandbox_listener import LOOPBACK, SandboxListener


class Sandbox:
    """A simulated Cloudprinter on loopback.

    `base_url` serves the API. `control_url` serves only the control interface and stays up during the fault `down`.
    Both serve `/_sandbox/...`.
    """

    def __init__(
        self,
        port: int = 0,
        orders: int = DEFAULT_ORDERS,
        items: int = DEFAULT_ITEMS_PER_ORDER,
        max_journal_entries: int = MAX_ENTRIES,
        dialect: str = "live",
        webhook_url: str | None = None,
        webhook_version: str = "2.0",
        real_now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Raises InvalidInput if a value is out of range; port 0 is any free port.

        The dialect is that of the live service (`live`) or of its documents (`documented`). Webhooks are sent to this
        machine only.
        """
        self.state = SandboxState(orders, items, max_journal_entries, dialect, webhook_url, webhook_version, real_now)
        self.base_url = ""
        self.control_url = ""
        self._port = port
        self._lock = RLock()
        self._api_listener: SandboxListener | None = None
        self._control_listener: SandboxListener | None = None

    def start(self) -> None:
        """Start listening. Raises InvalidInput if the port is not available."""
        with self._lock:
            self._api_listener = self._bind_listener(self._port, serves_api=True)
            self._port = self._api_listener.server_port
            self.base_url = _listener_url(self._api_listener)
            try:
                self._control_listener = self._bind_listener(0, serves_api=False)
            except InvalidInput:
                self.stop()
                raise
            self.control_url = _listener_url(self._control_listener)
            self._control_listener.open()
            if not self._is_down():
                self._api_listener.open()
            self.state.webhooks.start(self.state.run_due_steps)

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self.state.webhooks.stop()
        with self._lock:
            for listener in (self._api_listener, self._control_listener):
                if listener is not None:
                    listener.close()
            self._api_listener = self._control_listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def add_fault(self, fault: Fault) -> None:
        """Activate a fault (see `make_fault`)."""
        self._change_faults(lambda: self.state.add_fault(fault))

    def clear_faults(self) -> None:
        """Clear all faults; after `down`, the API listens again on the same port."""
        self._change_faults(self.state.clear_faults)

    def reset(self, orders: object = None, items: object = None) -> None:
        """Recreate the seed orders and clear everything else; None keeps the current number. Raises InvalidInput."""
        self._change_faults(lambda: self.state.reset(orders, items))

    def _change_faults(self, change: Callable[[], None]) -> None:
        with self._lock:
            was_down = self._is_down()
            change()
            if self._api_listener is None or self._is_down() == was_down:
                return
            if was_down:
                self._api_listener.open()
            else:
                self._api_listener.close()
                # Bound but not listening: connections are refused, and no other program can take the port.
                self._api_listener = self._bind_listener(self._port, serves_api=True)

    def _is_down(self) -> bool:
        return any(fault.kind == DOWN for fault in self.state.list_faults())

    def _bind_listener(self, port: int, serves_api: bool) -> SandboxListener:
        try:
            return SandboxListener(self, port, serves_api)
        except (OSError, OverflowError) as error:
            raise InvalidInput(
                f"Cannot listen on {LOOPBACK}:{port}: {getattr(error, 'strerror', None) or error}.",
                "Choose another port with --port, or 0 for any free port.",
            ) from error


def _listener_url(listener: SandboxListener) -> str:
    return f"http://{LOOPBACK}:{listener.server_port}"
