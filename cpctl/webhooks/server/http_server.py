"""HTTP and TLS: uvicorn, with slow and idle clients cut. The only file that knows uvicorn."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cpctl.webhooks.server.app import App
from cpctl.webhooks.server.sockets import BACKLOG, Certificate, Place

HANDSHAKE_SECONDS = 10.0
# A peer that has been said goodbye to has so long to say it too.
_FAREWELL_SECONDS = 2.0
# Of the 10 s that a graceful stop may take; the rest is for what is handed over just then.
STOP_SECONDS = 6


class Told(NamedTuple):
    """Who is told that it listens, that it begins to end, and of trouble that belongs to no request."""

    ready: Callable[[], None]
    ending: Callable[[], None]
    trouble: Callable[[str], None]


class Listener(uvicorn.Server):
    """A server that says when it is ready, and cuts those who are slow."""

    def __init__(self, app: App, place: Place, certificate: Certificate | None, told: Told) -> None:
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the receiver's own log says what matters
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=place.behind_proxy,
            forwarded_allow_ips=["127.0.0.1", "::1"],
            timeout_keep_alive=place.request_seconds,  # type: ignore[arg-type] # any number will do
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        super().__init__(config)
        self._app, self._place, self._certificate, self._told = app, place, certificate, told
        app.is_crowded = lambda: len(self.server_state.connections) > place.connections

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. As uvicorn does it, with a limit to the time that a TLS handshake may take."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._note_trouble)
        tls: dict[str, Any] = {}
        if self._certificate is not None:
            tls = {
                "ssl": self._certificate.context,
                "ssl_handshake_timeout": min(HANDSHAKE_SECONDS, self._place.request_seconds),
                "ssl_shutdown_timeout": _FAREWELL_SECONDS,
            }
        self.servers = [
            await loop.create_server(self._protocol, sock=each, backlog=BACKLOG, **tls) for each in sockets or []
        ]
        self.started = True
        self._told.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was said, and end."""
        self._told.ending()
        await super().shutdown(sockets)

    def _protocol(self) -> "_Protocol":
        made = _Protocol(config=self.config, server_state=self.server_state, app_state={})
        made.place, made.unreadable = self._place, self._app.unreadable
        return made

    def _note_trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._told.trouble(f"{context.get('message', '')}: {error}" if error else str(context.get("message", "")))


class _Gathering:
    """A transport that sends what is written in one turn of the loop at once: head and body of an answer."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send it at the end of this turn."""
        if not self._pieces:
            self._loop.call_soon(self._send)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._send()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def _send(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class _Protocol(H11Protocol):
    """One connection. Its sender has so long to say a request, head and body; then it is cut."""

    place: Place
    unreadable: Callable[[str], None]
    _cutting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A sender has connected; more than twice the limit are not even listened to."""
        super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > 2 * self.place.connections:
            transport.abort()
        self._cut_later()

    def data_received(self, data: bytes) -> None:
        """More of a request: only a whole one stops the clock."""
        super().data_received(data)
        if self.cycle is not None and not (self.cycle.more_body or self.cycle.response_complete):
            self._keep()
        elif self._cutting is None and not self.transport.is_closing():
            self._cut_later()

    def on_response_complete(self) -> None:
        """The clock of an idle connection runs now."""
        self._keep()
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._cut_later()  # the next request has begun already, and nothing more may ever come

    def send_400_response(self, msg: str) -> None:
        """What was said is no HTTP."""
        self.unreadable(self.client[0] if self.client else "")
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """The sender does not read its answers."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.place.request_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads them."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone."""
        self._keep()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def _cut_later(self) -> None:
        self._keep()
        self._cutting = self.loop.call_later(self.place.request_seconds, self._cut)

    def _keep(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
            self._cutting = None

    def _cut(self) -> None:
        self._cutting = None
        self.transport.abort()
