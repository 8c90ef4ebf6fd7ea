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

from cpctl.sandbox.faults import FAULTS, Fault
from cpctl.sandbox.request_journal import Entry
from cpctl.sandbox.simulated_api.sandbox_response import Answer, error

JSON = "application/json"
# A linger of no seconds makes closing a reset; Windows has shorter integers in that place.
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_DRIP_BYTES = 4096
_MISSING_BYTES = 64
_STAND_IN = {"status": "ok"}  # where an answer has no body, and the fault needs one


class Line:
    """The connection to one client, as long as it is there."""

    def __init__(self, connection: socket.socket, closing: bool = False) -> None:
        self._connection = connection
        self.closing = closing  # nothing more is to be read from it

    def send(self, data: bytes) -> bool:
        """Send everything at once; False when the client is gone."""
        try:
            self._connection.sendall(data)
        except OSError:
            self.closing = True
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
            self.closing = True
        return here

    def reset(self) -> None:
        """Let closing this line be a TCP reset."""
        self.closing = True
        with suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


@dataclass
class Exchange:
    """One request to the API: its place in the journal, its work, its line, and how an answer is written."""

    entry: Entry
    work: Callable[[], Answer]
    line: Line
    bodiless: bool = False  # the answer to HEAD

    def run(self, fault: Fault | None) -> None:
        """Do the work and answer, or what the fault makes of that.

        The journal is written before the answer leaves, so that who has the answer finds it there.
        """
        if fault is None:
            self.send(self._worked())
            return
        due = self._worked() if FAULTS[fault.kind].works else Answer(HTTPStatus.INTERNAL_SERVER_ERROR)
        EFFECTS[fault.kind](self, fault, due)

    def _worked(self) -> Answer:
        answer = self.work()
        self.entry.landed = answer.status in (HTTPStatus.OK, HTTPStatus.CREATED)
        return answer

    def send(self, answer: Answer, **headers: str) -> None:
        """Send a whole answer."""
        self.put(answer.status, encoded(answer, self.line.closing, self.bodiless, **headers))

    def put(self, status: int, data: bytes) -> None:
        """Send these bytes, and note the status of the answer they are."""
        self.entry.status = status
        if not self.line.send(data):
            self.entry.status = None


def encoded(answer: Answer, closing: bool = False, bodiless: bool = False, **headers: str) -> bytes:
    """An answer as the bytes of HTTP/1.1."""
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        lines["Content-Type"] = JSON
    if closing:
        lines["Connection"] = "close"
    if answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return head(answer.status, lines)
    lines["Content-Length"] = str(len(body))
    return head(answer.status, lines) + (b"" if bodiless else body)


def head(status: int, headers: dict[str, str]) -> bytes:
    """The status line and the headers, with the empty line after them."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    now = f"Date: {formatdate(usegmt=True)}"
    lines = [f"HTTP/1.1 {status} {phrase}", now, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _late(exchange: Exchange, fault: Fault, due: Answer) -> None:
    if exchange.line.wait(fault.seconds or 0):
        exchange.send(due)


def _other_status(exchange: Exchange, fault: Fault, due: Answer) -> None:
    status = fault.status or due.status
    body = error(status, "sandbox_fault", f"the sandbox was asked to answer {status}").body
    headers = {} if fault.retry_after is None else {"Retry_After": fault.retry_after}
    exchange.send(Answer(status, None if status < HTTPStatus.BAD_REQUEST else body), **headers)


def _reset(exchange: Exchange, fault: Fault, due: Answer) -> None:
    exchange.line.reset()


def _truncated(exchange: Exchange, fault: Fault, due: Answer) -> None:
    body = json.dumps(due.body or _STAND_IN).encode()
    headers = {"Content-Type": JSON, "Content-Length": str(len(body) + _MISSING_BYTES)}
    exchange.put(due.status, head(due.status, headers) + body)
    exchange.line.closing = True


def _invalid_json(exchange: Exchange, fault: Fault, due: Answer) -> None:
    body = b"<html><body>It works!</body></html>"
    exchange.put(due.status, head(due.status, {"Content-Type": JSON, "Content-Length": str(len(body))}) + body)


def _drip(exchange: Exchange, fault: Fault, due: Answer) -> None:
    body = json.dumps(due.body or _STAND_IN).ljust(_DRIP_BYTES).encode()
    data = head(due.status, {"Content-Type": JSON, "Content-Length": str(len(body))}) + body
    for byte in data:
        if not exchange.line.send(bytes((byte,))) or not exchange.line.wait(fault.seconds or 0):
            return
    exchange.entry.status = due.status


# A row for every fault but `down`, which no request ever meets.
EFFECTS: dict[str, Callable[[Exchange, Fault, Answer], None]] = {
    "latency": _late,
    "status": _other_status,
    "reset-before": _reset,
    "reset-after": _reset,
    "truncated": _truncated,
    "invalid-json": _invalid_json,
    "slow-drip": _drip,
}
