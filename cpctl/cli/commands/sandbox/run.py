"""A command in a world of its own: a fresh sandbox, a configuration that leads to it, an empty store."""

import os
import subprocess
from pathlib import Path
from typing import Any

from cpctl.cli.executable import ensure_command_folder, resolve_command
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
    # The command finds the cpctl that runs it, also where that one is not installed for everybody.
    path = os.pathsep.join([str(ensure_command_folder(folder)), inherited.get("PATH", os.defpath)])
    places = {"CPCTL_DATA_DIR": str(folder / "data"), "CPCTL_CACHE_DIR": str(folder / "cache")}
    own = {"CPCTL_CONFIG": str(config), **places, CONTROL_VARIABLE: sandbox.control_url}
    return {**inherited, "PATH": path, **own}


def render_configuration(sandbox: Sandbox) -> str:
    keys = "".join(f"    {service}: {{api_key: {key}}}\n" for service, key in API_KEYS.items())
    return (
        "default_profile: sandbox\nprofiles:\n  sandbox:\n    environment: sandbox\n"
        f"    base_url: {sandbox.base_url}\n{keys}    shipping_option: GLS\n"
    )


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run a command to its end. Ctrl-C reaches it from the terminal; a SIGTERM to us is passed on."""
    try:
        child = subprocess.Popen([resolve_command(command[0], environment), *command[1:]], env=environment)
    except OSError as error:
        raise InvalidInput(f"{command[0]} cannot be run: {error.strerror}.") from error
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child decides what Ctrl-C means; we exit as it does
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def shell_exit_status(status: int) -> Any:
    """The status a shell would show: 128 and the signal's number for what a signal ended."""
    return 128 - status if status < 0 else status
