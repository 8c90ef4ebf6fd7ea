"""A port on loopback, its connections, and how a request is read from one of them."""

import json
import os
import re
import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Protocol

from cpctl.sandbox.control.control_routes import (
    ControllableSandbox,
    is_control_path,
    is_cross_origin,
    run_control_request,
)
from cpctl.sandbox.server.http_exchange import ClientConnection, Exchange, encode_response
from cpctl.sandbox.simulated_api.routes import respond
from cpctl.sandbox.simulated_api.sandbox_response import error_response

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024  # bytes
# A body that is too large is read to its end, so that its sender gets to see the answer; up to this many bytes.
_MAX_DISCARDED_BYTES = 64 * 1024 * 1024


class ServedSandbox(ControllableSandbox, Protocol):
    """The sandbox, as a listener sees it."""

    base_url: str


class SandboxListener(ThreadingHTTPServer):
    """One port and the connections to it. Bound when made, it refuses connections until `open`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # on Windows that option would let another program take the port

    def __init__(self, sandbox: ServedSandbox, port: int, serves_api: bool) -> None:
        super().__init__((LOOPBACK, port), _Handler, bind_and_activate=False)
        self.sandbox = sandbox
        self.serves_api = serves_api
        self.is_closed = False
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._thread: Thread | None = None
        self._stop_sender, self._stop_receiver = socket.socketpair()
        try:
            self.server_bind()
        except BaseException:
            self.server_close()
            raise

    def server_bind(self) -> None:
        """Bind without looking up the name of this machine, as HTTPServer would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def open(self) -> None:
        """Accept connections from now on."""
        self.server_activate()
        self._thread = Thread(target=self._accept_connections, name="sandbox", daemon=True)
        self._thread.start()

    def _accept_connections(self) -> None:
        # The base class would look every half second whether it shall end; this one sleeps until it is told.
        with selectors.DefaultSelector() as ready:
            ready.register(self.socket, selectors.EVENT_READ)
            ready.register(self._stop_receiver, selectors.EVENT_READ)
            while all(key.fileobj is self.socket for key, _ in ready.select()):
                self._handle_request_noblock()  # type: ignore[attr-defined]

    def close(self) -> None:
        """Refuse connections from now on, and cut those that are there, whatever they are about."""
        self.is_closed = True
        self._stop_sender.close()
        if self._thread:
            self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                ClientConnection(connection).reset_on_close()
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def server_close(self) -> None:
        """Give the port back."""
        super().server_close()
        self._stop_sender.close()
        self._stop_receiver.close()

    @contextmanager
    def exempt_from_close(self, connection: socket.socket) -> Iterator[None]:
        """Let this connection live through a `close`: it carries the request that asked for it."""
        self._remove_connection(connection)
        yield
        self._add_connection(connection)

    def process_request(self, request: object, client_address: object) -> None:
        """Note a new connection, and serve it in a thread of its own."""
        assert isinstance(request, socket.socket)
        self._add_connection(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        """Close a connection; without the polite shutdown, so that a reset is a reset."""
        assert isinstance(request, socket.socket)
        self._remove_connection(request)
        request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours; anything else shows its traceback."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def _add_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def _remove_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, and lets the panel or the API answer them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: SandboxListener

    def serve_request(self) -> None:
        """Read one request whole and answer it."""
        line = ClientConnection(self.connection, self.close_connection)
        path = self.path.partition("?")[0]
        body = self._read_body(line, path)
        if body is not None:
            answer_with = (
                self._serve_control
                if is_control_path(path)
                else self._serve_api
                if self.server.serves_api
                else self._reject_api_request
            )
            answer_with(line, path, body)
        self.close_connection = line.should_close or self.server.is_closed

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = serve_request

    def _read_body(self, line: ClientConnection, path: str) -> bytes | None:
        """The body; None where it cannot be read, after the answer that says so."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,18}", length):
            self._reject_body(line, path, HTTPStatus.LENGTH_REQUIRED, 0)
            return None
        if int(length) > MAX_BODY_BYTES:
            self._discard_body(int(length))
            self._reject_body(line, path, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, int(length))
            return None
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            return body
        line.should_close = True
        return None

    def _discard_body(self, length: int) -> None:
        left = min(length, _MAX_DISCARDED_BYTES)
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def _reject_body(self, line: ClientConnection, path: str, status: HTTPStatus, length: int) -> None:
        line.should_close = True
        refusal = error_response(
            status, "invalid_request", f"{status.phrase.lower()}: a body has up to {MAX_BODY_BYTES} bytes"
        )
        if is_control_path(path) or not self.server.serves_api:
            line.send(encode_response(refusal, should_close=True))
            return
        entry = self.server.sandbox.state.record_request(self.command, path, None, length, None)
        Exchange(entry, lambda: refusal, line).respond(None)

    def _serve_api(self, line: ClientConnection, path: str, body: bytes) -> None:
        state, value = self.server.sandbox.state, _parse_json(body)
        fault = state.take_fault(path)
        raw = None if value is not None else len(body)
        entry = state.record_request(self.command, path, value, raw, fault.kind if fault else None)
        work = partial(respond, state, path, value, self.command)
        Exchange(entry, work, line, self.command == "HEAD").respond(fault)

    def _serve_control(self, line: ClientConnection, path: str, body: bytes) -> None:
        if is_cross_origin(self.headers.get("Host"), self.headers.get("Origin")):
            refusal = error_response(
                HTTPStatus.FORBIDDEN, "forbidden", "the panel answers this machine, and no web page"
            )
            line.send(encode_response(refusal, line.should_close))
            return
        with self.server.exempt_from_close(self.connection):
            done = run_control_request(self.server.sandbox, self.command, path, _parse_json(body) if body else {})
            line.should_close |= self.server.is_closed
            line.send(encode_response(done, line.should_close, self.command == "HEAD"))

    def _reject_api_request(self, line: ClientConnection, path: str, body: bytes) -> None:
        info = f"the API is at {self.server.sandbox.base_url}; this address only controls the sandbox"
        line.send(
            encode_response(
                error_response(HTTPStatus.NOT_FOUND, "not_found", info), line.should_close, self.command == "HEAD"
            )
        )

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP, without the page that the base class would write."""
        self.close_connection = True
        ClientConnection(self.connection).send(
            encode_response(error_response(code, "invalid_request", HTTPStatus(code).phrase), should_close=True)
        )

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the journal has it."""


def _parse_json(body: bytes) -> object:
    """The body as JSON; None where it is not, or says null."""
    try:
        return json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None


def _reject_constant(name: str) -> object:
    """Python would take NaN and Infinity; JSON does not."""
    raise ValueError(name)
