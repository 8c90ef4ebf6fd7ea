"""A shell at a terminal for each test that asks for one, in a world of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from completion_shells import SHELLS, Offered, install, offered_by
from worlds import World, environment_in


@pytest.fixture(scope="module", params=SHELLS)
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Offered]]:
    """What a shell offers by its script alone: its `cpctl` only writes down, in `calls`, that it was called."""
    folder = tmp_path_factory.mktemp("shell")
    world = install(World(folder, environment_in(folder)), recorded=True)
    with ExitStack() as stack:
        yield world, offered_by(request.param, world, stack)


@pytest.fixture(params=SHELLS)
def installed(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[World, Offered]]:
    """A shell that has a real `cpctl`, whose profile leads to the running sandbox."""
    placed = install(world)
    with ExitStack() as stack:
        yield placed, offered_by(request.param, placed, stack)
