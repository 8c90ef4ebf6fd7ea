"""What is built, and the Pythons it is installed into: each made once, by whichever test process comes first."""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from cpctl import __version__

ROOT = Path(__file__).parent.parent.parent
PYTHON_VERSIONS = ("3.11", "3.12", "3.13")
TIMEOUT_SECONDS = 180.0
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
BuildResult = tuple[Path, str]


def wheel_path(folder: Path) -> Path:
    """The wheel that `make dist` builds."""
    return folder / f"cpctl-{__version__}-py3-none-any.whl"


def build_once(folder: Path, make: Callable[[Path], str]) -> Path:
    """A folder with what `make` puts in; other test processes wait. Skips the test where `make` tells why not."""
    said = folder / "why-not"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            said.write_text(make(folder), encoding="utf-8")
    if why := said.read_text(encoding="utf-8"):
        pytest.skip(why)
    return folder


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """As for a person who has just logged in: nothing of this checkout can be found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CPCTL_", "VIRTUAL"))}
    mine = str(Path(sys.executable).parent)
    path = os.pathsep.join(each for each in kept.get("PATH", os.defpath).split(os.pathsep) if each != mine)
    return {**kept, "HOME": str(home), "PATH": path, "CPCTL_DATA_DIR": str(home / "data"), **extra}


def run_program(command: Sequence[str | Path], home: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, at home."""
    return subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=clean_environment(home, **more),
        cwd=home,
        timeout=TIMEOUT_SECONDS,
    )


def build_distributions(folder: Path) -> str:
    """Wheel and sdist, as `make dist` builds them."""
    if missing := [name for name in ("build", "hatchling") if importlib.util.find_spec(name) is None]:
        return f"{' and '.join(missing)} not installed; `make test` installs all that is needed"
    _run_checked([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    return ""


def check_package_index(folder: Path) -> str:
    """Whether libraries can be fetched here at all."""
    if importlib.util.find_spec("pip") is None:
        return "pip is not installed"
    asked = [*PIP, "download", "--quiet", "--no-deps", "--retries", "0", "--timeout", "10", "-d", str(folder)]
    done = subprocess.run([*asked, "jmespath"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    return "" if done.returncode == 0 else "no package index can be reached from here"


def zipapp_builder(wheel: Path) -> Callable[[Path], str]:
    """cpctl.pyz, as `make dist` makes it."""

    def make(folder: Path) -> str:
        shutil.copy(wheel, folder)
        _run_checked([sys.executable, str(ROOT / "packaging" / "build_zipapp.py"), str(folder)])
        return ""

    return make


def interpreters() -> Mapping[str, Path]:
    """The Pythons of this machine that cpctl supports, by version."""
    return {version: found for version in PYTHON_VERSIONS if (found := find_python(version))}


def find_python(version: str) -> Path | None:
    """A Python of that version which runs: this one, one on PATH, or one of pyenv's."""
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    named = [sys.executable, *(each / f"python{version}" for each in folders)]
    named += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    return next((Path(each) for each in named if _has_version(each, version)), None)


def _has_version(python: str | Path, version: str) -> bool:
    script = "import sys, sqlite3, ssl, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except OSError:
        return False
    return done.stdout.strip() == version


def environment_builder(version: str, wheel: Path) -> Callable[[Path], str]:
    """An empty environment of a Python into which the wheel and what it declares is installed, and no more.

    The oldest Python gets the oldest libraries that are declared, the others the newest.
    """

    def make(folder: Path) -> str:
        python = find_python(version)
        if python is None:
            return f"there is no Python {version} on this machine"
        _run_checked([str(python), "-m", "venv", "--without-pip", str(folder / "env")])
        words = [*PIP, "--python", str(folder / "env"), "install", "--quiet", "--no-compile", str(wheel)]
        if version == PYTHON_VERSIONS[0]:
            (folder / "oldest.txt").write_text(oldest_libraries(), encoding="utf-8")
            words += ["--constraint", str(folder / "oldest.txt")]
        _run_checked(words)
        return ""

    return make


def oldest_libraries() -> str:
    """Constraints that pin every library at the lowest version which pyproject.toml allows."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return "\n".join(re.sub(r">=([^,]+),.*", r"==\1", each) for each in declared)


def install_pipx(folder: Path) -> str:
    """pipx in an environment of its own."""
    _run_checked([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")])
    done = subprocess.run(
        [*PIP, "--python", str(folder / "env"), "install", "--quiet", "pipx"], capture_output=True, text=True
    )
    return "" if done.returncode == 0 else "pipx cannot be installed here"


def _run_checked(words: Sequence[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
