"""Facts about this machine: which cpctl runs, who owns a store, and what isolation would hide."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cpctl.cli.executable import find_own_command
from cpctl.errors import ConfigError

# What ProtectHome= and PrivateTmp= hide: systemd.exec(5).
HOME_FOLDERS = ("/home", "/root", "/run/user")
TEMP_FOLDERS = ("/tmp", "/var/tmp")


def find_program() -> tuple[str, ...]:
    """The command that runs this cpctl. A link is not resolved: an upgrade may change where it leads."""
    started = Path(sys.argv[0]).absolute()
    if started.name == "cpctl" and started.is_file() and os.access(started, os.X_OK):
        return (str(started),)
    return tuple(find_own_command())


def is_program_in_home() -> bool:
    """Whether this cpctl or its Python is in a home folder, where another account cannot run it."""
    return any(is_below(Path(program), HOME_FOLDERS) for program in (find_program()[0], sys.executable))


def find_store_owner(store: Path) -> str:
    """The owner of the store, or the current user if it does not exist. A number if the account has no name."""
    if sys.platform == "win32":  # it has neither systemd nor cron
        return "cpctl"
    import pwd

    try:
        user_id = store.stat().st_uid
    except OSError:
        user_id = os.getuid()
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def find_user_unit_folder(environment: Mapping[str, str]) -> str:
    """The folder of user units: systemd.unit(5). Raises ConfigError if there is no home folder."""
    config_home = Path(environment.get("XDG_CONFIG_HOME", ""))
    try:
        base = config_home if config_home.is_absolute() else Path.home() / ".config"
    except RuntimeError as error:
        raise ConfigError("Cannot find a folder for user units: there is no home folder.", "Set HOME.") from error
    return str(base / "systemd" / "user")


def is_below(path: Path, folders: Sequence[str]) -> bool:
    """Whether a path, or what it links to, is in one of the folders."""
    return any(each.is_relative_to(folder) for each in (path, path.resolve()) for folder in folders)
