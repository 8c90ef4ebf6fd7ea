"""What the tests of packages share: one build, and one environment for each Python."""

import os
from pathlib import Path

import package_shop
import pytest


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def dist(shop: Path) -> Path:
    """The folder with wheel and sdist."""
    return package_shop.made_once(shop / "dist", package_shop.build)


@pytest.fixture(scope="session")
def index(shop: Path) -> None:
    """For tests that fetch libraries: skipped where that cannot be."""
    package_shop.made_once(shop / "index", package_shop.index)


@pytest.fixture(scope="session")
def one_file(shop: Path, dist: Path, index: None) -> Path:
    """cpctl.pyz."""
    wheel = package_shop.wheel_in(dist)
    return package_shop.made_once(shop / "one-file", package_shop.one_file(wheel)) / "cpctl.pyz"


@pytest.fixture(scope="session")
def pipx(shop: Path, index: None) -> Path:
    """The command `pipx`."""
    return package_shop.made_once(shop / "pipx", package_shop.pipx) / "env" / "bin" / "pipx"


@pytest.fixture(params=package_shop.VERSIONS)
def environment(request: pytest.FixtureRequest, shop: Path, dist: Path, index: None) -> Path:
    """The environment of one Python, with cpctl and what it declares in it."""
    make = package_shop.installed(request.param, package_shop.wheel_in(dist))
    return package_shop.made_once(shop / f"with-{request.param}", make) / "env"


@pytest.fixture(params=package_shop.VERSIONS)
def python(request: pytest.FixtureRequest) -> Path:
    """A Python of one version, without anything."""
    found = package_shop.python_of(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this machine")
    return found
