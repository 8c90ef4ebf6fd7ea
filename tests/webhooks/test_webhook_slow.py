"""Senders that take their time: each is cut, and none of them is in the way of another."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from webhook_server import Served, Wire, event, request, serving, webhook_world

SECONDS = 1.0
# So long a busy machine may take beyond that.
PATIENCE = 10.0
WHOLE = request(event(1))
HEAD = WHOLE[: WHOLE.index(b"\r\n\r\n") + 4]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that cuts who takes longer than a second."""
    world = webhook_world(tmp_path_factory.mktemp("hasty"))
    with serving(world, "--request-seconds", str(SECONDS)) as running:
        yield running
        assert "Traceback" not in running.said()


def drip(wire: Wire, data: bytes) -> None:
    """Send a byte now and then, for as long as the server takes them."""
    pause = threading.Event()
    with suppress(OSError):
        for byte in data:
            wire.send(bytes([byte]))
            pause.wait(0.05)


def seconds_until_cut(server: Served, speak: Callable[[Wire], object]) -> float:
    """How long the server listens to a sender that never ends."""
    with server.wire() as wire:
        started = time.monotonic()
        threading.Thread(target=speak, args=(wire,), daemon=True).start()
        assert wire.is_closed()
        return time.monotonic() - started


SLOW: dict[str, Callable[[Wire], object]] = {
    "says nothing": lambda wire: None,
    "ends in mid-line": lambda wire: wire.send(b"POST / HT"),
    "ends in mid-head": lambda wire: wire.send(HEAD[:-2]),
    "ends after the head": lambda wire: wire.send(HEAD),
    "ends in mid-body": lambda wire: wire.send(WHOLE[:-1]),
    "ends in mid-chunk": lambda wire: wire.send(
        request(b"", "Transfer-Encoding: chunked\r\n", length=False) + b"ff\r\n{"
    ),
    "drips its head": lambda wire: drip(wire, b"POST / HTTP/1.1\r\nHost: test\r\nX-Slow: " + b"a" * 10_000),
    "drips its body": lambda wire: drip(wire, HEAD + b" " * 10_000),
    "drips a body that is refused": lambda wire: drip(wire, HEAD.replace(b"json", b"pdf") + b" " * 10_000),
}


@pytest.mark.parametrize("name", SLOW)
def test_who_takes_too_long_is_cut(hasty: Served, name: str) -> None:
    assert SECONDS * 0.9 < seconds_until_cut(hasty, SLOW[name]) < SECONDS + PATIENCE


@pytest.mark.parametrize("then", ["nothing", "half a head", "a head", "half a body", "a drip"])
def test_who_was_answered_and_then_takes_too_long_is_cut(hasty: Served, then: str) -> None:
    rests = {"nothing": b"", "half a head": HEAD[:30], "a head": HEAD, "half a body": WHOLE[:-1], "a drip": b""}
    with hasty.wire() as wire:
        assert wire.send(WHOLE).answer().status == 200
        started = time.monotonic()
        wire.send(rests[then])
        if then == "a drip":
            threading.Thread(target=drip, args=(wire, HEAD + b" " * 10_000), daemon=True).start()
        assert wire.is_closed()
        assert time.monotonic() - started < SECONDS + PATIENCE


@pytest.mark.parametrize("rest", [HEAD[:30], HEAD, WHOLE[:-1]], ids=["half a head", "a head", "half a body"])
def test_a_second_request_that_was_begun_with_the_first_and_never_ends_is_cut(hasty: Served, rest: bytes) -> None:
    with hasty.wire() as wire:
        assert wire.send(WHOLE + rest).answer().status == 200
        started = time.monotonic()
        assert wire.is_closed()
        assert time.monotonic() - started < SECONDS + PATIENCE


def test_who_never_reads_the_answers_is_cut(hasty: Served) -> None:
    ask = b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n"
    with hasty.wire() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError) as caught:  # as long as it is not cut, it takes them all
            while True:
                wire.send(ask * 1000)
        assert isinstance(caught.value, ConnectionError), caught.value


def test_slow_senders_are_not_in_the_way_of_others(hasty: Served) -> None:
    slow = [Wire(hasty.port) for _ in range(50)]
    try:
        for number, wire in enumerate(slow):
            wire.send(HEAD if number % 2 else b"P")
        started = time.monotonic()
        assert hasty.post(event(2)).status == 200
        assert time.monotonic() - started < PATIENCE
    finally:
        for wire in slow:
            wire.__exit__()


def test_a_sender_of_many_webhooks_is_not_cut_while_it_speaks(hasty: Served) -> None:
    ends = time.monotonic() + 2 * SECONDS
    number = 100
    with hasty.wire() as wire:
        while time.monotonic() < ends:
            number += 1
            assert wire.send(request(event(number))).answer().status == 200


def test_it_says_in_its_help_when_it_cuts(hasty: Served) -> None:
    shown = hasty.world.run("webhooks", "serve", "--help").out
    assert "--request-seconds" in shown


def test_a_time_that_is_none_is_refused(hasty: Served) -> None:
    for value in ("0", "-1", "soon"):
        assert hasty.world.run("webhooks", "serve", "--request-seconds", value).code == 2
