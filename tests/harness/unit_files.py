"""Printed units as systemd sees them: verified, loaded, and run as a process."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.cli_environment import CliEnvironment

SYSTEMD_BINARY = Path("/lib/systemd/systemd")
NOBODY_UID = "65534"
ENTRY_SCRIPT = "import sys\nsys.path.insert(0, {root!r})\nfrom cpctl.__main__ import run\nrun()\n"
ROOT = Path(__file__).parent.parent.parent


class UnitFile(NamedTuple):
    """A printed file: its path and content."""

    file: str
    content: str

    @property
    def name(self) -> str:
        return Path(self.file).name

    def setting_values(self, setting: str) -> list[str]:
        """The values of a setting, one per line."""
        return [line.partition("=")[2] for line in self.content.splitlines() if line.startswith(f"{setting}=")]


def print_units(cli: CliEnvironment, *arguments: str, **changes: str | None) -> list[UnitFile]:
    """The unit files that cpctl prints."""
    done = cli.run("service", "print", "-o", "json", *arguments, **changes)
    assert done.code == 0, done.err
    return [UnitFile(row["file"], row["content"]) for row in done.data]


def split_units(text: str) -> list[UnitFile]:
    """Split a printed text into its files by their first lines."""
    parts = re.split(r"^(?=# /\S.*\.(?:service|timer)$)", text, flags=re.MULTILINE)
    return [UnitFile(part.splitlines()[0][2:], part) for part in parts if part.strip()]


def verify_units(folder: Path, units: Sequence[UnitFile], *options: str) -> str:
    """The output of `systemd-analyze verify` for the files in a folder."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing (apt package systemd): the units are not verified")
    folder.mkdir(exist_ok=True)
    for unit in units:
        (folder / unit.name).write_text(unit.content, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", *options, "verify", *(str(folder / unit.name) for unit in units)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        timeout=60,
    )
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze cannot work here, so the units are not verified: {done.stderr}")
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


class LoadedUnit(NamedTuple):
    """A unit as loaded by systemd."""

    command: list[str]
    environment: dict[str, str]
    lines: list[str]


def load_with_systemd(unit: UnitFile) -> LoadedUnit:
    """Load a service unit with `systemd --test`, which starts nothing."""
    if not SYSTEMD_BINARY.exists() or (os.geteuid() == 0 and shutil.which("setpriv") is None):
        pytest.skip("systemd (or setpriv) is missing: the units are not loaded")
    with _unprivileged_folder() as folder:
        (folder / unit.name).write_text(unit.content, encoding="utf-8")
        lower = ["setpriv", f"--reuid={NOBODY_UID}", "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*lower, str(SYSTEMD_BINARY), "--test", "--user", f"--unit={unit.name}"],
            capture_output=True,
            text=True,
            env={"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"), "SYSTEMD_UNIT_PATH": f"{folder}:",
                 "SYSTEMD_LOG_TARGET": "console", "PATH": os.environ["PATH"]},
            timeout=60,
        )  # fmt: skip
    if "-> Unit" not in done.stdout and unit.name not in done.stderr:
        pytest.skip(f"systemd --test cannot work here, so the units are not loaded: {done.stderr}")
    after = done.stdout.partition(f"-> Unit {unit.name}:\n")[2]
    assert after, done.stderr
    lines = [line.strip() for line in after.split("-> Unit ")[0].splitlines()]
    pairs = [line.partition(": ")[2].partition("=") for line in lines if line.startswith("Environment: ")]
    return LoadedUnit(_exec_start_arguments(lines), {name: value for name, _, value in pairs}, lines)


@contextmanager
def _unprivileged_folder() -> Iterator[Path]:
    """A folder for `systemd --test`, which must not run as root and must be able to read it."""
    folder = Path(tempfile.mkdtemp(prefix="units-"))
    try:
        folder.chmod(0o755)
        (folder / "run").mkdir()
        if os.geteuid() == 0:
            os.chown(folder / "run", int(NOBODY_UID), int(NOBODY_UID))
        yield folder
    finally:
        shutil.rmtree(folder)


def _exec_start_arguments(lines: Sequence[str]) -> list[str]:
    """The arguments of ExecStart= as the process gets them; systemd shows them quoted for a shell."""
    shown = next(line.partition(": ")[2] for line in lines if line.startswith("Command Line: "))
    split = subprocess.run(["bash", "-c", f"printf '%s\\0' {shown}"], capture_output=True, text=True, check=True)
    program, *arguments = split.stdout.split("\0")[:-1]
    return [program, *(word.replace("$$", "$") for word in arguments)]


def unit_environment(unit: UnitFile, credentials: Path, state: Path) -> dict[str, str]:
    """The environment of a unit whose values need no quotes."""
    pairs = (
        line.replace("%d", str(credentials)).replace("%S", str(state)) for line in unit.setting_values("Environment")
    )
    return {**dict(pair.split("=", 1) for pair in pairs), "CREDENTIALS_DIRECTORY": str(credentials)}


def minimal_service_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The minimal environment of systemd or cron, with the code under test."""
    return {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **variables}


def install_cpctl(folder: Path) -> Path:
    """Create an executable `cpctl` in a folder, as an installer does."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "cpctl"
    program.write_text(f"#!{sys.executable}\n{ENTRY_SCRIPT.format(root=str(ROOT))}", encoding="utf-8")
    program.chmod(0o755)
    return program
