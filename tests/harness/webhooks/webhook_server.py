"""A running `webhooks serve`, and connections to it."""

import json
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from harness.cli_environment import TIMEOUT_SECONDS, CliEnvironment, minimal_environment

KEY = "Kanarienvogel-webhooks-5f3a9c1e7b2d"
OLD_KEY = "Nachtigall-webhooks-77aa21c4e9b0"
WRONG_KEY = "Rotkehlchen-webhooks-0badc0ffee00"
ORDER = "123456780000"


class RawResponse(NamedTuple):
    """One response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class RawConnection:
    """One connection to a server."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            try:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
            except OSError:
                self.socket.close()
                raise
        self._reader = self.socket.makefile("rb")

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()
        self.socket.close()

    def send(self, data: bytes) -> "RawConnection":
        self.socket.sendall(data)
        return self

    def read_response(self, method: str = "POST") -> RawResponse:
        """Read one response. Raises ConnectionError if there is none."""
        line = self._reader.readline()
        if not line:
            raise ConnectionResetError("closed without an answer")
        version, status, _ = line.decode().split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {}
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        code = int(status)
        if method == "HEAD" or code in (100, 204):
            return RawResponse(code, headers, b"")
        length = headers.get("content-length")
        return RawResponse(code, headers, self._reader.read() if length is None else self._reader.read(int(length)))

    def wait_closed(self) -> bool:
        """Wait until the server closes; returns whether it sent nothing before."""
        try:
            return self._reader.read(1) == b""
        except ConnectionError:
            return True


def webhook_body(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A webhook with the key of the tests, different for each number."""
    base = {
        "apikey": KEY,
        "type": "ItemShipped",
        "order": ORDER,
        "item": f"{123456780000 + number}",
        "order_reference": "654321",
        "item_reference": str(number),
        "tracking": f"1Z{number}",
        "shipping_option": "GLS",
        "datetime": "2026-01-21T13:23:42+00:00",
    }
    return {name: value for name, value in {**base, **fields}.items() if value is not None}


def encode_request(
    body: bytes | dict[str, Any], head: str = "", line: str = "POST / HTTP/1.1", length: bool = True
) -> bytes:
    """A complete request. Additional lines of the head end with \\r\\n."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lengths = f"Content-Length: {len(content)}\r\n" if length else ""
    kind = "" if "content-type" in head.lower() else "Content-Type: application/json\r\n"
    return f"{line}\r\nHost: test\r\n{kind}{lengths}{head}\r\n".encode("latin-1") + content


class RunningServer:
    """A `webhooks serve` in its own process; its stderr is in `log`."""

    def __init__(self, cli: CliEnvironment, process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
        self.cli, self.process, self.address, self.log = cli, process, address, log
        self.port = int(address.rpartition(":")[2])

    def connect(self, tls: ssl.SSLContext | None = None) -> RawConnection:
        return RawConnection(self.port, tls)

    def send_raw(self, data: bytes, method: str = "POST", tls: ssl.SSLContext | None = None) -> RawResponse:
        """Send data on a new connection and read one response."""
        with self.connect(tls) as wire:
            return wire.send(data).read_response(method)

    def post(self, body: bytes | dict[str, Any], head: str = "") -> RawResponse:
        return self.send_raw(encode_request(body, head))

    def get(self, path: str, head: str = "") -> RawResponse:
        return self.send_raw(f"GET {path} HTTP/1.1\r\nHost: test\r\n{head}\r\n".encode(), "GET")

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_for_log(self, text: str, count: int = 1) -> None:
        """Wait until the log contains a text `count` times."""
        wait_until(lambda: self.log_text().count(text) >= count, lambda: f"{text} in:\n{self.log_text()}")

    def select_rows(self, sql: str) -> list[dict[str, Any]]:
        return select_rows(self.cli.store, sql)

    def count_events(self) -> int:
        return int(self.select_rows("SELECT count(*) AS n FROM events")[0]["n"])

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def resident_mib(self) -> int:
        """MiB of memory in use."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) // 1024


def make_webhook_cli(folder: Path, **environment: str) -> CliEnvironment:
    """A CLI environment with only a webhook key."""
    folder.mkdir(parents=True, exist_ok=True)
    return CliEnvironment(folder, {**minimal_environment(folder), "CPCTL_WEBHOOK_KEY": KEY, **environment})


@contextmanager
def running_server(cli: CliEnvironment, *options: str, fast: bool = False, **popen: Any) -> Iterator[RunningServer]:
    """Run a server on a free port until the end of the block; a fast one has the times of `fast_server`."""
    number = len(list(cli.folder.glob("ready-*")))
    mark, ready, log = (cli.folder / f"{name}-{number}" for name in ("ready", "address", "log"))
    mark.touch()
    command = cli.command_line("webhooks", "serve", "--port", "0", "--ready-file", str(ready), *options)
    changes = popen.pop("changes", {})
    if fast:
        assert command[:3] == [sys.executable, "-m", "cpctl"]
        command[2] = "harness.webhooks.fast_server"
        changes = {"PYTHONPATH": f"{cli.environment['PYTHONPATH']}:{Path(__file__).parents[2]}", **changes}
    wrapped = popen.pop("wrap", lambda command: command)(command)
    with log.open("wb") as stderr:
        popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": stderr, **popen}
        process = subprocess.Popen(wrapped, env=cli.process_environment(**changes), cwd=cli.folder, **popen)
    try:
        wait_until(
            lambda: ready.exists() or process.poll() is not None, lambda: f"ready, {log.read_text(encoding='utf-8')}"
        )
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield RunningServer(cli, process, ready.read_text(encoding="utf-8").strip(), log)
    finally:
        with suppress(OSError):
            process.kill()
        process.wait(TIMEOUT_SECONDS)


def wait_until(condition: Callable[[], object], description: str | Callable[[], str], seconds: float = 30) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {seconds} s: {description if isinstance(description, str) else description()}"
            )
        pause.wait(0.01)


def select_rows(store: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of a store, read without cpctl."""
    with closing(sqlite3.connect(store, timeout=30, isolation_level=None)) as opened:
        opened.row_factory = sqlite3.Row
        return [dict(row) for row in opened.execute(sql)]
