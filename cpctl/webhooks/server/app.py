"""What is answered to whom: the key is checked, the event committed, then the answer given; all else happens after."""

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

MAX_BODY_BYTES = 1_048_576  # bytes
# Bodies of all requests together, so that a thousand senders cannot fill the memory.
MAX_BUFFERED_BYTES = 67_108_864
# One that is no larger is read all the same: no webhook that was ever documented comes near it.
_SMALL_BODY_BYTES = 32_768
# So much of a body that is refused is still heard out: a sender that is reset in mid-sentence sees no answer.
MAX_DRAIN_BYTES = 8 * MAX_BODY_BYTES
RETRY_AFTER_SECONDS = 30

_JSON_HEADERS = ((b"content-type", b"application/json"),)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class HttpResponse(NamedTuple):
    """A status with its words, and what the log says of it; `why` may hold a stranger's words."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    log_message: str = ""
    reason: str = ""
    event: Event | None = None
    stored_event: StoredEvent | None = None


class ClientDisconnected(Exception):
    """The sender went away before all was said."""


class EventRefused(Exception):
    """A request that is answered without looking at what it says."""

    def __init__(self, status: HTTPStatus, log_message: str, reason: str = "", **headers: str) -> None:
        super().__init__(log_message)
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = _error_response(status, log_message, reason, lines)


class ReceiverRules(NamedTuple):
    """How one receiver answers."""

    profile: str
    targets: Sequence[str]
    known_orders: bool
    public_status: bool


class App:
    """An ASGI application (asgi.readthedocs.io, "HTTP") that receives webhooks.

    `keys` gives the keys that are accepted now; `health` and `numbers_text` answer /health and /metrics.
    """

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
        self._buffered_bytes = 0  # bytes of bodies that are being read or stored
        self.on_stored: Callable[[], None] = lambda: None  # told after each new event
        self.is_over_capacity: Callable[[], bool] = lambda: False  # whether more are connected than may be

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        try:
            answer = await self._respond(scope, receive)
        except ClientDisconnected:
            self._log.write_refusal("gone before all was said", {"sender": _client_host(scope)})
            return
        except asyncio.CancelledError:  # the receiver ends, and has waited for this as long as it may
            answer = _retry_later("the receiver ends")
        except Exception as error:  # a bug must not turn into an answer that ends the retries
            answer = _retry_later(f"a bug in cpctl: {type(error).__name__}: {error}")
        await _send_response(send, answer)
        seconds = time.perf_counter() - started
        self._metrics.count_response(answer.status, seconds)
        self._log_response(scope, answer, seconds)

    def record_malformed_request(self, host: str) -> None:
        """Something was said that is no HTTP; it was answered with 400 already."""
        self._metrics.count_response(HTTPStatus.BAD_REQUEST, 0.0)
        self._log.write_refusal("no HTTP", {"status": int(HTTPStatus.BAD_REQUEST), "sender": host})

    async def _respond(self, scope: Scope, receive: Receive) -> HttpResponse:
        said = _BodyStream(receive)
        try:
            if scope["path"] in ("/health", "/metrics") and scope["method"] in ("GET", "HEAD"):
                return await self._serve_status(scope)
            if self.is_over_capacity():
                raise EventRefused(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", retry_after="1")
            _check_headers(scope)
            body = await self._read_body(said)
            try:
                return await self._receive_event(body)
            finally:
                self._buffered_bytes -= len(body)
        except EventRefused as refused:
            await _drain_body(scope, said)
            return refused.response

    async def _receive_event(self, body: bytes) -> HttpResponse:
        try:
            event = read_event(body, self._keys())
        except InvalidWebhook as error:
            return _error_response(HTTPStatus.BAD_REQUEST, "not readable", str(error))
        except WrongKey:
            return _error_response(HTTPStatus.UNAUTHORIZED, "wrong key, or none")
        try:
            kept = await self._writer.store_event(event)
        except StoreError as error:
            return _retry_later(error.message)
        except QueueFull:
            return _retry_later("too much waits for the disk")
        if kept is None:
            return HttpResponse(HTTPStatus.NO_CONTENT, log_message="not our order", event=event)
        self._metrics.count_event(event.type, kept.received_count == 1)
        if kept.received_count == 1:
            self.on_stored()
        said = "stored" if kept.received_count == 1 else "known already"
        body_text = f'{{"event": {kept.id}, "times": {kept.received_count}}}'
        return HttpResponse(HTTPStatus.OK, body_text.encode(), _JSON_HEADERS, said, "", event, kept)

    async def _read_body(self, stream: "_BodyStream") -> bytes:
        """The whole body. Raises Gone, Refused; what it holds of memory counts until it is answered."""
        body = bytearray()
        try:
            while stream.has_more:
                piece = await stream.read_chunk()
                self._buffered_bytes += len(piece)
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise _body_too_large()
                if self._buffered_bytes > MAX_BUFFERED_BYTES and len(body) > _SMALL_BODY_BYTES:
                    raise EventRefused(HTTPStatus.SERVICE_UNAVAILABLE, "too many bodies at once", retry_after="1")
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
        return _json_response(HTTPStatus.OK if health["store_writable"] else HTTPStatus.SERVICE_UNAVAILABLE, health)

    def _log_response(self, scope: Scope, response: HttpResponse, seconds: float) -> None:
        event, kept = response.event, response.stored_event
        facts = {
            "status": int(response.status),
            "type": event and event.type,
            "order": event and event.order,
            "item": event and event.item,
            "event": kept and kept.id,
            "times": kept.received_count if kept and kept.received_count > 1 else None,
            "why": response.reason,
            "sender": _client_host(scope),
            "ms": round(seconds * 1000, 1),
        }
        if event is not None:
            self._log.write(response.log_message, facts)
        elif response.log_message:
            self._log.write_refusal(response.log_message, facts)


def _check_headers(scope: Scope) -> None:
    """Find out before the body is read whether it can be a webhook. Raises Refused."""
    if scope["method"] != "POST":
        raise EventRefused(HTTPStatus.METHOD_NOT_ALLOWED, "not POST", scope["method"], allow="POST")
    headers = dict(scope["headers"])
    length, chunked = headers.get(b"content-length"), b"transfer-encoding" in headers
    if length is None and not chunked:
        raise EventRefused(HTTPStatus.LENGTH_REQUIRED, "no length")
    if length is not None and chunked:  # a proxy in front may read another request out of it (RFC 9112, 6.1)
        raise EventRefused(HTTPStatus.BAD_REQUEST, "two lengths")
    if length is not None and int(length) > MAX_BODY_BYTES:
        raise _body_too_large()
    # A sender that names no type may still have said JSON; one that names another has not.
    if (kind := _find_non_json_type(headers.get(b"content-type", b""))) is not None:
        raise EventRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not application/json", kind, accept="application/json")
    coding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if coding not in ("identity", ""):
        raise EventRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a content-encoding", coding, accept_encoding="identity")


@lru_cache(maxsize=64)
def _find_non_json_type(header: bytes) -> str | None:
    """The type that a header names where it is none of JSON's."""
    kind = header.decode("latin-1").partition(";")[0].strip().lower()
    return kind if kind and kind not in ("application/json", "text/json") and not kind.endswith("+json") else None


class _BodyStream:
    """What a sender says, part by part; `more` tells whether it has more to say."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.has_more = True

    async def read_chunk(self) -> bytes:
        """The next part. Raises Gone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.has_more = False
            raise ClientDisconnected
        self.has_more = message.get("more_body", False)
        return message.get("body", b"")  # type: ignore[no-any-return]


async def _drain_body(scope: Scope, stream: _BodyStream) -> None:
    """Let the sender of a refused body end, where that is soon; the clock of its request still runs."""
    headers = dict(scope["headers"])
    if b"expect" in headers or int(headers.get(b"content-length", b"0")) > MAX_DRAIN_BYTES:
        return
    heard = 0
    with suppress(ClientDisconnected):
        while stream.has_more and heard <= MAX_DRAIN_BYTES:
            heard += len(await stream.read_chunk())


def _body_too_large() -> EventRefused:
    return EventRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {MAX_BODY_BYTES} bytes")


def _retry_later(reason: str) -> HttpResponse:
    """Not stored: the sender shall try again."""
    return _error_response(
        HTTPStatus.SERVICE_UNAVAILABLE, "not stored", reason, {"retry-after": str(RETRY_AFTER_SECONDS)}
    )


def _error_response(
    status: HTTPStatus, log_message: str, reason: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An answer that closes the connection. To a stranger it says no more than its status does."""
    lines = {**(headers or {}), "connection": "close"}
    answer = _json_response(status, {"error": status.phrase})
    more = [(name.encode(), value.encode()) for name, value in lines.items()]
    return answer._replace(headers=[*answer.headers, *more], log_message=log_message, reason=reason)


def _json_response(status: HTTPStatus, value: object) -> HttpResponse:
    return HttpResponse(status, json.dumps(value).encode(), _JSON_HEADERS)


async def _send_response(send: Send, response: HttpResponse) -> None:
    headers = list(response.headers)
    if response.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _client_host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
