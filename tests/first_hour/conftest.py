"""Worlds that have no configuration yet, and a sandbox that takes the keys of these tests."""

from pathlib import Path

import pytest
from conversation import CORE, HOOK, SIGNAL
from worlds import World

from cpctl.sandbox.server.sandbox_server import Sandbox


@pytest.fixture
def fresh(empty_world: World, sandbox: Sandbox) -> World:
    """A world in which nothing is configured; CPCTL_CONFIG names the file to come."""
    sandbox.state.api_keys.update(core=CORE, signal=SIGNAL, webhooks=HOOK)
    config = empty_world.folder / "settings" / "config.yaml"
    return World(empty_world.folder, {**empty_world.environment, "CPCTL_CONFIG": str(config)})


@pytest.fixture
def config(fresh: World) -> Path:
    """The configuration to come."""
    return Path(fresh.environment["CPCTL_CONFIG"])


@pytest.fixture
def key_file(fresh: World) -> Path:
    """A file that holds the core key."""
    file = fresh.folder / "core.key"
    file.write_text(CORE + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file
