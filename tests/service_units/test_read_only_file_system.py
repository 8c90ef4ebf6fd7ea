"""The service on a read-only file system with one writable folder, as in its unit."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.sandbox.sandbox_state import API_KEYS
from harness.cli_environment import ITEM, ORDER, CliEnvironment
from harness.unit_files import minimal_service_environment, print_units, unit_environment

# As systemd does for ProtectSystem=strict and ReadWritePaths=; $1 is the folder that may be written.
READ_ONLY_SCRIPT = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro "$(stat -c %m "$1/..")" &&
mount -o remount,bind,rw "$1" || exit 99
shift
exec "$@"
"""


def run_read_only(folder: Path, command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command that can write only to one folder."""
    if shutil.which("unshare") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root and unshare(1): the service is not tested on a read-only file system")
    walled = ["unshare", "--mount", "sh", "-c", READ_ONLY_SCRIPT, "walls", str(folder), *command]
    done = subprocess.run(walled, capture_output=True, text=True, env=environment, cwd="/", timeout=60)
    if done.returncode == 99 or "unshare failed" in done.stderr:
        pytest.skip(f"mounts cannot be changed here: {done.stderr}")
    return done


def test_the_service_writes_only_to_the_folder_of_its_store(
    cli: CliEnvironment, received_signals: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    assert cli.run("signal", "packed", ITEM, "--order", ORDER, "--queue-only").code == 0
    (service, _) = print_units(cli, "outbox", "--timer")
    (folder,) = (Path(each.removeprefix("-")) for each in service.setting_values("ReadWritePaths"))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "signal").write_text(API_KEYS["signal"])
    environment = minimal_service_environment(unit_environment(service, credentials, tmp_path))
    outside = run_read_only(folder, ["touch", str(tmp_path / "outside")], environment)
    assert "Read-only file system" in outside.stderr
    done = run_read_only(folder, service.setting_values("ExecStart")[0].split(), environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]


def test_a_store_in_a_read_only_folder_is_named(cli: CliEnvironment, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    environment = cli.process_environment(CPCTL_DATA_DIR=str(tmp_path / "moved"))
    done = run_read_only(other, cli.command_line("signal", "packed", ITEM, "--order", ORDER), environment)
    assert done.returncode == 7
    assert f"{tmp_path}/moved" in done.stderr and "Read-only file system" in done.stderr
