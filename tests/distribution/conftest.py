"""Fixtures of the distribution tests: one build, and one environment per Python."""

import os
from pathlib import Path

import package_builds
import pytest


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def dist_folder(shared_folder: Path) -> Path:
    """The folder with the wheel and the sdist."""
    return package_builds.build_once(shared_folder / "dist", package_builds.build_distributions)


@pytest.fixture(scope="session")
def package_index(shared_folder: Path) -> None:
    """Skips tests that download libraries where no package index can be reached."""
    package_builds.build_once(shared_folder / "index", package_builds.check_package_index)


@pytest.fixture(scope="session")
def zipapp(shared_folder: Path, dist_folder: Path, package_index: None) -> Path:
    """cpctl.pyz."""
    build = package_builds.zipapp_builder(package_builds.wheel_path(dist_folder))
    return package_builds.build_once(shared_folder / "zipapp", build) / "cpctl.pyz"


@pytest.fixture(scope="session")
def pipx_command(shared_folder: Path, package_index: None) -> Path:
    """The command `pipx`."""
    return package_builds.build_once(shared_folder / "pipx", package_builds.install_pipx) / "env" / "bin" / "pipx"


@pytest.fixture(params=package_builds.PYTHON_VERSIONS)
def installed_environment(
    request: pytest.FixtureRequest, shared_folder: Path, dist_folder: Path, package_index: None
) -> Path:
    """The environment of one Python with cpctl and its declared libraries."""
    build = package_builds.environment_builder(request.param, package_builds.wheel_path(dist_folder))
    return package_builds.build_once(shared_folder / f"with-{request.param}", build) / "env"


@pytest.fixture(params=package_builds.PYTHON_VERSIONS)
def bare_python(request: pytest.FixtureRequest) -> Path:
    """One Python of each version, with nothing installed."""
    found = package_builds.find_python(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this machine")
    return found
