"""The paths of configuration, store and cache. The only module that uses platformdirs."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from cpctl.errors import ConfigError

CONFIG_FILE_NAME = "config.yaml"
STORE_FILE_NAME = "cpctl.db"
# The variable of each folder on Linux, and the folder in the home folder if it is unset.
_XDG_FOLDERS = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", ".local/share"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
}


def find_config_file(option: str | None, environment: Mapping[str, str]) -> tuple[Path, str]:
    """The configuration file and what set it: an option, a variable, or "default"."""
    if option:
        return expand_path(option), "--config"
    if named := environment.get("CPCTL_CONFIG"):
        return expand_path(named), "CPCTL_CONFIG"
    return _find_platform_folder("config") / CONFIG_FILE_NAME, "default"


def key_file_path(folder: Path, profile: str, service: str) -> Path:
    """The file to which cpctl writes a key, beside the configuration."""
    from urllib.parse import quote

    return folder / f"{quote(profile, safe='')}.{service}.key"


def find_default_store(environment: Mapping[str, str]) -> tuple[Path, str]:
    """The store if neither a profile nor CPCTL_STORE sets one, and what set its folder."""
    if named := environment.get("CPCTL_DATA_DIR"):
        return expand_path(named) / STORE_FILE_NAME, "CPCTL_DATA_DIR"
    return _find_platform_folder("data") / STORE_FILE_NAME, "default"


def find_cache_folder(environment: Mapping[str, str]) -> Path:
    """The folder of the cache for completion, which may be deleted at any time. Raises ConfigError."""
    if named := environment.get("CPCTL_CACHE_DIR"):
        return expand_path(named)
    return _find_platform_folder("cache")


def expand_path(text: str) -> Path:
    """The path with `~` expanded. Raises ConfigError if there is no such home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{text}: there is no such home folder.", "Write the path in full.") from error


def _find_platform_folder(kind: str) -> Path:
    # platformdirs finds the same folder, but importing it takes a sixth of a Tab.
    variable, below_home = _XDG_FOLDERS[kind]
    for base in (Path(os.environ.get(variable, "")), Path(os.environ.get("HOME", ""), below_home)):
        if sys.platform == "linux" and base.is_absolute():
            return base / "cpctl"
    import platformdirs

    folder = Path(getattr(platformdirs, f"user_{kind}_dir")("cpctl", appauthor=False))
    if not folder.is_absolute():
        variable = "CPCTL_CONFIG" if kind == "config" else f"CPCTL_{kind.upper()}_DIR"
        raise ConfigError("There is no home folder for the files of cpctl.", f"Set HOME, or {variable}.")
    return folder
