"""The listening sockets of a receiver."""

import errno
import socket
from typing import Any

from cpctl.errors import ConfigError

SOCKET_BACKLOG = 2048
# IPv6 may be turned off on a machine that resolves names to IPv6 addresses.
_ADDRESS_UNAVAILABLE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


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
