"""The HTTP responses of `webhooks serve`."""

import itertools
import json
import socket

import pytest

from harness.cli_environment import CliEnvironment, shipped_command
from harness.webhooks.webhook_server import (
    ORDER,
    WRONG_KEY,
    RawConnection,
    RunningServer,
    encode_request,
    running_server,
    webhook_body,
)

EVENT_NUMBERS = itertools.count(1)


def test_a_webhook_is_stored_before_it_is_answered_200(shared_server: RunningServer) -> None:
    answer = shared_server.post(webhook_body(next(EVENT_NUMBERS), tracking="here"))
    assert answer.status == 200
    (row,) = shared_server.select_rows("SELECT * FROM events WHERE payload LIKE '%\"here\"%'")
    assert answer.data == {"event": row["id"], "received_count": 1}
    assert answer.headers["content-type"] == "application/json"
    assert "apikey" not in row["payload"]


def test_a_repeated_webhook_is_answered_200_and_counted(shared_server: RunningServer) -> None:
    number = next(EVENT_NUMBERS)
    first = shared_server.post(webhook_body(number)).data["event"]
    swapped = dict(reversed(webhook_body(number).items()))
    answer = shared_server.post(json.dumps(swapped, indent=4).encode())
    assert (answer.status, answer.data) == (200, {"event": first, "received_count": 2})


def test_an_unknown_type_is_stored_and_answered_200(shared_server: RunningServer) -> None:
    for kind in ("ItemTeleported", "", None):
        assert shared_server.post(webhook_body(next(EVENT_NUMBERS), type=kind)).status == 200
    assert shared_server.select_rows("SELECT count(*) AS n FROM events WHERE type = 'ItemTeleported'") == [{"n": 1}]


@pytest.mark.parametrize("key", [WRONG_KEY, "", None, 5, ["Kanarienvogel"], {"a": 1}, "ключ\ud800"], ids=repr)
def test_a_wrong_key_is_answered_401_and_never_stored(shared_server: RunningServer, key: object) -> None:
    before = shared_server.count_events()
    with shared_server.connect() as wire:
        answer = wire.send(encode_request(webhook_body(next(EVENT_NUMBERS), apikey=key))).read_response()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert answer.data == {"error": "Unauthorized"}
        assert wire.wait_closed()
    assert shared_server.count_events() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_answered_405(shared_server: RunningServer, method: str) -> None:
    target = "test:80" if method == "CONNECT" else "/"
    with shared_server.connect() as wire:
        answer = wire.send(f"{method} {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode()).read_response(method)
        assert (answer.status, answer.headers["allow"], answer.headers["connection"]) == (405, "POST", "close")
        assert wire.wait_closed()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_body_without_length_is_answered_411(shared_server: RunningServer, version: str) -> None:
    with shared_server.connect() as wire:
        answer = wire.send(encode_request(b"", line=f"POST / HTTP/{version}", length=False)).read_response()
        assert answer.status == 411
        assert wire.wait_closed()


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: application/jsonp\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n",
    ],
)
def test_other_content_types_and_encodings_are_answered_415(shared_server: RunningServer, head: str) -> None:
    assert shared_server.post(webhook_body(next(EVENT_NUMBERS)), head).status == 415


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: application/json; charset=utf-8\r\n",
        "Content-Type: APPLICATION/JSON\r\n",
        "Content-Type: text/json\r\n",
        "Content-Type: application/vnd.cloudprinter+json\r\n",
        "Content-Encoding: identity\r\n",
        "Content-Type: \r\n",
    ],
)
def test_all_names_of_the_json_type_are_accepted(shared_server: RunningServer, head: str) -> None:
    assert shared_server.post(webhook_body(next(EVENT_NUMBERS)), head).status == 200


def test_a_webhook_without_a_content_type_is_read(shared_server: RunningServer) -> None:
    body = json.dumps(webhook_body(next(EVENT_NUMBERS)))
    data = f"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    assert shared_server.send_raw(data).status == 200


@pytest.mark.parametrize("path", ["/", "/hooks/cloudprinter?x=1", "/health", "/%2e%2e/%2e%2e/etc/passwd", "//", "*"])
def test_a_webhook_may_use_any_path(shared_server: RunningServer, path: str) -> None:
    data = encode_request(webhook_body(next(EVENT_NUMBERS)), line=f"POST {path} HTTP/1.1")
    assert shared_server.send_raw(data).status == 200


def test_a_connection_stays_open_for_the_next_webhook(shared_server: RunningServer) -> None:
    with shared_server.connect() as wire:
        for _ in range(3):
            assert wire.send(encode_request(webhook_body(next(EVENT_NUMBERS)))).read_response().status == 200
        assert (
            wire.send(encode_request(webhook_body(next(EVENT_NUMBERS)), "Connection: close\r\n")).read_response().status
            == 200
        )
        assert wire.wait_closed()


def test_pipelined_webhooks_are_answered_one_by_one(shared_server: RunningServer) -> None:
    numbers = [next(EVENT_NUMBERS) for _ in range(20)]
    with shared_server.connect() as wire:
        wire.send(b"".join(encode_request(webhook_body(number)) for number in numbers))
        ids = [wire.read_response().data["event"] for _ in numbers]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_http_1_0_is_answered_and_closed(shared_server: RunningServer) -> None:
    with shared_server.connect() as wire:
        assert (
            wire.send(encode_request(webhook_body(next(EVENT_NUMBERS)), line="POST / HTTP/1.0")).read_response().status
            == 200
        )
        assert wire.wait_closed()


def test_expect_100_continue_is_answered(shared_server: RunningServer) -> None:
    whole = encode_request(webhook_body(next(EVENT_NUMBERS)), "Expect: 100-continue\r\n")
    head, _, body = whole.partition(b"\r\n\r\n")
    with shared_server.connect() as wire:
        assert wire.send(head + b"\r\n\r\n").read_response().status == 100
        assert wire.send(body).read_response().status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [("Content-Length: 9000000\r\n", 413), ("Content-Type: text/plain\r\nContent-Length: 5\r\n", 415)],
)
def test_a_refused_request_that_expects_100_need_not_send_its_body(
    shared_server: RunningServer, head: str, status: int
) -> None:
    with shared_server.connect() as wire:
        request = f"POST / HTTP/1.1\r\nHost: test\r\n{head}Expect: 100-continue\r\n\r\n"
        assert wire.send(request.encode()).read_response().status == status
        assert wire.wait_closed()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_one_mebibyte_is_read_and_one_more_byte_is_answered_413(
    shared_server: RunningServer, chunked: bool
) -> None:
    for size, status in ((1_048_576, 200), (1_048_577, 413), (2_097_152, 413)):
        fields = webhook_body(next(EVENT_NUMBERS), filling="")
        fields["filling"] = "x" * (size - len(json.dumps(fields)))
        body = json.dumps(fields).encode()
        assert len(body) == size
        data = encode_request(body)
        if chunked:
            parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in _split_body(body, 10_000))
            data = encode_request(b"", "Transfer-Encoding: chunked\r\n", length=False) + parts + b"0\r\n\r\n"
        assert shared_server.send_raw(data).status == status


def _split_body(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def test_an_endless_body_is_answered_413_before_it_ends(shared_server: RunningServer) -> None:
    head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000000\r\n\r\n"
    with shared_server.connect() as wire:
        assert wire.send(head.encode()).read_response().status == 413
        assert wire.wait_closed()


def test_unknown_orders_are_answered_204_with_known_orders(webhook_cli: CliEnvironment) -> None:
    result = webhook_cli.run(
        *shipped_command(), "--queue-only", "--shipping-option", "GLS", CPCTL_SIGNAL_KEY="signal-key-0123456789"
    )
    assert result.code == 0, result.err
    with running_server(webhook_cli, "--known-orders") as server, server.connect() as wire:
        ours, foreign = webhook_body(1, order=ORDER), webhook_body(2, order="999999990000", order_reference="other")
        assert wire.send(encode_request(ours)).read_response().status == 200
        answer = wire.send(encode_request(foreign)).read_response()
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers
        assert wire.send(encode_request(ours)).read_response().data["received_count"] == 2
        nobodys = webhook_body(3, order=None, order_reference=None)
        assert wire.send(encode_request(nobodys)).read_response().status == 200
        assert (
            wire.send(encode_request(webhook_body(4, order="999999990000", apikey=WRONG_KEY))).read_response().status
            == 401
        )
        assert server.count_events() == 2
        server.wait_for_log("unknown order")


def test_an_error_response_has_nothing_but_its_status(shared_server: RunningServer) -> None:
    for data in (
        encode_request(b"{"),
        encode_request(webhook_body(apikey=WRONG_KEY)),
        encode_request(webhook_body(), "Content-Type: x/y\r\n"),
    ):
        answer = shared_server.send_raw(data)
        assert set(answer.data) == {"error"}
        assert "server" not in answer.headers
        assert b"cpctl" not in answer.body


def test_ipv6_is_served(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--host", "::1") as server:
        assert server.address.startswith("http://[::1]:")
        with RawConnection(server.port, host="::1") as wire:
            assert wire.send(encode_request(webhook_body())).read_response().status == 200


def test_all_addresses_of_localhost_are_served_on_one_port(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--host", "localhost") as server:
        # Not every machine has both addresses.
        for host in {str(found[4][0]) for found in socket.getaddrinfo("localhost", server.port)}:
            with RawConnection(server.port, host=host) as wire:
                assert wire.send(encode_request(webhook_body())).read_response().status == 200
