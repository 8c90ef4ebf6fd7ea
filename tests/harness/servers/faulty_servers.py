"""Servers with faults of the network: a wrong clock, an invalid certificate, a proxy that refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from harness.certificates import KeyPair
from harness.servers.local_server import LocalServer, QuietHandler


@contextmanager
def skewed_clock_server(
    clock_offset_seconds: float | None = 0, certificate: KeyPair | None = None, body: bytes = b"[]"
) -> Iterator[str]:
    """The URL of a server whose clock is off by this many seconds; None sends no Date."""

    class Handler(QuietHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            if clock_offset_seconds is not None:
                now = datetime.now(UTC) + timedelta(seconds=clock_offset_seconds)
                self.send_header("Date", format_datetime(now, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()

        def do_POST(self) -> None:
            self.read_body()
            self.do_HEAD()
            self.wfile.write(body)

    with LocalServer(Handler, certificate) as server:
        yield server.url


@contextmanager
def refusing_proxy(requests: list[str]) -> Iterator[str]:
    """The URL of a proxy that refuses all connections and appends their requests to the list."""

    class Handler(QuietHandler):
        def do_CONNECT(self) -> None:
            requests.append(f"{self.path} {self.headers.get('Proxy-Authorization')}")
            self.send_error(407)

    with LocalServer(Handler) as server:
        yield server.url
