"""Requests as no sender should make them: each is answered or cut, and the server goes on."""

import itertools
import json
import socket
import struct
import sys

import pytest
from webhook_server import KEY, ORDER, Served, event, eventually, request

NUMBERS = itertools.count(1)
HEAD = "POST / HTTP/1.1\r\nHost: test\r\n"


def with_key(rest: str) -> bytes:
    """A JSON object that begins with the right key."""
    return f'{{"apikey": "{KEY}", {rest}}}'.encode()


UNREADABLE = {
    "nothing": b"",
    "blanks": b" \r\n ",
    "no JSON": b"apikey=1&type=ItemShipped",
    "half of it": json.dumps(event()).encode()[:-5],
    "more after it": json.dumps(event()).encode() + b"{}",
    "a list": json.dumps([event()]).encode(),
    "a text": b'"ItemShipped"',
    "null": b"null",
    "a number": b"42",
    "no UTF-8": with_key('"type": "\xff\xfe"').replace(b"\xc3\xbf", b"\xff"),
    "UTF-16": json.dumps(event()).encode("utf-16"),
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


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_can_never_be_read_is_answered_400(served: Served, name: str) -> None:
    before = served.events()
    assert served.post(UNREADABLE[name]).status == 400
    assert served.events() == before


READABLE = {
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


@pytest.mark.parametrize("name", READABLE)
def test_whatever_can_be_read_is_stored_once_and_answered_200(served: Served, name: str) -> None:
    first, again = served.post(READABLE[name]), served.post(READABLE[name])
    assert (first.status, again.status) == (200, 200)
    assert again.data == {"event": first.data["event"], "times": 2}
    (row,) = served.rows(f"SELECT payload FROM events WHERE id = {first.data['event']}")
    assert isinstance(json.loads(row["payload"]), dict)


NO_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00 garbage\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + b"\0" * 100,
    "a foreign protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP 0.9": b"GET /\r\n\r\n",
    "no host": b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "two hosts": b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": f"{HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} ".encode(),
    "a list of lengths": f"{HEAD}Content-Length: 2, 3\r\n\r\n{{}} ".encode(),
    "a length below zero": f"{HEAD}Content-Length: -2\r\n\r\n{{}}".encode(),
    "a length with a sign": f"{HEAD}Content-Length: +2\r\n\r\n{{}}".encode(),
    "a length in words": f"{HEAD}Content-Length: two\r\n\r\n{{}}".encode(),
    "a length in other digits": f"{HEAD}Content-Length: ٢\r\n\r\n{{}}".encode(),
    "an endless length": f"{HEAD}Content-Length: {'9' * 5000}\r\n\r\n{{}}".encode(),
    "length and chunks": f"{HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "chunks, gzipped": f"{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode(),
    "chunks twice": f"{HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "chunks by another name": f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".encode(),
    "a blank before the colon": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n{}",
    "a NUL in the head": b"POST / HTTP/1.1\r\nHost: a\r\nX: \0\r\nContent-Length: 2\r\n\r\n{}",
    "a bare line feed in a value": b"POST / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\nContent-Length: 2\r\n\r\n{}",
    "a head without end": f"{HEAD}X: {'a' * 300_000}".encode(),
    "headers without end": HEAD.encode() + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)),
    "a path without end": b"POST /" + b"a" * 300_000,
    "a path with a blank": b"POST /a b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    "a path that is no ASCII": "POST /é HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}".encode(),
    "a chunk of no size": f"{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n".encode(),
    "a chunk of endless size": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{'f' * 30}\r\n{{}}\r\n0\r\n\r\n".encode(),
}


@pytest.mark.parametrize("name", NO_HTTP)
def test_what_is_no_http_is_answered_400_and_the_connection_is_closed(served: Served, name: str) -> None:
    with served.wire() as wire:
        try:
            assert wire.send(NO_HTTP[name]).answer().status == 400
        except ConnectionError:
            assert len(NO_HTTP[name]) > 65_536, "only who still speaks may be cut off without an answer"
            return
        assert wire.is_closed()


@pytest.mark.parametrize("name", ["garbage", "two lengths", "length and chunks"])
def test_what_is_no_http_is_counted_and_logged(served: Served, name: str) -> None:
    def count() -> int:
        line = next(line for line in served.get("/metrics").body.decode().splitlines() if 'code="400"' in line)
        return int(line.split()[-1])

    served.post(b"{")
    before = count()
    served.exchange(NO_HTTP[name])
    assert count() == before + 1
    words = "two lengths" if name == "length and chunks" else "no HTTP"
    # A flood of refusals is not logged line by line; and this file is one.
    eventually(lambda: served.exchange(NO_HTTP[name]) and f" {words} status=400" in served.said(), "logged")


def test_a_second_request_hidden_in_the_first_is_never_read(served: Served) -> None:
    """What a proxy takes for a body must not be a request to us (RFC 9112, 11.2)."""
    hidden = request(event(next(NUMBERS), tracking="smuggled"))
    chunked = f"{HEAD}Content-Length: {len(hidden) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode()
    with served.wire() as wire:
        assert wire.send(chunked + hidden).answer().status == 400
        assert wire.is_closed()
    assert served.rows("SELECT id FROM events WHERE payload LIKE '%smuggled%'") == []


def test_a_wrong_length_makes_no_event_of_the_rest(served: Served) -> None:
    body = json.dumps(event(next(NUMBERS))).encode()
    with served.wire() as wire:
        short = f"{HEAD}Content-Length: {len(body) - 10}\r\n\r\n".encode() + body
        assert wire.send(short).answer().status == 400
        assert wire.is_closed()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("part", ["nothing", "half a head", "a head", "half a body"])
def test_who_goes_away_early_leaves_nothing_behind(served: Served, part: str, reset: bool) -> None:
    whole = request(event(next(NUMBERS), tracking="left"))
    head = whole.index(b"\r\n\r\n") + 4
    ends = {"nothing": 0, "half a head": head // 2, "a head": head, "half a body": (head + len(whole)) // 2}
    with served.wire() as wire:
        wire.send(whole[: ends[part]])
        if reset:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # This look is a connection too; it is the only one left when the others are known to be gone.
    eventually(lambda: b"cpctl_webhooks_connections 1\n" in served.get("/metrics").body, "the connection is gone")
    assert served.rows("SELECT id FROM events WHERE payload LIKE '%\"left\"%'") == []


def test_who_goes_away_before_the_answer_may_send_it_again_and_it_is_kept_once(served: Served) -> None:
    number = next(NUMBERS)
    for _ in range(5):
        with served.wire() as wire:
            wire.send(request(event(number, tracking="again")))
    assert served.post(event(number, tracking="again")).status == 200
    assert len(served.rows("SELECT id FROM events WHERE payload LIKE '%\"again\"%'")) == 1


def test_a_body_in_the_smallest_chunks_is_read(served: Served) -> None:
    body = json.dumps(event(next(NUMBERS))).encode()
    parts = b"".join(b"1;name=value\r\n%c\r\n" % byte for byte in body) + b"0\r\nTrailer: x\r\n\r\n"
    with served.wire() as wire:
        wire.send(request(b"", "Transfer-Encoding: chunked\r\n", length=False) + parts)
        assert wire.answer().status == 200
        assert wire.send(request(event(next(NUMBERS)))).answer().status == 200


def test_a_request_that_arrives_byte_by_byte_is_read(served: Served) -> None:
    with served.wire() as wire:
        for byte in request(event(next(NUMBERS))):
            wire.send(bytes([byte]))
        assert wire.answer().status == 200


def test_an_upgrade_is_not_taken_up(served: Served) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    assert served.get("/", upgrade).status == 405
    assert served.post(event(next(NUMBERS)), upgrade).status == 200


def test_after_all_that_the_server_is_as_it_was(served: Served) -> None:
    """Runs last in this file: no trace of a bug, and the memory of a small server."""
    assert served.post(event(next(NUMBERS), order=ORDER)).status == 200
    assert served.get("/health").data["status"] == "ok"
    assert "Traceback" not in served.said()
    assert "a bug" not in served.said()
    if sys.platform == "linux":
        assert served.resident() < 200
