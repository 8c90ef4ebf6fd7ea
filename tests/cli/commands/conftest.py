"""Fixtures of the tests that make calls."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import CliEnvironment, minimal_environment, sandbox_configuration


@pytest.fixture
def make_cli(tmp_path: Path) -> Callable[[str], CliEnvironment]:
    """Make an environment whose profile has this base URL."""

    def make(url: str) -> CliEnvironment:
        made = CliEnvironment(
            tmp_path, {**minimal_environment(tmp_path), "CPCTL_CONFIG": str(tmp_path / "config.yaml")}
        )
        made.configure(sandbox_configuration(url))
        return made

    return make


@pytest.fixture(params=["live", "documented"])
def dialect_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox; every test runs in both dialects."""
    with Sandbox(dialect=request.param) as running:
        yield running


@pytest.fixture
def dialect_cli(dialect_sandbox: Sandbox, make_cli: Callable[[str], CliEnvironment]) -> CliEnvironment:
    """An environment whose profile uses `dialect_sandbox`."""
    return make_cli(dialect_sandbox.base_url)


@pytest.fixture
def write_document(tmp_path: Path) -> Callable[..., str]:
    """Write a document to the working folder of commands, and return its name."""

    def file(content: Any, name: str = "order.json") -> str:
        data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
        (tmp_path / name).write_bytes(json.dumps(content).encode() if data is None else data)
        return name

    return file
