"""A shell at a terminal for each test that asks for one, in a world of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.cli_environment import CliEnvironment, minimal_environment
from harness.shells import SHELLS, Completer, install_cpctl, shell_completer


@pytest.fixture(scope="module", params=SHELLS)
def static_shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[CliEnvironment, Completer]]:
    """What a shell offers by its script alone: its `cpctl` only writes down, in `calls`, that it was called."""
    folder = tmp_path_factory.mktemp("shell")
    world = install_cpctl(CliEnvironment(folder, minimal_environment(folder)), record_only=True)
    with ExitStack() as stack:
        yield world, shell_completer(request.param, world, stack)


@pytest.fixture(params=SHELLS)
def live_shell(request: pytest.FixtureRequest, cli: CliEnvironment) -> Iterator[tuple[CliEnvironment, Completer]]:
    """A shell that has a real `cpctl`, whose profile leads to the running sandbox."""
    placed = install_cpctl(cli)
    with ExitStack() as stack:
        yield placed, shell_completer(request.param, placed, stack)
