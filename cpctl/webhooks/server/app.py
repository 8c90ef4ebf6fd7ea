"""The ASGI application: it checks the key, commits the event, and responds; everything else happens afterwards."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from cpctl.errors import StoreError
from cpctl.net import is_loopback
from cpctl.webhooks.events.event import Event, InvalidWebhook, WrongKey, read_event
from cpctl.webhooks.events.event_store import StoredEvent
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.metrics import CONTENT_TYPE, ReceiverMetrics
from cpctl.webhooks.server.writer import QueueFull, Writer

MAX_BODY_BYTES = 1_048_576
# Bodies of all requests together, so that many senders cannot fill the memory.
MAX_BUFFERED_BYTES = 67_108_864
# A body up to this size is read even beyond that limit; every documented webhook is much smaller.
_SMALL_BODY_BYTES = 32_768
# A refused body is read up to this size: a sender whose connection is reset while it sends may not see the response.
MAX_DRAIN_BYTES = 8 * MAX_BODY_BYTES
RETRY_AFTER = {"retry-after": "30"}  # seconds

_JSON_HEADERS = ((b"content-type", b"application/json"),)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class HttpResponse(NamedTuple):
    """A response, and what the log says about it; `reason` may contain text from the sender."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    log_message: str = ""
    reason: str = ""
    event: Event | None = None
    stored_event: StoredEvent | None = None


class ClientDisconnected(Exception):
    """The sender closed the connection before the end of its request."""


class EventRefused(Exception):
    """A request that is answered without reading its body as a webhook."""

    def __init__(self, status: HTTPStatus, log_message: str, reason: str = "", **headers: str) -> None:
        super().__init__(log_message)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = _error_response(status, log_message, reason, names)


class ReceiverRules(NamedTuple):
    """What a receiver accepts and shows."""

    profile: str
    targets: Sequence[str]
    known_orders: bool
    public_status: bool


class App:
    """An ASGI application (asgi.readthedocs.io, "HTTP"). `keys` returns the keys accepted now."""

    def __init__(
        self,
        rules: ReceiverRules,
        keys: Callable[[], Sequence[str]],
        writer: Writer,
        metrics: ReceiverMetrics,
        log: AccessLog,
        health: Callable[[], Awaitable[Mapping[str, Any]]],
        metrics_text: Callable[[], Awaitable[str]],
    ) -> None:
        self._rules, self._keys, self._writer, self._metrics, self._log = rules, keys, writer, metrics, log
        self._health, self._metrics_text = health, metrics_text
        self._buffered_bytes = 0  # request bodies being read or stored
        self.on_stored: Callable[[], None] = lambda: None  # called after each new event
        self.is_over_capacity: Callable[[], bool] = lambda: False  # more connections than allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            response = await self._respond(scope, receive)
        except ClientDisconnected:
            self._log.write_refusal("client disconnected", {"sender": _client_host(scope)})
            return
        except asyncio.CancelledError:  # the receiver stops, and its grace period is over
            response = _retry_later("the receiver is stopping")
        except Exception as error:  # a bug must not become a status that ends the sender's retries
            response = _retry_later(f"bug in cpctl: {type(error).__name__}: {error}")
        await _send_response(send, response)
        seconds = time.perf_counter() - started
        self._metrics.count_response(response.status, seconds)
        self._log_response(scope, response, seconds)

    def record_malformed_request(self, host: str) -> None:
        """Count and log a request that is not HTTP; the HTTP server has answered it with 400."""
        self._metrics.count_response(HTTPStatus.BAD_REQUEST, 0.0)
        self._log.write_refusal("not HTTP", {"status": int(HTTPStatus.BAD_REQUEST), "sender": host})

    async def _respond(self, scope: Scope, receive: Receive) -> HttpResponse:
        stream = _BodyStream(receive)
        try:
            if scope["path"] in ("/health", "/metrics") and scope["method"] in ("GET", "HEAD"):
                return await self._serve_status(scope)
            if self.is_over_capacity():
                raise EventRefused(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", retry_after="1")
            _check_headers(scope)
            body = await self._read_body(stream)
            try:
                return await self._receive_event(body)
            finally:
                self._buffered_bytes -= len(body)
        except EventRefused as refusal:
            await _drain_body(scope, stream)
            return refusal.response

    async def _receive_event(self, body: bytes) -> HttpResponse:
        try:
            event = read_event(body, self._keys())
        except InvalidWebhook as error:
            return _error_response(HTTPStatus.BAD_REQUEST, "invalid webhook", str(error))
        except WrongKey:
            return _error_response(HTTPStatus.UNAUTHORIZED, "wrong or missing key")
        try:
            stored = await self._writer.store_event(event)
        except StoreError as error:
            return _retry_later(error.message)
        except QueueFull:
            return _retry_later("the write queue is full")
        if stored is None:
            return HttpResponse(HTTPStatus.NO_CONTENT, log_message="unknown order", event=event)
        is_new = stored.received_count == 1
        self._metrics.count_event(event.type, is_new)
        if is_new:
            self.on_stored()
        body_text = f'{{"event": {stored.id}, "received_count": {stored.received_count}}}'
        log_message = "stored" if is_new else "already stored"
        return HttpResponse(HTTPStatus.OK, body_text.encode(), _JSON_HEADERS, log_message, "", event, stored)

    async def _read_body(self, stream: "_BodyStream") -> bytes:
        """Read the whole body. Raises ClientDisconnected, EventRefused.

        Its size counts in `_buffered_bytes` until the caller subtracts it.
        """
        body = bytearray()
        try:
            while stream.has_more:
                chunk = await stream.read_chunk()
                self._buffered_bytes += len(chunk)
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise _body_too_large()
                if self._buffered_bytes > MAX_BUFFERED_BYTES and len(body) > _SMALL_BODY_BYTES:
                    raise EventRefused(HTTPStatus.SERVICE_UNAVAILABLE, "too many request bodies", retry_after="1")
        except BaseException:
            self._buffered_bytes -= len(body)
            raise
        return bytes(body)

    async def _serve_status(self, scope: Scope) -> HttpResponse:
        if not (self._rules.public_status or is_loopback(_client_host(scope))):
            raise EventRefused(HTTPStatus.NOT_FOUND, "status is shown to this machine only")
        if scope["path"] == "/metrics":
            text = await self._metrics_text()
            return HttpResponse(HTTPStatus.OK, text.encode(), [(b"content-type", CONTENT_TYPE.encode())])
        health = await self._health()
        status = HTTPStatus.OK if health["store_writable"] else HTTPStatus.SERVICE_UNAVAILABLE
        return HttpResponse(status, json.dumps(health).encode(), _JSON_HEADERS)

    def _log_response(self, scope: Scope, response: HttpResponse, seconds: float) -> None:
        event, stored = response.event, response.stored_event
        fields = {
            "status": int(response.status),
            "type": event and event.type,
            "order": event and event.order,
            "item": event and event.item,
            "event": stored and stored.id,
            "received_count": stored.received_count if stored and stored.received_count > 1 else None,
            "reason": response.reason,
            "sender": _client_host(scope),
            "ms": round(seconds * 1000, 1),
        }
        if event is not None:
            self._log.write(response.log_message, fields)
        elif response.log_message:
            self._log.write_refusal(response.log_message, fields)


def _check_headers(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise EventRefused(HTTPStatus.METHOD_NOT_ALLOWED, "not POST", scope["method"], allow="POST")
    headers = dict(scope["headers"])
    length, chunked = headers.get(b"content-length"), b"transfer-encoding" in headers
    if length is None and not chunked:
        raise EventRefused(HTTPStatus.LENGTH_REQUIRED, "no Content-Length")
    if length is not None and chunked:  # request smuggling: a proxy may see other requests in it (RFC 9112, 6.1)
        raise EventRefused(HTTPStatus.BAD_REQUEST, "conflicting lengths")
    if length is not None and int(length) > MAX_BODY_BYTES:
        raise _body_too_large()
    unsupported = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    # A body without a content type may still be JSON.
    if (media_type := _find_non_json_type(headers.get(b"content-type", b""))) is not None:
        raise EventRefused(unsupported, "not application/json", media_type, accept="application/json")
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding not in ("identity", ""):
        raise EventRefused(unsupported, "unsupported content-encoding", encoding, accept_encoding="identity")


@lru_cache(maxsize=64)
def _find_non_json_type(header: bytes) -> str | None:
    media_type = header.decode("latin-1").partition(";")[0].strip().lower()
    is_json = media_type in ("", "application/json", "text/json") or media_type.endswith("+json")
    return None if is_json else media_type


class _BodyStream:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.has_more = True

    async def read_chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.has_more = False
            raise ClientDisconnected
        self.has_more = message.get("more_body", False)
        return message.get("body", b"")  # type: ignore[no-any-return]


async def _drain_body(scope: Scope, stream: _BodyStream) -> None:
    """Read the rest of a refused body, unless it is very large; the time limit of the request still applies."""
    headers = dict(scope["headers"])
    if b"expect" in headers or int(headers.get(b"content-length", b"0")) > MAX_DRAIN_BYTES:
        return
    drained_bytes = 0
    with suppress(ClientDisconnected):
        while stream.has_more and drained_bytes <= MAX_DRAIN_BYTES:
            drained_bytes += len(await stream.read_chunk())


def _body_too_large() -> EventRefused:
    return EventRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {MAX_BODY_BYTES} bytes")


def _retry_later(reason: str) -> HttpResponse:
    return _error_response(HTTPStatus.SERVICE_UNAVAILABLE, "not stored", reason, RETRY_AFTER)


def _error_response(
    status: HTTPStatus, log_message: str, reason: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A response that closes the connection and tells the sender nothing but the status."""
    names = {"content-type": "application/json", **(headers or {}), "connection": "close"}
    encoded = [(name.encode(), value.encode()) for name, value in names.items()]
    return HttpResponse(status, json.dumps({"error": status.phrase}).encode(), encoded, log_message, reason)


async def _send_response(send: Send, response: HttpResponse) -> None:
    headers = list(response.headers)
    if response.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _client_host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
