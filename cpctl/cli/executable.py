"""How to start this cpctl again: by a command beside its interpreter, or from cpctl.pyz."""

import os
import shlex
import shutil
import sys
from pathlib import Path

COMMAND_NAME = "cpctl"


def find_own_command() -> list[str]:
    """The command line that starts the running cpctl, installed or not."""
    loader = getattr(sys.modules.get("__main__"), "__loader__", None)
    archive = getattr(loader, "archive", None)  # only a program in a zip file has one
    return [sys.executable, str(Path(archive).absolute())] if archive else [sys.executable, "-m", COMMAND_NAME]


def ensure_command_folder(fallback: Path) -> Path:
    """A folder in which `cpctl` is this cpctl; if it is not installed, one is made below `fallback`."""
    start = find_own_command()
    if start[1:] == ["-m", COMMAND_NAME]:
        import sysconfig

        for beside in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
            if shutil.which(COMMAND_NAME, path=str(beside)):
                return beside
    folder = fallback / "bin"
    folder.mkdir()
    for name, text in make_launchers(start).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\r\n" if name.endswith(".cmd") else "\n")
        (folder / name).chmod(0o700)
    return folder


def make_launchers(command: list[str]) -> dict[str, str]:
    """Launcher scripts that pass on their arguments: one for a POSIX shell, one for cmd.exe."""
    quoted = " ".join(f'"{word}"' for word in command).replace("%", "%%")
    return {COMMAND_NAME: f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', f"{COMMAND_NAME}.cmd": f"@{quoted} %*\n"}


def resolve_command(command: str, environment: dict[str, str]) -> str:
    """The path of a command: Windows itself would search the wrong folders, and only for .exe."""
    if os.name != "nt":
        return command
    return shutil.which(command, path=environment.get("PATH")) or command
