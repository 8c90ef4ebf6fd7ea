"""What is known of this machine: which cpctl runs, who owns a store, what systemd's walls would hide."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cpctl.cli.executable import find_own_command
from cpctl.errors import ConfigError

# What ProtectHome= hides, and PrivateTmp=: systemd.exec(5).
HOME_FOLDERS = ("/home", "/root", "/run/user")
TEMP_FOLDERS = ("/tmp", "/var/tmp")


def find_program() -> tuple[str, ...]:
    """The cpctl that runs now. A link is kept: behind it, an upgrade may put another version."""
    started = Path(sys.argv[0]).absolute()
    if started.name == "cpctl" and started.is_file() and os.access(started, os.X_OK):
        return (str(started),)
    return tuple(find_own_command())


def is_program_in_home() -> bool:
    """Whether another account could not run this cpctl, or the Python it needs."""
    return any(is_below(Path(each), HOME_FOLDERS) for each in (find_program()[0], sys.executable))


def find_store_owner(store: Path) -> str:
    """Who owns the store; where there is none yet, who asks. A number where it has no name."""
    if sys.platform == "win32":  # it has neither systemd nor cron
        return "cpctl"
    import pwd

    try:
        number = store.stat().st_uid
    except OSError:
        number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def find_user_unit_folder(environment: Mapping[str, str]) -> str:
    """The folder of a person's own units: systemd.unit(5). Raises ConfigError where there is no home."""
    named = Path(environment.get("XDG_CONFIG_HOME", ""))
    try:
        base = named if named.is_absolute() else Path.home() / ".config"
    except RuntimeError as error:
        raise ConfigError("There is no home folder here to keep units in.", "Set HOME.") from error
    return str(base / "systemd" / "user")


def is_below(path: Path, folders: Sequence[str]) -> bool:
    """Whether a path lies in one of the folders, itself or what it links to."""
    return any(each.is_relative_to(folder) for each in (path, path.resolve()) for folder in folders)
