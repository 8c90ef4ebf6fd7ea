"""A server that gives every request the same status, for responses that the sandbox never sends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.servers.local_server import LocalServer, QuietHandler


@contextmanager
def fixed_status_server(status: int, make_body: Callable[[bytes], bytes]) -> Iterator[str]:
    """The URL of a server that responds to every POST; `make_body` makes the body from that of the request."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self.respond(status, make_body(self.read_body()))

    with LocalServer(Handler) as server:
        yield server.url
