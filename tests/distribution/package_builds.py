"""Builds that the distribution tests share: each is made once, by whichever test worker needs it first."""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cpctl import __version__

ROOT = Path(__file__).parents[2]
PYTHON_VERSIONS = ("3.11", "3.12", "3.13")
TIMEOUT_SECONDS = 180.0
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
DISTRIBUTION = f"cloudprinter_cli-{__version__}"
# Puts what is built into a folder; returns why it cannot be built here, or "".
Build = Callable[[Path], str]


def wheel_path(folder: Path) -> Path:
    """The wheel that `make dist` builds."""
    return folder / f"{DISTRIBUTION}-py3-none-any.whl"


def build_once(folder: Path, build: Build) -> Path:
    """A folder that `build` has filled, in this or another test worker. Skips the test where it cannot."""
    obstacle = folder / "cannot-build"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not obstacle.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            obstacle.write_text(build(folder), encoding="utf-8")
    if reason := obstacle.read_text(encoding="utf-8"):
        pytest.skip(reason)
    return folder


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """The environment after a fresh login: nothing of this checkout can be found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CPCTL_", "VIRTUAL"))}
    own_folder = str(Path(sys.executable).parent)
    path = os.pathsep.join(name for name in kept.get("PATH", os.defpath).split(os.pathsep) if name != own_folder)
    return {**kept, "HOME": str(home), "PATH": path, "CPCTL_DATA_DIR": str(home / "data"), **extra}


def run_program(command: Sequence[str | Path], home: Path, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end in a clean environment."""
    return subprocess.run(
        [str(argument) for argument in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=clean_environment(home, **extra),
        cwd=home,
        timeout=TIMEOUT_SECONDS,
    )


def build_distributions(folder: Path) -> str:
    """Build the wheel and the sdist as `make dist` does."""
    if missing := [name for name in ("build", "hatchling") if importlib.util.find_spec(name) is None]:
        return f"{' and '.join(missing)} not installed; `make test` installs all that is needed"
    _run_checked([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    return ""


def check_package_index(folder: Path) -> str:
    """Check that libraries can be downloaded."""
    if importlib.util.find_spec("pip") is None:
        return "pip is not installed"
    download = [*PIP, "download", "--quiet", "--no-deps", "--retries", "0", "--timeout", "10", "-d", str(folder)]
    done = subprocess.run([*download, "jmespath"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    return "" if done.returncode == 0 else "no package index can be reached"


def zipapp_builder(wheel: Path) -> Build:
    """Builds cpctl.pyz as `make dist` does."""

    def build(folder: Path) -> str:
        _run_checked([sys.executable, str(ROOT / "packaging/build_zipapp.py"), str(wheel), str(folder / "cpctl.pyz")])
        return ""

    return build


def find_python(version: str) -> Path | None:
    """A working Python of this version: this one, one on PATH, or one of pyenv."""
    folders = [Path(name) for name in os.environ.get("PATH", "").split(os.pathsep) if name]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    candidates = [Path(sys.executable), *(folder / f"python{version}" for folder in folders)]
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    return next((python for python in candidates if _has_version(python, version)), None)


def _has_version(python: Path, version: str) -> bool:
    script = "import sys, sqlite3, ssl, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except OSError:
        return False
    return done.stdout.strip() == version


def environment_builder(version: str, wheel: Path) -> Build:
    """Builds an environment with the wheel and its declared libraries, and nothing else.

    The oldest Python gets the oldest declared libraries, the others the newest.
    """

    def build(folder: Path) -> str:
        python = find_python(version)
        if python is None:
            return f"there is no Python {version} on this machine"
        _run_checked([str(python), "-m", "venv", "--without-pip", str(folder / "env")])
        install = [*PIP, "--python", str(folder / "env"), "install", "--quiet", "--no-compile", str(wheel)]
        if version == PYTHON_VERSIONS[0]:
            (folder / "oldest.txt").write_text(oldest_libraries(), encoding="utf-8")
            install += ["--constraint", str(folder / "oldest.txt")]
        _run_checked(install)
        return ""

    return build


def oldest_libraries() -> str:
    """Constraints that pin every library to the lowest version in pyproject.toml."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return "\n".join(re.sub(r">=([^,]+),.*", r"==\1", requirement) for requirement in declared)


def install_pipx(folder: Path) -> str:
    """Install pipx in its own environment."""
    _run_checked([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")])
    install = [*PIP, "--python", str(folder / "env"), "install", "--quiet", "pipx"]
    done = subprocess.run(install, capture_output=True, text=True)
    return "" if done.returncode == 0 else "pipx cannot be installed"


def _run_checked(command: Sequence[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
