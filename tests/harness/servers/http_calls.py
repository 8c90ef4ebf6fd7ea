"""Plain HTTP requests to a sandbox."""

import json
from http.client import HTTPConnection
from typing import NamedTuple

STATUS_2_0_PATH = "/cloudsignal/2.0/status/"
SIGNAL_KEY = "sandbox-signal-key"


class HttpReply(NamedTuple):
    """A response: its status, headers and raw body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[str, str]:
        """The type and the info of an error body."""
        found = json.loads(self.body)["error"]
        return found["type"], found["info"]


def post_json(
    url: str,
    path: str,
    body: object = None,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    timeout: float = 10,
) -> HttpReply:
    """Send one request on a new connection; a body that is not bytes is sent as JSON."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port), timeout=timeout)
    try:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        connection.request(method, path, data, headers or {})
        response = connection.getresponse()
        return HttpReply(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()
