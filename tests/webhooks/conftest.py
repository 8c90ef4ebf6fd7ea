"""Fixtures for webhook servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli_environment import CliEnvironment
from harness.webhooks.webhook_server import RunningServer, make_webhook_cli, running_server


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server shared by the tests of one file that do not affect each other."""
    with running_server(make_webhook_cli(tmp_path_factory.mktemp("served"))) as running:
        yield running
        assert running.process.poll() is None, running.log_text()


@pytest.fixture
def webhook_cli(tmp_path: Path) -> CliEnvironment:
    """A CLI environment with a webhook key."""
    return make_webhook_cli(tmp_path)
