"""The service behind walls like those of its unit: a file system it cannot write to, but for one folder."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service_world import plain_environment, printed, service_environment
from worlds import ITEM, ORDER, World

from cpctl.sandbox.sandbox_state import API_KEYS

# As systemd does for ProtectSystem=strict and ReadWritePaths=; $1 is the folder that may be written.
WALLS = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro "$(stat -c %m "$1/..")" &&
mount -o remount,bind,rw "$1" || exit 99
shift
exec "$@"
"""


def behind_walls(folder: Path, command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command that can write to one folder alone."""
    if shutil.which("unshare") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root and unshare(1): nobody has tried the service behind walls")
    walled = ["unshare", "--mount", "sh", "-c", WALLS, "walls", str(folder), *command]
    done = subprocess.run(walled, capture_output=True, text=True, env=environment, cwd="/", timeout=60)
    if done.returncode == 99 or "unshare failed" in done.stderr:
        pytest.skip(f"mounts cannot be changed here: {done.stderr}")
    return done


def test_the_service_needs_to_write_to_the_folder_of_its_store_alone(
    world: World, received: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    assert world.run("signal", "packed", ITEM, "--order", ORDER, "--queue-only").code == 0
    (service, _) = printed(world, "outbox", "--timer")
    (folder,) = (Path(each.removeprefix("-")) for each in service.lines("ReadWritePaths"))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "signal").write_text(API_KEYS["signal"])
    environment = service_environment(plain_environment(service, credentials, tmp_path))
    outside = behind_walls(folder, ["touch", str(tmp_path / "outside")], environment)
    assert "Read-only file system" in outside.stderr
    done = behind_walls(folder, service.lines("ExecStart")[0].split(), environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert [body["type"] for body in received()] == ["ItemPacked"]


def test_a_store_outside_the_walls_is_named(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    environment = world.env(CPCTL_DATA_DIR=str(tmp_path / "moved"))
    done = behind_walls(other, world.command("signal", "packed", ITEM, "--order", ORDER), environment)
    assert done.returncode == 7
    assert f"{tmp_path}/moved" in done.stderr and "Read-only file system" in done.stderr
