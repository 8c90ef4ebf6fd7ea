"""The sandbox as a whole: a Cloudprinter on loopback that can be started, broken, mended and stopped."""

from collections.abc import Callable
from datetime import datetime
from threading import RLock
from types import TracebackType
from typing import Self

from cpctl.errors import InvalidInput
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.request_journal import KEPT
from cpctl.sandbox.sandbox_state import ITEMS, ORDERS, State
from cpctl.sandbox.server.sandbox_listener import LOOPBACK, Listener
from cpctl.sandbox.virtual_clock import real_time


class Sandbox:
    """A Cloudprinter on loopback.

    Two addresses: `base_url` answers as the API does, `control_url` only switches the sandbox and stays
    when the fault `down` has taken the first one away. Both know `/_sandbox/...`.
    """

    def __init__(
        self,
        port: int = 0,
        orders: int = ORDERS,
        items: int = ITEMS,
        kept: int = KEPT,
        dialect: str = "live",
        webhook_url: str | None = None,
        webhook_version: str = "2.0",
        clock: Callable[[], datetime] = real_time,
    ) -> None:
        """Raises InvalidInput where a value is out of range; port 0 takes any free port.

        The dialect is that of the live service or that of its documents (`documented`). Webhooks go to an address of
        this machine only.
        """
        self.state = State(orders, items, kept, dialect, webhook_url, webhook_version, clock)
        self.base_url = ""
        self.control_url = ""
        self._port = port
        self._lock = RLock()
        self._api: Listener | None = None
        self._control: Listener | None = None

    def start(self) -> None:
        """Listen; raises InvalidInput if the port cannot be had."""
        with self._lock:
            self._api = self._listener(self._port, serves_api=True)
            self._port = self._api.server_port
            self.base_url = _url(self._api)
            try:
                self._control = self._listener(0, serves_api=False)
            except InvalidInput:
                self.stop()
                raise
            self.control_url = _url(self._control)
            self._control.open()
            if not self._is_down():
                self._api.open()
            self.state.webhooks.start(self.state.settle)

    def stop(self) -> None:
        """Stop listening and cut every connection, whatever it is about."""
        self.state.webhooks.stop()
        with self._lock:
            for listener in (self._api, self._control):
                if listener is not None:
                    listener.close()
            self._api = self._control = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def add_fault(self, fault: Fault) -> None:
        """Switch a fault on (see `make_fault`)."""
        with self._lock:
            was_down = self._is_down()
            self.state.add_fault(fault)
            if fault.kind == DOWN and not was_down:
                self._pull()

    def clear_faults(self) -> None:
        """Switch all faults off; after `down`, the API listens again, on the port it had."""
        with self._lock:
            was_down = self._is_down()
            self.state.clear_faults()
            if was_down:
                self._plug_in()

    def reset(self, orders: object = None, items: object = None) -> None:
        """Make all orders anew, forget all requests, switch all faults off; None keeps the number there was."""
        with self._lock:
            was_down = self._is_down()
            self.state.reset(orders, items)
            if was_down:
                self._plug_in()

    def _is_down(self) -> bool:
        return any(fault.kind == DOWN for fault in self.state.faults())

    def _pull(self) -> None:
        if self._api is not None:
            self._api.close()
            # Bound but not listening: connections are refused, and no other program can take the port meanwhile.
            self._api = self._listener(self._port, serves_api=True)

    def _plug_in(self) -> None:
        if self._api is not None:
            self._api.open()

    def _listener(self, port: int, serves_api: bool) -> Listener:
        try:
            return Listener(self, port, serves_api)
        except (OSError, OverflowError) as fault:
            raise InvalidInput(
                f"Port {port} of {LOOPBACK} cannot be had: {getattr(fault, 'strerror', None) or fault}.",
                "Choose another with --port, or 0 for any that is free.",
            ) from fault


def _url(listener: Listener) -> str:
    return f"http://{LOOPBACK}:{listener.server_port}"
