"""Many connections at once: all are answered or asked to come back, none hangs, and the memory has a limit."""

import asyncio
import resource
import threading
from collections import Counter

import pytest
from webhook_certificates import make_pair, needs_openssl, trusting
from webhook_server import Served, Wire, event, eventually, request, serving
from worlds import World

CROWD = 1000


@pytest.fixture(autouse=True)
def room_for_a_crowd() -> None:
    """This process holds the other end of every connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3 * CROWD:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(3 * CROWD, hard), hard))


async def post(port: int, number: int, arrived: asyncio.Barrier | None = None) -> int:
    """The status of one post on a connection of its own, 0 where there was no answer."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        if arrived:
            await arrived.wait()
        return 0
    try:
        if arrived:
            await arrived.wait()
        writer.write(request(event(number)))
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
    """What so many get who are all connected before the first of them speaks."""
    arrived = asyncio.Barrier(count)
    return Counter(await asyncio.gather(*(post(port, number, arrived) for number in range(count))))


def test_a_thousand_at_once_are_all_stored(hook_world: World) -> None:
    with serving(hook_world) as server:
        assert asyncio.run(crowd(server.port, CROWD)) == {200: CROWD}
        assert server.events() == CROWD
        assert server.resident() < 250
        eventually(lambda: b"cpctl_webhooks_connections 1\n" in server.get("/metrics").body, "all are gone")


def test_who_is_one_too_many_is_asked_to_come_back_and_far_too_many_are_cut(hook_world: World) -> None:
    with serving(hook_world, "--max-connections", "20") as server:
        found = asyncio.run(crowd(server.port, 100))
        assert set(found) <= {0, 200, 503}
        assert found[503] >= 1
        assert found[0] >= 100 - 2 * 20
        assert server.events() == found[200]
        server.says("too many connections")
        assert server.post(event(1000)).status == 200, "afterwards all is as it was"


def test_exactly_as_many_as_may_are_served(hook_world: World) -> None:
    with serving(hook_world, "--max-connections", "5") as server:
        wires = [server.wire() for _ in range(5)]
        for number, wire in enumerate(wires):
            assert wire.send(request(event(number))).answer().status == 200
        with server.wire() as sixth:
            answer = sixth.send(request(event(6))).answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert sixth.is_closed()
        assert server.get("/health").status == 200, "who watches over it is answered all the same"
        for wire in wires:
            wire.__exit__()
        eventually(lambda: server.post(event(6)).status == 200, "there is room again")


def test_many_large_bodies_do_not_fill_the_memory(hook_world: World) -> None:
    """Many begin a body of a mebibyte and hold its end back: no more than 64 MiB are kept, and others are heard."""
    with serving(hook_world, "--request-seconds", "6") as server:
        part = request(event(1, filling="x" * 1_000_000))[:-10]
        statuses: Counter[int] = Counter()
        wires = [server.wire() for _ in range(150)]

        def speak(mine: list[Wire]) -> None:
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
        eventually(lambda: b'answers_total{code="503"}' in server.get("/metrics").body or statuses[0], "some refused")
        assert server.resident() < 300
        assert server.post(event(2)).status == 200
        for wire in wires:
            wire.__exit__()
        large = event(3, filling="x" * 1_000_000)
        eventually(lambda: server.post(large).status == 200, "there is room again")


def flooded(server: Served, count: int) -> list[Wire]:
    """So many connections that say nothing; as many of them as are taken."""
    made = []
    for _ in range(count):
        try:
            made.append(Wire(server.port))
        except OSError:
            break
    return made


def test_a_server_without_file_descriptors_comes_back_when_the_crowd_has_gone(hook_world: World) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))

    with serving(hook_world, "--request-seconds", "2", preexec_fn=few) as server:
        assert server.post(event(1)).status == 200
        crowd_of_idlers = flooded(server, 150)
        server.says("out of system resource")
        eventually(lambda: answers(server), "it answers again", 60)
        for wire in crowd_of_idlers:
            wire.__exit__()
        assert server.post(event(3)).status == 200
        assert "Traceback" not in server.said()
        assert server.events() == 3


def answers(server: Served) -> bool:
    try:
        return server.post(event(2)).status == 200
    except OSError:
        return False


@needs_openssl
def test_a_crowd_comes_over_tls(hook_world: World) -> None:
    pair = make_pair(hook_world.folder, "crowd")
    with serving(hook_world, "--tls-cert", str(pair.cert), "--tls-key", str(pair.key)) as server:
        trusted, statuses = trusting(pair), Counter[int]()

        def send(start: int) -> None:
            for number in range(start, start + 10):
                statuses[server.exchange(request(event(number)), tls=trusted).status] += 1

        threads = [threading.Thread(target=send, args=(10 * number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.events() == 200
