"""Ways to talk to a sandbox without cpctl's own client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from core_examples import DIALECTS, Shop, noon
from sandbox_calls import KEY, STATUS_20, Reply, call

from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.server.sandbox_server import Sandbox


@pytest.fixture
def control(sandbox: Sandbox) -> ControlClient:
    return ControlClient(sandbox.control_url)


@pytest.fixture
def send(sandbox: Sandbox) -> Callable[..., Reply]:
    """Send a signal; the key is added unless the body brings one."""

    def _send(body: dict[str, Any], path: str = STATUS_20, **options: Any) -> Reply:
        return call(sandbox.base_url, path, {"apikey": KEY, **body}, **options)

    return _send


@pytest.fixture(params=DIALECTS)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A client of a sandbox whose clock stands still; every test runs in both dialects."""
    with Sandbox(dialect=request.param, real_now=noon) as running:
        yield Shop(running)


@pytest.fixture
def live_shop() -> Iterator[Shop]:
    """A client of a sandbox that answers as the live service does, whose clock stands still."""
    with Sandbox(real_now=noon) as running:
        yield Shop(running)
