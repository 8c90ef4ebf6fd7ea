"""Runs a command with a sandbox of its own: the environment, the configuration, and `cpctl` on its PATH."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from cpctl.cli.executable import find_own_command
from cpctl.config.keys import KEY_VARIABLES
from cpctl.errors import InvalidInput
from cpctl.files import write_private
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox

CONTROL_VARIABLE = "CPCTL_SANDBOX_CONTROL"


def make_exports(sandbox: Sandbox) -> dict[str, str]:
    keys = {KEY_VARIABLES[service]: key for service, key in API_KEYS.items()}
    return {"CPCTL_BASE_URL": sandbox.base_url, CONTROL_VARIABLE: sandbox.control_url, **keys}


def make_child_environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The caller's environment without anything that could lead to the real service."""
    config = folder / "config.yaml"
    write_private(config, render_configuration(sandbox))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CPCTL_")}
    path = os.pathsep.join([str(ensure_command_folder(folder)), inherited.get("PATH", os.defpath)])
    folders = {"CPCTL_DATA_DIR": str(folder / "data"), "CPCTL_CACHE_DIR": str(folder / "cache")}
    return {**inherited, "PATH": path, "CPCTL_CONFIG": str(config), **folders, CONTROL_VARIABLE: sandbox.control_url}


def render_configuration(sandbox: Sandbox) -> str:
    keys = "".join(f"    {service}: {{api_key: {key}}}\n" for service, key in API_KEYS.items())
    return (
        "default_profile: sandbox\nprofiles:\n  sandbox:\n    environment: sandbox\n"
        f"    base_url: {sandbox.base_url}\n{keys}    shipping_option: GLS\n"
    )


def ensure_command_folder(folder: Path) -> Path:
    """A folder where `cpctl` is this cpctl: the one it is installed in, else a new one with launchers."""
    command = find_own_command()
    if command[1:] == ["-m", "cpctl"]:
        for installed in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
            if shutil.which("cpctl", path=str(installed)):
                return installed
    launchers = folder / "bin"
    launchers.mkdir()
    for name, text in make_launchers(command).items():
        (launchers / name).write_text(text, encoding="utf-8", newline="\r\n" if name.endswith(".cmd") else "\n")
        (launchers / name).chmod(0o700)
    return launchers


def make_launchers(command: list[str]) -> dict[str, str]:
    """Scripts that run the command with their arguments, for sh and for cmd.exe, by file name."""
    quoted = " ".join(f'"{word}"' for word in command).replace("%", "%%")
    return {"cpctl": f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', "cpctl.cmd": f"@{quoted} %*\n"}


def resolve_command(command: str, environment: dict[str, str]) -> str:
    """The command as Popen needs it: on Windows, Popen ignores the new PATH and finds only .exe files."""
    if os.name != "nt":
        return command
    return shutil.which(command, path=environment.get("PATH")) or command


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run a command to its end. Ctrl-C reaches it from the terminal; our SIGTERM is passed on."""
    try:
        child = subprocess.Popen([resolve_command(command[0], environment), *command[1:]], env=environment)
    except OSError as error:
        raise InvalidInput(f"Cannot run {command[0]}: {error.strerror}.") from error
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child decides what Ctrl-C does
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def shell_exit_status(status: int) -> Any:
    """The status as a shell reports it: 128 plus the number of the signal that ended the child."""
    return 128 - status if status < 0 else status
