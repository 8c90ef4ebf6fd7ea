"""The client against servers that misbehave: one account of every call, within its time."""

import gzip
import socket
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from cpctl.api.client import MAX_ERROR_BODY_BYTES, Client, Response
from cpctl.api.failures import NO_ANSWER, NOT_REACHED, SIGNAL_FAILURES, classify_signal_status
from harness.servers.raw_server import RawServer, drip_response, raw_server, read_request, reset_on_close, send_response

KEY = "canary-key-0123456789"
PATH = "/cloudsignal/2.0/status/"
TIMEOUT_SECONDS = 0.4


def post(url: str, timeout: float = 5, path: str = PATH, **more: Any) -> Response:
    """Post once with a new client."""
    return Client(url, KEY, timeout, local=True, **more).post(path, {"type": "ItemPacked"})


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_the_key_is_in_the_body_and_nowhere_else() -> None:
    with raw_server(send_response("200 OK")) as server:
        assert post(server.url) == Response(200, None)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"apikey": "canary-key-0123456789", "type": "ItemPacked"}'
    assert head.startswith(b"POST /cloudsignal/2.0/status/ HTTP/1.1\r\n")
    assert KEY.encode() not in head
    assert b"content-type: application/json" in head.lower()
    assert b"user-agent: cpctl/" in head.lower()


def test_text_is_sent_as_utf_8() -> None:
    with raw_server(send_response("200 OK")) as server:
        Client(server.url, KEY, 5, local=True).post(PATH, {"message": "Fälschlich „gebunden“ 📕"})
    assert "Fälschlich „gebunden“ 📕".encode() in server.requests[0]


# --- no answer ------------------------------------------------------------------------------


def test_a_refused_connection_is_certainly_not_reached() -> None:
    response = post(f"http://127.0.0.1:{free_port()}")
    assert (response.status, response.failure) == (None, NOT_REACHED)
    assert response.message.endswith(": Connection refused")


def test_an_unknown_host_is_certainly_not_reached() -> None:
    response = post("http://nobody.invalid")
    assert (response.status, response.failure) == (None, NOT_REACHED)


def reset_during_request(server: RawServer, line: socket.socket) -> None:
    line.recv(1)
    reset_on_close(line)


def reset_after_reading(server: RawServer, line: socket.socket) -> None:
    read_request(server, line)
    reset_on_close(line)


def close_after_reading(server: RawServer, line: socket.socket) -> None:
    read_request(server, line)


def send_non_http(server: RawServer, line: socket.socket) -> None:
    read_request(server, line)
    line.sendall(b"220 mail.example.com ESMTP\r\n")


def truncate_header(server: RawServer, line: socket.socket) -> None:
    read_request(server, line)
    line.sendall(b"HTTP/1.1 20")


@pytest.mark.parametrize(
    "behave", [reset_during_request, reset_after_reading, close_after_reading, send_non_http, truncate_header]
)
def test_a_lost_connection_may_have_delivered_the_post(behave: Any) -> None:
    with raw_server(behave) as server:
        response = post(server.url)
    assert (response.status, response.failure) == (None, NO_ANSWER)
    assert response.message.startswith("the connection was lost before an answer arrived: ")
    assert len(server.requests) <= 1, "a post is never repeated"


def never_respond(server: RawServer, line: socket.socket) -> None:
    read_request(server, line)
    server.finished.wait(10)


@pytest.mark.parametrize(
    "behave", [never_respond, drip_response(b"", b"HTTP/1.1 200 OK\r\n" * 50)], ids=["silence", "drip"]
)
def test_silence_and_a_slow_header_end_with_the_timeout(behave: Any) -> None:
    with raw_server(behave) as server:
        begin = time.monotonic()
        response = post(server.url, TIMEOUT_SECONDS)
        assert TIMEOUT_SECONDS <= time.monotonic() - begin < TIMEOUT_SECONDS + 1
    assert response == Response(None, NO_ANSWER, "no answer within 0.4 s")


# --- an answer ------------------------------------------------------------------------------


def test_a_success_counts_before_its_slow_body_arrives() -> None:
    with raw_server(drip_response(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", b"x" * 4000)) as server:
        begin = time.monotonic()
        assert post(server.url, 30) == Response(200, None)
        assert time.monotonic() - begin < 5, "the body of a success is not waited for"


def test_a_success_counts_even_if_its_body_is_invalid() -> None:
    for body in (b"", b"\xff\x00", b"{", b"<html>"):
        with raw_server(send_response("201 Created", body, "Content-Encoding: gzip")) as server:
            assert post(server.url) == Response(201, None)


def test_a_refusal_with_a_slow_body_has_no_details() -> None:
    with raw_server(drip_response(b"HTTP/1.1 422 No\r\nContent-Length: 4000\r\n\r\n", b"x" * 4000)) as server:
        response = post(server.url, TIMEOUT_SECONDS)
    assert (response.status, response.message) == (422, "the service refused the request (422)")


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(status: int) -> None:
    with raw_server(send_response("200 OK")) as other:
        with raw_server(send_response(f"{status} Moved", b"", f"Location: {other.url}/")) as server:
            response = post(server.url)
        assert response.status == status
        assert response.failure is not None
        assert (response.failure.name, len(server.requests), other.requests) == ("wrong_address", 1, [])


def test_the_message_of_the_service_and_retry_after_are_kept() -> None:
    body = b'{"error": {"type": "order_unknown", "info": "order 00042 is unknown"}}'
    with raw_server(send_response("429 Slow", body, "Retry-After: 17")) as server:
        response = post(server.url)
    assert response.message == "rate limit exceeded (429): order_unknown: order 00042 is unknown"
    assert response.retry_after == 17


def test_a_compression_bomb_in_an_error_body_is_harmless() -> None:
    bomb = gzip.compress(b"0" * 200_000_000, 9)
    with raw_server(send_response("500 Boom", bomb, "Content-Encoding: gzip")) as server:
        tracemalloc.start()
        response = post(server.url, 20)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert response.status == 500
    assert len(response.message) < 1000
    assert peak_bytes < 8_000_000


def test_an_endless_error_body_is_read_only_in_part() -> None:
    def flood(server: RawServer, line: socket.socket) -> None:
        read_request(server, line)
        line.sendall(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not server.finished.is_set():
            line.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    with raw_server(flood) as server:
        begin = time.monotonic()
        response = post(server.url, 20)
        assert time.monotonic() - begin < 5
    assert (response.status, len(response.message) < MAX_ERROR_BODY_BYTES) == (500, True)


@pytest.mark.parametrize("before", [0, 480, 499, 520])
def test_a_repeated_key_is_masked_even_where_the_message_is_cut(before: int) -> None:
    body = b"-" * before + b" " + KEY.encode() + b" is wrong"
    with raw_server(send_response("401 No", body)) as server:
        response = post(server.url)
    assert "canary" not in response.message
    assert response.failure is not None
    assert response.failure.name == "key_refused"


def test_the_debug_log_does_not_show_the_key() -> None:
    shown: list[str] = []
    with raw_server(send_response("400 No", KEY.encode())) as server:
        post(server.url, debug=shown.append)
    assert shown[0] == f'> POST {server.url}{PATH} {{"apikey": "***", "type": "ItemPacked"}}'
    assert shown[1] == "< 400 the service refused the request (400): ***"


# --- the environment ------------------------------------------------------------------------


def test_netrc_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for local in (True, False):
        with raw_server(send_response("200 OK")) as server:
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            Client(server.url, KEY, 5, local=local).post(PATH, {})
        assert b"authorization" not in server.requests[0].lower()


def test_a_proxy_is_not_used_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(send_response("200 OK")) as proxy, raw_server(send_response("200 OK")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert post(server.url).status == 200
    assert (len(server.requests), proxy.requests) == (1, [])


def test_a_client_can_be_used_after_a_timeout() -> None:
    handlers = [never_respond, send_response("200 OK")]

    def behave(server: RawServer, line: socket.socket) -> None:
        handlers.pop(0)(server, line)

    with raw_server(behave) as server:
        client = Client(server.url, KEY, TIMEOUT_SECONDS, local=True)
        assert client.post(PATH, {}).failure is NO_ANSWER
        assert client.post(PATH, {}).status == 200


# --- the table of failures -----------------------------------------------------------------


def test_every_status_is_a_success_or_one_failure() -> None:
    for status in range(100, 600):
        failure = classify_signal_status(status)
        assert (failure is None) == (200 <= status < 300)
        assert failure is None or failure in SIGNAL_FAILURES


def test_only_a_post_that_certainly_never_left_cannot_have_been_processed() -> None:
    assert NO_ANSWER.maybe_processed
    assert not NOT_REACHED.maybe_processed
    assert all(classify_signal_status(status).maybe_processed for status in (500, 502, 504))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("REQUESTS_CA_BUNDLE", "/nowhere/authorities.pem", "/nowhere/authorities.pem"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:9", "SOCKS"),
    ],
)
def test_a_post_that_requests_refuses_was_never_sent(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    response = Client("https://print.invalid", KEY, 5, local=False).post(PATH, {"type": "ItemPacked"})
    assert (response.status, response.failure) == (None, NOT_REACHED)
    assert reason in response.message
    assert "the request was not sent" in response.message
