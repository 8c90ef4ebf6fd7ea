"""The HTTP server: uvicorn, with time limits for slow and idle clients. The only module that imports uvicorn."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cpctl.webhooks.server.app import App
from cpctl.webhooks.server.settings import ServerSettings
from cpctl.webhooks.server.sockets import SOCKET_BACKLOG
from cpctl.webhooks.server.tls import Certificate


class ServerCallbacks(NamedTuple):
    """Functions called once the server listens, when it begins to stop, and for errors that belong to no request."""

    on_ready: Callable[[], None]
    on_shutdown: Callable[[], None]
    on_error: Callable[[str], None]


class HttpServer(uvicorn.Server):
    """A uvicorn server with callbacks, TLS that can be renewed, and time limits per connection."""

    def __init__(
        self, app: App, settings: ServerSettings, certificate: Certificate | None, callbacks: ServerCallbacks
    ) -> None:
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the access log has everything that matters
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
            timeout_keep_alive=settings.request_seconds,  # type: ignore[arg-type] # declared as int; any number works
            timeout_graceful_shutdown=settings.times.graceful_stop,  # type: ignore[arg-type]
        )
        super().__init__(config)
        self._app, self._settings, self._certificate, self._callbacks = app, settings, certificate, callbacks
        app.is_over_capacity = lambda: len(self.server_state.connections) > settings.max_connections

    @property
    def connection_count(self) -> int:
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen as uvicorn does, but with time limits for TLS handshake and close."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._report_error)
        tls: dict[str, Any] = {}
        if self._certificate is not None:
            times = self._settings.times
            tls = {
                "ssl": self._certificate.context,
                "ssl_handshake_timeout": min(times.tls_handshake, self._settings.request_seconds),
                "ssl_shutdown_timeout": times.tls_shutdown,
            }
        self.servers = [
            await loop.create_server(self._make_protocol, sock=listener, backlog=SOCKET_BACKLOG, **tls)
            for listener in sockets or []
        ]
        self.started = True
        self._callbacks.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._callbacks.on_shutdown()
        await super().shutdown(sockets)

    def _make_protocol(self) -> "_HttpProtocol":
        protocol = _HttpProtocol(config=self.config, server_state=self.server_state, app_state={})
        protocol.server_settings, protocol.on_malformed_request = self._settings, self._app.record_malformed_request
        return protocol

    def _report_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._callbacks.on_error(f"{context.get('message', '')}: {error}" if error else str(context.get("message", "")))


class _BufferedTransport:
    """A transport that sends all writes of one turn of the event loop together: head and body of a response."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._chunks:
            self._loop.call_soon(self._flush)
        self._chunks.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._chunks:
            self._transport.write(b"".join(self._chunks))
            self._chunks.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _HttpProtocol(H11Protocol):
    """One connection. It is aborted if a request, head and body, takes longer than `request_seconds`."""

    server_settings: ServerSettings
    on_malformed_request: Callable[[str], None]
    _request_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_BufferedTransport(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > 2 * self.server_settings.max_connections:
            transport.abort()
        self._start_request_timer()

    def data_received(self, data: bytes) -> None:
        """Read more of a request; only its end stops the timer."""
        super().data_received(data)
        if self.cycle is not None and not (self.cycle.more_body or self.cycle.response_complete):
            self._cancel_request_timer()
        elif self._request_timer is None and not self.transport.is_closing():
            self._start_request_timer()

    def on_response_complete(self) -> None:
        """Start the timer of an idle connection (uvicorn's), or of a pipelined request."""
        self._cancel_request_timer()
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._start_request_timer()  # the body of the next request has begun and may never end

    def send_400_response(self, msg: str) -> None:
        self.on_malformed_request(self.client[0] if self.client else "")
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """The client does not read its responses: abort unless it resumes in time."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.server_settings.request_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def connection_lost(self, exc: Exception | None) -> None:
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
