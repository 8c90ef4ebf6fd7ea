"""A receiver of webhooks on loopback with the responses that a test sets."""

import json
from typing import Any

from harness.certificates import KeyPair
from harness.servers.local_server import LocalServer, QuietHandler


class WebhookReceiver(LocalServer):
    """Records webhooks; responds with the next status of `statuses`, or with `status` if there is none."""

    def __init__(self, key_pair: KeyPair | None = None) -> None:
        super().__init__(_ReceiverHandler, key_pair)
        self.url += "/hooks?x=1"
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.statuses: list[int] = []
        self.status = 200

    @property
    def types(self) -> list[str]:
        return [body["type"] for body in self.received]


class _ReceiverHandler(QuietHandler):
    server: WebhookReceiver

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/json"
        self.server.received.append(json.loads(self.read_body()))
        self.server.paths.append(self.path)
        status = self.server.statuses.pop(0) if self.server.statuses else self.server.status
        self.respond(status, headers={"Location": "http://example.com/"})
