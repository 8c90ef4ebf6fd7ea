"""Targets of hand-overs: a server on loopback, and a program that notes what it is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, NamedTuple


class Taken(NamedTuple):
    """One attempt as a target saw it."""

    body: dict[str, Any]
    headers: dict[str, str]
    at: float

    @property
    def attempt(self) -> int:
        return int(self.headers["cpctl-attempt"])


class TargetServer(ThreadingHTTPServer):
    """Keeps what it gets. `answer` says which status an attempt gets; while `hangs` is set, it gets none."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.taken: list[Taken] = []
        self.done: list[dict[str, Any]] = []  # what was answered 200, in that order
        self.answer: Callable[[Taken], int] = lambda taken: 200
        self.hangs, self.lock = Event(), Lock()
        self.goes_on = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/events"


class _Handler(BaseHTTPRequestHandler):
    server: TargetServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = Taken(body, {name.lower(): value for name, value in self.headers.items()}, monotonic())
        server = self.server
        with server.lock:
            server.taken.append(taken)
            status = server.answer(taken)
        if server.hangs.is_set():
            server.goes_on.wait(60)
        with server.lock, suppress(OSError):
            if status == 200:
                server.done.append(body)
            said = f"status {status} of the target\n".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def target_server(port: int = 0) -> Iterator[TargetServer]:
    """A target that listens until the end of the block."""
    server = TargetServer(port)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


def program(file: Path, lines: str) -> Path:
    """A program for the shell; what it writes to "$0.out" is read by `noted`."""
    file.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    file.chmod(0o700)
    return file


def noting(file: Path) -> Path:
    """A program that notes each event on a line of its own."""
    return program(file, """printf '%s\\n' "$(cat)" >> "$0.out" """)


def noted(file: Path) -> list[Any]:
    """What a program has noted so far."""
    out = file.with_name(f"{file.name}.out")
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
