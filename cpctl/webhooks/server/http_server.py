"""The HTTP server: listening sockets, a renewable certificate, and uvicorn with time limits for slow clients."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cpctl.errors import ConfigError
from cpctl.webhooks.server.app import App
from cpctl.webhooks.server.server_settings import ServerSettings

SOCKET_BACKLOG = 2048
# IPv6 may be turned off on a machine that resolves names to IPv6 addresses.
_ADDRESS_UNAVAILABLE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Certificate:
    """A certificate with its key."""

    def __init__(self, cert: Path, key: Path | None) -> None:
        self._files = (cert, key or cert)
        self._loaded_stamp: object = self._read_stamp()
        self._last_problem = ""
        self.context = _make_tls_context()
        self._load(self.context)

    def reload_if_changed(self) -> str | None:
        """Use a changed certificate for new connections. Returns what happened, or None; a failure is returned once."""
        stamp, previous_stamp = None, self._loaded_stamp
        try:
            stamp = self._read_stamp()
            if stamp == previous_stamp:
                return None
            # Loaded into a new context first: a failed load would leave the one in use without its key.
            self._load(_make_tls_context())
            self._load(self.context)
        except ConfigError as error:
            previous_problem = self._last_problem
            self._last_problem = f"certificate not renewed, the old one stays in use: {error.message}"
            return None if self._last_problem == previous_problem else self._last_problem
        finally:
            self._loaded_stamp = stamp
        self._last_problem = ""
        return "certificate renewed"

    def _read_stamp(self) -> object:
        try:
            return [((status := file.stat()).st_mtime_ns, status.st_ino, status.st_size) for file in self._files]
        except OSError as error:
            raise ConfigError(
                f"Cannot read {error.filename}: {error.strerror}.", "Give the paths of existing PEM files."
            ) from error

    def _load(self, context: ssl.SSLContext) -> None:
        cert, key = self._files
        try:
            # Without a password function, OpenSSL would prompt on the terminal.
            context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"Cannot use the certificate {cert} with the key {key}: {error}.",
                "Both must be PEM files; the key must belong to the certificate and have no password.",
            ) from error


def _make_tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class HttpServer(uvicorn.Server):
    """A uvicorn server with callbacks, TLS that can be renewed, and time limits per connection."""

    def __init__(
        self,
        app: App,
        settings: ServerSettings,
        certificate: Certificate | None,
        on_ready: Callable[[], None],
        on_shutdown: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        """`on_shutdown` is called when the server begins to stop, `on_error` for errors that belong to no request."""
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
        self._app, self._settings, self._certificate = app, settings, certificate
        self._on_ready, self._on_shutdown, self._on_error = on_ready, on_shutdown, on_error
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
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_shutdown()
        await super().shutdown(sockets)

    def _make_protocol(self) -> "_HttpProtocol":
        protocol = _HttpProtocol(config=self.config, server_state=self.server_state, app_state={})
        protocol.server_settings, protocol.on_malformed_request = self._settings, self._app.record_malformed_request
        return protocol

    def _report_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._on_error(f"{context.get('message', '')}: {error}" if error else str(context.get("message", "")))


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
        self._request_timer = self.loop.call_later(self.server_settings.request_seconds, self.transport.abort)

    def _cancel_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Open listening sockets for an address or a name. Raises ConfigError if that is not possible."""
    sockets: list[socket.socket] = []
    unavailable: OSError | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            # With port 0, all addresses of a name get the port that the first one got.
            same_port = sockets[0].getsockname()[1] if sockets else port
            try:
                sockets.append(_bind_socket(family, (address[0], same_port, *address[2:])))
            except OSError as error:
                if error.errno not in _ADDRESS_UNAVAILABLE:
                    raise
                unavailable = error
        if unavailable is not None and not sockets:
            raise unavailable
    except OSError as error:
        for listener in sockets:
            listener.close()
        raise ConfigError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}.", _bind_hint(error)
        ) from error
    return sockets


def _bind_socket(family: int, address: tuple[Any, ...]) -> socket.socket:
    # The protocol is given because asyncio sets TCP_NODELAY only on sockets that are explicitly TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # not on Windows, where SO_REUSEADDR lets two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(SOCKET_BACKLOG)  # here, because two programs can bind one port until one of them listens
    except OSError:
        listener.close()
        raise
    return listener


def _bind_hint(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno in _ADDRESS_UNAVAILABLE:
        return "Give an address of this machine with --host; 0.0.0.0 means all of them."
    if error.errno == errno.EACCES:
        return "Ports below 1024 need root: choose another one with --port, or let systemd or a proxy open it."
    return "Another program may be using it; choose another one with --port, or stop that program."
