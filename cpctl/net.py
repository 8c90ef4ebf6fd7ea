"""Network code outside the API client: loopback, connections through a proxy, and one POST that is bounded in time."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:  # these take 20 ms to import, and most commands open no connection
    import ssl
    from http.client import HTTPConnection

T = TypeVar("T")
MAX_RESPONSE_BYTES = 64 * 1024
_CHUNK_BYTES = 4096


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    import ipaddress  # 4 ms that a command with an ordinary address does not pay

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run_with_timeout(timeout_seconds: float, work: Callable[[], T]) -> T:
    """Run work in a thread and return its result; nothing else bounds a name lookup. Raises TimeoutError."""
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # raised again below, in the thread that can report it
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]


def make_connection(
    host: str, port: int, timeout_seconds: float, tls: "ssl.SSLContext | None", proxy: str = ""
) -> "HTTPConnection":
    """Make an HTTP connection that is not open yet. `proxy` is a URL, with or without a scheme; "" for none."""
    from http.client import HTTPConnection, HTTPSConnection

    first = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    address, first_port = (first.hostname or "", first.port or 80) if proxy else (host, port)
    connection = (
        HTTPConnection(address, first_port, timeout=timeout_seconds)
        if tls is None
        else HTTPSConnection(address, first_port, timeout=timeout_seconds, context=tls)
    )
    if proxy:
        connection.set_tunnel(host, port, _proxy_headers(first))
    return connection


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    from base64 import b64encode

    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}


class Unreachable(Exception):
    """There was no response; the message says why."""


class PostResponse(NamedTuple):
    """A response: its status, and the first line of its body that is not empty ("" for none)."""

    status: int
    first_line: str


class _Exchange:
    connection: "HTTPConnection | None" = None
    status: int | None = None
    body = b""


def post(
    url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float, *, loopback_only: bool = False
) -> PostResponse:
    """Post a body once and read at most 64 KiB of the response. Raises Unreachable.

    The time limit covers name lookup, connection, TLS, request and response together. Redirects are not followed.
    TLS certificates are verified. HTTPS_PROXY and NO_PROXY apply, except to addresses of this machine.
    A response that breaks off or is too slow after its status counts as it is.

    `loopback_only` refuses a connection that leads to another machine, and accepts any certificate.
    """
    exchange = _Exchange()
    deadline = time.monotonic() + timeout_seconds
    try:
        run_with_timeout(timeout_seconds, lambda: _run_exchange(exchange, url, body, headers, deadline, loopback_only))
    except Exception as error:
        if exchange.status is None:
            _abort(exchange)
            raise Unreachable(_failure_reason(error, timeout_seconds)) from error
    assert exchange.status is not None, "an exchange that ends without an error has a status"
    return PostResponse(exchange.status, _first_line(exchange.body))


def _run_exchange(
    exchange: _Exchange, url: str, body: bytes, headers: Mapping[str, str], deadline: float, loopback_only: bool
) -> bool:
    parts = urlsplit(url)
    connection = _connection_to(parts, max(deadline - time.monotonic(), 0.001), loopback_only)
    exchange.connection = connection
    try:
        connection.connect()
        # A name such as localhost may resolve to any address.
        if loopback_only and not is_loopback(connection.sock.getpeername()[0]):
            raise OSError("the address is not on this machine")
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", path, body, {**headers, "Connection": "close"})
        with connection.getresponse() as response:
            exchange.status = response.status
            while len(exchange.body) < MAX_RESPONSE_BYTES and time.monotonic() < deadline:
                chunk = response.read1(min(_CHUNK_BYTES, MAX_RESPONSE_BYTES - len(exchange.body)))
                if not chunk:
                    break
                exchange.body += chunk
    finally:
        connection.close()
    return True


def _connection_to(parts: SplitResult, timeout_seconds: float, loopback_only: bool) -> "HTTPConnection":
    host = parts.hostname or ""
    if parts.scheme == "http":
        return make_connection(host, parts.port or 80, timeout_seconds, None)
    import ssl

    tls = ssl.create_default_context()
    if loopback_only:  # nobody else can read what does not leave this machine
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return make_connection(host, parts.port or 443, timeout_seconds, tls, "" if loopback_only else _find_proxy(host))


def _find_proxy(host: str) -> str:
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get("https", "")
    return "" if not address or is_loopback(host) or proxy_bypass(host) else address


def _abort(exchange: _Exchange) -> None:
    """Close a connection that the thread of the exchange still waits on."""
    import socket

    with suppress(OSError, AttributeError):
        exchange.connection.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


def _first_line(body: bytes) -> str:
    return body.decode("utf-8", "replace").strip().partition("\n")[0].strip()


def _failure_reason(error: Exception, timeout_seconds: float) -> str:
    import ssl
    from http.client import HTTPException

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate verification failed: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no response within {timeout_seconds:g} s"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    if isinstance(error, HTTPException):
        return f"invalid HTTP response: {type(error).__name__}"
    if isinstance(error, ValueError):
        return f"invalid URL: {error}"
    raise error
