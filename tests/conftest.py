"""Fixtures of all tests: environments for cpctl, and a sandbox."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cpctl.cli.main import main
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.browser import chromium_runner
from harness.cli_environment import CliEnvironment, CliResult, minimal_environment, sandbox_configuration
from harness.outbox.store_access import ForkRunner, start_fork_runner


@pytest.fixture
def unconfigured_cli(tmp_path: Path) -> CliEnvironment:
    """An environment without configuration and keys."""
    return CliEnvironment(tmp_path, minimal_environment(tmp_path))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run Chromium with flags, and return its output; without Chromium the test is skipped."""
    return chromium_runner(lambda: tmp_path_factory.mktemp("chromium"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox with two orders of three items."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, sandbox: Sandbox) -> CliEnvironment:
    """An environment whose profile "sandbox" uses the running sandbox."""
    configured = CliEnvironment(
        tmp_path, {**minimal_environment(tmp_path), "CPCTL_CONFIG": str(tmp_path / "config.yaml")}
    )
    configured.configure(sandbox_configuration(sandbox.base_url))
    return configured


@pytest.fixture
def received_signals(sandbox: Sandbox) -> Callable[[], list[dict[str, Any]]]:
    """The signals that the sandbox has processed, in order, without the key."""

    def bodies() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for request in sandbox.state.journal.list_entries():
            if request["processed"]:
                body = {name: value for name, value in request["body"].items() if name != "apikey"}
                found += body.get("items", [body])
        return found

    return bodies


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., CliResult]:
    """Run cpctl in this process: `invoke(cli, "signal", "types")`. It is faster than a process of its own."""

    def run(cli: CliEnvironment, *arguments: str, **changes: str | None) -> CliResult:
        environment = cli.process_environment(**changes)
        with monkeypatch.context() as patch:
            for name in set(os.environ) - set(environment):
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.chdir(cli.folder)
            code = main(arguments)
        out, err = capsys.readouterr()
        return CliResult(int(code), out, err)

    return run


@pytest.fixture(scope="session")
def fork_runner() -> Iterator[ForkRunner]:
    """The process that forks runs of cpctl, one per test worker."""
    with start_fork_runner() as made:
        yield made
