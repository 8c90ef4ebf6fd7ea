"""A running `webhooks serve`, and the wire to it: bytes out, answers in."""

import json
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from worlds import SECONDS, World, environment_in

KEY = "Kanarienvogel-webhooks-5f3a9c1e7b2d"
OLD_KEY = "Nachtigall-webhooks-77aa21c4e9b0"
WRONG_KEY = "Rotkehlchen-webhooks-0badc0ffee00"
ORDER = "123456780000"


class Answer(NamedTuple):
    """One answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One connection to a server."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            try:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
            except OSError:
                self.socket.close()
                raise
        self._reader = self.socket.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()
        self.socket.close()

    def send(self, data: bytes) -> "Wire":
        self.socket.sendall(data)
        return self

    def answer(self, method: str = "POST") -> Answer:
        """Read one answer. Raises ConnectionError where there is none."""
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
            return Answer(code, headers, b"")
        length = headers.get("content-length")
        return Answer(code, headers, self._reader.read() if length is None else self._reader.read(int(length)))

    def is_closed(self) -> bool:
        """Wait until the server closes; nothing more may come before."""
        try:
            return self._reader.read(1) == b""
        except ConnectionError:
            return True


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A webhook, different for every number, with the key of the tests."""
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


def request(body: bytes | dict[str, Any], head: str = "", line: str = "POST / HTTP/1.1", length: bool = True) -> bytes:
    """A request, whole: more lines of its head end with \\r\\n."""
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    lengths = f"Content-Length: {len(said)}\r\n" if length else ""
    kind = "" if "content-type" in head.lower() else "Content-Type: application/json\r\n"
    return f"{line}\r\nHost: test\r\n{kind}{lengths}{head}\r\n".encode("latin-1") + said


class Served:
    """A `webhooks serve` that runs in a process of its own; what it says is in `log`."""

    def __init__(self, world: World, process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
        self.world, self.process, self.address, self.log = world, process, address, log
        self.port = int(address.rpartition(":")[2])

    def wire(self, tls: ssl.SSLContext | None = None) -> Wire:
        return Wire(self.port, tls)

    def exchange(self, data: bytes, method: str = "POST", tls: ssl.SSLContext | None = None) -> Answer:
        """Say something on a new connection, and read one answer."""
        with self.wire(tls) as wire:
            return wire.send(data).answer(method)

    def post(self, body: bytes | dict[str, Any], head: str = "") -> Answer:
        return self.exchange(request(body, head))

    def get(self, path: str, head: str = "") -> Answer:
        return self.exchange(f"GET {path} HTTP/1.1\r\nHost: test\r\n{head}\r\n".encode(), "GET")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def says(self, words: str, times: int = 1) -> None:
        """Wait until the log holds the words so often."""
        eventually(lambda: self.said().count(words) >= times, lambda: f"{words} in:\n{self.said()}")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return rows(self.world.store, sql)

    def events(self) -> int:
        return int(self.rows("SELECT count(*) AS n FROM events")[0]["n"])

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15) -> int:
        """Tell it to end, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def resident(self) -> int:
        """MiB of memory in use."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) // 1024


def webhook_world(folder: Path, **environment: str) -> World:
    """A world that knows a webhook key and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    return World(folder, {**environment_in(folder), "CPCTL_WEBHOOK_KEY": KEY, **environment})


@contextmanager
def serving(world: World, *options: str, **popen: Any) -> Iterator[Served]:
    """A server on a free port, until the end of the block."""
    number = len(list(world.folder.glob("ready-*")))
    mark, ready, log = (world.folder / f"{name}-{number}" for name in ("ready", "address", "log"))
    mark.touch()
    words = world.command("webhooks", "serve", "--port", "0", "--ready-file", str(ready), *options)
    changes = popen.pop("changes", {})
    wrapped = popen.pop("wrap", lambda command: command)(words)
    with log.open("wb") as stderr:
        popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": stderr, **popen}
        process = subprocess.Popen(wrapped, env=world.env(**changes), cwd=world.folder, **popen)
    try:
        eventually(
            lambda: ready.exists() or process.poll() is not None, lambda: f"ready, {log.read_text(encoding='utf-8')}"
        )
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield Served(world, process, ready.read_text(encoding="utf-8").strip(), log)
    finally:
        with suppress(OSError):
            process.kill()
        process.wait(SECONDS)


def eventually(holds: Callable[[], object], what: str | Callable[[], str], seconds: float = 30) -> None:
    """Look again and again until something holds; for what no event tells."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what if isinstance(what, str) else what()}")
        pause.wait(0.01)


def rows(store: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of a store, read past cpctl."""
    with closing(sqlite3.connect(store, timeout=30, isolation_level=None)) as opened:
        opened.row_factory = sqlite3.Row
        return [dict(row) for row in opened.execute(sql)]
