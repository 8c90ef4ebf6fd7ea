"""The sandbox as a server: addresses, methods, limits, the journal and the control interface."""

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
from harness.servers.sandbox_client import find_item

Send = Callable[..., HttpReply]


def test_seed_orders_are_numbered_as_in_the_documents() -> None:
    with Sandbox(orders=2, items=2) as sandbox:
        ids = {order.id: list(order.items) for order in sandbox.state.orders.values()}
    assert ids == {
        "123456780000": ["123456780001", "123456780002"],
        "123456790000": ["123456790001", "123456790002"],
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_an_endpoint_accepts_only_post(sandbox: Sandbox, method: str) -> None:
    assert post_json(sandbox.base_url, STATUS_2_0_PATH, method=method).status == 405


@pytest.mark.parametrize("path", ["/", "/cloudsignal/3.0/status/", "/cloudsignal/2.0/status//", "/_sandboxes"])
def test_an_unknown_path_is_not_found(sandbox: Sandbox, path: str) -> None:
    reply = post_json(sandbox.base_url, path, {"apikey": SIGNAL_KEY})
    assert (reply.status, reply.error) == (404, ("not_found", f"there is nothing at {path}"))


def test_a_body_over_one_mebibyte_is_refused(sandbox: Sandbox, control: ControlClient) -> None:
    reply = post_json(sandbox.base_url, STATUS_2_0_PATH, b" " * (1024 * 1024 + 1))
    assert (reply.status, reply.headers["Connection"]) == (413, "close")
    entry = control.list_requests()[0]
    assert (entry["status"], entry["processed"], entry["body"], entry["raw_bytes"]) == (
        413,
        False,
        None,
        1024 * 1024 + 1,
    )


def test_a_body_of_one_mebibyte_is_accepted(sandbox: Sandbox) -> None:
    body = json.dumps({"apikey": SIGNAL_KEY, **simple_signal("ItemPacked")}).encode().ljust(1024 * 1024)
    assert post_json(sandbox.base_url, STATUS_2_0_PATH, body).status == 200


def test_a_body_without_a_valid_length_is_refused(sandbox: Sandbox) -> None:
    assert post_json(sandbox.base_url, STATUS_2_0_PATH, headers={"Content-Length": "many"}).status == 411


def test_one_connection_carries_many_requests(sandbox: Sandbox) -> None:
    connection = HTTPConnection("127.0.0.1", int(sandbox.base_url.rpartition(":")[2]), timeout=10)
    for _ in range(3):
        connection.request("POST", STATUS_2_0_PATH, json.dumps({"apikey": SIGNAL_KEY, **simple_signal("ItemPacked")}))
        response = connection.getresponse()
        assert (response.status, response.read(), response.will_close) == (200, b"", False)
    connection.close()


def test_concurrent_clients_lose_no_signals(sandbox: Sandbox, send_signal: Send, control: ControlClient) -> None:
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
    assert len(find_item(sandbox, "123456780001").signals) == 80
    assert [entry["n"] for entry in control.list_requests()] == list(range(1, 81))


def test_the_journal_records_requests_and_responses(send_signal: Send, control: ControlClient) -> None:
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
        "processed": True,
        "body": {"apikey": "***", **simple_signal("ItemPacked")},
    }
    assert (lost["n"], lost["status"], lost["processed"]) == (2, 400, False)


def test_no_key_is_stored_in_the_sandbox(sandbox: Sandbox, send_signal: Send) -> None:
    client_key = "13b37bb1ed6d3403e158abe719b4f6d0"
    for body in (
        {
            **simple_signal("ItemPacked"),
            "message": f"key {SIGNAL_KEY}!",
            "note": {SIGNAL_KEY: [SIGNAL_KEY, {"ApiKey": client_key}]},
            "repeat": client_key,
        },
        {"apikey": client_key, "type": client_key, "order": f"x{client_key}"},
        {"items": [{**simple_signal("ItemPacked"), "apikey": "sandbox-core-key", "tracking": "sandbox-core-key"}]},
    ):
        send_signal(body)
    deep: Any = SIGNAL_KEY
    for _ in range(200):
        deep = [deep]
    send_signal({**simple_signal("ItemPacked"), "deep": deep})
    post_json(sandbox.base_url, f"{STATUS_2_0_PATH}?apikey={client_key}", f"apikey={SIGNAL_KEY}".encode())
    post_json(sandbox.base_url, f"/{SIGNAL_KEY}/", {"apikey": SIGNAL_KEY})
    stored = b"".join(
        post_json(sandbox.base_url, f"/_sandbox/{name}", method="GET").body for name in ("requests", "state")
    )
    assert stored.count(b"***") > 10
    for key in (client_key, *sandbox.state.api_keys.values()):
        assert key.encode() not in stored


def test_only_the_length_of_a_body_that_is_not_json_is_stored(sandbox: Sandbox, control: ControlClient) -> None:
    post_json(sandbox.base_url, STATUS_2_0_PATH, b"apikey=secret")
    entry = control.list_requests()[0]
    assert (entry["body"], entry["raw_bytes"]) == (None, 13)


def test_the_journal_keeps_the_most_recent_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cpctl.sandbox.request_journal.MAX_ENTRIES", 2)
    with Sandbox() as sandbox:
        for _ in range(3):
            post_json(sandbox.base_url, STATUS_2_0_PATH)
        assert [entry["n"] for entry in ControlClient(sandbox.control_url).list_requests()] == [2, 3]


def test_a_reset_recreates_orders_and_clears_requests_and_faults(
    sandbox: Sandbox, send_signal: Send, control: ControlClient
) -> None:
    send_signal(simple_signal("ItemPacked"))
    control.add_fault("status", status=503)
    control.reset(orders=1, items=2)
    assert (control.list_requests(), control.list_faults()) == ([], [])
    items = [{"id": f"12345678000{n}", "latest_signal": "", "signals": []} for n in (1, 2)]
    assert control.get_state() == {"orders": [{"id": ORDER, "items": items}]}


def test_a_reset_without_numbers_keeps_the_current_ones() -> None:
    with Sandbox(orders=1, items=4) as sandbox:
        ControlClient(sandbox.control_url).reset()
        assert sandbox.state.orders.count_items() == 4


@pytest.mark.parametrize("numbers", [{"orders": 0}, {"items": 10_000}, {"orders": 100_000, "items": 9_999}])
def test_a_reset_with_invalid_numbers_changes_nothing(
    send_signal: Send, control: ControlClient, numbers: dict[str, int]
) -> None:
    send_signal(simple_signal("ItemPacked"))
    with pytest.raises(InvalidInput, match=str(next(iter(numbers.values())))):
        control.reset(**numbers)
    assert len(control.list_requests()) == 1


def test_the_state_shows_the_signals_of_each_item(sandbox: Sandbox, send_signal: Send) -> None:
    send_signal(simple_signal("ItemPacked"))
    for url in (sandbox.base_url, sandbox.control_url):
        item = ControlClient(url).get_state()["orders"][0]["items"][0]
        assert item == {"id": "123456780001", "latest_signal": "ItemPacked", "signals": [simple_signal("ItemPacked")]}


def test_control_requests_are_not_in_the_journal(sandbox: Sandbox) -> None:
    control = ControlClient(sandbox.base_url)
    control.get_state()
    assert control.list_requests() == []


@pytest.mark.parametrize(
    "headers",
    [{"Host": "shop.example"}, {"Host": "127.0.0.1.shop.example:80"}, {"Host": ""}, {"Origin": "null"}],
)
def test_a_web_page_cannot_use_the_control_interface(sandbox: Sandbox, headers: dict[str, str]) -> None:
    for url in (sandbox.base_url, sandbox.control_url):
        reply = post_json(url, "/_sandbox/faults", {"kind": "down"}, headers=headers)
        assert (reply.status, sandbox.state.list_faults()) == (403, [])


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1"])
def test_the_control_interface_accepts_the_names_of_loopback(sandbox: Sandbox, host: str) -> None:
    assert post_json(sandbox.base_url, "/_sandbox/state", method="GET", headers={"Host": host}).status == 200


def test_the_control_interface_refuses_invalid_requests(sandbox: Sandbox) -> None:
    assert post_json(sandbox.control_url, "/_sandbox/requests", method="DELETE").status == 405
    assert post_json(sandbox.control_url, "/_sandbox/nothing", method="GET").status == 404
    assert post_json(sandbox.control_url, "/_sandbox/faults", b"{").status == 400
    assert post_json(sandbox.control_url, "/_sandbox/reset", {"order": 1}).status == 400


def test_the_control_address_does_not_serve_the_api(sandbox: Sandbox, control: ControlClient) -> None:
    reply = post_json(sandbox.control_url, STATUS_2_0_PATH, {"apikey": SIGNAL_KEY, **simple_signal("ItemPacked")})
    assert reply.status == 404
    assert sandbox.base_url in reply.error[1]
    assert control.list_requests() == []


def test_a_port_in_use_is_named(sandbox: Sandbox) -> None:
    port = int(sandbox.base_url.rpartition(":")[2])
    with pytest.raises(InvalidInput, match=str(port)):
        Sandbox(port).start()


def test_a_sandbox_can_be_restarted_on_the_same_port() -> None:
    sandbox = Sandbox()
    with sandbox:
        first = sandbox.base_url
    with sandbox:
        assert sandbox.base_url == first
        assert post_json(first, STATUS_2_0_PATH).status == 400


def test_clients_that_disconnect_cause_no_output(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], send_signal: Send
) -> None:
    address = ("127.0.0.1", int(sandbox.base_url.rpartition(":")[2]))
    for data in (b"", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", b"nonsense\r\n\r\n", b"\x16\x03\x01\r\n"):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(data)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert send_signal(simple_signal("ItemPacked")).status == 200
    assert capfd.readouterr() == ("", "")


def test_a_request_that_is_not_http_is_refused_in_json(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/x\r\n\r\n")
        response = b"".join(iter(lambda: connection.recv(4096), b""))
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b'{"error"' in response


def test_the_control_client_says_how_to_start_a_sandbox() -> None:
    with Sandbox() as sandbox:
        url = sandbox.control_url
    with pytest.raises(TemporaryError, match=url) as caught:
        ControlClient(url).get_state()
    assert "cpctl sandbox serve" in caught.value.hint
    assert "CPCTL_SANDBOX_CONTROL" in caught.value.hint


@pytest.mark.parametrize("url", ["", "127.0.0.1:8900", "https://127.0.0.1", "http://", "http://127.0.0.1:port"])
def test_the_control_client_refuses_invalid_addresses(url: str) -> None:
    with pytest.raises(InvalidInput, match="is not the address of a sandbox"):
        ControlClient(url)


def test_the_control_client_uses_no_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ControlClient(sandbox.control_url).list_faults() == []
