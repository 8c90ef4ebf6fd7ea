"""One API request and its response on the connection, and what each fault does to them."""

import json
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from cpctl.sandbox.faults import FAULT_KINDS, Fault
from cpctl.sandbox.request_journal import JournalEntry
from cpctl.sandbox.simulated_api.api_messages import SandboxResponse, error_response

# With a linger of zero seconds, close sends a reset. The struct has shorter integers on Windows.
_ZERO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_MIN_DRIP_BODY_BYTES = 4096
_TRUNCATED_BYTES = 64
_PLACEHOLDER_BODY = {"status": "ok"}  # for a response without a body, where the fault needs one


class ClientConnection:
    def __init__(self, connection: socket.socket, should_close: bool = False) -> None:
        self._connection = connection
        self.should_close = should_close  # nothing further will be read from it

    def send(self, data: bytes) -> bool:
        """Send everything; False if the client has disconnected."""
        try:
            self._connection.sendall(data)
        except OSError:
            self.should_close = True
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Wait; False as soon as the client disconnects or the sandbox cuts the connection."""
        if seconds <= 0:
            return True
        try:
            self._connection.settimeout(seconds)
            is_connected = bool(self._connection.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return True
        except OSError:
            is_connected = False
        finally:
            with suppress(OSError):
                self._connection.settimeout(None)
        if is_connected:
            # The next request has arrived already, so the connection stays readable and cannot time this wait.
            time.sleep(seconds)
        else:
            self.should_close = True
        return is_connected

    def reset_on_close(self) -> None:
        """Make closing this connection a TCP reset."""
        self.should_close = True
        with suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ZERO_LINGER)


@dataclass
class Exchange:
    """One request to the API: its journal entry, its operation, and its connection."""

    entry: JournalEntry
    operation: Callable[[], SandboxResponse]
    connection: ClientConnection
    omit_body: bool = False  # the response to HEAD

    def respond(self, fault: Fault | None) -> None:
        """Process the request and respond, subject to the fault.

        The journal is complete before the response is sent, so that a client with a response finds its entry.
        """
        response = SandboxResponse(HTTPStatus.INTERNAL_SERVER_ERROR)
        if fault is None or FAULT_KINDS[fault.kind].does_work:
            response = self.operation()
            self.entry.processed = response.status in (HTTPStatus.OK, HTTPStatus.CREATED)
        if fault is None:
            self.send_response(response)
        else:
            FAULT_EFFECTS[fault.kind](self, fault, response)

    def send_response(self, response: SandboxResponse, **headers: str) -> None:
        data = encode_response(response, self.connection.should_close, self.omit_body, **headers)
        self.send_bytes(response.status, data)

    def send_bytes(self, status: int, data: bytes) -> None:
        """Send an encoded response, and record its status."""
        self.entry.status = status
        if not self.connection.send(data):
            self.entry.status = None


def encode_response(
    response: SandboxResponse, should_close: bool = False, omit_body: bool = False, **headers: str
) -> bytes:
    """A response in HTTP/1.1; underscores in the names of headers become hyphens."""
    body = b"" if response.body is None else json.dumps(response.body).encode()
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        lines["Content-Type"] = "application/json"
    if should_close:
        lines["Connection"] = "close"
    if response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return _encode_head(response.status, lines)
    lines["Content-Length"] = str(len(body))
    return _encode_head(response.status, lines) + (b"" if omit_body else body)


def _encode_head(status: int, headers: dict[str, str]) -> bytes:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    now = f"Date: {formatdate(usegmt=True)}"
    lines = [f"HTTP/1.1 {status} {phrase}", now, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _encode_raw_json(status: int, body: bytes, missing_bytes: int = 0) -> bytes:
    """A response declared as JSON, whose length may include bytes that are never sent."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body) + missing_bytes)}
    return _encode_head(status, headers) + body


def _respond_late(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    if exchange.connection.wait(fault.seconds or 0):
        exchange.send_response(response)


def _respond_with_status(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    status = fault.status or response.status
    headers = {} if fault.retry_after is None else {"Retry_After": fault.retry_after}
    error = error_response(status, "sandbox_fault", f"the sandbox was asked to answer {status}")
    exchange.send_response(SandboxResponse(status) if status < HTTPStatus.BAD_REQUEST else error, **headers)


def _reset_connection(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    exchange.connection.reset_on_close()


def _send_truncated(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    body = json.dumps(response.body or _PLACEHOLDER_BODY).encode()
    exchange.send_bytes(response.status, _encode_raw_json(response.status, body, _TRUNCATED_BYTES))
    exchange.connection.should_close = True


def _send_invalid_json(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    body = b"<html><body>It works!</body></html>"
    exchange.send_bytes(response.status, _encode_raw_json(response.status, body))


def _drip_response(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    body = json.dumps(response.body or _PLACEHOLDER_BODY).ljust(_MIN_DRIP_BODY_BYTES).encode()
    for byte in _encode_raw_json(response.status, body):
        if not exchange.connection.send(bytes((byte,))) or not exchange.connection.wait(fault.seconds or 0):
            return
    exchange.entry.status = response.status


# All faults but `down`, which refuses connections before there is a request.
FAULT_EFFECTS: dict[str, Callable[[Exchange, Fault, SandboxResponse], None]] = {
    "latency": _respond_late,
    "status": _respond_with_status,
    "reset-before": _reset_connection,
    "reset-after": _reset_connection,
    "truncated": _send_truncated,
    "invalid-json": _send_invalid_json,
    "slow-drip": _drip_response,
}
