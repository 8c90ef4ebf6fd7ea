"""One POST to a target, and its answer. No redirect is followed, TLS is verified, and the time limit covers all."""

import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from cpctl.net import is_loopback

MAX_RESPONSE_BYTES = 64 * 1024
_CHUNK_BYTES = 4096


class TargetUnreachable(Exception):
    """There was no answer; the words say why."""


class PostResponse(NamedTuple):
    """An answer: its status, and the first line of what it said ("" for nothing), as it was said."""

    status: int
    first_line: str


class _HttpExchange:
    """What the thread that talks has learnt so far."""

    def __init__(self) -> None:
        self.connection: HTTPConnection | None = None
        self.status: int | None = None
        self.body = b""
        self.error: Exception | None = None
        self.finished = threading.Event()


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> PostResponse:
    """Post a body once and read at most 64 KiB of the answer. `timeout` is in seconds, for all of it together.

    Addresses of this machine are never looked for behind a proxy; for others HTTPS_PROXY and NO_PROXY count.
    Raises Unreached. Once the status is there, an answer that breaks off or drips counts as it is.
    """
    exchange = _HttpExchange()
    deadline = time.monotonic() + timeout_seconds
    # A thread, because nothing else bounds a name lookup or an answer that drips.
    threading.Thread(target=_run_exchange, args=(exchange, url, body, headers, deadline), daemon=True).start()
    exchange.finished.wait(timeout_seconds)
    if exchange.status is not None:
        return PostResponse(exchange.status, _first_line(exchange.body))
    if not exchange.finished.is_set():
        _abort_exchange(exchange)
        raise TargetUnreachable(f"no answer within {timeout_seconds:g} s")
    raise TargetUnreachable(_failure_reason(exchange.error, timeout_seconds)) from exchange.error


def _run_exchange(exchange: _HttpExchange, url: str, body: bytes, headers: Mapping[str, str], deadline: float) -> None:
    try:
        parts = urlsplit(url)
        exchange.connection = _make_connection(parts, max(deadline - time.monotonic(), 0.001))
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        exchange.connection.request("POST", path, body, {**headers, "Connection": "close"})
        with exchange.connection.getresponse() as response:
            exchange.status = response.status
            while len(exchange.body) < MAX_RESPONSE_BYTES and time.monotonic() < deadline:
                piece = response.read1(min(_CHUNK_BYTES, MAX_RESPONSE_BYTES - len(exchange.body)))
                if not piece:
                    break
                exchange.body += piece
    except Exception as error:  # told apart in _why, in the thread that can report it
        exchange.error = error
    finally:
        if exchange.connection is not None:
            exchange.connection.close()
        exchange.finished.set()


def _abort_exchange(exchange: _HttpExchange) -> None:
    """End a connection that another thread waits on."""
    import socket

    with suppress(OSError, AttributeError):
        exchange.connection.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


def _make_connection(parts: SplitResult, timeout_seconds: float) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port or 80, timeout=timeout_seconds)
    context = ssl.create_default_context()
    proxy = _find_proxy(host)
    if proxy is None:
        return HTTPSConnection(host, parts.port or 443, timeout=timeout_seconds, context=context)
    connection = HTTPSConnection(proxy.hostname or "", proxy.port or 80, timeout=timeout_seconds, context=context)
    connection.set_tunnel(host, parts.port or 443, _proxy_headers(proxy))
    return connection


def _find_proxy(host: str) -> SplitResult | None:
    """The proxy that the environment names for a host; None for this machine, and where there is none."""
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get("https", "")
    if not address or is_loopback(host) or proxy_bypass(host):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    from base64 import b64encode

    who = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(who.encode()).decode()}"}


def _first_line(body: bytes) -> str:
    lines = body.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in lines if line.strip()), "")


def _failure_reason(error: Exception | None, timeout_seconds: float) -> str:
    """Why there was no answer, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"it does not prove who it is: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    if isinstance(error, HTTPException):
        return f"no HTTP answer: {type(error).__name__}"
    if isinstance(error, ValueError):
        return f"no address to reach: {error}"
    assert error is not None, "what ended without a status ended with an error"
    raise error
