"""Proxies and other machines: whose forwarded addresses are trusted, and who sees the status pages."""

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
    """The sender of an event in the log."""
    words = f"item={123456780000 + number} "
    server.wait_for_log(words)
    line = next(line for line in server.log_text().splitlines() if words in line)
    return line.partition("sender=")[2].split()[0]


def test_a_local_proxy_is_trusted_to_name_the_sender(proxied_server: RunningServer) -> None:
    assert proxied_server.post(webhook_body(1), FORWARDED_HEADER).status == 200
    assert logged_sender(proxied_server, 1) == "203.0.113.7"


def test_of_several_forwarded_addresses_the_last_one_counts(proxied_server: RunningServer) -> None:
    """The addresses before the last one come from the sender, who can forge them."""
    proxied_server.post(webhook_body(2), "X-Forwarded-For: 127.0.0.1, 198.51.100.1, 203.0.113.8\r\n")
    assert logged_sender(proxied_server, 2) == "203.0.113.8"


def test_without_behind_proxy_the_forwarded_address_is_ignored(shared_server: RunningServer) -> None:
    shared_server.post(webhook_body(3), FORWARDED_HEADER)
    assert logged_sender(shared_server, 3) == "127.0.0.1"


@needs_external_address
def test_another_machine_is_not_trusted_to_name_the_sender(proxied_server: RunningServer) -> None:
    with RawConnection(proxied_server.port, host=EXTERNAL_ADDRESS) as wire:
        assert wire.send(encode_request(webhook_body(4), FORWARDED_HEADER)).read_response().status == 200
    assert logged_sender(proxied_server, 4) == EXTERNAL_ADDRESS
    with RawConnection(proxied_server.port, host=EXTERNAL_ADDRESS) as wire:
        faked = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
        assert wire.send(faked).read_response("GET").status == 404


@pytest.mark.parametrize("path", ["/health", "/metrics", "/health?x=1", "/%68ealth"])
def test_health_and_metrics_are_shown_to_this_machine_only(proxied_server: RunningServer, path: str) -> None:
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
        # An empty header means that the proxy does not know; then the proxy itself is the sender.
        assert answer.status == (404 if forwarded else 200), forwarded
        if forwarded:
            assert answer.data == {"error": "Not Found"}


def test_public_status_shows_them_to_everyone(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--behind-proxy", "--public-status") as server:
        for path in ("/health", "/metrics"):
            assert server.get(path, FORWARDED_HEADER).status == 200


@needs_external_address
def test_another_machine_gets_404_for_them(proxied_server: RunningServer) -> None:
    for path in (b"/health", b"/metrics"):
        with RawConnection(proxied_server.port, host=EXTERNAL_ADDRESS) as wire:
            assert wire.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path).read_response("GET").status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])
def test_listening_to_other_machines_needs_tls_or_a_proxy(
    webhook_cli: CliEnvironment, invoke: Callable[..., Any], host: str
) -> None:
    result = invoke(webhook_cli, "webhooks", "serve", "--host", host)
    assert result.code == 2
    assert "would send their key unencrypted" in result.err
    assert "--tls-cert" in result.err
    assert "--behind-proxy" in result.err


@pytest.mark.parametrize("value", ["x" * 10_000, "\x9b31m", "a b", '"', "1.2.3.4:x", "[::1", "[::1]:80"])
def test_any_forwarded_address_makes_one_line_of_the_log(proxied_server: RunningServer, value: str) -> None:
    before = proxied_server.log_text().count("\n")
    assert proxied_server.post(webhook_body(7), f"X-Forwarded-For: {value}\r\n").status == 200
    proxied_server.wait_for_log("\n", before + 1)
    assert "\x9b" not in proxied_server.log_text()
    assert max(map(len, proxied_server.log_text().splitlines())) < 1000
