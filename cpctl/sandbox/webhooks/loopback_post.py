"""One webhook to one receiver on this machine; the only place of the sandbox that opens a connection."""

import ipaddress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from cpctl.errors import InvalidInput
from cpctl.signals.signal import shorten

_TIMEOUT = 10.0  # seconds


class Receiver(NamedTuple):
    """Where webhooks go."""

    secure: bool
    host: str
    port: int
    path: str


def read_receiver(url: str) -> Receiver:
    """The receiver at an address; raises InvalidInput where it is not on this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if _is_wrong(url, host):
        raise InvalidInput(
            f"{shorten(url)} is no place for the sandbox's webhooks: it never reaches another machine.",
            "Valid: an address of loopback, such as http://127.0.0.1:8901/webhooks.",
        )
    secure = parts.scheme == "https"
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return Receiver(secure, host, port or (443 if secure else 80), path)


def _is_wrong(url: str, host: str) -> bool:
    """Whether an address is not http(s) to loopback, or holds what no address holds."""
    if not url.lower().startswith(("http://", "https://")) or any(mark <= " " or mark > "~" for mark in url):
        return True
    return host != "localhost" and not _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post(receiver: Receiver, body: bytes) -> int | None:
    """Post a body once; the status of the answer, or None where there was none."""
    connection = _connection(receiver)
    try:
        connection.connect()
        # A name may lead anywhere.
        if not _is_loopback(connection.sock.getpeername()[0]):
            return None
        connection.request("POST", receiver.path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _connection(receiver: Receiver) -> HTTPConnection:
    if not receiver.secure:
        return HTTPConnection(receiver.host, receiver.port, timeout=_TIMEOUT)
    import ssl

    context = ssl.create_default_context()
    # Any certificate will do: the line does not leave this machine.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(receiver.host, receiver.port, timeout=_TIMEOUT, context=context)
