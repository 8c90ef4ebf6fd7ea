"""Where a receiver listens: its sockets, and the certificate it shows."""

import errno
import socket
import ssl
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.errors import ConfigError

REQUEST_SECONDS = 15.0
SOCKET_BACKLOG = 2048
# Not every machine that names an address by IPv6 has it.
_ADDRESS_UNAVAILABLE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class ServerSettings(NamedTuple):
    """Where to listen, and how. A request that takes longer than `request_seconds` is cut, and so is who idles."""

    host: str
    port: int
    tls_cert: Path | None
    tls_key: Path | None
    behind_proxy: bool
    max_connections: int
    request_seconds: float = REQUEST_SECONDS


class Certificate:
    """A certificate with its key, read again when it was renewed."""

    def __init__(self, cert: Path, key: Path | None) -> None:
        """Raises ConfigError naming the file that cannot be used."""
        self._files = (cert, key or cert)
        self._last_stamp: object = self._read_stamp()
        self._last_problem = ""
        self.context = _make_tls_context()
        self._load(self.context)

    def reload_if_changed(self) -> str | None:
        """Use a certificate that has changed for new connections. Says what happened, or None; a failure once."""
        stamp, seen = None, self._last_stamp
        try:
            stamp = self._read_stamp()
            if stamp == seen:
                return None
            # Tried beside the one in use first: what fails to load would leave that one without its key.
            self._load(_make_tls_context())
            self._load(self.context)
        except ConfigError as error:
            said, self._last_problem = self._last_problem, f"the old certificate stays in use: {error.message}"
            return None if self._last_problem == said else self._last_problem
        finally:
            self._last_stamp = stamp
        self._last_problem = ""
        return "the certificate was renewed"

    def _read_stamp(self) -> object:
        try:
            return [((found := file.stat()).st_mtime_ns, found.st_ino, found.st_size) for file in self._files]
        except OSError as error:
            raise ConfigError(
                f"{error.filename} cannot be read: {error.strerror}.", "Name PEM files that are there."
            ) from error

    def _load(self, context: ssl.SSLContext) -> None:
        cert, key = self._files
        try:
            # A password would be asked for on the terminal; a service has none.
            context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"The certificate {cert} with the key {key} cannot be used: {error}.",
                "Both are PEM files; the key has no password and belongs to the certificate.",
            ) from error


def _make_tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for an address or a name. Raises ConfigError where it cannot be listened on."""
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            # A free port is chosen once, for all addresses of a name.
            chosen = sockets[0].getsockname()[1] if sockets else port
            try:
                sockets.append(_bind_socket(family, (address[0], chosen, *address[2:])))
            except OSError as error:
                if error.errno not in _ADDRESS_UNAVAILABLE:
                    raise
                missing = error
        if missing is not None and not sockets:
            raise missing
    except OSError as error:
        for each in sockets:
            each.close()
        raise ConfigError(
            f"{host} port {port} cannot be listened on: {error.strerror or error}.", _bind_hint(error)
        ) from error
    return sockets


def _bind_socket(family: int, address: tuple[Any, ...]) -> socket.socket:
    # Named, because asyncio sends small answers at once (TCP_NODELAY) only where it is said to be TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # Windows means something else by SO_REUSEADDR
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(SOCKET_BACKLOG)  # until then two programs may be bound to one port
    except OSError:
        listener.close()
        raise
    return listener


def _bind_hint(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno in _ADDRESS_UNAVAILABLE:
        return "Name an address of this machine with --host; 0.0.0.0 stands for all of them."
    if error.errno == errno.EACCES:
        return "Ports below 1024 are root's: choose another one with --port, or let systemd or a proxy open it."
    return "Another program may use it; choose another one with --port, or stop that program."
