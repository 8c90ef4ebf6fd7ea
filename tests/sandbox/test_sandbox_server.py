"""The sandbox as a server: addresses, methods, limits, the journal and the panel."""

import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from threading import Barrier, Thread
from typing import Any

import pytest

from cpctl.errors import InvalidInput, TemporaryError
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.signal_examples import BUNDLE_EXAMPLE, ORDER, simple_signal
from harness.servers.http_calls import SIGNAL_KEY, STATUS_2_0_PATH, HttpReply, post_json

Send = Callable[..., HttpReply]


def test_orders_are_numbered_as_in_the_documents() -> None:
    with Sandbox(orders=2, items=2) as sandbox:
        ids = {order.id: list(order.items) for order in sandbox.state.orders.values()}
    assert ids == {
        "123456780000": ["123456780001", "123456780002"],
        "123456790000": ["123456790001", "123456790002"],
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_an_endpoint_takes_nothing_but_post(sandbox: Sandbox, method: str) -> None:
    assert post_json(sandbox.base_url, STATUS_2_0_PATH, method=method).status == 405


@pytest.mark.parametrize("path", ["/", "/cloudsignal/3.0/status/", "/cloudsignal/2.0/status//", "/_sandboxes"])
def test_an_unknown_path_is_not_found(sandbox: Sandbox, path: str) -> None:
    reply = post_json(sandbox.base_url, path, {"apikey": SIGNAL_KEY})
    assert (reply.status, reply.error) == (404, ("not_found", f"there is nothing at {path}"))


def test_a_body_over_a_mebibyte_is_too_large(sandbox: Sandbox, control: ControlClient) -> None:
    reply = post_json(sandbox.base_url, STATUS_2_0_PATH, b" " * (1024 * 1024 + 1))
    assert (reply.status, reply.headers["Connection"]) == (413, "close")
    entry = control.list_requests()[0]
    assert (entry["status"], entry["landed"], entry["body"], entry["raw_bytes"]) == (413, False, None, 1024 * 1024 + 1)


def test_a_body_of_a_mebibyte_is_not_too_large(sandbox: Sandbox) -> None:
    body = json.dumps({"apikey": SIGNAL_KEY, **simple_signal("ItemPacked")}).encode().ljust(1024 * 1024)
    assert post_json(sandbox.base_url, STATUS_2_0_PATH, body).status == 200


def test_a_body_without_a_length_is_refused(sandbox: Sandbox) -> None:
    assert post_json(sandbox.base_url, STATUS_2_0_PATH, headers={"Content-Length": "many"}).status == 411


def test_one_connection_carries_many_requests(sandbox: Sandbox) -> None:
    connection = HTTPConnection("127.0.0.1", int(sandbox.base_url.rpartition(":")[2]), timeout=10)
    for _ in range(3):
        connection.request("POST", STATUS_2_0_PATH, json.dumps({"apikey": SIGNAL_KEY, **simple_signal("ItemPacked")}))
        response = connection.getresponse()
        assert (response.status, response.read(), response.will_close) == (200, b"", False)
    connection.close()


def test_many_clients_at_once_lose_nothing(sandbox: Sandbox, send_signal: Send, control: ControlClient) -> None:
    ready = Barrier(8)

    def work() -> None:
        ready.wait()
        for _ in range(10):
            send_signal(BUNDLE_EXAMPLE)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.state.items["123456780001"].signals) == 80
    assert [entry["n"] for entry in control.list_requests()] == list(range(1, 81))


def test_the_journal_says_what_came_and_what_was_answered(send_signal: Send, control: ControlClient) -> None:
    send_signal(simple_signal("ItemPacked"))
    send_signal(simple_signal("ItemLost"))
    packed, lost = control.list_requests()
    assert packed.pop("time").endswith("+00:00")
    assert packed == {
        "n": 1,
        "method": "POST",
        "path": STATUS_2_0_PATH,
        "status": 200,
        "fault": None,
        "landed": True,
        "body": {"apikey": "***", **simple_signal("ItemPacked")},
    }
    assert (lost["n"], lost["status"], lost["landed"]) == (2, 400, False)


def test_no_key_stands_anywhere_in_what_the_sandbox_remembers(sandbox: Sandbox, send_signal: Send) -> None:
    mine = "13b37bb1ed6d3403e158abe719b4f6d0"
    for body in (
        {
            **simple_signal("ItemPacked"),
            "message": f"key {SIGNAL_KEY}!",
            "note": {SIGNAL_KEY: [SIGNAL_KEY, {"ApiKey": mine}]},
            "again": mine,
        },
        {"apikey": mine, "type": mine, "order": f"x{mine}"},
        {"items": [{**simple_signal("ItemPacked"), "apikey": "sandbox-core-key", "tracking": "sandbox-core-key"}]},
    ):
        send_signal(body)
    deep: Any = SIGNAL_KEY
    for _ in range(200):
        deep = [deep]
    send_signal({**simple_signal("ItemPacked"), "deep": deep})
    post_json(sandbox.base_url, f"{STATUS_2_0_PATH}?apikey={mine}", f"apikey={SIGNAL_KEY}".encode())
    post_json(sandbox.base_url, f"/{SIGNAL_KEY}/", {"apikey": SIGNAL_KEY})
    kept = b"".join(
        post_json(sandbox.base_url, f"/_sandbox/{name}", method="GET").body for name in ("requests", "state")
    )
    assert kept.count(b"***") > 10
    for key in (mine, *sandbox.state.api_keys.values()):
        assert key.encode() not in kept


def test_a_body_that_is_not_json_is_kept_as_its_length_only(sandbox: Sandbox, control: ControlClient) -> None:
    post_json(sandbox.base_url, STATUS_2_0_PATH, b"apikey=secret")
    entry = control.list_requests()[0]
    assert (entry["body"], entry["raw_bytes"]) == (None, 13)


def test_the_journal_keeps_the_newest() -> None:
    with Sandbox(max_journal_entries=2) as sandbox:
        for _ in range(3):
            post_json(sandbox.base_url, STATUS_2_0_PATH)
        assert [entry["n"] for entry in ControlClient(sandbox.control_url).list_requests()] == [2, 3]


def test_a_reset_makes_all_anew(sandbox: Sandbox, send_signal: Send, control: ControlClient) -> None:
    send_signal(simple_signal("ItemPacked"))
    control.add_fault("status", status=503)
    control.reset(orders=1, items=2)
    assert (control.list_requests(), control.list_faults()) == ([], [])
    items = [{"id": f"12345678000{n}", "latest": "", "signals": []} for n in (1, 2)]
    assert control.get_state() == {"orders": [{"id": ORDER, "items": items}]}


def test_a_reset_without_numbers_keeps_them() -> None:
    with Sandbox(orders=1, items=4) as sandbox:
        ControlClient(sandbox.control_url).reset()
        assert len(sandbox.state.items) == 4


@pytest.mark.parametrize("numbers", [{"orders": 0}, {"items": 10_000}, {"orders": 100_000, "items": 9_999}])
def test_a_reset_refuses_numbers_it_cannot_hold_and_forgets_nothing(
    send_signal: Send, control: ControlClient, numbers: dict[str, int]
) -> None:
    send_signal(simple_signal("ItemPacked"))
    with pytest.raises(InvalidInput, match=str(next(iter(numbers.values())))):
        control.reset(**numbers)
    assert len(control.list_requests()) == 1


def test_the_state_shows_what_was_said_of_each_item(sandbox: Sandbox, send_signal: Send) -> None:
    send_signal(simple_signal("ItemPacked"))
    for url in (sandbox.base_url, sandbox.control_url):
        item = ControlClient(url).get_state()["orders"][0]["items"][0]
        assert item == {"id": "123456780001", "latest": "ItemPacked", "signals": [simple_signal("ItemPacked")]}


def test_what_the_panel_does_is_not_in_the_journal(sandbox: Sandbox) -> None:
    panel = ControlClient(sandbox.base_url)
    panel.get_state()
    assert panel.list_requests() == []


@pytest.mark.parametrize(
    "headers",
    [{"Host": "shop.example"}, {"Host": "127.0.0.1.shop.example:80"}, {"Host": ""}, {"Origin": "null"}],
)
def test_a_web_page_cannot_touch_the_panel(sandbox: Sandbox, headers: dict[str, str]) -> None:
    for url in (sandbox.base_url, sandbox.control_url):
        reply = post_json(url, "/_sandbox/faults", {"kind": "down"}, headers=headers)
        assert (reply.status, sandbox.state.list_faults()) == (403, [])


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1"])
def test_the_panel_answers_to_the_names_of_loopback(sandbox: Sandbox, host: str) -> None:
    assert post_json(sandbox.base_url, "/_sandbox/state", method="GET", headers={"Host": host}).status == 200


def test_the_panel_says_what_it_takes(sandbox: Sandbox) -> None:
    assert post_json(sandbox.control_url, "/_sandbox/requests", method="DELETE").status == 405
    assert post_json(sandbox.control_url, "/_sandbox/nothing", method="GET").status == 404
    assert post_json(sandbox.control_url, "/_sandbox/faults", b"{").status == 400
    assert post_json(sandbox.control_url, "/_sandbox/reset", {"order": 1}).status == 400


def test_the_control_address_is_not_the_api(sandbox: Sandbox, control: ControlClient) -> None:
    reply = post_json(sandbox.control_url, STATUS_2_0_PATH, {"apikey": SIGNAL_KEY, **simple_signal("ItemPacked")})
    assert reply.status == 404
    assert sandbox.base_url in reply.error[1]
    assert control.list_requests() == []


def test_a_port_that_is_taken_is_named(sandbox: Sandbox) -> None:
    port = int(sandbox.base_url.rpartition(":")[2])
    with pytest.raises(InvalidInput, match=str(port)):
        Sandbox(port).start()


def test_a_sandbox_may_be_started_again_on_the_port_it_had() -> None:
    sandbox = Sandbox()
    with sandbox:
        first = sandbox.base_url
    with sandbox:
        assert sandbox.base_url == first
        assert post_json(first, STATUS_2_0_PATH).status == 400


def test_nothing_is_printed_not_even_for_clients_that_go_away(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], send_signal: Send
) -> None:
    for data in (b"", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", b"nonsense\r\n\r\n", b"\x16\x03\x01\r\n"):
        with socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2])), timeout=10) as line:
            line.sendall(data)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert send_signal(simple_signal("ItemPacked")).status == 200
    assert capfd.readouterr() == ("", "")


def test_what_is_not_http_is_refused_without_a_page(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2])), timeout=10) as line:
        line.sendall(b"POST / HTTP/x\r\n\r\n")
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error"' in answer


def test_control_says_how_to_start_a_sandbox_where_none_answers() -> None:
    with Sandbox() as sandbox:
        url = sandbox.control_url
    with pytest.raises(TemporaryError, match=url) as caught:
        ControlClient(url).get_state()
    assert "cpctl sandbox serve" in caught.value.hint
    assert "CPCTL_SANDBOX_CONTROL" in caught.value.hint


@pytest.mark.parametrize("url", ["", "127.0.0.1:8900", "https://127.0.0.1", "http://", "http://127.0.0.1:port"])
def test_control_names_an_address_that_is_none(url: str) -> None:
    with pytest.raises(InvalidInput, match="is not the address of a sandbox"):
        ControlClient(url)


def test_control_uses_no_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ControlClient(sandbox.control_url).list_faults() == []
