"""Servers on loopback with a handler for raw connections, which record the requests."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread


@dataclass
class RawServer:
    """The port of a raw server, and the requests it received."""

    port: int
    finished: Event = field(default_factory=Event)  # set when the test ends
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


ConnectionHandler = Callable[[RawServer, socket.socket], None]


@contextmanager
def raw_server(handler: ConnectionHandler) -> Iterator[RawServer]:
    """A server that calls the handler for every connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = RawServer(listening.getsockname()[1])
        threads = [Thread(target=_accept_connections, args=(server, listening, handler))]
        threads[0].start()
        try:
            yield server
        finally:
            server.finished.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            threads[0].join()


def _accept_connections(server: RawServer, listening: socket.socket, handler: ConnectionHandler) -> None:
    threads = []
    while not server.finished.is_set():
        try:
            connection, _ = listening.accept()
        except OSError:
            break
        threads.append(Thread(target=_serve_connection, args=(server, connection, handler)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _serve_connection(server: RawServer, connection: socket.socket, handler: ConnectionHandler) -> None:
    with connection, suppress(OSError):
        connection.settimeout(10)
        handler(server, connection)


def read_request(server: RawServer, connection: socket.socket) -> bytes:
    """Read a whole request, record it, and return its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    server.requests.append(head + b"\r\n\r\n" + body)
    return body


def reset_on_close(connection: socket.socket) -> None:
    """Make closing this connection a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def send_response(status: str, body: bytes = b"", *headers: str) -> ConnectionHandler:
    """Read the request and send this response."""

    def handle(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    return handle


def drip_response(first_bytes: bytes, slow_bytes: bytes) -> ConnectionHandler:
    """Read the request, send some bytes at once and the others one by one until the test ends."""

    def handle(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(first_bytes)
        for byte in slow_bytes:
            if server.finished.wait(0.05):
                return
            connection.sendall(bytes([byte]))
        server.finished.wait(10)

    return handle
