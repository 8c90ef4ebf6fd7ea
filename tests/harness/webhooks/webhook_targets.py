"""Targets of events: a loopback server, and a program that records its input."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, NamedTuple


class ReceivedAttempt(NamedTuple):
    """One attempt as a target saw it."""

    body: dict[str, Any]
    headers: dict[str, str]
    received_at: float

    @property
    def attempt(self) -> int:
        return int(self.headers["cpctl-attempt"])


class TargetServer(ThreadingHTTPServer):
    """Records attempts. `choose_status` returns the status of one; while `is_hanging` is set, there is no response."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _TargetHandler)
        self.attempts: list[ReceivedAttempt] = []
        self.accepted_bodies: list[dict[str, Any]] = []  # those answered 200, in that order
        self.choose_status: Callable[[ReceivedAttempt], int] = lambda taken: 200
        self.is_hanging, self.lock = Event(), Lock()
        self.resume = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/events"


class _TargetHandler(BaseHTTPRequestHandler):
    server: TargetServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = ReceivedAttempt(body, {name.lower(): value for name, value in self.headers.items()}, monotonic())
        server = self.server
        with server.lock:
            server.attempts.append(taken)
            status = server.choose_status(taken)
        if server.is_hanging.is_set():
            server.resume.wait(60)
        with server.lock, suppress(OSError):
            if status == 200:
                server.accepted_bodies.append(body)
            content = f"status {status} of the target\n".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def target_server(port: int = 0) -> Iterator[TargetServer]:
    """Run a target until the end of the block."""
    server = TargetServer(port)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.resume.set()
        server.shutdown()
        thread.join()
        server.server_close()


def write_program(file: Path, lines: str) -> Path:
    """Write a shell script; `recorded_events` reads what it writes to "$0.out"."""
    file.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    file.chmod(0o700)
    return file


def write_recorder(file: Path) -> Path:
    """Write a script that records each event on one line."""
    return write_program(file, """printf '%s\\n' "$(cat)" >> "$0.out" """)


def recorded_events(file: Path) -> list[Any]:
    """The events that a script has recorded so far."""
    out = file.with_name(f"{file.name}.out")
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
