"""The configuration file and its profiles: reading, choosing one, and resolving its settings with their sources."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cpctl.config.keys import KEY_VARIABLES, SERVICES, KeySource, key_source_from_environment, refuse_readable_by_others
from cpctl.config.paths import expand_path, find_config_file, find_default_store
from cpctl.config.settings import KEY_LOCATIONS, KEY_SOURCE_SETTINGS, SETTINGS, SHOP_SETTINGS, Setting
from cpctl.errors import ConfigError, InvalidInput, suggest
from cpctl.net import is_loopback
from cpctl.yaml_reader import Node, parse_yaml

ENVIRONMENT_PROFILE_NAME = "default"


class Configuration(NamedTuple):
    """A configuration whose names are checked; the values of a profile are checked when it is used."""

    file: Path
    default: str | None
    profiles: Mapping[str, Node]


def read_configuration(option: str | None, environment: Mapping[str, str]) -> Configuration | None:
    """The configuration, or None if there is none and none was named. Raises ConfigError."""
    file, source = find_config_file(option, environment)
    if (text := read_config_text(file)) is not None:
        return parse_configuration(text, file)
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
        raise top["default_profile"].error(f'there is no profile "{default}".', _profile_hint(default, profiles))
    return Configuration(file, default, profiles)


def parse_config_yaml(text: str, file: Path) -> Node:
    """The tree of a configuration, unchecked. Raises ConfigError naming file, line and column."""
    return parse_yaml(text.removeprefix("\ufeff"), str(file), ConfigError)


def read_config_text(file: Path) -> str | None:
    """The text of a configuration file, with byte order mark and line ends; None without one. Raises ConfigError."""
    try:
        refuse_readable_by_others(file)
        return file.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"The configuration {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start}).") from error


def _profile_hint(name: str, profiles: Mapping[str, Node]) -> str:
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


class SourcedValue(NamedTuple):
    """A value and where it comes from."""

    text: str
    source: str


class Profile:
    """The profile in use: every setting with its source, and the source of each key.

    `shop_nodes` holds the settings that are lists or mappings, as they were written; see bench_settings.
    """

    def __init__(
        self,
        name: str,
        name_source: str,
        file: Path | None,
        settings: Mapping[str, SourcedValue],
        keys: Mapping[str, KeySource],
        shop_nodes: Mapping[str, Node],
    ) -> None:
        self.name, self.name_source, self.file = name, name_source, file
        self.settings, self.keys, self.shop_nodes = settings, keys, shop_nodes

    def __getitem__(self, name: str) -> str:
        return self.settings[name].text

    @property
    def is_in_file(self) -> bool:
        """Whether it is in the configuration file; otherwise the environment alone defines it."""
        return self.name_source != "environment"

    @property
    def timeout(self) -> float:
        """The maximum time of one call, in seconds."""
        return float(self["timeout"])

    @property
    def store(self) -> Path:
        return Path(self["store"])

    def key_source(self, service: str) -> KeySource:
        """The source of a service's key. Raises ConfigError if none is configured."""
        if service not in self.keys:
            command = f"profile set-key {service} --profile {self.name}" if self.is_in_file else "profile init"
            raise ConfigError(
                f'The profile "{self.name}" has no key for {service}.',
                f"Add one with `cpctl {command}`, or set {KEY_VARIABLES[service]}.",
            )
        return self.keys[service]


def load_profile(
    environment: Mapping[str, str], config: str | None = None, name: str | None = None, timeout: str | None = None
) -> Profile:
    """The profile in use: options override the environment, which overrides the file. Raises ConfigError."""
    variables = {key: value for key, value in environment.items() if value}
    configuration = read_configuration(config, variables)
    chosen, source = choose_profile(configuration, name, variables)
    node = configuration.profiles[chosen] if configuration and configuration.profiles else None
    fields = node.as_mapping(chosen) if node else {}
    keys = {service: key for service in KEY_VARIABLES if (key := _find_key_source(service, fields, variables))}
    if node is None and not keys and not variables.get("CPCTL_BASE_URL"):
        raise _no_profile_error(find_config_file(config, variables)[0], " and no key in the environment")
    settings = {row.name: _resolve_setting(row, fields, variables) for row in SETTINGS.values()}
    if timeout is not None:
        settings["timeout"] = _checked(SETTINGS["timeout"], SourcedValue(timeout, "--timeout"))
    settings |= _derive_settings(settings, configuration, variables)
    shop_nodes = {name: fields[name] for name in SHOP_SETTINGS if name in fields}
    return Profile(chosen, source, configuration.file if configuration else None, settings, keys, shop_nodes)


def choose_profile(
    configuration: Configuration | None, name: str | None, variables: Mapping[str, str]
) -> tuple[str, str]:
    """The name of the profile to use, and what chose it. Raises ConfigError if it does not exist."""
    profiles = configuration.profiles if configuration else {}
    wanted, source = (name, "--profile") if name else (variables.get("CPCTL_PROFILE"), "CPCTL_PROFILE")
    if wanted:
        if wanted not in profiles:
            where = f"in {configuration.file}" if configuration else "because there is no configuration file"
            raise ConfigError(f'There is no profile "{wanted}" {where} ({source}).', _profile_hint(wanted, profiles))
        return wanted, source
    if configuration and configuration.default:
        return configuration.default, "default_profile"
    if len(profiles) == 1:
        return next(iter(profiles)), "the only profile"
    if profiles:
        raise ConfigError(
            f"{configuration.file if configuration else ''}: there are several profiles and no default_profile.",
            f"Choose with --profile: {', '.join(profiles)}. `cpctl profile use NAME` makes one the default.",
        )
    return ENVIRONMENT_PROFILE_NAME, "environment"


def require_configuration(option: str | None, environment: Mapping[str, str]) -> Configuration:
    """The configuration. Raises ConfigError if it has no profile."""
    configuration = read_configuration(option, environment)
    if configuration is None or not configuration.profiles:
        raise _no_profile_error(find_config_file(option, environment)[0])
    return configuration


def _no_profile_error(file: Path, more: str = "") -> ConfigError:
    return ConfigError(f"No profile: there is no profile in {file}{more}; `cpctl profile init` creates one.")


def _resolve_setting(row: Setting, fields: Mapping[str, Node], variables: Mapping[str, str]) -> SourcedValue:
    if row.variable and (text := variables.get(row.variable)):
        return _checked(row, SourcedValue(text, row.variable))
    node = fields.get(row.name)
    if node is None or (written := node.as_text(row.name)) is None:
        return SourcedValue(row.default, "default")
    if problem := row.check(written):
        raise node.error(f'{row.name} "{written}" {problem}.')
    return SourcedValue(written, f"line {node.location.line}")


def _checked(row: Setting, value: SourcedValue) -> SourcedValue:
    if problem := row.check(value.text):
        if value.source.startswith("--"):
            raise InvalidInput(f'{value.source} "{value.text}" {problem}.')
        raise ConfigError(f'{value.source}: "{value.text}" {problem}.')
    return value


def _derive_settings(
    settings: Mapping[str, SourcedValue], configuration: Configuration | None, variables: Mapping[str, str]
) -> dict[str, SourcedValue]:
    base_url, store = settings["base_url"], settings["store"]
    environment, station = settings["environment"], settings["station"]
    if store.text:
        folder = configuration.file.parent if configuration and store.source != "CPCTL_STORE" else Path()
        store = SourcedValue(str(folder / expand_path(store.text)), store.source)
    else:
        path, source = find_default_store(variables)
        store = SourcedValue(str(path), source)
    if not environment.text:
        is_local = is_loopback(urlsplit(base_url.text).hostname or "")
        environment = SourcedValue("sandbox" if is_local else "live", "base_url")
    if not station.text:
        host = os.uname().nodename if hasattr(os, "uname") else variables.get("COMPUTERNAME", "")
        station = SourcedValue(host, "the host name")
    url = SourcedValue(base_url.text.rstrip("/"), base_url.source)
    return {"store": store, "environment": environment, "base_url": url, "station": station}


def find_key_sources_in_file(configuration: Configuration, profile: str) -> dict[str, KeySource]:
    """The sources of a profile's keys in its file, regardless of the environment. Raises ConfigError."""
    fields = configuration.profiles[profile].as_mapping(profile)
    return {service: key for service in SERVICES if (key := _find_key_source(service, fields, {}))}


def check_profile(configuration: Configuration, profile: str) -> None:
    """Raise ConfigError for the first invalid value of a profile."""
    find_key_sources_in_file(configuration, profile)
    fields = configuration.profiles[profile].as_mapping(profile)
    for row in SETTINGS.values():
        _resolve_setting(row, fields, {})


def _find_key_source(service: str, fields: Mapping[str, Node], variables: Mapping[str, str]) -> KeySource | None:
    if (source := key_source_from_environment(service, variables)) is not None:
        return source
    section, prefix = KEY_LOCATIONS[service]
    if section not in fields:
        return None
    given = {name: node for name, node in fields[section].as_mapping(section).items() if not node.is_empty}
    names = [f"{prefix}{name}" for name in KEY_SOURCE_SETTINGS if f"{prefix}{name}" in given]
    if len(names) > 1:
        in_order = ", ".join(name for name in given if name in names)
        raise fields[section].error(f"{service} has more than one key: {in_order}.", "Keep one of them.")
    if not names:
        return None
    name, node = names[0], given[names[0]]
    location = f"{section}.{name}, line {node.location.line}"
    if name.endswith("api_key_command"):
        return KeySource(service, "command", node.as_texts(name), location)
    text = node.as_text(name) or ""
    if name.endswith("api_key_file"):
        return KeySource(service, "file", Path(node.location.file).parent / expand_path(text), location)
    return KeySource(service, "value", text, location)
