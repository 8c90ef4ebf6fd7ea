"""The base of the HTTP servers on loopback that tests start."""

import ssl
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from harness.certificates import KeyPair


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class LocalServer(ThreadingHTTPServer):
    """A server on a free port that runs inside a `with` block; with a key pair it uses TLS."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], key_pair: KeyPair | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http{'s' if key_pair else ''}://127.0.0.1:{self.server_port}"
        if key_pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(key_pair.cert, key_pair.key)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect or fail the TLS handshake."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
