"""A service on loopback that answers by a script: for each path, what to say to one request after the other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class ScriptedResponse(NamedTuple):
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class RecordedRequest(NamedTuple):
    """One request that came."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


class ScriptedServer:
    """Where it listens, and every request it was sent."""

    def __init__(self, script: Mapping[str, ScriptedResponse | Sequence[ScriptedResponse]]) -> None:
        self.url = ""
        self.requests: list[RecordedRequest] = []
        self._script = {
            path: [said] if isinstance(said, ScriptedResponse) else list(said) for path, said in script.items()
        }

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent, without the keys."""
        return [{name: value for name, value in each.body.items() if name != "apikey"} for each in self.requests]

    def next_response(self, path: str) -> ScriptedResponse:
        """What is said to a request for a path; the last answer of a script is said again and again."""
        answers = self._script.get(path)
        if not answers:
            return ScriptedResponse(404, b"nothing here")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def scripted_server(script: Mapping[str, ScriptedResponse | Sequence[ScriptedResponse]]) -> Iterator[ScriptedServer]:
    """A server which answers so; in its paths a last slash counts."""
    service = ScriptedServer(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.requests.append(RecordedRequest(self.path, body, dict(self.headers)))
            said = service.next_response(self.path)
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            if said.status != 204:
                self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
