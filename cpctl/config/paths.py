"""The places of configuration, store and remembered words. The only file that knows platformdirs."""

from collections.abc import Mapping
from pathlib import Path

from cpctl.errors import ConfigError

CONFIG_NAME = "config.yaml"
STORE_NAME = "cpctl.db"


def config_file(option: str | None, environment: Mapping[str, str]) -> tuple[Path, str]:
    """The configuration file and who named it: an option, the environment, or "default"."""
    if option:
        return expanded(option), "--config"
    if named := environment.get("CPCTL_CONFIG"):
        return expanded(named), "CPCTL_CONFIG"
    return _platform_folder("config") / CONFIG_NAME, "default"


def key_file(folder: Path, profile: str, service: str) -> Path:
    """The file in which cpctl itself keeps a key, beside the configuration."""
    from urllib.parse import quote

    return folder / f"{quote(profile, safe='')}.{service}.key"


def default_store(environment: Mapping[str, str]) -> tuple[Path, str]:
    """The store where neither a profile nor CPCTL_STORE names another, and who named its folder."""
    if named := environment.get("CPCTL_DATA_DIR"):
        return expanded(named) / STORE_NAME, "CPCTL_DATA_DIR"
    return _platform_folder("data") / STORE_NAME, "default"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The folder of words remembered for completion; it may be deleted at any time. Raises ConfigError."""
    if named := environment.get("CPCTL_CACHE_DIR"):
        return expanded(named)
    return _platform_folder("cache")


def expanded(text: str) -> Path:
    """The path with `~` replaced. Raises ConfigError where that is nobody's home."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{text}: there is no such home folder.", "Write the path in full.") from error


def _platform_folder(kind: str) -> Path:
    import platformdirs

    find = {
        "config": platformdirs.user_config_dir,
        "data": platformdirs.user_data_dir,
        "cache": platformdirs.user_cache_dir,
    }
    folder = Path(find[kind]("cpctl", appauthor=False))
    if not folder.is_absolute():
        variable = {"config": "CPCTL_CONFIG", "data": "CPCTL_DATA_DIR", "cache": "CPCTL_CACHE_DIR"}[kind]
        raise ConfigError("There is no home folder here to keep things in.", f"Set HOME, or {variable}.")
    return folder
