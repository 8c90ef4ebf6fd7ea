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
from cpctl.webhooks.events.event import Event, Unreadable, WrongKey, read_event
from cpctl.webhooks.events.event_store import Kept
from cpctl.webhooks.events.http_post import is_here
from cpctl.webhooks.server.access_log import Log
from cpctl.webhooks.server.metrics import CONTENT_TYPE, Numbers
from cpctl.webhooks.server.writer import Busy, Writer

LARGEST_BODY = 1_048_576  # bytes
# Bodies of all requests together, so that a thousand senders cannot fill the memory.
LARGEST_BODIES = 67_108_864
# One that is no larger is read all the same: no webhook that was ever documented comes near it.
_SMALL_BODY = 32_768
# So much of a body that is refused is still heard out: a sender that is reset in mid-sentence sees no answer.
HEARD_OUT = 8 * LARGEST_BODY
RETRY_AFTER_SECONDS = 30

_JSON = ((b"content-type", b"application/json"),)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Answer(NamedTuple):
    """A status with its words, and what the log says of it; `why` may hold a stranger's words."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    said: str = ""
    why: str = ""
    event: Event | None = None
    kept: Kept | None = None


class Gone(Exception):
    """The sender went away before all was said."""


class Refused(Exception):
    """A request that is answered without looking at what it says."""

    def __init__(self, status: HTTPStatus, said: str, why: str = "", **headers: str) -> None:
        super().__init__(said)
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = _refusal(status, said, why, lines)


class Rules(NamedTuple):
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
        rules: Rules,
        keys: Callable[[], Sequence[str]],
        writer: Writer,
        numbers: Numbers,
        log: Log,
        health: Callable[[], Awaitable[Mapping[str, Any]]],
        numbers_text: Callable[[], Awaitable[str]],
    ) -> None:
        self._rules, self._keys, self._writer, self._numbers, self._log = rules, keys, writer, numbers, log
        self._health, self._numbers_text = health, numbers_text
        self._held = 0  # bytes of bodies that are being read or stored
        self.stored: Callable[[], None] = lambda: None  # told after each new event
        self.is_crowded: Callable[[], bool] = lambda: False  # whether more are connected than may be

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            self._log.refused("gone before all was said", {"sender": _host(scope)})
            return
        except asyncio.CancelledError:  # the receiver ends, and has waited for this as long as it may
            answer = _come_back("the receiver ends")
        except Exception as error:  # a bug must not turn into an answer that ends the retries
            answer = _come_back(f"a bug in cpctl: {type(error).__name__}: {error}")
        await _send(send, answer)
        seconds = time.perf_counter() - started
        self._numbers.answered(answer.status, seconds)
        self._tell(scope, answer, seconds)

    def unreadable(self, host: str) -> None:
        """Something was said that is no HTTP; it was answered with 400 already."""
        self._numbers.answered(HTTPStatus.BAD_REQUEST, 0.0)
        self._log.refused("no HTTP", {"status": int(HTTPStatus.BAD_REQUEST), "sender": host})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        said = _Body(receive)
        try:
            if scope["path"] in ("/health", "/metrics") and scope["method"] in ("GET", "HEAD"):
                return await self._status(scope)
            if self.is_crowded():
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", retry_after="1")
            _check_head(scope)
            body = await self._read(said)
            try:
                return await self._received(body)
            finally:
                self._held -= len(body)
        except Refused as refused:
            await _hear_out(scope, said)
            return refused.answer

    async def _received(self, body: bytes) -> Answer:
        try:
            event = read_event(body, self._keys())
        except Unreadable as error:
            return _refusal(HTTPStatus.BAD_REQUEST, "not readable", str(error))
        except WrongKey:
            return _refusal(HTTPStatus.UNAUTHORIZED, "wrong key, or none")
        try:
            kept = await self._writer.keep(event)
        except StoreError as error:
            return _come_back(error.message)
        except Busy:
            return _come_back("too much waits for the disk")
        if kept is None:
            return Answer(HTTPStatus.NO_CONTENT, said="not our order", event=event)
        self._numbers.stored(event.type, kept.times == 1)
        if kept.times == 1:
            self.stored()
        said = "stored" if kept.times == 1 else "known already"
        body_text = f'{{"event": {kept.id}, "times": {kept.times}}}'
        return Answer(HTTPStatus.OK, body_text.encode(), _JSON, said, "", event, kept)

    async def _read(self, said: "_Body") -> bytes:
        """The whole body. Raises Gone, Refused; what it holds of memory counts until it is answered."""
        body = bytearray()
        try:
            while said.more:
                piece = await said.next()
                self._held += len(piece)
                body += piece
                if len(body) > LARGEST_BODY:
                    raise _too_large()
                if self._held > LARGEST_BODIES and len(body) > _SMALL_BODY:
                    raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many bodies at once", retry_after="1")
        except BaseException:
            self._held -= len(body)
            raise
        return bytes(body)

    async def _status(self, scope: Scope) -> Answer:
        if not (self._rules.public_status or is_here(_host(scope))):
            raise Refused(HTTPStatus.NOT_FOUND, "status is shown to this machine only")
        if scope["path"] == "/metrics":
            text = await self._numbers_text()
            return Answer(HTTPStatus.OK, text.encode(), [(b"content-type", CONTENT_TYPE.encode())])
        health = await self._health()
        return _json(HTTPStatus.OK if health["store_writable"] else HTTPStatus.SERVICE_UNAVAILABLE, health)

    def _tell(self, scope: Scope, answer: Answer, seconds: float) -> None:
        event, kept = answer.event, answer.kept
        facts = {
            "status": int(answer.status),
            "type": event and event.type,
            "order": event and event.order,
            "item": event and event.item,
            "event": kept and kept.id,
            "times": kept.times if kept and kept.times > 1 else None,
            "why": answer.why,
            "sender": _host(scope),
            "ms": round(seconds * 1000, 1),
        }
        if event is not None:
            self._log.say(answer.said, facts)
        elif answer.said:
            self._log.refused(answer.said, facts)


def _check_head(scope: Scope) -> None:
    """Find out before the body is read whether it can be a webhook. Raises Refused."""
    if scope["method"] != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "not POST", scope["method"], allow="POST")
    headers = dict(scope["headers"])
    length, chunked = headers.get(b"content-length"), b"transfer-encoding" in headers
    if length is None and not chunked:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "no length")
    if length is not None and chunked:  # a proxy in front may read another request out of it (RFC 9112, 6.1)
        raise Refused(HTTPStatus.BAD_REQUEST, "two lengths")
    if length is not None and int(length) > LARGEST_BODY:
        raise _too_large()
    # A sender that names no type may still have said JSON; one that names another has not.
    if (kind := _other_than_json(headers.get(b"content-type", b""))) is not None:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not application/json", kind, accept="application/json")
    coding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if coding not in ("identity", ""):
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a content-encoding", coding, accept_encoding="identity")


@lru_cache(maxsize=64)
def _other_than_json(header: bytes) -> str | None:
    """The type that a header names where it is none of JSON's."""
    kind = header.decode("latin-1").partition(";")[0].strip().lower()
    return kind if kind and kind not in ("application/json", "text/json") and not kind.endswith("+json") else None


class _Body:
    """What a sender says, part by part; `more` tells whether it has more to say."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.more = True

    async def next(self) -> bytes:
        """The next part. Raises Gone."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.more = False
            raise Gone
        self.more = message.get("more_body", False)
        return message.get("body", b"")  # type: ignore[no-any-return]


async def _hear_out(scope: Scope, said: _Body) -> None:
    """Let the sender of a refused body end, where that is soon; the clock of its request still runs."""
    headers = dict(scope["headers"])
    if b"expect" in headers or int(headers.get(b"content-length", b"0")) > HEARD_OUT:
        return
    heard = 0
    with suppress(Gone):
        while said.more and heard <= HEARD_OUT:
            heard += len(await said.next())


def _too_large() -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {LARGEST_BODY} bytes")


def _come_back(why: str) -> Answer:
    """Not stored: the sender shall try again."""
    return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "not stored", why, {"retry-after": str(RETRY_AFTER_SECONDS)})


def _refusal(status: HTTPStatus, said: str, why: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that closes the connection. To a stranger it says no more than its status does."""
    lines = {**(headers or {}), "connection": "close"}
    answer = _json(status, {"error": status.phrase})
    more = [(name.encode(), value.encode()) for name, value in lines.items()]
    return answer._replace(headers=[*answer.headers, *more], said=said, why=why)


def _json(status: HTTPStatus, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), _JSON)


async def _send(send: Send, answer: Answer) -> None:
    headers = list(answer.headers)
    if answer.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
