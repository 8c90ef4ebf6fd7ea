"""What systemd makes of printed units: its own verdict, its own reading, and a process that runs as one says."""

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
from worlds import World

SYSTEMD = Path("/lib/systemd/systemd")
NOBODY_ID = "65534"
ENTRY = "import sys\nsys.path.insert(0, {root!r})\nfrom cpctl.__main__ import run\nrun()\n"
ROOT = Path(__file__).parent.parent.parent


class Unit(NamedTuple):
    """A printed file: where it belongs, and what is in it."""

    file: str
    content: str

    @property
    def name(self) -> str:
        return Path(self.file).name

    def lines(self, setting: str) -> list[str]:
        """What stands after `setting=`, line by line."""
        return [line.partition("=")[2] for line in self.content.splitlines() if line.startswith(f"{setting}=")]


def printed(world: World, *arguments: str, **changes: str | None) -> list[Unit]:
    """The unit files that cpctl prints."""
    done = world.run("service", "print", "-o", "json", *arguments, **changes)
    assert done.code == 0, done.err
    return [Unit(row["file"], row["content"]) for row in done.data]


def split(text: str) -> list[Unit]:
    """The files in a printed text, told apart by their headings as a person would."""
    parts = re.split(r"^(?=# /\S.*\.(?:service|timer)$)", text, flags=re.MULTILINE)
    return [Unit(part.splitlines()[0][2:], part) for part in parts if part.strip()]


def complaints(folder: Path, units: Sequence[Unit], *options: str) -> str:
    """All that `systemd-analyze verify` has to say, with the files in a folder."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing (apt package systemd): nobody has verified the units")
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
        pytest.skip(f"systemd-analyze cannot work here, so nobody has verified the units: {done.stderr}")
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


class Reading(NamedTuple):
    """A unit as systemd has read it."""

    command: list[str]
    environment: dict[str, str]
    lines: list[str]


def as_systemd_reads(unit: Unit) -> Reading:
    """What systemd takes from a service unit: `systemd --test` loads it, shows it, and starts nothing."""
    if not SYSTEMD.exists() or (os.geteuid() == 0 and shutil.which("setpriv") is None):
        pytest.skip("systemd (or setpriv) is missing: nobody has read the units")
    with _folder_of_nobody() as folder:
        (folder / unit.name).write_text(unit.content, encoding="utf-8")
        lower = ["setpriv", f"--reuid={NOBODY_ID}", "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*lower, str(SYSTEMD), "--test", "--user", f"--unit={unit.name}"],
            capture_output=True,
            text=True,
            env={"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"), "SYSTEMD_UNIT_PATH": f"{folder}:",
                 "SYSTEMD_LOG_TARGET": "console", "PATH": os.environ["PATH"]},
            timeout=60,
        )  # fmt: skip
    if "-> Unit" not in done.stdout and unit.name not in done.stderr:
        pytest.skip(f"systemd --test cannot work here, so nobody has read the units: {done.stderr}")
    after = done.stdout.partition(f"-> Unit {unit.name}:\n")[2]
    assert after, done.stderr
    lines = [line.strip() for line in after.split("-> Unit ")[0].splitlines()]
    pairs = [line.partition(": ")[2].partition("=") for line in lines if line.startswith("Environment: ")]
    return Reading(_command(lines), {name: value for name, _, value in pairs}, lines)


@contextmanager
def _folder_of_nobody() -> Iterator[Path]:
    """systemd wants to be tested by somebody who is not root, and who can read the folder."""
    folder = Path(tempfile.mkdtemp(prefix="units-"))
    try:
        folder.chmod(0o755)
        (folder / "run").mkdir()
        if os.geteuid() == 0:
            os.chown(folder / "run", int(NOBODY_ID), int(NOBODY_ID))
        yield folder
    finally:
        shutil.rmtree(folder)


def _command(lines: Sequence[str]) -> list[str]:
    """The words of ExecStart=, as the process will get them; systemd shows them quoted for a shell."""
    shown = next(line.partition(": ")[2] for line in lines if line.startswith("Command Line: "))
    told = subprocess.run(["bash", "-c", f"printf '%s\\0' {shown}"], capture_output=True, text=True, check=True)
    program, *words = told.stdout.split("\0")[:-1]
    return [program, *(word.replace("$$", "$") for word in words)]


def plain_environment(unit: Unit, credentials: Path, state: Path) -> dict[str, str]:
    """The environment a unit gives its process, for units whose values need no quotes."""
    pairs = (line.replace("%d", str(credentials)).replace("%S", str(state)) for line in unit.lines("Environment"))
    return {**dict(pair.split("=", 1) for pair in pairs), "CREDENTIALS_DIRECTORY": str(credentials)}


def service_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a process of systemd or cron finds: next to nothing, and the code under test."""
    return {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **given}


def install_cpctl(folder: Path) -> Path:
    """An executable `cpctl` in a folder, as an installer makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "cpctl"
    program.write_text(f"#!{sys.executable}\n{ENTRY.format(root=str(ROOT))}", encoding="utf-8")
    program.chmod(0o755)
    return program
