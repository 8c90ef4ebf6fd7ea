"""Small servers on loopback that answer one way, whatever they are asked, and remember who asked."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread


@dataclass
class RawServer:
    """Where it listens, and every request it was sent."""

    port: int
    finished: Event = field(default_factory=Event)  # set when the test is done with it
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


ConnectionHandler = Callable[[RawServer, socket.socket], None]


@contextmanager
def raw_server(handler: ConnectionHandler) -> Iterator[RawServer]:
    """A server whose every connection is treated like that."""
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


def _accept_connections(server: RawServer, listening: socket.socket, behaviour: ConnectionHandler) -> None:
    threads = []
    while not server.finished.is_set():
        try:
            line, _ = listening.accept()
        except OSError:
            break
        threads.append(Thread(target=_serve_connection, args=(server, line, behaviour)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _serve_connection(server: RawServer, line: socket.socket, behaviour: ConnectionHandler) -> None:
    with line, suppress(OSError):
        line.settimeout(10)
        behaviour(server, line)


def read_request(server: RawServer, line: socket.socket) -> bytes:
    """A whole request; what was read is remembered even where its sender goes away."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = line.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length"))
    while len(body) < length:
        body += line.recv(65536)
    server.requests.append(head + b"\r\n\r\n" + body)
    return body


def reset_on_close(line: socket.socket) -> None:
    """Make closing this line a reset."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def send_response(status: str, body: bytes = b"", *headers: str) -> ConnectionHandler:
    """Read the request and give that answer."""

    def behave(server: RawServer, line: socket.socket) -> None:
        read_request(server, line)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    return behave


def drip_response(first_bytes: bytes, slow_bytes: bytes) -> ConnectionHandler:
    """Read the request, send some bytes at once, and the others one by one until the test is over."""

    def behave(server: RawServer, line: socket.socket) -> None:
        read_request(server, line)
        line.sendall(first_bytes)
        for byte in slow_bytes:
            if server.finished.wait(0.05):
                return
            line.sendall(bytes([byte]))
        server.finished.wait(10)

    return behave
