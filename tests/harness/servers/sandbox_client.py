"""A client of CloudCore and CloudPublish for a sandbox, without cpctl's own code."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cpctl.sandbox.model.order_models import SandboxItem
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.core_requests import CORE_PATH, make_order
from harness.servers.http_calls import HttpReply, post_json

CORE_KEY = "sandbox-core-key"
DIALECTS = ("live", "documented")
NOON = datetime(2026, 3, 1, 12, 0, 0, 250000, UTC)


def fixed_clock() -> datetime:
    """A clock that stands still, so that only the test advances the time."""
    return NOON


class SandboxClient(NamedTuple):
    """A client of a sandbox."""

    sandbox: Sandbox

    def send(self, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> HttpReply:
        """Send a request to a path, by default one of CloudCore; adds the key unless the body has one."""
        url = path if path.startswith("/") else CORE_PATH + path
        return post_json(self.sandbox.base_url, url, {"apikey": CORE_KEY, **(body or {})}, **options)

    def get(self, path: str, body: Mapping[str, Any] | None = None, status: int = 200) -> Any:
        """Send, assert the status, and return the JSON of the response; None if it is empty."""
        reply = self.send(path, body)
        assert reply.status == status, (reply.status, reply.body)
        return json.loads(reply.body) if reply.body else None

    def add_order(self, reference: str = "12346", **changes: Any) -> str:
        """Add the example order under that reference."""
        self.get("orders/add", make_order(reference, **changes), 201)
        return reference

    def order_state(self, reference: str = "12346") -> int:
        return int(self.get("orders/info", {"reference": reference})["state"])

    def order_log(self, reference: str = "12346") -> list[int]:
        """The numbers of all states of an order so far."""
        return [int(entry["state"]) for entry in self.get("orders/log", {"reference": reference})]


def find_item(sandbox: Sandbox, id: str) -> SandboxItem:
    item = sandbox.state.orders.find_item(id)
    assert item is not None
    return item


def list_items(sandbox: Sandbox) -> list[SandboxItem]:
    return [item for order in sandbox.state.orders.values() for item in order.items.values()]


def json_shape(value: Any) -> Any:
    """The types of a JSON value; of a list, those of its first element."""
    if isinstance(value, dict):
        return {name: json_shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json_shape(value[0])] if value else []
    return type(value)
