"""Ways to talk to a sandbox without cpctl's own client."""

from collections.abc import Callable
from typing import Any

import pytest
from sandbox_calls import KEY, STATUS_20, Reply, call

from cpctl.sandbox.control import Control
from cpctl.sandbox.server import Sandbox


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    return Control(sandbox.control_url)


@pytest.fixture
def send(sandbox: Sandbox) -> Callable[..., Reply]:
    """Send a signal; the key is added unless the body brings one."""

    def _send(body: dict[str, Any], path: str = STATUS_20, **options: Any) -> Reply:
        return call(sandbox.base_url, path, {"apikey": KEY, **body}, **options)

    return _send
