"""`webhooks replay`: stored events are sent again, to any URL or to their own targets."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from cpctl.net import MAX_RESPONSE_BYTES, PostResponse, Unreachable, post
from cpctl.store.store import Store
from cpctl.webhooks.events.deliveries import claim, settle
from harness.certificates import KeyPair, make_key_pair
from harness.cli_environment import TIMEOUT_SECONDS, UNREACHABLE_URL, CliEnvironment, CliResult
from harness.servers.fixed_status_server import fixed_status_server
from harness.servers.raw_server import raw_server
from harness.webhooks.stored_events import KEY, NOON_MS, lifecycle_events, make_event, make_event_store, receive_events
from harness.webhooks.webhook_receiver import WebhookReceiver

Invoke = Callable[..., CliResult]
JSON_HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def webhook_receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


@pytest.fixture
def event_store(cli: CliEnvironment) -> Store:
    """The store with the events of one item, none of which two targets have accepted."""
    return make_event_store(cli.store, lifecycle_events(tracking="1A"), ["forward x", "exec crm"])


def test_a_stored_event_is_replayed_as_received_without_its_key(
    cli: CliEnvironment, invoke: Invoke, event_store: Store, webhook_receiver: WebhookReceiver
) -> None:
    result = invoke(cli, "webhooks", "replay", "5", "2", "--to", webhook_receiver.url, "-o", "json")
    assert (result.code, result.err) == (0, "")
    assert result.data == [
        {"id": "5", "type": "ItemShipped", "url": webhook_receiver.url, "status": 200, "response": ""},
        {"id": "2", "type": "ItemProduce", "url": webhook_receiver.url, "status": 200, "response": ""},
    ]
    assert webhook_receiver.received == [
        each["payload"] for each in invoke(cli, "webhooks", "show", "5", "2", "-o", "json").data
    ]
    assert webhook_receiver.paths == ["/hooks?x=1"] * 2
    assert "apikey" not in webhook_receiver.received[0]


def test_the_key_is_added_only_with_with_key_and_never_shown(
    cli: CliEnvironment, invoke: Invoke, event_store: Store, webhook_receiver: WebhookReceiver
) -> None:
    result = invoke(cli, "webhooks", "replay", "1", "--to", webhook_receiver.url, "--with-key", "-v", "--debug")
    assert (result.code, webhook_receiver.received[0]["apikey"]) == (0, KEY)
    assert KEY not in result.out + result.err
    dry = invoke(cli, "webhooks", "replay", "1", "--to", webhook_receiver.url, "--with-key", "--dry-run")
    assert (dry.code, len(webhook_receiver.received)) == (0, 1)
    assert dry.out.startswith(f"POST {webhook_receiver.url}\n")
    assert '"apikey": "***"' in dry.out


ECHO_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda body: b"no: " + json.loads(body)["apikey"].encode(),
    "escaped": lambda body: json.dumps({"error": json.loads(body)["apikey"]}).replace("-", "\\u002d").encode(),
    "cut in its middle": lambda body: b"x" * 190 + json.loads(body)["apikey"].encode(),
}


@pytest.mark.parametrize("echo", ECHO_BODIES)
def test_a_key_in_a_response_is_masked(cli: CliEnvironment, invoke: Invoke, event_store: Store, echo: str) -> None:
    with fixed_status_server(400, ECHO_BODIES[echo]) as address:
        for form in ("json", "tsv"):
            result = invoke(cli, "webhooks", "replay", "1", "--to", address, "--with-key", "-o", form)
            assert result.code == 5
            assert "***" in result.out
            assert KEY[:8] not in result.out + result.err


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([200, 204], 0),
        ([201, 299], 0),
        ([400, 404], 5),
        ([302, 302], 5),
        ([500, 503], 75),
        ([429, 503], 75),
        ([200, 500], 6),
        ([400, 500], 6),
        ([400, 200], 6),
    ],
    ids=str,
)
def test_the_exit_status_depends_on_the_responses(
    cli: CliEnvironment,
    invoke: Invoke,
    event_store: Store,
    webhook_receiver: WebhookReceiver,
    statuses: list[int],
    code: int,
) -> None:
    webhook_receiver.statuses = list(statuses)
    result = invoke(cli, "webhooks", "replay", "1", "2", "--to", webhook_receiver.url, "-o", "json")
    assert result.code == code
    assert [row["status"] for row in result.data] == statuses
    assert len(webhook_receiver.received) == 2, "a redirect is never followed, and nothing is repeated"
    for number, status in enumerate(statuses, 1):
        assert (f"Event {number} was not accepted: {status}" in result.err) == (not 200 <= status < 300)


def test_an_unreachable_url_is_reported(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    result = invoke(cli, "webhooks", "replay", "1", "--to", UNREACHABLE_URL, "-o", "json")
    assert (result.code, result.data[0]["status"]) == (75, None)
    assert "Event 1 was not accepted: Connection refused." in result.err


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/hooks",
        "http://example.com/",
        "https://user:secret-word@127.0.0.1/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1.example.com/",
        "ftp://127.0.0.1/",
        "https://",
        "127.0.0.1:80",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/ä",
        "http://[::1",
    ],
)
def test_an_unsafe_url_is_refused(cli: CliEnvironment, invoke: Invoke, event_store: Store, url: str) -> None:
    result = invoke(cli, "webhooks", "replay", "1", "--to", url)
    assert (result.code, result.out) == (2, "")
    assert "cannot receive events" in result.err
    assert "secret-word" not in result.err


def test_with_key_needs_a_url(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    result = invoke(cli, "webhooks", "replay", "1", "--with-key")
    assert result.code == 2
    assert "Add --to URL." in result.err


# --- to their own targets --------------------------------------------------------------------


def test_without_a_url_events_are_requeued_for_their_targets(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    for target in ("forward x", "exec crm"):
        due = event_store.write(partial(claim, profile="sandbox", target=target, now_ms=NOON_MS + 9000))
        assert due is not None
        event_store.write(partial(settle, target=target, due=due, problem=None, now_ms=NOON_MS + 9000))
    dry = invoke(cli, "webhooks", "replay", "1", "--dry-run", "-o", "json")
    assert [each["state"] for each in dry.data[0]["targets"]] == ["done", "done"]
    assert 'Dry run: nothing was changed. Would send again: 1 to "exec crm", 1 to "forward x".' in dry.err
    result = invoke(cli, "webhooks", "replay", "1", "2", "-o", "json")
    assert (result.code, [each["state"] for each in result.data[0]["targets"]]) == (0, ["waiting", "waiting"])
    assert 'Requeued: 2 to "exec crm", 2 to "forward x".' in result.err
    assert event_store.write(lambda transaction: claim(transaction, "sandbox", "exec crm", 2 * NOON_MS)).event_id == 1  # type: ignore[union-attr]


def test_an_event_without_targets_cannot_be_requeued(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    receive_events(event_store, [make_event("ItemError")])
    result = invoke(cli, "webhooks", "replay", "1", "6")
    assert (result.code, result.out) == (2, "")
    assert "Event 6 has no targets" in result.err


# --- one POST --------------------------------------------------------------------------------


def test_a_response_is_its_status_and_first_line() -> None:
    with fixed_status_server(422, lambda body: b"\n  \r\n wrong: " + body + b"\r\nand more\n") as address:
        assert post(f"{address}/a?b=c", b"{}", JSON_HEADERS, TIMEOUT_SECONDS) == PostResponse(422, "wrong: {}")
    with fixed_status_server(200, lambda body: b"\xff" * (MAX_RESPONSE_BYTES + 5)) as address:
        assert len(post(address, b"{}", JSON_HEADERS, TIMEOUT_SECONDS).first_line) == MAX_RESPONSE_BYTES


def test_loopback_is_never_reached_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, webhook_receiver: WebhookReceiver
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, UNREACHABLE_URL)
    assert post(webhook_receiver.url, b'{"type": "x"}', JSON_HEADERS, TIMEOUT_SECONDS) == PostResponse(200, "")


@pytest.fixture
def connection_server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Listen with a handler of connections; returns the port."""
    with ExitStack() as servers:
        yield lambda work: servers.enter_context(raw_server(lambda server, connection: work(connection))).port


def _never_respond(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def _drip_response(connection: socket.socket) -> None:
    released = threading.Event()
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
        connection.sendall(bytes([byte]))
        released.wait(0.05)


def _read_request(connection: socket.socket) -> None:
    """Read headers and body: closing a connection with unread bytes would reset it."""
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(65536)


def _close_connection(connection: socket.socket) -> None:
    _read_request(connection)


def _send_non_http(connection: socket.socket) -> None:
    _read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH\r\n")


def _never_end_response(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nfine\n")
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (_never_respond, "no response within 0.5 s"),
        (_drip_response, "no response within 0.5 s"),
        (_close_connection, "Remote end closed connection"),
        (_send_non_http, "invalid HTTP response"),
    ],
)
def test_without_a_response_the_message_says_why(
    connection_server: Callable[..., int], work: Callable[[socket.socket], None], words: str
) -> None:
    with pytest.raises(Unreachable, match=words):
        post(f"http://127.0.0.1:{connection_server(work)}/", b"{}", JSON_HEADERS, 0.5)


def test_a_response_that_never_ends_counts_by_its_status(connection_server: Callable[..., int]) -> None:
    assert post(
        f"http://127.0.0.1:{connection_server(_never_end_response)}/", b"{}", JSON_HEADERS, 0.5
    ) == PostResponse(200, "fine")


@pytest.mark.parametrize("url", ["https://host.invalid/", "http://127.0.0.1:99999/", "http://a..b/"])
def test_an_unknown_host_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable):
        post(url, b"{}", JSON_HEADERS, TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def server_certificate(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """A self-signed certificate for 127.0.0.1 and for shop.example."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    return make_key_pair(tmp_path_factory.mktemp("certificate"), "shop", also="shop.example")


def test_an_untrusted_certificate_is_refused(server_certificate: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    with WebhookReceiver(server_certificate) as secure:
        with pytest.raises(Unreachable, match="TLS certificate verification failed"):
            post(secure.url, b'{"type": "x"}', JSON_HEADERS, TIMEOUT_SECONDS)
        assert secure.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(server_certificate.cert))
        assert post(secure.url, b'{"type": "x"}', JSON_HEADERS, TIMEOUT_SECONDS) == PostResponse(200, "")


def test_other_machines_are_reached_through_the_proxy(
    server_certificate: KeyPair, monkeypatch: pytest.MonkeyPatch, connection_server: Callable[..., int]
) -> None:
    asked: list[bytes] = []
    with WebhookReceiver(server_certificate) as secure:

        def tunnel(connection: socket.socket) -> None:
            asked.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            with socket.create_connection(secure.server_address) as other:
                back = threading.Thread(target=_copy_stream, args=(other, connection), daemon=True)
                back.start()
                _copy_stream(connection, other)
                back.join(TIMEOUT_SECONDS)

        monkeypatch.setenv("https_proxy", f"http://us%40er:pa%3Ass@127.0.0.1:{connection_server(tunnel)}")
        monkeypatch.setenv("SSL_CERT_FILE", str(server_certificate.cert))
        assert post("https://shop.example:8443/in", b'{"type": "x"}', JSON_HEADERS, TIMEOUT_SECONDS) == PostResponse(
            200, ""
        )
        assert secure.paths == ["/in"]
    request = asked[0].decode()
    assert request.startswith("CONNECT shop.example:8443 ")
    assert "Proxy-Authorization: Basic dXNAZXI6cGE6c3M=" in request


def _copy_stream(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
