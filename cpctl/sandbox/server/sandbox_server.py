"""The sandbox: a simulated Cloudprinter on loopback, its ports, their connections, and how requests are read."""

import json
import os
import re
import selectors
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, RLock, Thread
from typing import Any, Self

from cpctl.errors import InvalidInput
from cpctl.sandbox.control.control_routes import is_control_path, is_cross_origin, run_control_request
from cpctl.sandbox.faults import DOWN, Fault
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.server.http_exchange import ClientConnection, Exchange, encode_response
from cpctl.sandbox.simulated_api.api_messages import SandboxResponse, error_response
from cpctl.sandbox.simulated_api.routes import respond

LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024
# A larger body is read up to this many bytes, so that its sender can read the response instead of a reset.
_MAX_DISCARDED_BYTES = 64 * 1024 * 1024


class SandboxListener(ThreadingHTTPServer):
    """One port and its connections. It is bound at once, but refuses connections until `open`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # on Windows that option would let another program take the port

    def __init__(self, sandbox: "Sandbox", port: int, serves_api: bool) -> None:
        super().__init__((LOOPBACK, port), _RequestHandler, bind_and_activate=False)
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
        """Bind without the lookup of this machine's name that HTTPServer makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.url = f"http://{LOOPBACK}:{self.server_port}"

    def open(self) -> None:
        self.server_activate()
        self._thread = Thread(target=self._accept_connections, name="sandbox", daemon=True)
        self._thread.start()

    def _accept_connections(self) -> None:
        # serve_forever would poll every half second whether to stop; this loop sleeps until `close` wakes it.
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._stop_receiver, selectors.EVENT_READ)
            while all(key.fileobj is self.socket for key, _ in selector.select()):
                self._handle_request_noblock()  # type: ignore[attr-defined]

    def close(self) -> None:
        """Refuse connections from now on, and reset those that are open."""
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
        super().server_close()
        self._stop_sender.close()
        self._stop_receiver.close()

    @contextmanager
    def exempt_from_close(self, connection: socket.socket) -> Iterator[None]:
        """Keep this connection open during a `close` that its own request asked for."""
        self._remove_connection(connection)
        yield
        self._add_connection(connection)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._add_connection(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        """Close a connection. The base class would shut it down first, which would hide a reset."""
        assert isinstance(request, socket.socket)
        self._remove_connection(request)
        request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect; print the traceback of any other error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def _add_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def _remove_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)


class _RequestHandler(BaseHTTPRequestHandler):
    """Reads the requests of one connection and passes them to the control interface or the API."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: SandboxListener

    def serve_request(self) -> None:
        self._client = ClientConnection(self.connection, self.close_connection)
        path = self.path.partition("?")[0]
        body = self._read_body(path)
        if body is not None:
            if is_control_path(path):
                self._serve_control(path, body)
            elif self.server.serves_api:
                self._serve_api(path, body)
            else:
                info = f"the API is at {self.server.sandbox.base_url}; this address only controls the sandbox"
                self._send(error_response(HTTPStatus.NOT_FOUND, "not_found", info))
        self.close_connection = self._client.should_close or self.server.is_closed

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = serve_request

    def _send(self, response: SandboxResponse) -> None:
        self._client.send(encode_response(response, self._client.should_close, self.command == "HEAD"))

    def _read_body(self, path: str) -> bytes | None:
        """The body, or None after a response that refuses it."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,18}", length):
            self._reject_body(path, HTTPStatus.LENGTH_REQUIRED, 0)
            return None
        if int(length) > MAX_BODY_BYTES:
            left = min(int(length), _MAX_DISCARDED_BYTES)
            while left > 0 and (piece := self.rfile.read(min(left, 65536))):
                left -= len(piece)
            self._reject_body(path, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, int(length))
            return None
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            return body
        self._client.should_close = True
        return None

    def _reject_body(self, path: str, status: HTTPStatus, length: int) -> None:
        self._client.should_close = True
        info = f"{status.phrase.lower()}: a body has up to {MAX_BODY_BYTES} bytes"
        refusal = error_response(status, "invalid_request", info)
        if is_control_path(path) or not self.server.serves_api:
            self._send(refusal)
            return
        entry = self.server.sandbox.state.journal.add_entry(self.command, path, None, length, None)
        Exchange(entry, lambda: refusal, self._client).respond(None)

    def _serve_api(self, path: str, body: bytes) -> None:
        state, value = self.server.sandbox.state, _parse_json(body)
        fault = state.take_fault(path)
        raw_bytes = None if value is not None else len(body)
        entry = state.journal.add_entry(self.command, path, value, raw_bytes, fault.kind if fault else None)
        operation = partial(respond, state, path, value, self.command)
        Exchange(entry, operation, self._client, self.command == "HEAD").respond(fault)

    def _serve_control(self, path: str, body: bytes) -> None:
        if is_cross_origin(self.headers.get("Host"), self.headers.get("Origin")):
            info = "the control interface does not accept requests of web pages"
            self._send(error_response(HTTPStatus.FORBIDDEN, "forbidden", info))
            return
        with self.server.exempt_from_close(self.connection):
            response = run_control_request(self.server.sandbox, self.command, path, _parse_json(body) if body else {})
            self._client.should_close |= self.server.is_closed
            self._send(response)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that is not HTTP in JSON, where the base class would write HTML."""
        self.close_connection = True
        refusal = error_response(code, "invalid_request", HTTPStatus(code).phrase)
        ClientConnection(self.connection).send(encode_response(refusal, should_close=True))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: requests are in the journal."""


def _parse_json(body: bytes) -> object:
    """The value of a JSON body; None if it is not JSON, or null."""
    try:
        return json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")  # Python accepts NaN and Infinity


class Sandbox:
    """A simulated Cloudprinter on loopback.

    `base_url` serves the API. `control_url` serves only the control interface and stays up during the fault `down`.
    Both serve `/_sandbox/...`.
    """

    def __init__(self, port: int = 0, **settings: Any) -> None:
        """Port 0 is any free port; the settings are those of SandboxState. Raises InvalidInput if one is invalid."""
        self.state = SandboxState(**settings)
        self.base_url = self.control_url = ""
        self._port = port
        self._lock = RLock()
        self._api_listener: SandboxListener | None = None
        self._control_listener: SandboxListener | None = None

    def start(self) -> None:
        """Start listening. Raises InvalidInput if the port is not available."""
        with self._lock:
            self._api_listener = self._bind_listener(self._port, serves_api=True)
            self._port = self._api_listener.server_port
            self.base_url = self._api_listener.url
            try:
                self._control_listener = self._bind_listener(0, serves_api=False)
            except InvalidInput:
                self.stop()
                raise
            self.control_url = self._control_listener.url
            self._control_listener.open()
            if not self._is_down():
                self._api_listener.open()
            self.state.webhooks.start(self.state.run_due_steps)

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self.state.webhooks.stop()
        with self._lock:
            for listener in (self._api_listener, self._control_listener):
                if listener is not None:
                    listener.close()
            self._api_listener = self._control_listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def add_fault(self, fault: Fault) -> None:
        """Activate a fault (see `make_fault`)."""
        self._change_faults(lambda: self.state.add_fault(fault))

    def clear_faults(self) -> None:
        """Clear all faults; after `down`, the API listens again on the same port."""
        self._change_faults(self.state.clear_faults)

    def reset(self, orders: object = None, items: object = None) -> None:
        """Recreate the seed orders and clear everything else; None keeps the current number. Raises InvalidInput."""
        self._change_faults(lambda: self.state.reset(orders, items))

    def _change_faults(self, change: Callable[[], None]) -> None:
        with self._lock:
            was_down = self._is_down()
            change()
            if self._api_listener is None or self._is_down() == was_down:
                return
            if was_down:
                self._api_listener.open()
            else:
                self._api_listener.close()
                # Bound but not listening: connections are refused, and no other program can take the port.
                self._api_listener = self._bind_listener(self._port, serves_api=True)

    def _is_down(self) -> bool:
        return any(fault.kind == DOWN for fault in self.state.list_faults())

    def _bind_listener(self, port: int, serves_api: bool) -> SandboxListener:
        try:
            return SandboxListener(self, port, serves_api)
        except (OSError, OverflowError) as error:
            raise InvalidInput(
                f"Cannot listen on {LOOPBACK}:{port}: {getattr(error, 'strerror', None) or error}.",
                "Choose another port with --port, or 0 for any free port.",
            ) from error
