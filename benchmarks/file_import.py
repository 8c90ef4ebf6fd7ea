"""Time and memory for sending files of signals to a service that responds in 50 ms. Run by `make bench`."""

import argparse
import asyncio
import csv
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.paired_timing import Command, table_row, time_in_turn

SIGNAL_COUNT, ORDER_COUNT = 10_000, 4_000
RESPONSE_DELAY_SECONDS = 0.05
CURL_RUNS = 50
HTTP_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
# Posts the same bundles over the same number of connections: no checks, no store, no results.
BASELINE_PROGRAM = """
import http.client, json, queue, sys, threading
bodies = queue.SimpleQueue()
for line in open(sys.argv[1], "rb"):
    bodies.put(line)

def work():
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
    while True:
        try:
            body = bodies.get(block=False)
        except queue.Empty:
            return
        connection.request("POST", "/cloudsignal/2.0/status/", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200

threads = [threading.Thread(target=work) for _ in range(int(sys.argv[3]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
# Prints the peak memory of a child process, in KiB on Linux.
PEAK_MEMORY_PROGRAM = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL); "
)
PEAK_MEMORY_PROGRAM += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


def main() -> None:
    """Print the tables of times and of memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3, help="pairs per row")
    runs = arguments.parse_args().runs
    receiver, sender = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(sender,), daemon=True)
    server.start()
    port = receiver.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| command | cpctl | beside it | ratio | half of the pairs | aim |")
        print("|---|---|---|---|---|---|")
        for connections in (5, 20):
            print(_compare_with_baseline(runs, folder, port, connections), flush=True)
        print()
        print("| command | cpctl | a loop of one curl per signal | times as fast | aim |")
        print("|---|---|---|---|---|")
        print(_compare_with_curl(folder, port), flush=True)
        print()
        print("| command | 10,000 rows | 100,000 rows | ratio | aim |")
        print("|---|---|---|---|---|")
        for options in (["--queue-only"], ["--queue-only", "-o", "json"]):
            print(_memory_row(folder, port, options), flush=True)
    server.terminate()


def _serve(pipe: Connection) -> None:
    """Respond to every request after 50 ms and keep the connections open."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.partition(b":")[2]))
                await asyncio.sleep(RESPONSE_DELAY_SECONDS)
                writer.write(HTTP_RESPONSE)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(respond, "127.0.0.1", 0, backlog=200)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CPCTL_BASE_URL": f"http://127.0.0.1:{port}",
        "CPCTL_SIGNAL_KEY": "bench-signal-key",
    }


def _signal_rows(signals: int, orders: int) -> list[dict[str, str]]:
    """Shipped items, order by order. The ids look like those of the service: twelve digits, an order ends in 0000."""
    return [
        {
            "type": "ItemShipped",
            "order": f"{10_000_000 + number * orders // signals}0000",
            "item": f"{10_000_000 + number * orders // signals}{number % 10 + 1:04d}",
            "tracking": f"1A2B3C{number:06d}",
            "shipping_option": "GLS",
        }
        for number in range(signals)
    ]


def _write_csv(folder: Path, signals: int, orders: int) -> Path:
    file = folder / f"{signals}.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = _signal_rows(signals, orders)
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def _write_bundles(folder: Path) -> Path:
    """The bodies of the smallest number of calls: one for each order."""
    orders: dict[str, list[dict[str, str]]] = {}
    for row in _signal_rows(SIGNAL_COUNT, ORDER_COUNT):
        orders.setdefault(row["order"], []).append({**row, "datetime": "2026-01-20 13:00:00 GMT"})
    file = folder / "bundles.jsonl"
    lines = [json.dumps({"apikey": "bench-signal-key", "items": items}) for items in orders.values()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _send_command(folder: Path, file: Path, options: Sequence[str]) -> Command:
    """The command of each run; each has a new store."""

    def command(number: int) -> Sequence[str]:
        shutil.rmtree(folder / "data", ignore_errors=True)
        data = ["env", f"CPCTL_DATA_DIR={folder / 'data'}", str(Path(sys.executable).with_name("cpctl"))]
        return [*data, "signal", "send", str(file), "-q", *options]

    return command


def _compare_with_baseline(runs: int, folder: Path, port: int, connections: int) -> str:
    bundles = _write_bundles(folder)
    baseline = [sys.executable, "-c", BASELINE_PROGRAM, str(bundles), str(port), str(connections)]
    ours = _send_command(folder, _write_csv(folder, SIGNAL_COUNT, ORDER_COUNT), ["--connections", str(connections)])
    pair = time_in_turn(ours, lambda number: baseline, runs, _environment(folder, port), warmup_rounds=0)
    return table_row(f"10,000 signals of 4,000 orders, {connections} connections", pair, 1.3)


def _compare_with_curl(folder: Path, port: int) -> str:
    environment = _environment(folder, port)
    body = folder / "signal.json"
    body.write_text(json.dumps({"apikey": "bench-signal-key", **_signal_rows(1, 1)[0]}), encoding="utf-8")
    url = f"http://127.0.0.1:{port}/cloudsignal/2.0/status/"
    loop = f"for i in $(seq {CURL_RUNS}); do curl -s -o /dev/null --data-binary @{body} {url}; done"
    curl_seconds = _run_seconds(["sh", "-c", loop], environment) / CURL_RUNS * SIGNAL_COUNT
    ours = _send_command(folder, _write_csv(folder, SIGNAL_COUNT, ORDER_COUNT), ["--connections", "25"])
    seconds = statistics.median(_run_seconds(ours(number), environment) for number in range(3))
    ratio = curl_seconds / seconds
    return f"| 10,000 signals, 25 connections | {seconds:.1f} s | {curl_seconds:.0f} s | **{ratio:.0f}** | 50 |"


def _memory_row(folder: Path, port: int, options: list[str]) -> str:
    peaks = []
    for signals in (10_000, 100_000):
        command = _send_command(folder, _write_csv(folder, signals, signals * 2 // 5), options)(0)
        done = subprocess.run(
            [sys.executable, "-c", PEAK_MEMORY_PROGRAM, *command],
            env=_environment(folder, port),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.rpartition("]")[2]) / 1024)
    few, many = peaks
    return f"| `signal send {' '.join(options)}` | {few:.0f} MB | {many:.0f} MB | **{many / few:.2f}** | 1.50 |"


def _run_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
