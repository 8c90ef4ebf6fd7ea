"""Runs of cpctl in processes that are forked, not started: many, and quickly."""

from collections.abc import Iterator

import pytest
from shop import Forks, forking


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The process that forks, one for each worker."""
    with forking() as made:
        yield made
