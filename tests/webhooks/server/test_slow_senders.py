"""Slow senders: each is aborted, and none delays another."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from harness.webhooks.webhook_server import (
    RawConnection,
    RunningServer,
    encode_request,
    make_webhook_cli,
    running_server,
    webhook_body,
)

REQUEST_TIMEOUT_SECONDS = 1.0
# Additional time for a busy machine.
MARGIN_SECONDS = 10.0
VALID_REQUEST = encode_request(webhook_body(1))
REQUEST_HEAD = VALID_REQUEST[: VALID_REQUEST.index(b"\r\n\r\n") + 4]


@pytest.fixture(scope="module")
def short_timeout_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that aborts requests after one second."""
    cli = make_webhook_cli(tmp_path_factory.mktemp("hasty"))
    with running_server(cli, "--request-seconds", str(REQUEST_TIMEOUT_SECONDS)) as running:
        yield running
        assert "Traceback" not in running.log_text()


def send_slowly(wire: RawConnection, data: bytes) -> None:
    """Send single bytes until the server closes."""
    pause = threading.Event()
    with suppress(OSError):
        for byte in data:
            wire.send(bytes([byte]))
            pause.wait(0.05)


def seconds_until_closed(server: RunningServer, speak: Callable[[RawConnection], object]) -> float:
    """How long the server waits for a sender that never finishes."""
    with server.connect() as wire:
        started = time.monotonic()
        threading.Thread(target=speak, args=(wire,), daemon=True).start()
        assert wire.wait_closed()
        return time.monotonic() - started


SLOW_SENDERS: dict[str, Callable[[RawConnection], object]] = {
    "says nothing": lambda wire: None,
    "ends in mid-line": lambda wire: wire.send(b"POST / HT"),
    "ends in mid-head": lambda wire: wire.send(REQUEST_HEAD[:-2]),
    "ends after the head": lambda wire: wire.send(REQUEST_HEAD),
    "ends in mid-body": lambda wire: wire.send(VALID_REQUEST[:-1]),
    "ends in mid-chunk": lambda wire: wire.send(
        encode_request(b"", "Transfer-Encoding: chunked\r\n", length=False) + b"ff\r\n{"
    ),
    "drips its head": lambda wire: send_slowly(wire, b"POST / HTTP/1.1\r\nHost: test\r\nX-Slow: " + b"a" * 10_000),
    "drips its body": lambda wire: send_slowly(wire, REQUEST_HEAD + b" " * 10_000),
    "drips a body that is refused": lambda wire: send_slowly(
        wire, REQUEST_HEAD.replace(b"json", b"pdf") + b" " * 10_000
    ),
}


@pytest.mark.parametrize("name", SLOW_SENDERS)
def test_slow_requests_are_aborted(short_timeout_server: RunningServer, name: str) -> None:
    assert (
        REQUEST_TIMEOUT_SECONDS * 0.9
        < seconds_until_closed(short_timeout_server, SLOW_SENDERS[name])
        < REQUEST_TIMEOUT_SECONDS + MARGIN_SECONDS
    )


@pytest.mark.parametrize("then", ["nothing", "half a head", "a head", "half a body", "a drip"])
def test_a_slow_second_request_is_aborted(short_timeout_server: RunningServer, then: str) -> None:
    rests = {
        "nothing": b"",
        "half a head": REQUEST_HEAD[:30],
        "a head": REQUEST_HEAD,
        "half a body": VALID_REQUEST[:-1],
        "a drip": b"",
    }
    with short_timeout_server.connect() as wire:
        assert wire.send(VALID_REQUEST).read_response().status == 200
        started = time.monotonic()
        wire.send(rests[then])
        if then == "a drip":
            threading.Thread(target=send_slowly, args=(wire, REQUEST_HEAD + b" " * 10_000), daemon=True).start()
        assert wire.wait_closed()
        assert time.monotonic() - started < REQUEST_TIMEOUT_SECONDS + MARGIN_SECONDS


@pytest.mark.parametrize(
    "rest", [REQUEST_HEAD[:30], REQUEST_HEAD, VALID_REQUEST[:-1]], ids=["half a head", "a head", "half a body"]
)
def test_a_slow_pipelined_request_is_aborted(short_timeout_server: RunningServer, rest: bytes) -> None:
    with short_timeout_server.connect() as wire:
        assert wire.send(VALID_REQUEST + rest).read_response().status == 200
        started = time.monotonic()
        assert wire.wait_closed()
        assert time.monotonic() - started < REQUEST_TIMEOUT_SECONDS + MARGIN_SECONDS


def test_a_client_that_never_reads_responses_is_aborted(short_timeout_server: RunningServer) -> None:
    ask = b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n"
    with short_timeout_server.connect() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError) as caught:  # until it is aborted
            while True:
                wire.send(ask * 1000)
        assert isinstance(caught.value, ConnectionError), caught.value


def test_slow_senders_do_not_delay_others(short_timeout_server: RunningServer) -> None:
    slow = [RawConnection(short_timeout_server.port) for _ in range(50)]
    try:
        for number, wire in enumerate(slow):
            wire.send(REQUEST_HEAD if number % 2 else b"P")
        started = time.monotonic()
        assert short_timeout_server.post(webhook_body(2)).status == 200
        assert time.monotonic() - started < MARGIN_SECONDS
    finally:
        for wire in slow:
            wire.__exit__()


def test_a_busy_connection_is_not_aborted(short_timeout_server: RunningServer) -> None:
    ends = time.monotonic() + 2 * REQUEST_TIMEOUT_SECONDS
    number = 100
    with short_timeout_server.connect() as wire:
        while time.monotonic() < ends:
            number += 1
            assert wire.send(encode_request(webhook_body(number))).read_response().status == 200


def test_the_help_names_request_seconds(short_timeout_server: RunningServer) -> None:
    shown = short_timeout_server.cli.run("webhooks", "serve", "--help").out
    assert "--request-seconds" in shown


def test_an_invalid_time_limit_is_refused(short_timeout_server: RunningServer) -> None:
    for value in ("0", "-1", "soon"):
        assert short_timeout_server.cli.run("webhooks", "serve", "--request-seconds", value).code == 2
