"""Behind a proxy and beside other machines: who is believed, what is shown to whom, and what is refused."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.cli_environment import CliEnvironment
from harness.webhooks.webhook_server import (
    RawConnection,
    RunningServer,
    encode_request,
    make_webhook_cli,
    running_server,
    webhook_body,
)


def non_loopback_address() -> str:
    """An address of this machine that is not loopback, or ""."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # nothing is sent
            found = str(asking.getsockname()[0])
        except OSError:
            return ""
    return "" if found.startswith("127.") else found


EXTERNAL_ADDRESS = non_loopback_address()
needs_external_address = pytest.mark.skipif(not EXTERNAL_ADDRESS, reason="this machine has no address but loopback")
FORWARDED_HEADER = "X-Forwarded-For: 203.0.113.7\r\n"


@pytest.fixture(scope="module")
def proxied_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(
        make_webhook_cli(tmp_path_factory.mktemp("behind")), "--behind-proxy", "--host", "0.0.0.0"
    ) as running:
        yield running


def logged_sender(server: RunningServer, number: int) -> str:
    """The sender that the log names for an event."""
    words = f"item={123456780000 + number} "
    server.wait_for_log(words)
    line = next(line for line in server.log_text().splitlines() if words in line)
    return line.partition("sender=")[2].split()[0]


def test_a_proxy_on_this_machine_is_believed_who_sends(proxied_server: RunningServer) -> None:
    assert proxied_server.post(webhook_body(1), FORWARDED_HEADER).status == 200
    assert logged_sender(proxied_server, 1) == "203.0.113.7"


def test_of_several_addresses_the_one_that_the_proxy_added_counts(proxied_server: RunningServer) -> None:
    """What stands before it was said by the sender, who may say anything."""
    proxied_server.post(webhook_body(2), "X-Forwarded-For: 127.0.0.1, 198.51.100.1, 203.0.113.8\r\n")
    assert logged_sender(proxied_server, 2) == "203.0.113.8"


def test_without_a_proxy_nobody_is_believed(shared_server: RunningServer) -> None:
    shared_server.post(webhook_body(3), FORWARDED_HEADER)
    assert logged_sender(shared_server, 3) == "127.0.0.1"


@needs_external_address
def test_another_machine_is_not_believed_who_sends(proxied_server: RunningServer) -> None:
    with RawConnection(proxied_server.port, host=EXTERNAL_ADDRESS) as wire:
        assert wire.send(encode_request(webhook_body(4), FORWARDED_HEADER)).read_response().status == 200
    assert logged_sender(proxied_server, 4) == EXTERNAL_ADDRESS
    with RawConnection(proxied_server.port, host=EXTERNAL_ADDRESS) as wire:
        faked = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
        assert wire.send(faked).read_response("GET").status == 404


@pytest.mark.parametrize("path", ["/health", "/metrics", "/health?x=1", "/%68ealth"])
def test_health_and_numbers_are_shown_to_this_machine_alone(proxied_server: RunningServer, path: str) -> None:
    assert proxied_server.get(path).status == 200
    for forwarded in (
        "203.0.113.7",
        "127.0.0.1, 203.0.113.7",
        "unknown",
        "",
        "127.0.0.1.example.com",
        "::ffff:1.2.3.4",
    ):
        answer = proxied_server.get(path, f"X-Forwarded-For: {forwarded}\r\n")
        # An empty line is what a proxy says that knows nothing; then the proxy itself counts.
        assert answer.status == (404 if forwarded else 200), forwarded
        if forwarded:
            assert answer.data == {"error": "Not Found"}


def test_they_may_be_shown_to_all(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--behind-proxy", "--public-status") as server:
        for path in ("/health", "/metrics"):
            assert server.get(path, FORWARDED_HEADER).status == 200


@needs_external_address
def test_to_another_machine_they_are_not_found(proxied_server: RunningServer) -> None:
    for path in (b"/health", b"/metrics"):
        with RawConnection(proxied_server.port, host=EXTERNAL_ADDRESS) as wire:
            assert wire.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path).read_response("GET").status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])
def test_other_machines_are_not_listened_to_in_the_open(
    webhook_cli: CliEnvironment, invoke: Callable[..., Any], host: str
) -> None:
    result = invoke(webhook_cli, "webhooks", "serve", "--host", host)
    assert result.code == 2
    assert "would send their key unencrypted" in result.err
    assert "--tls-cert" in result.err
    assert "--behind-proxy" in result.err


@pytest.mark.parametrize("value", ["x" * 10_000, "\x9b31m", "a b", '"', "1.2.3.4:x", "[::1", "[::1]:80"])
def test_whatever_a_proxy_says_makes_one_line_of_the_log(proxied_server: RunningServer, value: str) -> None:
    before = proxied_server.log_text().count("\n")
    assert proxied_server.post(webhook_body(7), f"X-Forwarded-For: {value}\r\n").status == 200
    proxied_server.wait_for_log("\n", before + 1)
    assert "\x9b" not in proxied_server.log_text()
    assert max(map(len, proxied_server.log_text().splitlines())) < 1000
