"""Behind a proxy and beside other machines: who is believed, what is shown to whom, and what is refused."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from webhook_server import Served, Wire, event, request, serving, webhook_world
from worlds import World


def address_of_this_machine() -> str:
    """An address of this machine that is not loopback, or ""."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # nothing is sent
            found = str(asking.getsockname()[0])
        except OSError:
            return ""
    return "" if found.startswith("127.") else found


ELSEWHERE = address_of_this_machine()
needs_elsewhere = pytest.mark.skipif(not ELSEWHERE, reason="this machine has no address but loopback")
FORWARDED = "X-Forwarded-For: 203.0.113.7\r\n"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(webhook_world(tmp_path_factory.mktemp("behind")), "--behind-proxy", "--host", "0.0.0.0") as running:
        yield running


def last_sender(server: Served, number: int) -> str:
    """The sender that the log names for an event."""
    words = f"item={123456780000 + number} "
    server.says(words)
    line = next(line for line in server.said().splitlines() if words in line)
    return line.partition("sender=")[2].split()[0]


def test_a_proxy_on_this_machine_is_believed_who_sends(behind: Served) -> None:
    assert behind.post(event(1), FORWARDED).status == 200
    assert last_sender(behind, 1) == "203.0.113.7"


def test_of_several_addresses_the_one_that_the_proxy_added_counts(behind: Served) -> None:
    """What stands before it was said by the sender, who may say anything."""
    behind.post(event(2), "X-Forwarded-For: 127.0.0.1, 198.51.100.1, 203.0.113.8\r\n")
    assert last_sender(behind, 2) == "203.0.113.8"


def test_without_a_proxy_nobody_is_believed(served: Served) -> None:
    served.post(event(3), FORWARDED)
    assert last_sender(served, 3) == "127.0.0.1"


@needs_elsewhere
def test_another_machine_is_not_believed_who_sends(behind: Served) -> None:
    with Wire(behind.port, host=ELSEWHERE) as wire:
        assert wire.send(request(event(4), FORWARDED)).answer().status == 200
    assert last_sender(behind, 4) == ELSEWHERE
    with Wire(behind.port, host=ELSEWHERE) as wire:
        faked = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
        assert wire.send(faked).answer("GET").status == 404


@pytest.mark.parametrize("path", ["/health", "/metrics", "/health?x=1", "/%68ealth"])
def test_health_and_numbers_are_shown_to_this_machine_alone(behind: Served, path: str) -> None:
    assert behind.get(path).status == 200
    for forwarded in (
        "203.0.113.7",
        "127.0.0.1, 203.0.113.7",
        "unknown",
        "",
        "127.0.0.1.example.com",
        "::ffff:1.2.3.4",
    ):
        answer = behind.get(path, f"X-Forwarded-For: {forwarded}\r\n")
        # An empty line is what a proxy says that knows nothing; then the proxy itself counts.
        assert answer.status == (404 if forwarded else 200), forwarded
        if forwarded:
            assert answer.data == {"error": "Not Found"}


def test_they_may_be_shown_to_all(hook_world: World) -> None:
    with serving(hook_world, "--behind-proxy", "--public-status") as server:
        for path in ("/health", "/metrics"):
            assert server.get(path, FORWARDED).status == 200


@needs_elsewhere
def test_to_another_machine_they_are_not_found(behind: Served) -> None:
    for path in (b"/health", b"/metrics"):
        with Wire(behind.port, host=ELSEWHERE) as wire:
            assert wire.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path).answer("GET").status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])
def test_other_machines_are_not_listened_to_in_the_open(
    hook_world: World, inside: Callable[..., Any], host: str
) -> None:
    result = inside(hook_world, "webhooks", "serve", "--host", host)
    assert result.code == 2
    assert "would send their key in the open" in result.err
    assert "--tls-cert" in result.err
    assert "--behind-proxy" in result.err


@pytest.mark.parametrize("value", ["x" * 10_000, "\x9b31m", "a b", '"', "1.2.3.4:x", "[::1", "[::1]:80"])
def test_whatever_a_proxy_says_makes_one_line_of_the_log(behind: Served, value: str) -> None:
    before = behind.said().count("\n")
    assert behind.post(event(7), f"X-Forwarded-For: {value}\r\n").status == 200
    behind.says("\n", before + 1)
    assert "\x9b" not in behind.said()
    assert max(map(len, behind.said().splitlines())) < 1000
