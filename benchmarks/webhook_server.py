"""`webhooks serve`, with a durable commit before each response, beside a bare uvicorn that stores nothing."""

import argparse
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

KEY = "bench-webhook-key-0123456789abcdef"
CONNECTIONS = 32
# A minimal application: it reads the body and answers 200.
BARE_SERVER_PROGRAM = """
import sys, uvicorn

async def app(scope, receive, send):
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    body = b'{"event": 1, "received_count": 1}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

uvicorn.run(app, port=int(sys.argv[1]), http="h11", loop="asyncio", lifespan="off", ws="none",
            access_log=sys.argv[2] == "log", log_level="info" if sys.argv[2] == "log" else "critical")
"""
SERVERS = {
    "silent": "bare uvicorn, stores nothing, logs nothing",
    "logging": "bare uvicorn, stores nothing, a line in its log each",
    "ours": "`webhooks serve`, a durable commit and a line in its log each",
}


class LoadResult(NamedTuple):
    """The result of one burst: responses per second, and their times in ms."""

    responses_per_second: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Print the table of response times, then that of memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=6, help="bursts for each server, in turn")
    arguments.add_argument("--requests", type=int, default=4000, help="requests of a burst")
    arguments.add_argument("--events", type=int, default=100_000, help="events of the memory test")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _print_response_times(Path(folder), given.rounds, given.requests)
        print()
        _print_memory(Path(folder), given.events)


def _print_response_times(folder: Path, rounds: int, requests: int) -> None:
    silent, silent_port = _start_bare_server(folder, "silent")
    logging, logging_port = _start_bare_server(folder, "log")
    ours, our_port = _start_cpctl(folder)
    ports = {"silent": silent_port, "logging": logging_port, "ours": our_port}
    loads: dict[str, list[LoadResult]] = {name: [] for name in SERVERS}
    try:
        for number in range(-1, rounds):
            for name in SERVERS:
                load = _send_burst(ports[name], requests, number * requests)
                if number >= 0:
                    loads[name].append(load)
    finally:
        for server in (silent, logging, ours):
            server.terminate()
            server.wait()
    print(f"| {CONNECTIONS} connections | answers a second | ours beside it | p50 | p99 | p99 / p50 |")
    print("|---|---|---|---|---|---|")
    for name, title in SERVERS.items():
        rate, p50, p99 = (statistics.median(column) for column in zip(*loads[name], strict=True))
        ratio = statistics.median(
            a.responses_per_second / b.responses_per_second for a, b in zip(loads["ours"], loads[name], strict=True)
        )
        tail = statistics.median(load.p99_ms / load.p50_ms for load in loads[name])
        beside = "" if name == "ours" else f"**{ratio:.2f}** (aim 0.50)"
        print(f"| {title} | {rate:.0f} | {beside} | {p50:.1f} ms | {p99:.1f} ms | {tail:.2f} (aim 3) |")


def _start_bare_server(folder: Path, log: str) -> tuple["subprocess.Popen[bytes]", int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with (folder / f"bare-{log}").open("wb") as written:
        return subprocess.Popen(
            [sys.executable, "-c", BARE_SERVER_PROGRAM, str(port), log], stdout=written, stderr=written
        ), port


def _print_memory(folder: Path, events: int) -> None:
    print("| events received | resident memory of `webhooks serve` |")
    print("|---|---|")
    server, port = _start_cpctl(folder / "memory")
    sent = 0
    try:
        for goal in (events // 10, events // 2, events):
            _send_burst(port, goal - sent, sent)
            sent = goal
            print(f"| {goal:,} | {_resident_kib(server.pid) / 1024:.0f} MiB |")
    finally:
        server.terminate()
        server.wait()


def _start_cpctl(folder: Path) -> tuple["subprocess.Popen[bytes]", int]:
    folder.mkdir(exist_ok=True)
    ready = folder / "ready"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CPCTL_")},
        "HOME": str(folder),
        "CPCTL_DATA_DIR": str(folder),
        "CPCTL_WEBHOOK_KEY": KEY,
    }
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "cpctl", "webhooks", "serve", "--port", "0", "--ready-file", str(ready)]
        server = subprocess.Popen(command, env=environment, stderr=log, stdin=subprocess.DEVNULL)
    while not ready.exists():
        if server.poll() is not None:
            sys.exit((folder / "log").read_text())
        time.sleep(0.02)
    return server, int(ready.read_text().rpartition(":")[2])


def _resident_kib(process: int) -> int:
    """KiB of memory in use."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def _send_burst(port: int, requests: int, first: int) -> LoadResult:
    """Post different events over connections that stay open, each with one request in progress.

    By hand and not with a library: what makes the load runs on the same two processors, and should cost little.
    """
    numbers = iter(range(first, first + requests))
    times: list[float] = []
    selector = selectors.DefaultSelector()
    started = time.perf_counter()
    for _ in range(CONNECTIONS):
        sender = _LoadConnection(port, numbers, times)
        if sender.send():
            selector.register(sender.socket, selectors.EVENT_READ, sender)
    while selector.get_map():
        for key, _ in selector.select():
            if not key.data.receive():
                selector.unregister(key.fileobj)
    seconds = time.perf_counter() - started
    assert len(times) == requests
    hundredths = statistics.quantiles(times, n=100)
    return LoadResult(requests / seconds, hundredths[49] * 1000, hundredths[98] * 1000)


class _LoadConnection:
    """One connection."""

    def __init__(self, port: int, numbers: Iterator[int], times: list[float]) -> None:
        self.socket = _connect(port)
        self._numbers, self._times = numbers, times
        self._sent, self._received = 0.0, b""

    def send(self) -> bool:
        """Send the next event; False if there is none."""
        number = next(self._numbers, None)
        if number is None:
            self.socket.close()
            return False
        request = _encode_request(number)
        self._sent = time.perf_counter()
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Read what has arrived; after a complete response, send the next event. False at the end."""
        self._received += self.socket.recv(65536)
        head, _, body = self._received.partition(b"\r\n\r\n")
        if b"content-length" not in head or len(body) < int(head.partition(b"content-length: ")[2].split(b"\r")[0]):
            return True
        self._times.append(time.perf_counter() - self._sent)
        assert head.startswith(b"HTTP/1.1 200"), head
        self._received = b""
        return self.send()


def _connect(port: int) -> socket.socket:
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:  # the bare server does not announce that it is ready
            time.sleep(0.05)
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _encode_request(number: int) -> bytes:
    order = f"{123_456_000_000 + number // 4 * 10_000}"
    body = json.dumps(
        {
            "apikey": KEY,
            "type": "ItemShipped",
            "order": order,
            "item": f"{order[:-1]}{number % 4}",
            "order_reference": f"order-{number // 4}",
            "item_reference": str(number),
            "tracking": f"1Z{number:016d}",
            "shipping_option": "GLS",
            "datetime": f"{datetime.fromtimestamp(1_769_000_000 + number, UTC):%Y-%m-%dT%H:%M:%S+00:00}",
        }
    ).encode()
    head = f"POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()
