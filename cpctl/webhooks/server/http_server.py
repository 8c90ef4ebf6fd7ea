"""HTTP and TLS: uvicorn, with slow and idle clients cut. The only file that knows uvicorn."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cpctl.webhooks.server.app import App
from cpctl.webhooks.server.sockets import SOCKET_BACKLOG, Certificate, ServerSettings

TLS_HANDSHAKE_SECONDS = 10.0
# A peer that has been said goodbye to has so long to say it too.
_TLS_SHUTDOWN_SECONDS = 2.0
# Of the 10 s that a graceful stop may take; the rest is for what is handed over just then.
GRACEFUL_STOP_SECONDS = 6


class ServerCallbacks(NamedTuple):
    """Who is told that it listens, that it begins to end, and of trouble that belongs to no request."""

    on_ready: Callable[[], None]
    on_shutdown: Callable[[], None]
    on_error: Callable[[str], None]


class HttpServer(uvicorn.Server):
    """A server that says when it is ready, and cuts those who are slow."""

    def __init__(
        self, app: App, settings: ServerSettings, certificate: Certificate | None, callbacks: ServerCallbacks
    ) -> None:
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the receiver's own log says what matters
        config = uvicorn.Config(
            app,
            http=_HttpProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=settings.behind_proxy,
            forwarded_allow_ips=["127.0.0.1", "::1"],
            timeout_keep_alive=settings.request_seconds,  # type: ignore[arg-type] # any number will do
            timeout_graceful_shutdown=GRACEFUL_STOP_SECONDS,
        )
        super().__init__(config)
        self._app, self._settings, self._certificate, self._callbacks = app, settings, certificate, callbacks
        app.is_over_capacity = lambda: len(self.server_state.connections) > settings.max_connections

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. As uvicorn does it, with a limit to the time that a TLS handshake may take."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._report_error)
        tls: dict[str, Any] = {}
        if self._certificate is not None:
            tls = {
                "ssl": self._certificate.context,
                "ssl_handshake_timeout": min(TLS_HANDSHAKE_SECONDS, self._settings.request_seconds),
                "ssl_shutdown_timeout": _TLS_SHUTDOWN_SECONDS,
            }
        self.servers = [
            await loop.create_server(self._make_protocol, sock=each, backlog=SOCKET_BACKLOG, **tls)
            for each in sockets or []
        ]
        self.started = True
        self._callbacks.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was said, and end."""
        self._callbacks.on_shutdown()
        await super().shutdown(sockets)

    def _make_protocol(self) -> "_HttpProtocol":
        made = _HttpProtocol(config=self.config, server_state=self.server_state, app_state={})
        made.server_settings, made.on_malformed_request = self._settings, self._app.record_malformed_request
        return made

    def _report_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._callbacks.on_error(f"{context.get('message', '')}: {error}" if error else str(context.get("message", "")))


class _BufferedTransport:
    """A transport that sends what is written in one turn of the loop at once: head and body of an answer."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send it at the end of this turn."""
        if not self._chunks:
            self._loop.call_soon(self._flush)
        self._chunks.append(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._chunks:
            self._transport.write(b"".join(self._chunks))
            self._chunks.clear()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class _HttpProtocol(H11Protocol):
    """One connection. Its sender has so long to say a request, head and body; then it is cut."""

    server_settings: ServerSettings
    on_malformed_request: Callable[[str], None]
    _request_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A sender has connected; more than twice the limit are not even listened to."""
        super().connection_made(_BufferedTransport(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > 2 * self.server_settings.max_connections:
            transport.abort()
        self._start_request_timer()

    def data_received(self, data: bytes) -> None:
        """More of a request: only a whole one stops the clock."""
        super().data_received(data)
        if self.cycle is not None and not (self.cycle.more_body or self.cycle.response_complete):
            self._cancel_request_timer()
        elif self._request_timer is None and not self.transport.is_closing():
            self._start_request_timer()

    def on_response_complete(self) -> None:
        """The clock of an idle connection runs now."""
        self._cancel_request_timer()
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._start_request_timer()  # the next request has begun already, and nothing more may ever come

    def send_400_response(self, msg: str) -> None:
        """What was said is no HTTP."""
        self.on_malformed_request(self.client[0] if self.client else "")
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """The sender does not read its answers."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.server_settings.request_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads them."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone."""
        self._cancel_request_timer()
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)

    def _start_request_timer(self) -> None:
        self._cancel_request_timer()
        self._request_timer = self.loop.call_later(self.server_settings.request_seconds, self._abort_slow_request)

    def _cancel_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _abort_slow_request(self) -> None:
        self._request_timer = None
        self.transport.abort()
