"""Servers that several cases share, and worlds for those that need their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from webhook_server import Served, serving, webhook_world
from worlds import World


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for the cases of one file that do not disturb each other."""
    with serving(webhook_world(tmp_path_factory.mktemp("served"))) as running:
        yield running
        assert running.process.poll() is None, running.said()


@pytest.fixture
def hook_world(tmp_path: Path) -> World:
    """A world with a webhook key."""
    return webhook_world(tmp_path)
