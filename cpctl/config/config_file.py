"""The configuration file: reading it, and checking the names in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cpctl.config.keys import SERVICES, refuse_readable_by_others
from cpctl.config.paths import find_config_file
from cpctl.config.settings import KEY_LOCATIONS, KEY_SOURCE_SETTINGS, SETTINGS, SHOP_SETTINGS
from cpctl.errors import ConfigError, suggest
from cpctl.yaml_reader import Node, parse_yaml


class Configuration(NamedTuple):
    """A configuration whose names are checked; the values of a profile are checked when it is used."""

    file: Path
    default: str | None
    profiles: Mapping[str, Node]


def read_configuration(option: str | None, environment: Mapping[str, str]) -> Configuration | None:
    """The configuration, or None if there is none and none was named. Raises ConfigError."""
    file, source = find_config_file(option, environment)
    if config_file_exists(file):
        return parse_configuration(read_config_text(file), file)
    if source == "default":
        return None
    raise ConfigError(
        f"There is no configuration file {file} (named by {source}).",
        "Check the path, or create the file with `cpctl profile init`.",
    )


def parse_configuration(text: str, file: Path) -> Configuration:
    """The configuration that a text holds. Raises ConfigError naming file, line and column."""
    top = parse_config_yaml(text, file).as_mapping("the configuration")
    _refuse_unknown(top, ("default_profile", "profiles"), "the configuration")
    profiles = top["profiles"].as_mapping("profiles") if "profiles" in top else {}
    for name, node in profiles.items():
        _check_names(name, node)
    default = top["default_profile"].as_text("default_profile") if "default_profile" in top else None
    if default is not None and default not in profiles:
        raise top["default_profile"].error(f'there is no profile "{default}".', profile_hint(default, profiles))
    return Configuration(file, default, profiles)


def parse_config_yaml(text: str, file: Path) -> Node:
    """The tree of a configuration, unchecked. Raises ConfigError naming file, line and column."""
    return parse_yaml(text.removeprefix("\ufeff"), str(file), ConfigError)


def config_file_exists(file: Path) -> bool:
    """Whether there is a configuration file. Raises ConfigError if its folder cannot be searched."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"The configuration {file} cannot be read: {error.strerror}.") from error
    return True


def read_config_text(file: Path) -> str:
    """The text of a configuration file, with its byte order mark and line ends. Raises ConfigError."""
    try:
        refuse_readable_by_others(file)
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"The configuration {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start}).") from error


def profile_hint(name: str, profiles: Mapping[str, Node]) -> str:
    """The hint for the name of a profile that does not exist."""
    return suggest(name, profiles) if profiles else "`cpctl profile init` creates a profile."


def _check_names(profile: str, node: Node) -> None:
    label = f'the profile "{profile}"'
    fields = node.as_mapping(label)
    _refuse_unknown(fields, (*SERVICES, *SETTINGS, *SHOP_SETTINGS), label)
    for service in SERVICES:
        if service in fields:
            prefixes = [prefix for section, prefix in KEY_LOCATIONS.values() if section == service]
            valid = [f"{prefix}{name}" for prefix in prefixes for name in KEY_SOURCE_SETTINGS]
            _refuse_unknown(fields[service].as_mapping(service), valid, service)


def _refuse_unknown(fields: Mapping[str, Node], valid: Sequence[str], where: str) -> None:
    for name, node in fields.items():
        if name not in valid:
            raise node.error(f'unknown name "{name}" in {where}.', suggest(name, valid))
