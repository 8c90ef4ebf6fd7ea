"""Worlds that have no configuration yet, and a sandbox that takes the keys of these tests."""

from pathlib import Path

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import CliEnvironment
from harness.prompt_session import CORE_KEY, SIGNAL_KEY, WEBHOOK_KEY


@pytest.fixture
def fresh_cli(unconfigured_cli: CliEnvironment, sandbox: Sandbox) -> CliEnvironment:
    """An environment without configuration; CPCTL_CONFIG names the file to create."""
    sandbox.state.api_keys.update(core=CORE_KEY, signal=SIGNAL_KEY, webhooks=WEBHOOK_KEY)
    config = unconfigured_cli.folder / "settings" / "config.yaml"
    return CliEnvironment(unconfigured_cli.folder, {**unconfigured_cli.environment, "CPCTL_CONFIG": str(config)})


@pytest.fixture
def config_file(fresh_cli: CliEnvironment) -> Path:
    """The configuration file, which does not exist yet."""
    return Path(fresh_cli.environment["CPCTL_CONFIG"])


@pytest.fixture
def core_key_file(fresh_cli: CliEnvironment) -> Path:
    """A file that holds the core key."""
    file = fresh_cli.folder / "core.key"
    file.write_text(CORE_KEY + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file
