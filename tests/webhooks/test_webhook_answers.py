"""What `webhooks serve` answers to whom."""

import itertools
import json
import socket

import pytest
from webhook_server import ORDER, WRONG_KEY, Served, Wire, event, request, serving
from worlds import World, shipped

NUMBERS = itertools.count(1)


def test_a_webhook_is_answered_200_and_is_in_the_store_by_then(served: Served) -> None:
    answer = served.post(event(next(NUMBERS), tracking="here"))
    assert answer.status == 200
    (row,) = served.rows("SELECT * FROM events WHERE payload LIKE '%\"here\"%'")
    assert answer.data == {"event": row["id"], "times": 1}
    assert answer.headers["content-type"] == "application/json"
    assert "apikey" not in row["payload"]


def test_the_same_again_is_answered_200_counted_and_kept_once(served: Served) -> None:
    number = next(NUMBERS)
    first = served.post(event(number)).data["event"]
    swapped = dict(reversed(event(number).items()))
    answer = served.post(json.dumps(swapped, indent=4).encode())
    assert (answer.status, answer.data) == (200, {"event": first, "times": 2})


def test_a_type_that_nobody_knows_is_stored_and_answered_200(served: Served) -> None:
    for kind in ("ItemTeleported", "", None):
        assert served.post(event(next(NUMBERS), type=kind)).status == 200
    assert served.rows("SELECT count(*) AS n FROM events WHERE type = 'ItemTeleported'") == [{"n": 1}]


@pytest.mark.parametrize("key", [WRONG_KEY, "", None, 5, ["Kanarienvogel"], {"a": 1}, "ключ\ud800"], ids=repr)
def test_a_wrong_key_is_answered_401_and_never_stored(served: Served, key: object) -> None:
    before = served.events()
    with served.wire() as wire:
        answer = wire.send(request(event(next(NUMBERS), apikey=key))).answer()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert answer.data == {"error": "Unauthorized"}
        assert wire.is_closed()
    assert served.events() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_all_but_post_is_answered_405(served: Served, method: str) -> None:
    target = "test:80" if method == "CONNECT" else "/"
    with served.wire() as wire:
        answer = wire.send(f"{method} {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode()).answer(method)
        assert (answer.status, answer.headers["allow"], answer.headers["connection"]) == (405, "POST", "close")
        assert wire.is_closed()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_body_without_length_is_answered_411(served: Served, version: str) -> None:
    with served.wire() as wire:
        answer = wire.send(request(b"", line=f"POST / HTTP/{version}", length=False)).answer()
        assert answer.status == 411
        assert wire.is_closed()


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
def test_another_type_or_coding_than_json_is_answered_415(served: Served, head: str) -> None:
    assert served.post(event(next(NUMBERS)), head).status == 415


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
def test_json_has_many_names(served: Served, head: str) -> None:
    assert served.post(event(next(NUMBERS)), head).status == 200


def test_a_webhook_without_a_content_type_is_read(served: Served) -> None:
    body = json.dumps(event(next(NUMBERS)))
    data = f"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    assert served.exchange(data).status == 200


@pytest.mark.parametrize("path", ["/", "/hooks/cloudprinter?x=1", "/health", "/%2e%2e/%2e%2e/etc/passwd", "//", "*"])
def test_a_webhook_may_come_to_any_path(served: Served, path: str) -> None:
    data = request(event(next(NUMBERS)), line=f"POST {path} HTTP/1.1")
    assert served.exchange(data).status == 200


def test_a_connection_stays_open_for_the_next_webhook(served: Served) -> None:
    with served.wire() as wire:
        for _ in range(3):
            assert wire.send(request(event(next(NUMBERS)))).answer().status == 200
        assert wire.send(request(event(next(NUMBERS)), "Connection: close\r\n")).answer().status == 200
        assert wire.is_closed()


def test_webhooks_sent_without_waiting_are_answered_one_by_one(served: Served) -> None:
    numbers = [next(NUMBERS) for _ in range(20)]
    with served.wire() as wire:
        wire.send(b"".join(request(event(number)) for number in numbers))
        ids = [wire.answer().data["event"] for _ in numbers]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_http_1_0_is_answered_and_closed(served: Served) -> None:
    with served.wire() as wire:
        assert wire.send(request(event(next(NUMBERS)), line="POST / HTTP/1.0")).answer().status == 200
        assert wire.is_closed()


def test_a_sender_that_asks_before_its_body_is_told_to_go_on(served: Served) -> None:
    whole = request(event(next(NUMBERS)), "Expect: 100-continue\r\n")
    head, _, body = whole.partition(b"\r\n\r\n")
    with served.wire() as wire:
        assert wire.send(head + b"\r\n\r\n").answer().status == 100
        assert wire.send(body).answer().status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [("Content-Length: 9000000\r\n", 413), ("Content-Type: text/plain\r\nContent-Length: 5\r\n", 415)],
)
def test_a_sender_that_asks_before_a_body_in_vain_need_not_send_it(served: Served, head: str, status: int) -> None:
    with served.wire() as wire:
        said = f"POST / HTTP/1.1\r\nHost: test\r\n{head}Expect: 100-continue\r\n\r\n"
        assert wire.send(said.encode()).answer().status == status
        assert wire.is_closed()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_one_mebibyte_is_read_and_one_more_byte_is_answered_413(served: Served, chunked: bool) -> None:
    for size, status in ((1_048_576, 200), (1_048_577, 413), (2_097_152, 413)):
        fields = event(next(NUMBERS), filling="")
        fields["filling"] = "x" * (size - len(json.dumps(fields)))
        body = json.dumps(fields).encode()
        assert len(body) == size
        data = request(body)
        if chunked:
            parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in _cut(body, 10_000))
            data = request(b"", "Transfer-Encoding: chunked\r\n", length=False) + parts + b"0\r\n\r\n"
        assert served.exchange(data).status == status


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def test_an_endless_body_is_answered_413_before_it_ends(served: Served) -> None:
    head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000000\r\n\r\n"
    with served.wire() as wire:
        assert wire.send(head.encode()).answer().status == 413
        assert wire.is_closed()


def test_with_known_orders_foreign_ones_are_answered_204_and_not_stored(hook_world: World) -> None:
    told = hook_world.run(
        *shipped(), "--queue-only", "--shipping-option", "GLS", CPCTL_SIGNAL_KEY="signal-key-0123456789"
    )
    assert told.code == 0, told.err
    with serving(hook_world, "--known-orders") as server, server.wire() as wire:
        ours, foreign = event(1, order=ORDER), event(2, order="999999990000", order_reference="other")
        assert wire.send(request(ours)).answer().status == 200
        answer = wire.send(request(foreign)).answer()
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers
        assert wire.send(request(ours)).answer().data["times"] == 2
        nobodys = event(3, order=None, order_reference=None)
        assert wire.send(request(nobodys)).answer().status == 200
        assert wire.send(request(event(4, order="999999990000", apikey=WRONG_KEY))).answer().status == 401
        assert server.events() == 2
        server.says("not our order")


def test_an_answer_says_no_more_to_a_stranger_than_its_status(served: Served) -> None:
    for data in (request(b"{"), request(event(apikey=WRONG_KEY)), request(event(), "Content-Type: x/y\r\n")):
        answer = served.exchange(data)
        assert set(answer.data) == {"error"}
        assert "server" not in answer.headers
        assert b"cpctl" not in answer.body


def test_ipv6_is_served_as_well(hook_world: World) -> None:
    with serving(hook_world, "--host", "::1") as server:
        assert server.address.startswith("http://[::1]:")
        with Wire(server.port, host="::1") as wire:
            assert wire.send(request(event())).answer().status == 200


def test_localhost_is_served_by_all_of_its_addresses_on_one_port(hook_world: World) -> None:
    with serving(hook_world, "--host", "localhost") as server:
        # Not every machine names both.
        for host in {str(found[4][0]) for found in socket.getaddrinfo("localhost", server.port)}:
            with Wire(server.port, host=host) as wire:
                assert wire.send(request(event())).answer().status == 200
