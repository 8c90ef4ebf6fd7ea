"""A list of 100,000 orders as JSON and TSV, compared with a minimal program that reads and parses it (`make bench`)."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.paired_timing import Command, table_row, time_in_turn

ORDER_COUNT = 100_000
# Of the time of the minimal program, and of the size of the body in memory: every order becomes a dict.
TARGET_RATIO, TARGET_BODIES = 4.0, 15.0
LIST_BODY = json.dumps(
    [
        {
            "reference": f"order-{number:06d}",
            "order_date": f"2026-01-{number % 28 + 1:02d} 13:00:00",
            "state": 45,
            "state_code": "order_state_uploaded",
        }
        for number in range(ORDER_COUNT)
    ]
).encode()
BASELINE_PROGRAM = """
import json, requests
json.loads(requests.post("%(url)s/cloudcore/1.0/orders/", json={"apikey": "x"}, timeout=30).content)
"""


class OrderListHandler(BaseHTTPRequestHandler):
    """Answers `orders` with the long list, and `products` with an empty one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the request and send the list."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = LIST_BODY if "orders" in self.path else b"[]"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Log nothing: the results are printed to the same terminal."""


def main() -> None:
    """Print the table of times and the table of memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=15, help="pairs per row")
    runs = arguments.parse_args().runs
    server = ThreadingHTTPServer(("127.0.0.1", 0), OrderListHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "CPCTL_BASE_URL": url,
            "CPCTL_CORE_KEY": "bench-core-key",
            "CPCTL_DATA_DIR": folder,
        }
        baseline = [sys.executable, "-c", BASELINE_PROGRAM % {"url": url}]
        print("| command | cpctl | baseline | ratio | interquartile range | target |")
        print("|---|---|---|---|---|---|")
        for output in ("json", "tsv"):
            pair = time_in_turn(_list_command(output), lambda number: baseline, runs, environment)
            print(
                table_row(
                    f"`orders list -o {output}`, {ORDER_COUNT:,} orders, baseline requests and `json.loads`",
                    pair,
                    TARGET_RATIO,
                )
            )
        _print_memory(environment)
    server.shutdown()


def _list_command(output: str) -> Command:
    command = [str(Path(sys.executable).with_name("cpctl")), "orders", "list", "-o", output]
    return lambda number: command


def _print_memory(environment: dict[str, str]) -> None:
    bare = _peak_mib([str(Path(sys.executable).with_name("cpctl")), "products", "list"], environment)
    size = len(LIST_BODY) / 2**20
    print(f"\n| memory, MiB (the body has {size:.1f}) | peak | above a bare start | times the body | target |")
    print("|---|---|---|---|---|")
    for output in ("json", "tsv"):
        peak = _peak_mib(_list_command(output)(0), environment)
        ratio = (peak - bare) / size
        print(f"| `orders list -o {output}` | {peak:.0f} | {peak - bare:.0f} | **{ratio:.2f}** | {TARGET_BODIES:.2f} |")


def _peak_mib(command: Sequence[str], environment: dict[str, str]) -> float:
    """The peak memory of one run in MiB, measured by a process that starts nothing else."""
    program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
    program += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", program, *command], env=environment, capture_output=True, text=True, check=True
    )
    scale = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * scale / 2**20


if __name__ == "__main__":
    main()
