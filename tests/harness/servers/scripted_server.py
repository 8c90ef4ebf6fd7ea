"""A service with scripted responses: for each path, the responses to one request after the other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from harness.servers.local_server import LocalServer, QuietHandler


class ScriptedResponse(NamedTuple):
    """One response."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class RecordedRequest(NamedTuple):
    """One request as it was received."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


class ScriptedServer:
    """The URL of a scripted server, and the requests it received."""

    def __init__(self, script: Mapping[str, ScriptedResponse | Sequence[ScriptedResponse]]) -> None:
        self.url = ""
        self.requests: list[RecordedRequest] = []
        self._script = {
            path: [responses] if isinstance(responses, ScriptedResponse) else list(responses)
            for path, responses in script.items()
        }

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all requests, without the keys."""
        return [{name: value for name, value in row.body.items() if name != "apikey"} for row in self.requests]

    def next_response(self, path: str) -> ScriptedResponse:
        """The next response of a path; the last one repeats."""
        responses = self._script.get(path)
        if not responses:
            return ScriptedResponse(404, b"nothing here")
        return responses.pop(0) if len(responses) > 1 else responses[0]


@contextmanager
def scripted_server(script: Mapping[str, ScriptedResponse | Sequence[ScriptedResponse]]) -> Iterator[ScriptedServer]:
    """A server that follows the script; a trailing slash in a path matters."""
    service = ScriptedServer(script)

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            service.requests.append(RecordedRequest(self.path, json.loads(self.read_body()), dict(self.headers)))
            response = service.next_response(self.path)
            self.respond(response.status, response.body, response.headers)

    with LocalServer(Handler) as server:
        service.url = server.url
        yield service
