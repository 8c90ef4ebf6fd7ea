"""Shorthands of the tests that make calls."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds import World, configuration, environment_in

from cpctl.sandbox.server.sandbox_server import Sandbox


@pytest.fixture
def at_url(tmp_path: Path) -> Callable[[str], World]:
    """A world whose profile leads to an address."""

    def make(url: str) -> World:
        made = World(tmp_path, {**environment_in(tmp_path), "CPCTL_CONFIG": str(tmp_path / "config.yaml")})
        made.configure(configuration(url))
        return made

    return make


@pytest.fixture(params=["live", "documented"])
def shop(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox; every test runs in both dialects."""
    with Sandbox(dialect=request.param) as running:
        yield running


@pytest.fixture
def shop_world(shop: Sandbox, at_url: Callable[[str], World]) -> World:
    """A world whose profile leads to `shop`."""
    return at_url(shop.base_url)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a document into the folder in which commands run; returns its name."""

    def file(content: Any, name: str = "order.json") -> str:
        data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
        (tmp_path / name).write_bytes(json.dumps(content).encode() if data is None else data)
        return name

    return file
