"""The time from the last character of a scan to its verdict, through a terminal, with a slow server or none.

Measured from the write of the suffix until the verdict can be read from the other side of the terminal.
"""

import fcntl
import os
import pty
import select
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

SCAN_COUNT = 400
TIMEOUT_SECONDS = 30.0
UNREACHABLE_URL = "http://127.0.0.1:9"
BENCH_SETTINGS = """
    shipping_option: GLS
    station: bench-2
    carriers: [ups]
    order_of_item: {pattern: '(\\d{8})\\d{4}', order: '\\g<1>0000'}
"""


class TimedTerminal:
    """A terminal of 80 by 24 with a bench on it."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TERM": "xterm-256color",
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "CPCTL_CONFIG": str(folder / "config.yaml"),
            "CPCTL_DATA_DIR": str(folder / "data"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cpctl", "signal", "scan", "--sound", "none", "--hold", "0s", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, expected: bytes) -> None:
        """Read until the screen was sent this."""
        received = b""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while expected not in received:
            if not select.select([self.master], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise TimeoutError(f"{expected!r} did not come; the last was {received[-2000:]!r}")
            received += os.read(self.master, 65536)

    def scan(self, code: str, expected: str) -> float:
        """Milliseconds from the suffix to the verdict."""
        os.write(self.master, code.encode())
        started = time.perf_counter()
        os.write(self.master, b"\r")
        self.wait_for(expected.encode())
        return (time.perf_counter() - started) * 1000


@contextmanager
def open_bench(base_url: str, arguments: list[str]) -> Iterator[TimedTerminal]:
    """A bench with a store of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "config.yaml"
        config.write_text(
            f"profiles:\n  sandbox:\n    base_url: {base_url}\n"
            f"    signal: {{api_key: sandbox-signal-key}}{BENCH_SETTINGS}"
        )
        config.chmod(0o600)
        terminal = TimedTerminal(folder, arguments)
        try:
            terminal.wait_for(b"NEXT STEP:")
            yield terminal
        finally:
            terminal.process.terminate()
            terminal.process.wait()
            os.close(terminal.master)


def scan_items(terminal: TimedTerminal) -> list[float]:
    """Items without labels: every verdict is an acceptance."""
    return [terminal.scan(f"2{number:011d}", f"   2{number:011d}") for number in range(1, SCAN_COUNT + 1)]


def scan_items_and_labels(terminal: TimedTerminal) -> list[float]:
    """Items and labels; every second verdict is an acceptance."""
    times = []
    for number in range(1, SCAN_COUNT // 2 + 1):
        item = f"3{number:011d}"
        times.append(terminal.scan(item, f"   ITEM {item}"))
        times.append(terminal.scan(tracking_code(number), f"   {item} -> "))
    return times


def tracking_code(number: int) -> str:
    """A UPS number with its check digit."""
    digits = f"{number:015d}"
    total = sum(int(digit) * (1, 2)[place % 2] for place, digit in enumerate(digits))
    return f"1Z{digits}{-total % 10}"


def table_row(name: str, times: list[float]) -> str:
    """A line of the table."""
    cuts = statistics.quantiles(times, n=100)
    usual = f"{cuts[49]:.1f} ms | {cuts[94]:.1f} ms"
    return f"| {name} | {len(times)} | {usual} | **{cuts[98]:.1f} ms** | {max(times):.1f} ms |"


def measure_disk_commits() -> list[float]:
    """The minimum that acceptance can cost: one durable row in SQLite."""
    times = []
    with tempfile.TemporaryDirectory() as name, closing(sqlite3.connect(Path(name) / "x.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE x (item TEXT)")
        for number in range(SCAN_COUNT):
            started = time.perf_counter()
            connection.execute("INSERT INTO x VALUES (?)", (str(number),))
            connection.commit()
            times.append((time.perf_counter() - started) * 1000)
    return times


def main() -> None:
    """Print the table."""
    print("| scans | count | median | p95 | p99 | longest |")
    print("|---|---:|---:|---:|---:|---:|")
    print(table_row("(one durable row in SQLite, nothing else)", measure_disk_commits()), flush=True)
    with Sandbox() as sandbox:
        sandbox.add_fault(make_fault("latency", seconds=2))
        for name, base_url in (("server takes 2 s", sandbox.base_url), ("server is down", UNREACHABLE_URL)):
            with open_bench(base_url, ["--type", "packed"]) as terminal:
                print(table_row(f"items, {name}", scan_items(terminal)), flush=True)
            with open_bench(base_url, []) as terminal:
                print(table_row(f"items and labels, {name}", scan_items_and_labels(terminal)), flush=True)


if __name__ == "__main__":
    main()
