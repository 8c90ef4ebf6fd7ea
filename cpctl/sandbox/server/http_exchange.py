"""One request and its answer on the wire, and what each fault makes of it."""

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
from cpctl.sandbox.simulated_api.sandbox_response import SandboxResponse, error_response

JSON_CONTENT_TYPE = "application/json"
# A linger of no seconds makes closing a reset; Windows has shorter integers in that place.
_ZERO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_MIN_DRIP_BODY_BYTES = 4096
_TRUNCATED_BYTES = 64
_PLACEHOLDER_BODY = {"status": "ok"}  # where an answer has no body, and the fault needs one


class ClientConnection:
    """The connection to one client, as long as it is there."""

    def __init__(self, connection: socket.socket, should_close: bool = False) -> None:
        self._connection = connection
        self.should_close = should_close  # nothing more is to be read from it

    def send(self, data: bytes) -> bool:
        """Send everything at once; False when the client is gone."""
        try:
            self._connection.sendall(data)
        except OSError:
            self.should_close = True
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Wait; False as soon as the client is gone or the sandbox has cut the line."""
        if seconds <= 0:
            return True
        try:
            self._connection.settimeout(seconds)
            here = bool(self._connection.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return True
        except OSError:
            here = False
        finally:
            with suppress(OSError):
                self._connection.settimeout(None)
        if here:
            time.sleep(seconds)  # the next request is there already: the connection cannot tell the end of this wait
        else:
            self.should_close = True
        return here

    def reset_on_close(self) -> None:
        """Let closing this line be a TCP reset."""
        self.should_close = True
        with suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ZERO_LINGER)


@dataclass
class Exchange:
    """One request to the API: its place in the journal, its work, its line, and how an answer is written."""

    entry: JournalEntry
    operation: Callable[[], SandboxResponse]
    line: ClientConnection
    omit_body: bool = False  # the answer to HEAD

    def respond(self, fault: Fault | None) -> None:
        """Do the work and answer, or what the fault makes of that.

        The journal is written before the answer leaves, so that who has the answer finds it there.
        """
        if fault is None:
            self.send_response(self._run_operation())
            return
        due = (
            self._run_operation()
            if FAULT_KINDS[fault.kind].does_work
            else SandboxResponse(HTTPStatus.INTERNAL_SERVER_ERROR)
        )
        FAULT_EFFECTS[fault.kind](self, fault, due)

    def _run_operation(self) -> SandboxResponse:
        answer = self.operation()
        self.entry.processed = answer.status in (HTTPStatus.OK, HTTPStatus.CREATED)
        return answer

    def send_response(self, response: SandboxResponse, **headers: str) -> None:
        """Send a whole answer."""
        self.send_bytes(response.status, encode_response(response, self.line.should_close, self.omit_body, **headers))

    def send_bytes(self, status: int, data: bytes) -> None:
        """Send these bytes, and note the status of the answer they are."""
        self.entry.status = status
        if not self.line.send(data):
            self.entry.status = None


def encode_response(
    response: SandboxResponse, should_close: bool = False, omit_body: bool = False, **headers: str
) -> bytes:
    """An answer as the bytes of HTTP/1.1."""
    body = b"" if response.body is None else json.dumps(response.body).encode()
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        lines["Content-Type"] = JSON_CONTENT_TYPE
    if should_close:
        lines["Connection"] = "close"
    if response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return encode_head(response.status, lines)
    lines["Content-Length"] = str(len(body))
    return encode_head(response.status, lines) + (b"" if omit_body else body)


def encode_head(status: int, headers: dict[str, str]) -> bytes:
    """The status line and the headers, with the empty line after them."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    now = f"Date: {formatdate(usegmt=True)}"
    lines = [f"HTTP/1.1 {status} {phrase}", now, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _respond_late(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    if exchange.line.wait(fault.seconds or 0):
        exchange.send_response(response)


def _respond_with_status(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    status = fault.status or response.status
    body = error_response(status, "sandbox_fault", f"the sandbox was asked to answer {status}").body
    headers = {} if fault.retry_after is None else {"Retry_After": fault.retry_after}
    exchange.send_response(SandboxResponse(status, None if status < HTTPStatus.BAD_REQUEST else body), **headers)


def _reset_connection(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    exchange.line.reset_on_close()


def _send_truncated(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    body = json.dumps(response.body or _PLACEHOLDER_BODY).encode()
    headers = {"Content-Type": JSON_CONTENT_TYPE, "Content-Length": str(len(body) + _TRUNCATED_BYTES)}
    exchange.send_bytes(response.status, encode_head(response.status, headers) + body)
    exchange.line.should_close = True


def _send_invalid_json(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    body = b"<html><body>It works!</body></html>"
    exchange.send_bytes(
        response.status,
        encode_head(response.status, {"Content-Type": JSON_CONTENT_TYPE, "Content-Length": str(len(body))}) + body,
    )


def _drip_response(exchange: Exchange, fault: Fault, response: SandboxResponse) -> None:
    body = json.dumps(response.body or _PLACEHOLDER_BODY).ljust(_MIN_DRIP_BODY_BYTES).encode()
    data = encode_head(response.status, {"Content-Type": JSON_CONTENT_TYPE, "Content-Length": str(len(body))}) + body
    for byte in data:
        if not exchange.line.send(bytes((byte,))) or not exchange.line.wait(fault.seconds or 0):
            return
    exchange.entry.status = response.status


# A row for every fault but `down`, which no request ever meets.
FAULT_EFFECTS: dict[str, Callable[[Exchange, Fault, SandboxResponse], None]] = {
    "latency": _respond_late,
    "status": _respond_with_status,
    "reset-before": _reset_connection,
    "reset-after": _reset_connection,
    "truncated": _send_truncated,
    "invalid-json": _send_invalid_json,
    "slow-drip": _drip_response,
}
