"""The effect of each fault on a request, and whether the request was processed."""

import json
import socket
import time
from collections.abc import Callable
from http.client import BadStatusLine, HTTPConnection, IncompleteRead, RemoteDisconnected
from threading import Thread
from typing import Any

import pytest
import requests

from cpctl.errors import InvalidInput, TemporaryError
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.faults import DOWN, FAULT_KINDS, make_fault
from cpctl.sandbox.server.http_exchange import FAULT_EFFECTS
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.signal_examples import simple_signal
from harness.servers.http_calls import SIGNAL_KEY, STATUS_2_0_PATH, HttpReply, post_json
from harness.servers.sandbox_client import find_item

Send = Callable[..., HttpReply]
PACKED_SIGNAL = simple_signal("ItemPacked")
PACKED_BODY = json.dumps({"apikey": SIGNAL_KEY, **PACKED_SIGNAL}).encode()


def url_port(url: str) -> int:
    return int(url.rpartition(":")[2])


def send_raw_request(sandbox: Sandbox) -> socket.socket:
    """Send a signal on a socket; the response is still to be read."""
    connection = socket.create_connection(("127.0.0.1", url_port(sandbox.base_url)), timeout=10)
    connection.sendall(
        f"POST {STATUS_2_0_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(PACKED_BODY)}\r\n\r\n".encode()
        + PACKED_BODY
    )
    return connection


def latest_outcome(control: ControlClient) -> tuple[Any, Any, Any]:
    """The fault, status and `processed` of the latest request."""
    entry = control.list_requests()[-1]
    return entry["fault"], entry["status"], entry["processed"]


def test_every_fault_but_down_has_an_effect() -> None:
    assert set(FAULT_EFFECTS) == set(FAULT_KINDS) - {DOWN}


def test_latency_delays_the_response(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("latency", seconds=0.1)
    begin = time.monotonic()
    assert send_signal(PACKED_SIGNAL).status == 200
    assert time.monotonic() - begin >= 0.1
    assert latest_outcome(control) == ("latency", 200, True)


def test_a_signal_is_processed_although_its_client_times_out(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("latency", seconds=60)
    with pytest.raises(TimeoutError):
        send_signal(PACKED_SIGNAL, timeout=0.1)
    assert latest_outcome(control) == ("latency", None, True)


@pytest.mark.parametrize("status", [429, 503, 599])
def test_a_status_fault_responds_without_processing(
    sandbox: Sandbox, send_signal: Send, control: ControlClient, status: int
) -> None:
    control.add_fault("status", status=status, retry_after="7")
    reply = send_signal(PACKED_SIGNAL)
    assert (reply.status, reply.headers["Retry-After"], reply.error[0]) == (status, "7", "sandbox_fault")
    assert latest_outcome(control) == ("status", status, False)
    assert find_item(sandbox, PACKED_SIGNAL["item"]).signals == []


def test_a_status_fault_has_no_retry_after_by_default(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("status", status=503)
    assert "Retry-After" not in send_signal(PACKED_SIGNAL).headers


def test_a_status_fault_of_204_has_no_body(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("status", status=204)
    assert send_signal(PACKED_SIGNAL).body == b""


@pytest.mark.parametrize(("kind", "processed"), [("reset-before", False), ("reset-after", True)])
def test_a_reset_sends_no_response(sandbox: Sandbox, control: ControlClient, kind: str, processed: bool) -> None:
    control.add_fault(kind)
    with send_raw_request(sandbox) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert latest_outcome(control) == (kind, None, processed)
    assert bool(find_item(sandbox, PACKED_SIGNAL["item"]).signals) == processed


def test_requests_sees_a_reset_as_a_connection_error(sandbox: Sandbox, control: ControlClient) -> None:
    control.add_fault("reset-after")
    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.trust_env = False
        session.post(sandbox.base_url + STATUS_2_0_PATH, PACKED_BODY, timeout=10)


def test_a_truncated_response_ends_early(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("truncated")
    with pytest.raises(IncompleteRead):
        send_signal(PACKED_SIGNAL)
    assert latest_outcome(control) == ("truncated", 200, True)


def test_invalid_json_looks_like_a_success(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("invalid-json")
    reply = send_signal(PACKED_SIGNAL)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(reply.body)
    assert latest_outcome(control) == ("invalid-json", 200, True)


def test_an_invalid_request_is_refused_under_a_fault(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("invalid-json")
    assert send_signal(simple_signal("ItemLost")).status == 400
    assert latest_outcome(control) == ("invalid-json", 400, False)


def test_a_slow_drip_arrives_in_pieces(sandbox: Sandbox, control: ControlClient) -> None:
    control.add_fault("slow-drip", seconds=0.001)
    with send_raw_request(sandbox) as connection:
        pieces = [connection.recv(100) for _ in range(12)]
    assert b"".join(pieces).startswith(b"HTTP/1.1 200")
    assert max(map(len, pieces)) < 100
    assert latest_outcome(control) == ("slow-drip", None, True)


def test_a_slow_drip_is_complete_in_the_end(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("slow-drip", seconds=0)
    reply = send_signal(PACKED_SIGNAL)
    assert (reply.status, json.loads(reply.body), len(reply.body)) == (200, {"status": "ok"}, 4096)


@pytest.mark.parametrize("kind", ["slow-drip", "latency"])
def test_the_sandbox_stops_at_once_during_a_response(kind: str) -> None:
    with Sandbox() as sandbox:
        ControlClient(sandbox.control_url).add_fault(kind, seconds=60)
        connection = send_raw_request(sandbox)
        if kind == "slow-drip":
            assert connection.recv(1) == b"H"
        begin = time.monotonic()
    assert time.monotonic() - begin < 1
    connection.close()


def test_down_refuses_connections_until_it_is_cleared(sandbox: Sandbox, send_signal: Send) -> None:
    control, port = ControlClient(sandbox.control_url), url_port(sandbox.base_url)
    control.add_fault(DOWN)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            send_signal(PACKED_SIGNAL)
    assert control.list_faults() == [{"kind": "down", "path": "", "times": 0}]
    assert control.list_requests() == []
    control.clear_faults()
    assert send_signal(PACKED_SIGNAL).status == 200
    assert url_port(sandbox.base_url) == port


def test_down_can_be_set_at_both_addresses_and_twice(
    sandbox: Sandbox, send_signal: Send, control: ControlClient
) -> None:
    assert len(ControlClient(sandbox.base_url).add_fault(DOWN, path="/x", times=3)) == 1
    assert len(control.add_fault(DOWN)) == 2
    with pytest.raises(TemporaryError, match=sandbox.base_url) as caught:
        ControlClient(sandbox.base_url).list_faults()
    assert "control address" in caught.value.hint
    control.reset()
    assert send_signal(PACKED_SIGNAL).status == 200


def test_down_cuts_open_connections(sandbox: Sandbox, control: ControlClient) -> None:
    idle = HTTPConnection("127.0.0.1", url_port(sandbox.base_url), timeout=10)
    idle.request("POST", STATUS_2_0_PATH, PACKED_BODY)
    assert idle.getresponse().read() == b""
    control.add_fault(DOWN)
    with pytest.raises((ConnectionError, RemoteDisconnected, BadStatusLine)):
        idle.request("POST", STATUS_2_0_PATH, PACKED_BODY)
        idle.getresponse()
    idle.close()
    assert len(control.list_requests()) == 1


def test_down_cuts_requests_in_progress(sandbox: Sandbox, control: ControlClient) -> None:
    control.add_fault("slow-drip", seconds=60)
    seen: list[bytes] = []
    with send_raw_request(sandbox) as connection:
        seen.append(connection.recv(1))

        def read() -> None:
            try:
                seen.append(connection.recv(1))
            except ConnectionError:
                seen.append(b"reset")

        reader = Thread(target=read)
        reader.start()
        control.add_fault(DOWN)
        reader.join(timeout=5)
    assert seen in ([b"H", b""], [b"H", b"reset"])
    assert latest_outcome(control) == ("slow-drip", None, True)


def test_a_sandbox_that_is_down_can_be_stopped() -> None:
    with Sandbox() as sandbox:
        sandbox.add_fault(make_fault(DOWN))
    with pytest.raises(TemporaryError):
        ControlClient(sandbox.control_url).list_faults()


def test_a_fault_ends_after_its_times(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("status", status=503, times=2)
    assert send_signal(PACKED_SIGNAL).status == 503
    assert control.list_faults() == [{"kind": "status", "path": "", "times": 1, "status": 503}]
    assert [send_signal(PACKED_SIGNAL).status for _ in range(2)] == [503, 200]
    assert control.list_faults() == []


def test_a_fault_without_times_stays_until_it_is_cleared(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("status", status=503)
    assert {send_signal(PACKED_SIGNAL).status for _ in range(5)} == {503}
    control.clear_faults()
    assert send_signal(PACKED_SIGNAL).status == 200


def test_the_first_matching_fault_applies(send_signal: Send, control: ControlClient) -> None:
    control.add_fault("status", status=500, times=1)
    control.add_fault("status", status=503, times=1)
    assert [send_signal(PACKED_SIGNAL).status for _ in range(3)] == [500, 503, 200]


@pytest.mark.parametrize("prefix", ["/1.1/", "/1.1/status", "/1.1/status/"])
def test_a_fault_applies_only_to_paths_with_its_prefix(send_signal: Send, control: ControlClient, prefix: str) -> None:
    control.add_fault("status", path=prefix, status=503)
    assert send_signal(PACKED_SIGNAL).status == 200
    assert send_signal(PACKED_SIGNAL, "/1.1/status/").status == 503
    assert send_signal(PACKED_SIGNAL, "/1.1/status").status == 503


def test_faults_do_not_apply_to_the_control_interface(sandbox: Sandbox) -> None:
    control = ControlClient(sandbox.base_url)
    control.add_fault("reset-before", times=1)
    assert len(control.list_faults()) == 1


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        ({"kind": "latncy"}, "latncy", '"latency"'),
        ({"kind": ""}, "no fault", "slow-drip"),
        ({"kind": "latency"}, "needs seconds", "seconds"),
        ({"kind": "latency", "seconds": -1}, "-1", "0 to 3600"),
        ({"kind": "status"}, "needs status", "retry_after"),
        ({"kind": "status", "status": 99}, "99", "200 to 599"),
        ({"kind": "status", "status": 503, "retry_after": "1\r\nX: y"}, "retry_after", "30"),
        ({"kind": "status", "status": 503, "seconds": 1}, "takes no seconds", "status, retry_after"),
        ({"kind": "down", "seconds": 1}, "takes no seconds", "no parameters"),
        ({"kind": "truncated", "times": -1}, "-1", "0 to 1000000"),
        ({"kind": "truncated", "path": "1.1"}, "1.1", "/cloudsignal/2.0/"),
    ],
)
def test_an_invalid_fault_is_refused_with_a_hint(
    control: ControlClient, fault: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        control.add_fault(**fault)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert control.list_faults() == []


@pytest.mark.parametrize("fault", [[], {"kind": "status", "code": 1}, {"kind": "status", "status": True}, {"kind": 1}])
def test_a_malformed_fault_is_refused(sandbox: Sandbox, fault: object) -> None:
    assert post_json(sandbox.control_url, "/_sandbox/faults", fault).error[0] == "invalid_input"
