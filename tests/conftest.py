"""Fixtures of all tests: worlds, and a sandbox to talk to."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import runner
from worlds import Result, World, configuration, environment_in

from cpctl.cli.main import main
from cpctl.sandbox.server.sandbox_server import Sandbox


@pytest.fixture
def empty_world(tmp_path: Path) -> World:
    """A world with neither configuration nor keys."""
    return World(tmp_path, environment_in(tmp_path))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs Chromium with these flags and returns what it wrote; where there is none, the test is skipped."""
    return runner(lambda: tmp_path_factory.mktemp("chromium"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox with two orders of three items."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox) -> World:
    """A world whose profile leads to the running sandbox. Its name is "sandbox"."""
    made = World(tmp_path, {**environment_in(tmp_path), "CPCTL_CONFIG": str(tmp_path / "config.yaml")})
    made.configure(configuration(sandbox.base_url))
    return made


@pytest.fixture
def received(sandbox: Sandbox) -> Callable[[], list[dict[str, Any]]]:
    """The signals that took effect in the sandbox, in the order of their effect, without key."""

    def bodies() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for request in sandbox.state.journal.list_entries():
            if request["landed"]:
                body = {name: value for name, value in request["body"].items() if name != "apikey"}
                found += body.get("items", [body])
        return found

    return bodies


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run cpctl within this process: `inside(world, "signal", "types")`. For the many cases that need no process."""

    def run(world: World, *arguments: str, **changes: str | None) -> Result:
        environment = world.env(**changes)
        with monkeypatch.context() as patch:
            for name in set(os.environ) - set(environment):
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.chdir(world.folder)
            code = main(arguments)
        out, err = capsys.readouterr()
        return Result(int(code), out, err)

    return run
