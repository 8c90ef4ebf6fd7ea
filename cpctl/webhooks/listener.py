"""HTTP and TLS: uvicorn, with slow and idle clients cut. The only file that knows uvicorn."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cpctl.errors import ConfigError
from cpctl.webhooks.app import App

REQUEST_SECONDS = 15.0
IDLE_SECONDS = 15
HANDSHAKE_SECONDS = 10.0
# Of the 10 s that a graceful stop may take; the rest is for what is handed over just then.
STOP_SECONDS = 6


class Place(NamedTuple):
    """Where to listen, and how."""

    host: str
    port: int
    tls_cert: Path | None
    tls_key: Path | None
    behind_proxy: bool
    connections: int


class Certificate:
    """A certificate with its key, read again when it was renewed."""

    def __init__(self, cert: Path, key: Path | None) -> None:
        """Raises ConfigError naming the file that cannot be used."""
        self._files = (cert, key or cert)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._stamp()
        self._load()

    def renew(self) -> str | None:
        """Use a certificate that has changed for new connections. Says what happened, or None."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return None
            self._seen = stamp
            self._load()
        except ConfigError as error:
            return f"the old certificate stays in use: {error.message}"
        return "the certificate was renewed"

    def _stamp(self) -> list[tuple[int, int]]:
        try:
            return [((found := file.stat()).st_mtime_ns, found.st_ino) for file in self._files]
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be read: {error.strerror}.") from error

    def _load(self) -> None:
        cert, key = self._files
        try:
            # A password would be asked for on the terminal; a service has none.
            self.context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"The certificate {cert} with the key {key} cannot be used: {error}.",
                "Both are PEM files; the key has no password and belongs to the certificate.",
            ) from error


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets for an address or a name. Raises ConfigError where it cannot be listened on."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
        sockets = []
        for family, address in addresses:
            # Named, because asyncio sends small answers at once (TCP_NODELAY) only where it is said to be TCP.
            listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sockets.append(listener)
            if hasattr(socket, "SO_REUSEPORT"):  # Windows means something else by SO_REUSEADDR
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # A free port is chosen once, for all addresses of a name.
            listener.bind((address[0], sockets[0].getsockname()[1] if len(sockets) > 1 else port, *address[2:]))
    except OSError as error:
        for each in locals().get("sockets", []):
            each.close()
        raise ConfigError(
            f"{host} port {port} cannot be listened on: {error.strerror or error}.",
            "Another program may use it; choose another one with --port, or stop that program.",
        ) from error
    return sockets


class Listener(uvicorn.Server):
    """A server that says when it is ready, and cuts those who are slow."""

    def __init__(self, app: App, place: Place, certificate: Certificate | None, ready: Callable[[], None]) -> None:
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
            limit_concurrency=place.connections,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        super().__init__(config)
        self._certificate = certificate
        self._ready = ready

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. As uvicorn does it, with a limit to the time that a TLS handshake may take."""
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {}
        if self._certificate is not None:
            tls = {"ssl": self._certificate.context, "ssl_handshake_timeout": HANDSHAKE_SECONDS}

        def protocol() -> asyncio.Protocol:
            return _Protocol(config=self.config, server_state=self.server_state, app_state={})

        self.servers = [
            await loop.create_server(protocol, sock=each, backlog=self.config.backlog, **tls) for each in sockets or []
        ]
        self.started = True
        self._ready()


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

    def _send(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)


class _Protocol(H11Protocol):
    """One connection. Its sender has so long to say a request, head and body; then it is cut."""

    _cutting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A sender has connected; more than twice the limit are not even listened to."""
        super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]
        if self.limit_concurrency is not None and len(self.connections) > 2 * self.limit_concurrency:
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

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone."""
        self._keep()
        super().connection_lost(exc)

    def _cut_later(self) -> None:
        self._cutting = self.loop.call_later(REQUEST_SECONDS, self._cut)

    def _keep(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
            self._cutting = None

    def _cut(self) -> None:
        self._cutting = None
        self.transport.abort()
