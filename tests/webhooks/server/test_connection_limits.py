"""Many connections: all are answered or told to retry, none hangs, and the memory has a limit."""

import asyncio
import resource
import threading
from collections import Counter

import pytest

from harness.certificates import make_key_pair, needs_openssl, trusting_context
from harness.cli_environment import CliEnvironment
from harness.webhooks.webhook_server import (
    RawConnection,
    RunningServer,
    encode_request,
    running_server,
    wait_until,
    webhook_body,
)

CONNECTION_COUNT = 1000


@pytest.fixture(autouse=True)
def raised_file_limit() -> None:
    """This process holds the other end of every connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3 * CONNECTION_COUNT:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(3 * CONNECTION_COUNT, hard), hard))


async def post(port: int, number: int, arrived: asyncio.Barrier | None = None) -> int:
    """The status of one post on a new connection; 0 for no response."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        if arrived:
            await arrived.wait()
        return 0
    try:
        if arrived:
            await arrived.wait()
        writer.write(encode_request(webhook_body(number)))
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
        if b" 503 " in head.splitlines()[0]:
            assert b"retry-after: 1\r\n" in head
        return int(head.split()[1])
    except (OSError, asyncio.IncompleteReadError):
        return 0
    finally:
        writer.close()


async def crowd(port: int, count: int) -> Counter[int]:
    """The statuses of senders that are all connected before the first one sends."""
    arrived = asyncio.Barrier(count)
    return Counter(await asyncio.gather(*(post(port, number, arrived) for number in range(count))))


def test_a_thousand_concurrent_webhooks_are_stored(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        assert asyncio.run(crowd(server.port, CONNECTION_COUNT)) == {200: CONNECTION_COUNT}
        assert server.count_events() == CONNECTION_COUNT
        assert server.resident_mib() < 250
        wait_until(lambda: b"cpctl_webhooks_connections 1\n" in server.get("/metrics").body, "all are closed")


def test_connections_beyond_the_limit_get_503_and_beyond_twice_the_limit_are_aborted(
    webhook_cli: CliEnvironment,
) -> None:
    with running_server(webhook_cli, "--max-connections", "20") as server:
        found = asyncio.run(crowd(server.port, 100))
        assert set(found) <= {0, 200, 503}
        assert found[503] >= 1
        assert found[0] >= 100 - 2 * 20
        assert server.count_events() == found[200]
        server.wait_for_log("too many connections")
        assert server.post(webhook_body(1000)).status == 200, "the server is back to normal"


def test_as_many_connections_as_allowed_are_served(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--max-connections", "5") as server:
        wires = [server.connect() for _ in range(5)]
        for number, wire in enumerate(wires):
            assert wire.send(encode_request(webhook_body(number))).read_response().status == 200
        with server.connect() as sixth:
            answer = sixth.send(encode_request(webhook_body(6))).read_response()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert sixth.wait_closed()
        assert server.get("/health").status == 200, "monitoring is still answered"
        for wire in wires:
            wire.__exit__()
        wait_until(lambda: server.post(webhook_body(6)).status == 200, "connections are accepted again")


def test_many_large_bodies_do_not_fill_the_memory(webhook_cli: CliEnvironment) -> None:
    """Many senders do not finish a body of 1 MiB: at most 64 MiB are buffered, and others are answered."""
    with running_server(webhook_cli, "--request-seconds", "6") as server:
        part = encode_request(webhook_body(1, filling="x" * 1_000_000))[:-10]
        statuses: Counter[int] = Counter()
        wires = [server.connect() for _ in range(150)]

        def speak(mine: list[RawConnection]) -> None:
            for wire in mine:
                wire.socket.settimeout(30)
                try:
                    wire.send(part)
                except OSError:
                    statuses[0] += 1

        threads = [threading.Thread(target=speak, args=(wires[start::10],)) for start in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: b'responses_total{code="503"}' in server.get("/metrics").body or statuses[0], "some refused")
        assert server.resident_mib() < 300
        assert server.post(webhook_body(2)).status == 200
        for wire in wires:
            wire.__exit__()
        large = webhook_body(3, filling="x" * 1_000_000)
        wait_until(lambda: server.post(large).status == 200, "connections are accepted again")


def open_idle_connections(server: RunningServer, count: int) -> list[RawConnection]:
    """Open idle connections, as many as the server accepts."""
    made = []
    for _ in range(count):
        try:
            made.append(RawConnection(server.port))
        except OSError:
            break
    return made


def test_a_server_recovers_from_a_lack_of_file_descriptors(webhook_cli: CliEnvironment) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))

    with running_server(webhook_cli, "--request-seconds", "2", preexec_fn=few) as server:
        assert server.post(webhook_body(1)).status == 200
        crowd_of_idlers = open_idle_connections(server, 150)
        server.wait_for_log("out of system resource")
        wait_until(lambda: is_answering(server), "the server answers again", 60)
        for wire in crowd_of_idlers:
            wire.__exit__()
        assert server.post(webhook_body(3)).status == 200
        assert "Traceback" not in server.log_text()
        assert server.count_events() == 3


def is_answering(server: RunningServer) -> bool:
    try:
        return server.post(webhook_body(2)).status == 200
    except OSError:
        return False


@needs_openssl
def test_many_connections_over_tls_are_served(webhook_cli: CliEnvironment) -> None:
    pair = make_key_pair(webhook_cli.folder, "crowd")
    with running_server(webhook_cli, "--tls-cert", str(pair.cert), "--tls-key", str(pair.key)) as server:
        trusted, statuses = trusting_context(pair), Counter[int]()

        def send(start: int) -> None:
            for number in range(start, start + 10):
                statuses[server.send_raw(encode_request(webhook_body(number)), tls=trusted).status] += 1

        threads = [threading.Thread(target=send, args=(10 * number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.count_events() == 200
