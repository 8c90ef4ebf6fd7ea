"""Fixtures of the completion tests: shells, each in its own environment."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.cli_environment import CliEnvironment, minimal_environment
from harness.shells import SHELLS, Completer, install_cpctl, shell_completer


@pytest.fixture(scope="module", params=SHELLS)
def static_shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[CliEnvironment, Completer]]:
    """A shell with the script alone: its `cpctl` only records its calls in the file `calls`."""
    folder = tmp_path_factory.mktemp("shell")
    cli = install_cpctl(CliEnvironment(folder, minimal_environment(folder)), record_only=True)
    with ExitStack() as stack:
        yield cli, shell_completer(request.param, cli, stack)


@pytest.fixture(params=SHELLS)
def live_shell(request: pytest.FixtureRequest, cli: CliEnvironment) -> Iterator[tuple[CliEnvironment, Completer]]:
    """A shell with a real `cpctl`, whose profile uses the running sandbox."""
    installed = install_cpctl(cli)
    with ExitStack() as stack:
        yield installed, shell_completer(request.param, installed, stack)
