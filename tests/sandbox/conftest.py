"""Fixtures that send requests to a sandbox without cpctl's own client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.servers.http_calls import SIGNAL_KEY, STATUS_2_0_PATH, HttpReply, post_json
from harness.servers.sandbox_client import DIALECTS, SandboxClient, fixed_clock


@pytest.fixture
def control(sandbox: Sandbox) -> ControlClient:
    return ControlClient(sandbox.control_url)


@pytest.fixture
def send_signal(sandbox: Sandbox) -> Callable[..., HttpReply]:
    """Send a signal; adds the key unless the body has one."""

    def _send(body: dict[str, Any], path: str = STATUS_2_0_PATH, **options: Any) -> HttpReply:
        return post_json(sandbox.base_url, path, {"apikey": SIGNAL_KEY, **body}, **options)

    return _send


@pytest.fixture(params=DIALECTS)
def client(request: pytest.FixtureRequest) -> Iterator[SandboxClient]:
    """A client of a sandbox with a fixed clock, in both dialects."""
    with Sandbox(dialect=request.param, real_now=fixed_clock) as running:
        yield SandboxClient(running)


@pytest.fixture
def live_client() -> Iterator[SandboxClient]:
    """A client of a sandbox with a fixed clock, in the live dialect."""
    with Sandbox(real_now=fixed_clock) as running:
        yield SandboxClient(running)
