"""Malformed requests: each is answered or aborted, and the server stays healthy."""

import itertools
import json
import socket
import struct
import sys

import pytest

from harness.webhooks.webhook_server import KEY, ORDER, RunningServer, encode_request, wait_until, webhook_body

EVENT_NUMBERS = itertools.count(1)
REQUEST_HEAD = "POST / HTTP/1.1\r\nHost: test\r\n"


def with_key(rest: str) -> bytes:
    """A JSON object that begins with the correct key."""
    return f'{{"apikey": "{KEY}", {rest}}}'.encode()


UNREADABLE_BODIES = {
    "nothing": b"",
    "blanks": b" \r\n ",
    "no JSON": b"apikey=1&type=ItemShipped",
    "half of it": json.dumps(webhook_body()).encode()[:-5],
    "more after it": json.dumps(webhook_body()).encode() + b"{}",
    "a list": json.dumps([webhook_body()]).encode(),
    "a text": b'"ItemShipped"',
    "null": b"null",
    "a number": b"42",
    "no UTF-8": with_key('"type": "\xff\xfe"').replace(b"\xc3\xbf", b"\xff"),
    "UTF-16": json.dumps(webhook_body()).encode("utf-16"),
    "a bare NUL": with_key('"type": "a\0b"'),
    "NULs": b"\0" * 1000,
    "NaN": with_key('"delay": NaN'),
    "infinity": with_key('"delay": -Infinity'),
    "lists without end": b"[" * 500_000,
    "objects without end": b'{"a":' * 100_000,
    "nested too deep": with_key('"a": ' + "[" * 101 + "]" * 101),
    "a comment": with_key('/* hello */ "type": "a"'),
    "single quotes": b"{'apikey': 'x'}",
}


@pytest.mark.parametrize("name", UNREADABLE_BODIES)
def test_unreadable_webhooks_are_answered_400(shared_server: RunningServer, name: str) -> None:
    before = shared_server.count_events()
    assert shared_server.post(UNREADABLE_BODIES[name]).status == 400
    assert shared_server.count_events() == before


READABLE_BODIES = {
    "a key twice": with_key('"type": "A", "type": "B"'),
    "the wrong key before the right one": b'{"apikey": "wrong-wrong-wrong", ' + with_key('"type": "C"')[1:],
    "huge numbers": with_key(f'"order": {"9" * 5000}, "delay": 1e999, "item": {"1" * 30}'),
    "a NUL that is written out": with_key(r'"type": "a\u0000b"'),
    "half a character": with_key(r'"type": "\ud800", "order": "\udfff"'),
    "a mark of byte order": b"\xef\xbb\xbf" + with_key('"type": "bom"'),
    "values of all kinds": with_key('"type": 5, "order": true, "item": [1], "datetime": {"a": null}'),
    "deep, but not too deep": with_key('"a": ' + "[" * 90 + "]" * 90),
    "a name of a column": with_key('"id": 1, "digest": "x", "profile": "y", "payload": "z"'),
    "a name that is SQL": with_key("""\"order": "'); DROP TABLE events; --" """),
    "many names": with_key(", ".join(f'"name{number}": {number}' for number in range(20_000))),
    "empty names": with_key('"": "", " ": " "'),
    "times that are none": with_key('"datetime": "9999-99-99T99:99:99+99:99"'),
    "a time before all times": with_key('"datetime": "0001-01-01T00:00:00+14:00"'),
}


@pytest.mark.parametrize("name", READABLE_BODIES)
def test_unusual_but_readable_webhooks_are_stored_once(shared_server: RunningServer, name: str) -> None:
    first, again = shared_server.post(READABLE_BODIES[name]), shared_server.post(READABLE_BODIES[name])
    assert (first.status, again.status) == (200, 200)
    assert again.data == {"event": first.data["event"], "received_count": 2}
    (row,) = shared_server.select_rows(f"SELECT payload FROM events WHERE id = {first.data['event']}")
    assert isinstance(json.loads(row["payload"]), dict)


NON_HTTP_DATA = {
    "garbage": b"\x16\x03\x01\x02\x00 garbage\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + b"\0" * 100,
    "a foreign protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP 0.9": b"GET /\r\n\r\n",
    "no host": b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "two hosts": b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
    "conflicting lengths": f"{REQUEST_HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} ".encode(),
    "a list of lengths": f"{REQUEST_HEAD}Content-Length: 2, 3\r\n\r\n{{}} ".encode(),
    "a length below zero": f"{REQUEST_HEAD}Content-Length: -2\r\n\r\n{{}}".encode(),
    "a length with a sign": f"{REQUEST_HEAD}Content-Length: +2\r\n\r\n{{}}".encode(),
    "a length in words": f"{REQUEST_HEAD}Content-Length: two\r\n\r\n{{}}".encode(),
    "a length in other digits": f"{REQUEST_HEAD}Content-Length: ٢\r\n\r\n{{}}".encode(),
    "an endless length": f"{REQUEST_HEAD}Content-Length: {'9' * 5000}\r\n\r\n{{}}".encode(),
    "length and chunks": f"{REQUEST_HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "chunks, gzipped": f"{REQUEST_HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode(),
    "chunks twice": f"{REQUEST_HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "chunks by another name": f"{REQUEST_HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".encode(),
    "a blank before the colon": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n{}",
    "a NUL in the head": b"POST / HTTP/1.1\r\nHost: a\r\nX: \0\r\nContent-Length: 2\r\n\r\n{}",
    "a bare line feed in a value": b"POST / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\nContent-Length: 2\r\n\r\n{}",
    "a head without end": f"{REQUEST_HEAD}X: {'a' * 300_000}".encode(),
    "headers without end": REQUEST_HEAD.encode() + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)),
    "a path without end": b"POST /" + b"a" * 300_000,
    "a path with a blank": b"POST /a b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    "a path that is no ASCII": "POST /é HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}".encode(),
    "a chunk of no size": f"{REQUEST_HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n".encode(),
    "a huge chunk size": f"{REQUEST_HEAD}Transfer-Encoding: chunked\r\n\r\n{'f' * 30}\r\n{{}}\r\n0\r\n\r\n".encode(),
}


@pytest.mark.parametrize("name", NON_HTTP_DATA)
def test_malformed_http_is_answered_400_and_the_connection_closed(shared_server: RunningServer, name: str) -> None:
    with shared_server.connect() as wire:
        try:
            assert wire.send(NON_HTTP_DATA[name]).read_response().status == 400
        except ConnectionError:
            assert len(NON_HTTP_DATA[name]) > 65_536, "only a sender that is still sending may get no response"
            return
        assert wire.wait_closed()


@pytest.mark.parametrize("name", ["garbage", "conflicting lengths", "length and chunks"])
def test_malformed_http_is_counted_and_logged(shared_server: RunningServer, name: str) -> None:
    def count() -> int:
        line = next(line for line in shared_server.get("/metrics").body.decode().splitlines() if 'code="400"' in line)
        return int(line.split()[-1])

    shared_server.post(b"{")
    before = count()
    shared_server.send_raw(NON_HTTP_DATA[name])
    assert count() == before + 1
    words = "conflicting lengths" if name == "length and chunks" else "not HTTP"
    # Of many refusals only some are logged, and this file makes many.
    wait_until(
        lambda: shared_server.send_raw(NON_HTTP_DATA[name]) and f" {words} status=400" in shared_server.log_text(),
        "logged",
    )


def test_a_request_smuggled_in_another_is_never_read(shared_server: RunningServer) -> None:
    """What a proxy sees as a body must not become a request (RFC 9112, 11.2)."""
    hidden = encode_request(webhook_body(next(EVENT_NUMBERS), tracking="smuggled"))
    chunked = f"{REQUEST_HEAD}Content-Length: {len(hidden) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode()
    with shared_server.connect() as wire:
        assert wire.send(chunked + hidden).read_response().status == 400
        assert wire.wait_closed()
    assert shared_server.select_rows("SELECT id FROM events WHERE payload LIKE '%smuggled%'") == []


def test_a_wrong_content_length_makes_no_event(shared_server: RunningServer) -> None:
    body = json.dumps(webhook_body(next(EVENT_NUMBERS))).encode()
    with shared_server.connect() as wire:
        short = f"{REQUEST_HEAD}Content-Length: {len(body) - 10}\r\n\r\n".encode() + body
        assert wire.send(short).read_response().status == 400
        assert wire.wait_closed()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("part", ["nothing", "half a head", "a head", "half a body"])
def test_an_aborted_request_leaves_nothing_behind(shared_server: RunningServer, part: str, reset: bool) -> None:
    whole = encode_request(webhook_body(next(EVENT_NUMBERS), tracking="left"))
    head = whole.index(b"\r\n\r\n") + 4
    ends = {"nothing": 0, "half a head": head // 2, "a head": head, "half a body": (head + len(whole)) // 2}
    with shared_server.connect() as wire:
        wire.send(whole[: ends[part]])
        if reset:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # The request for /metrics is a connection too; at the end it is the only one.
    wait_until(
        lambda: b"cpctl_webhooks_connections 1\n" in shared_server.get("/metrics").body, "the connection is closed"
    )
    assert shared_server.select_rows("SELECT id FROM events WHERE payload LIKE '%\"left\"%'") == []


def test_a_webhook_sent_again_after_a_lost_response_is_stored_once(shared_server: RunningServer) -> None:
    number = next(EVENT_NUMBERS)
    for _ in range(5):
        with shared_server.connect() as wire:
            wire.send(encode_request(webhook_body(number, tracking="again")))
    assert shared_server.post(webhook_body(number, tracking="again")).status == 200
    assert len(shared_server.select_rows("SELECT id FROM events WHERE payload LIKE '%\"again\"%'")) == 1


def test_a_body_in_the_smallest_chunks_is_read(shared_server: RunningServer) -> None:
    body = json.dumps(webhook_body(next(EVENT_NUMBERS))).encode()
    parts = b"".join(b"1;name=value\r\n%c\r\n" % byte for byte in body) + b"0\r\nTrailer: x\r\n\r\n"
    with shared_server.connect() as wire:
        wire.send(encode_request(b"", "Transfer-Encoding: chunked\r\n", length=False) + parts)
        assert wire.read_response().status == 200
        assert wire.send(encode_request(webhook_body(next(EVENT_NUMBERS)))).read_response().status == 200


def test_a_request_that_arrives_byte_by_byte_is_read(shared_server: RunningServer) -> None:
    with shared_server.connect() as wire:
        for byte in encode_request(webhook_body(next(EVENT_NUMBERS))):
            wire.send(bytes([byte]))
        assert wire.read_response().status == 200


def test_an_upgrade_is_ignored(shared_server: RunningServer) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    assert shared_server.get("/", upgrade).status == 405
    assert shared_server.post(webhook_body(next(EVENT_NUMBERS)), upgrade).status == 200


def test_malformed_requests_leave_the_server_healthy(shared_server: RunningServer) -> None:
    """Runs last in this file: no traceback, and little memory in use."""
    assert shared_server.post(webhook_body(next(EVENT_NUMBERS), order=ORDER)).status == 200
    assert shared_server.get("/health").data["status"] == "ok"
    assert "Traceback" not in shared_server.log_text()
    assert "a bug" not in shared_server.log_text()
    if sys.platform == "linux":
        assert shared_server.resident_mib() < 200
