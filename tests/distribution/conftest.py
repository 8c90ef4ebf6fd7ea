"""What the tests of packages share: one build, and one environment for each Python."""

import os
from pathlib import Path

import package_builds as package_shop
import pytest


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def dist_folder(shared_folder: Path) -> Path:
    """The folder with wheel and sdist."""
    return package_shop.build_once(shared_folder / "dist", package_shop.build_distributions)


@pytest.fixture(scope="session")
def package_index(shared_folder: Path) -> None:
    """For tests that fetch libraries: skipped where that cannot be."""
    package_shop.build_once(shared_folder / "index", package_shop.check_package_index)


@pytest.fixture(scope="session")
def zipapp(shared_folder: Path, dist_folder: Path, package_index: None) -> Path:
    """cpctl.pyz."""
    wheel = package_shop.wheel_path(dist_folder)
    return package_shop.build_once(shared_folder / "one-file", package_shop.zipapp_builder(wheel)) / "cpctl.pyz"


@pytest.fixture(scope="session")
def pipx_command(shared_folder: Path, package_index: None) -> Path:
    """The command `pipx`."""
    return package_shop.build_once(shared_folder / "pipx", package_shop.install_pipx) / "env" / "bin" / "pipx"


@pytest.fixture(params=package_shop.PYTHON_VERSIONS)
def installed_environment(
    request: pytest.FixtureRequest, shared_folder: Path, dist_folder: Path, package_index: None
) -> Path:
    """The environment of one Python, with cpctl and what it declares in it."""
    make = package_shop.environment_builder(request.param, package_shop.wheel_path(dist_folder))
    return package_shop.build_once(shared_folder / f"with-{request.param}", make) / "env"


@pytest.fixture(params=package_shop.PYTHON_VERSIONS)
def bare_python(request: pytest.FixtureRequest) -> Path:
    """A Python of one version, without anything."""
    found = package_shop.find_python(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this machine")
    return found
