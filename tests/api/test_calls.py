"""Whole calls against servers that misbehave: what is repeated, and which error is raised."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from cpctl import retry
from cpctl.api.calls import UNKNOWN_OUTCOME_HINT, call, parse_change_counts
from cpctl.api.client import Client
from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.errors import Conflict, CpctlError, ExitCode, KeyRefused, NotFound, RequestRefused, TemporaryError
from harness.servers.raw_server import (
    ConnectionHandler,
    RawServer,
    drip_response,
    raw_server,
    read_request,
    reset_on_close,
    send_response,
)

KEY = "canary-key-0123456789"
READ_ENDPOINT, LIST_ENDPOINT, CHANGE_ENDPOINT, ADD_ENDPOINT = (
    ENDPOINTS[name] for name in ("orders/info", "orders", "catalogs/add", "orders/add")
)
BODY = {"reference": "12346"}
ORDER_RESPONSE = b'{"reference": "12346", "state": 45}'
Sleep = Callable[[float], None]


def no_pause(seconds: float) -> None:
    """Continue at once."""


def make_call(
    url: str, endpoint: Endpoint = READ_ENDPOINT, timeout: float = 20, sleep: Sleep = no_pause, **more: Any
) -> Any:
    """Make one call with a new client."""
    return call(Client(url, KEY, timeout, local=True), endpoint, BODY, timeout, sleep=sleep, **more)


def call_failure(kind: type[CpctlError], url: str, endpoint: Endpoint = READ_ENDPOINT, **more: Any) -> CpctlError:
    """The error that a call raises."""
    with pytest.raises(kind) as raised:
        make_call(url, endpoint, **more)
    return raised.value


def one_handler_per_connection(*handlers: ConnectionHandler) -> ConnectionHandler:
    """Use one handler per connection; the last one for all further connections."""
    lock, remaining = threading.Lock(), list(handlers)

    def handle(server: RawServer, line: socket.socket) -> None:
        with lock:
            handler = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        handler(server, line)

    return handle


def reset_after_request(server: RawServer, line: socket.socket) -> None:
    """Read the request, then reset the connection."""
    read_request(server, line)
    reset_on_close(line)


def send_truncated_body(server: RawServer, line: socket.socket) -> None:
    """Promise more than is sent."""
    read_request(server, line)
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n" + ORDER_RESPONSE)


SEND_OK = send_response("200 OK", ORDER_RESPONSE)
SEND_BUSY = send_response("503 Service Unavailable", b"busy")
TRANSIENT_FAULTS = {
    "500": send_response("500 Internal Server Error", b'{"error": {"type": "internal_error", "info": "x"}}'),
    "502": send_response("502 Bad Gateway", b"<html><title>Bad gateway</title></html>"),
    "503": SEND_BUSY,
    "429": send_response("429 Too Many Requests", b"Requests limit reached"),
    "408": send_response("408 Request Timeout"),
    "reset": reset_after_request,
    "truncated": send_truncated_body,
}
each_transient_fault = pytest.mark.parametrize("handler", TRANSIENT_FAULTS.values(), ids=list(TRANSIENT_FAULTS))


# --- reads ----------------------------------------------------------------------------------


@each_transient_fault
def test_a_read_is_repeated_until_it_succeeds(handler: ConnectionHandler) -> None:
    pauses: list[float] = []
    messages: list[str] = []
    with raw_server(one_handler_per_connection(handler, handler, SEND_OK)) as server:
        assert make_call(server.url, sleep=pauses.append, on_retry=messages.append)["state"] == 45
    assert len(server.requests) == retry.CALLS.max_attempts
    assert 0.25 <= pauses[0] <= 0.3
    assert 0.75 <= pauses[1] <= 0.9
    assert all("trying again in" in message for message in messages)


@each_transient_fault
def test_a_read_is_tried_three_times_at_most(handler: ConnectionHandler) -> None:
    with raw_server(handler) as server:
        error = call_failure(TemporaryError, server.url)
    assert len(server.requests) == 3
    assert error.exit_code is ExitCode.TEMPORARY
    assert error.retryable
    assert UNKNOWN_OUTCOME_HINT not in error.hint


def test_a_refused_connection_is_tried_three_times() -> None:
    messages: list[str] = []
    with ReservedPort() as (_, url):
        error = call_failure(TemporaryError, url, on_retry=messages.append)
    assert len(messages) == 2
    assert "Connection refused" in error.message


@pytest.mark.parametrize("status", ["400 Bad Request", "401 No", "404 No", "409 No", "410 Gone"])
def test_a_refused_read_is_not_repeated(status: str) -> None:
    with raw_server(send_response(status, b'{"error": {"type": "some_code", "info": "some detail"}}')) as server:
        call_failure(CpctlError, server.url)
    assert len(server.requests) == 1


def test_attempts_end_with_the_timeout() -> None:
    pauses: list[float] = []
    with raw_server(SEND_BUSY) as server:
        call_failure(TemporaryError, server.url, timeout=0.2, sleep=pauses.append)
    assert (len(server.requests), pauses) == (1, [])


def test_a_slow_answer_ends_with_the_timeout() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"
    started = time.monotonic()
    with raw_server(drip_response(head, b" " * 4000)) as server:
        error = call_failure(TemporaryError, server.url, timeout=0.4)
        assert time.monotonic() - started < 3
    assert "cut off" in error.message or "no answer" in error.message


def test_retry_after_is_obeyed() -> None:
    pauses: list[float] = []
    busy = send_response("429 Too Many Requests", b"", "Retry-After: 7")
    with raw_server(one_handler_per_connection(busy, SEND_OK)) as server:
        make_call(server.url, sleep=pauses.append)
    assert pauses == [7.0]


def test_a_retry_after_beyond_the_timeout_ends_the_call_at_once() -> None:
    pauses: list[float] = []
    with raw_server(send_response("503 No", b"", "Retry-After: 600")) as server:
        call_failure(TemporaryError, server.url, sleep=pauses.append)
    assert (len(server.requests), pauses) == (1, [])


def test_an_invalid_retry_after_is_ignored() -> None:
    pauses: list[float] = []
    with raw_server(one_handler_per_connection(send_response("503 No", b"", "Retry-After: soon"), SEND_OK)) as server:
        make_call(server.url, sleep=pauses.append)
    assert pauses[0] >= 0.25


# --- changes and orders ---------------------------------------------------------------------


@each_transient_fault
@pytest.mark.parametrize("endpoint", [CHANGE_ENDPOINT, ADD_ENDPOINT], ids=["change", "orders/add"])
def test_a_change_that_may_have_arrived_is_never_sent_twice(handler: ConnectionHandler, endpoint: Endpoint) -> None:
    with raw_server(handler) as server:
        call_failure(TemporaryError, server.url, endpoint)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "handler", [reset_after_request, send_truncated_body, TRANSIENT_FAULTS["500"]], ids=["reset", "truncated", "500"]
)
def test_a_change_whose_outcome_is_unknown_says_so(handler: ConnectionHandler) -> None:
    with raw_server(handler) as server:
        assert call_failure(TemporaryError, server.url, CHANGE_ENDPOINT).hint == UNKNOWN_OUTCOME_HINT


@pytest.mark.parametrize("handler", [SEND_BUSY, TRANSIENT_FAULTS["429"]], ids=["503", "429"])
def test_a_change_that_was_turned_away_has_a_known_outcome(handler: ConnectionHandler) -> None:
    with raw_server(handler) as server:
        assert UNKNOWN_OUTCOME_HINT not in call_failure(TemporaryError, server.url, CHANGE_ENDPOINT).hint


class ReservedPort:
    """A port that refuses connections until its socket listens."""

    def __enter__(self) -> tuple[socket.socket, str]:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        return self.socket, f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *error: object) -> None:
        self.socket.close()


def test_a_change_that_certainly_never_left_is_repeated() -> None:
    server = RawServer(0)

    def serve(listening: socket.socket) -> None:
        line, _ = listening.accept()
        with line, suppress(OSError):
            send_response("200 OK", b'{"status": {"catalogs": {"added": 1}}}')(server, line)

    with ReservedPort() as (listening, url):
        thread = threading.Thread(target=serve, args=(listening,))

        def start_listening(seconds: float) -> None:
            listening.listen()
            thread.start()

        assert make_call(url, CHANGE_ENDPOINT, sleep=start_listening) == {"status": {"catalogs": {"added": 1}}}
        thread.join()
    assert len(server.requests) == 1


def test_an_order_is_not_repeated_even_if_it_never_left() -> None:
    pauses: list[float] = []
    with ReservedPort() as (_, url):
        call_failure(TemporaryError, url, ADD_ENDPOINT, sleep=pauses.append)
    assert pauses == []


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b"{", b"\xff\xfe", b"[" * 100_000], ids=range(4))
def test_a_change_with_an_invalid_answer_has_an_unknown_outcome(body: bytes) -> None:
    with raw_server(send_response("200 OK", body)) as server:
        error = call_failure(TemporaryError, server.url, CHANGE_ENDPOINT)
    assert "not JSON" in error.message
    assert (error.hint, error.http_status) == (UNKNOWN_OUTCOME_HINT, 200)
    assert len(server.requests) == 1


def test_a_read_with_an_invalid_answer_is_a_temporary_failure() -> None:
    with raw_server(send_response("200 OK", b"<html>It works!</html>")) as server:
        error = call_failure(TemporaryError, server.url)
    assert "orders/info: the answer (200) is not JSON" in error.message
    assert UNKNOWN_OUTCOME_HINT not in error.hint


# --- answers --------------------------------------------------------------------------------


def test_an_answer_may_be_compressed() -> None:
    compressed = send_response("200 OK", gzip.compress(ORDER_RESPONSE), "Content-Encoding: gzip")
    with raw_server(compressed) as server:
        assert make_call(server.url) == json.loads(ORDER_RESPONSE)


def test_an_answer_may_be_chunked() -> None:
    def chunked(server: RawServer, line: socket.socket) -> None:
        read_request(server, line)
        line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for chunk in (ORDER_RESPONSE[:10], ORDER_RESPONSE[10:], b""):
            line.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    with raw_server(chunked) as server:
        assert make_call(server.url) == json.loads(ORDER_RESPONSE)


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary"])
def test_a_redirect_is_not_followed_because_the_key_is_in_the_body(status: str) -> None:
    with raw_server(SEND_OK) as other, raw_server(send_response(status, b"", f"Location: {other.url}/")) as server:
        error = call_failure(RequestRefused, server.url)
    assert other.requests == []
    assert len(server.requests) == 1
    assert "no such call at this address" in error.message


def test_a_wrapped_list_is_unwrapped() -> None:
    with raw_server(send_response("200 OK", b'{"catalogs": [{"name": "a"}]}')) as server:
        assert make_call(server.url, ENDPOINTS["catalogs"]) == [{"name": "a"}]
    with raw_server(send_response("200 OK", b'[{"name": "a"}]')) as server:
        assert make_call(server.url, ENDPOINTS["catalogs"]) == [{"name": "a"}]
        assert make_call(server.url, LIST_ENDPOINT) == [{"name": "a"}]


def test_204_is_an_empty_list_or_a_missing_resource() -> None:
    with raw_server(send_response("204 No Content")) as server:
        assert make_call(server.url, LIST_ENDPOINT) == []
        error = call_failure(NotFound, server.url)
    assert (error.message, error.http_status) == ('There is no order "12346".', 204)


FINAL_FAILURES = {
    "401": (KeyRefused, ExitCode.KEY_REFUSED),
    "403": (KeyRefused, ExitCode.KEY_REFUSED),
    "400": (RequestRefused, ExitCode.REFUSED),
    "404": (RequestRefused, ExitCode.REFUSED),
    "405": (RequestRefused, ExitCode.REFUSED),
    "422": (RequestRefused, ExitCode.REFUSED),
    "409": (Conflict, ExitCode.CONFLICT),
    "410": (NotFound, ExitCode.NOT_FOUND),
    "408": (TemporaryError, ExitCode.TEMPORARY),
    "429": (TemporaryError, ExitCode.TEMPORARY),
    "500": (TemporaryError, ExitCode.TEMPORARY),
    "599": (TemporaryError, ExitCode.TEMPORARY),
}


@pytest.mark.parametrize("status", FINAL_FAILURES)
@pytest.mark.parametrize("endpoint", [READ_ENDPOINT, ADD_ENDPOINT], ids=lambda endpoint: endpoint.name)
def test_each_status_raises_its_own_error(status: str, endpoint: Endpoint) -> None:
    kind, code = FINAL_FAILURES[status]
    with raw_server(send_response(f"{status} No", b'{"error": {"type": "a_code", "info": "a detail"}}')) as server:
        error = call_failure(kind, server.url, endpoint)
    assert (error.exit_code, error.http_status) == (code, int(status))


def test_a_key_that_the_service_repeats_is_masked() -> None:
    with raw_server(send_response("400 Bad Request", f"your apikey {KEY} is wrong".encode())) as server:
        error = call_failure(RequestRefused, server.url)
    assert KEY not in error.message
    assert "your apikey *** is wrong" in error.message


@pytest.mark.parametrize(
    ("numbers", "done", "skipped"),
    [
        ({"added": 1}, 1, 0),
        ({"added": 0}, 0, 0),
        ({"added": "1"}, 1, 0),
        ({"radded": 0}, 0, 0),
        ({"radded": 1}, 1, 0),
        ({"added": 2, "skipped": 1}, 2, 1),
        ({}, 0, 0),
    ],
)
def test_a_counter_is_read_in_every_known_spelling(numbers: dict[str, Any], done: int, skipped: int) -> None:
    assert parse_change_counts(CHANGE_ENDPOINT, {"status": {"catalogs": numbers}}) == (done, skipped)


def test_a_canceled_counter_may_have_one_l_or_two() -> None:
    row = ENDPOINTS["publish/orders/cancel"]
    for verb in ("cancelled", "canceled"):
        assert parse_change_counts(row, {"status": {"orders": {verb: 1}}}) == (1, 0)


@pytest.mark.parametrize("value", [None, {}, [], "x", {"status": 500}, {"status": {"titles": {"added": 1}}}])
def test_an_answer_without_a_counter_has_no_counts(value: Any) -> None:
    assert parse_change_counts(CHANGE_ENDPOINT, value) is None


def test_changes_and_added_orders_are_marked_in_the_table() -> None:
    changing = {name for name, row in ENDPOINTS.items() if row.effect is not Effect.READ}
    assert {name for name in changing if not name.startswith("signal")} == {
        *(f"{api}orders/{verb}" for api in ("", "publish/") for verb in ("add", "cancel")),
        *(f"{resource}/{verb}" for resource in ("catalogs", "titles") for verb in ("add", "remove")),
    }
    adding = {name for name, row in ENDPOINTS.items() if row.effect is Effect.ADD_ORDER}
    assert adding == {"orders/add", "publish/orders/add"}
