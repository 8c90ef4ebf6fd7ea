"""Profiles: which one is meant, and each of its settings with the source of its value."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cpctl.config.keys import KEY_VARIABLES, OLD_WEBHOOKS_SERVICE, SERVICES, KeySource, key_source_from_environment
from cpctl.config.paths import expand_path, find_config_file, find_default_store
from cpctl.config.yaml_reader import Node, read_yaml
from cpctl.errors import ConfigError, InvalidInput, suggest
from cpctl.net import is_loopback
from cpctl.signals.signal_types import API_VERSIONS, LATEST_API_VERSION

LIVE_URL = "https://api.cloudprinter.com"
DEFAULT_SIGNAL_1_1_PATH = "/1.1/status/"
SIGNAL_1_1_PATHS = (DEFAULT_SIGNAL_1_1_PATH, "/cloudsignal/1.1/status/")
ENVIRONMENT_PROFILE_NAME = "default"
# The ways to a key, of which each key has one.
KEY_SOURCE_SETTINGS = {
    "api_key": "the key itself",
    "api_key_file": "a file that holds it and that nobody else can read; relative to the configuration",
    "api_key_command": "a command, as a list, whose first line of output is the key",
}
# Where each key stands in a profile, and what its names begin with.
KEY_LOCATIONS = {**{service: (service, "") for service in SERVICES}, OLD_WEBHOOKS_SERVICE: ("webhooks", "old_")}
MAX_TIMEOUT_SECONDS = 3600.0


def _one_of_check(*valid: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        return "" if text in valid else f"must be {' or '.join(valid)}"

    return check


def check_base_url(text: str) -> str:
    """What is wrong with a base URL, or "". A key travels in every body: https, or no further than this machine."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "must hold nothing but scheme, host, port and path"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        return ""
    return "must begin with https:// (http:// only for this machine: 127.0.0.1, ::1 or localhost)"


def check_timeout(text: str) -> str:
    """What is wrong with a timeout, or ""."""
    try:
        return (
            ""
            if 0 < float(text) <= MAX_TIMEOUT_SECONDS
            else f"must be more than 0 and at most {MAX_TIMEOUT_SECONDS:.0f} seconds"
        )
    except ValueError:
        return "must be a number of seconds, such as 30"


def _check_store(text: str) -> str:
    return "cannot be a database server yet; name a file" if "://" in text else ""


class Setting(NamedTuple):
    """A row per plain setting of a profile."""

    name: str
    meaning: str
    default: str
    variable: str = ""
    check: Callable[[str], str] = lambda text: ""


SETTINGS: dict[str, Setting] = {
    row.name: row
    for row in (
        Setting("environment", "live or sandbox: a label for people", "", check=_one_of_check("live", "sandbox")),
        Setting("base_url", "where the service is", LIVE_URL, "CPCTL_BASE_URL", check_base_url),
        Setting(
            "signal_version",
            "version of CloudSignal: 2.0 or 1.1",
            LATEST_API_VERSION,
            check=_one_of_check(*API_VERSIONS),
        ),
        Setting(
            "signal_1_1_path",
            "which of the two documented paths version 1.1 is sent to",
            DEFAULT_SIGNAL_1_1_PATH,
            check=_one_of_check(*SIGNAL_1_1_PATHS),
        ),
        Setting("shipping_option", "shipping option of ItemShipped where none is given", ""),
        Setting("timeout", "seconds one call may take", "30", "CPCTL_TIMEOUT", check_timeout),
        Setting("station", "name of this bench; the host's where none is given", "", "CPCTL_STATION"),
        Setting("operator", "who reports, where no badge says so", "", "CPCTL_OPERATOR"),
        Setting("store", "file of the outbox and its history", "", "CPCTL_STORE", _check_store),
    )
}

# Settings that are lists or mappings: read where they are used, by config.shop.
SHOP_SETTINGS = {
    "carriers": "whose labels the bench expects, as a list: [ups, dhl-de]",
    "carrier_options": "the shipping option of each carrier's labels: {ups: UPS}",
    "item_pattern": "what the code of an item looks like, as a regular expression",
    "order_of_item": "how an item's order follows from the item's id: {pattern: …, order: …}",
    "badge_prefix": "what the code of an operator's badge begins with",
    "maps": "columns of the shop's own files: {labels: {tracking: Parcel no.}}",
}

# Every variable that cpctl reads, with what it does; settings and keys bring their own.
OTHER_VARIABLES = {
    "CPCTL_PROFILE": "the profile to use",
    "CPCTL_CONFIG": "the configuration file",
    "CPCTL_DATA_DIR": "the folder of the store",
    "CPCTL_CACHE_DIR": "the folder of words remembered for completion",
    "CPCTL_NO_INPUT": "any value: never ask a question",
    "CREDENTIALS_DIRECTORY": "set by systemd: files of keys below it may have any mode",
    "CPCTL_SANDBOX_CONTROL": "where `cpctl sandbox fault`, `reset` and `requests` find their sandbox",
}


class SourcedValue(NamedTuple):
    """A value and where it comes from."""

    text: str
    source: str


class Profile:
    """The profile in force, complete: every setting with its source, and a way to each key."""

    def __init__(
        self,
        name: str,
        name_source: str,
        file: Path | None,
        settings: Mapping[str, SourcedValue],
        keys: Mapping[str, KeySource],
        shop_nodes: Mapping[str, Node],
    ) -> None:
        """`shop` holds what a shop has set up for its benches and files, as it was written; see config.shop."""
        self.shop_nodes = shop_nodes
        self.name = name
        self.name_source = name_source
        self.file = file
        self.settings = settings
        self.keys = keys

    def __getitem__(self, name: str) -> str:
        return self.settings[name].text

    @property
    def is_in_file(self) -> bool:
        """Whether it stands in the configuration file; else the environment alone makes it."""
        return self.name_source != "environment"

    @property
    def timeout(self) -> float:
        """Seconds one call may take."""
        return float(self["timeout"])

    @property
    def store(self) -> Path:
        """The store file."""
        return Path(self["store"])

    def key_source(self, service: str) -> KeySource:
        """The way to a service's key. Raises ConfigError where none is configured."""
        if service not in self.keys:
            way = f"`cpctl profile set-key {service} --profile {self.name}` keeps one" if self.is_in_file else ""
            hint = f"{way or '`cpctl profile init` makes a profile with keys'}; or set {KEY_VARIABLES[service]}."
            raise ConfigError(f'The profile "{self.name}" has no key for {service}.', hint)
        return self.keys[service]


class Configuration(NamedTuple):
    """A configuration file, read, with its names checked; the values of a profile are checked when it is used."""

    file: Path
    default: str | None
    profiles: Mapping[str, Node]


def read_configuration(option: str | None, environment: Mapping[str, str]) -> Configuration | None:
    """The configuration, or None where there is none and nobody named one. Raises ConfigError."""
    file, source = find_config_file(option, environment)
    if not config_file_exists(file):
        if source == "default":
            return None
        raise ConfigError(
            f"There is no configuration {file} (named by {source}).", "Check the path; `cpctl profile init` writes one."
        )
    return parse_configuration(read_yaml(file))


def parse_configuration(root: Node) -> Configuration:
    """A configuration that was read, with its names checked. Raises ConfigError naming the place."""
    file = root.file
    top = root.as_mapping("the configuration")
    _refuse_unknown(top, ("default_profile", "profiles"), "the configuration")
    profiles = top["profiles"].as_mapping("profiles") if "profiles" in top else {}
    for name, node in profiles.items():
        _check_names(name, node)
    default = top["default_profile"].as_text("default_profile") if "default_profile" in top else None
    if default is not None and default not in profiles:
        raise top["default_profile"].error(f'there is no profile "{default}".', _profile_hint(default, profiles))
    return Configuration(file, default, profiles)


def config_file_exists(file: Path) -> bool:
    """Whether there is a configuration file. Raises ConfigError where nobody may look."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"The configuration {file} cannot be looked at: {error.strerror}.") from error
    return True


def load_profile(
    environment: Mapping[str, str], config: str | None = None, name: str | None = None, timeout: str | None = None
) -> Profile:
    """The profile in force: options beat the environment, which beats the file. Raises ConfigError."""
    given = {key: value for key, value in environment.items() if value}
    configuration = read_configuration(config, given)
    chosen, source = choose_profile(configuration, name, given)
    node = configuration.profiles[chosen] if configuration and configuration.profiles else None
    fields = node.as_mapping(chosen) if node else {}
    keys = {service: key for service in KEY_VARIABLES if (key := _find_key_source(service, fields, given))}
    if node is None and not keys and not given.get("CPCTL_BASE_URL"):
        raise _no_profile_error(config, given)
    settings = {row.name: _resolve_setting(row, fields, given) for row in SETTINGS.values()}
    if timeout is not None:
        settings["timeout"] = _check_value(SETTINGS["timeout"], SourcedValue(timeout, "--timeout"))
    settings |= _derive_settings(settings, configuration, given)
    shop = {name: fields[name] for name in SHOP_SETTINGS if name in fields}
    return Profile(chosen, source, configuration.file if configuration else None, settings, keys, shop)


def choose_profile(configuration: Configuration | None, name: str | None, given: Mapping[str, str]) -> tuple[str, str]:
    """The name of the profile that is meant, and who says so. Raises ConfigError for one that is not there."""
    profiles = configuration.profiles if configuration else {}
    wanted, source = (name, "--profile") if name else (given.get("CPCTL_PROFILE"), "CPCTL_PROFILE")
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


def _profile_hint(name: str, profiles: Mapping[str, Node]) -> str:
    return suggest(name, profiles) if profiles else "`cpctl profile init` makes a profile."


def _no_profile_error(config: str | None, given: Mapping[str, str]) -> ConfigError:
    file, _ = find_config_file(config, given)
    return ConfigError(
        f"No profile: there is no profile in {file}, and no key in the environment; `cpctl profile init` makes one."
    )


def _resolve_setting(row: Setting, fields: Mapping[str, Node], given: Mapping[str, str]) -> SourcedValue:
    if row.variable and (text := given.get(row.variable)):
        return _check_value(row, SourcedValue(text, row.variable))
    node = fields.get(row.name)
    text = node.as_text(row.name) if node else None
    if node is None or text is None:
        return SourcedValue(row.default, "default")
    if wrong := row.check(text):
        raise node.error(f'{row.name} "{text}" {wrong}.')
    return SourcedValue(text, f"line {node.line}")


def _check_value(row: Setting, value: SourcedValue) -> SourcedValue:
    if (wrong := row.check(value.text)) and value.source.startswith("--"):
        raise InvalidInput(f'{value.source} "{value.text}" {wrong}.')
    if wrong:
        raise ConfigError(f'{value.source}: "{value.text}" {wrong}.')
    return value


def _derive_settings(
    settings: Mapping[str, SourcedValue], configuration: Configuration | None, given: Mapping[str, str]
) -> dict[str, SourcedValue]:
    """Values that follow from others or from the machine."""
    base_url = settings["base_url"]
    store, environment = settings["store"], settings["environment"]
    if store.text:
        folder = configuration.file.parent if configuration and store.source != "CPCTL_STORE" else Path()
        store = SourcedValue(str(folder / expand_path(store.text)), store.source)
    else:
        path, source = find_default_store(given)
        store = SourcedValue(str(path), source)
    if not environment.text:
        local = is_loopback(urlsplit(base_url.text).hostname or "")
        environment = SourcedValue("sandbox" if local else "live", "base_url")
    url = SourcedValue(base_url.text.rstrip("/"), base_url.source)
    station = settings["station"]
    if not station.text:
        name = os.uname().nodename if hasattr(os, "uname") else given.get("COMPUTERNAME", "")
        station = SourcedValue(name, "the host's name")
    return {"store": store, "environment": environment, "base_url": url, "station": station}


def find_key_sources_in_file(configuration: Configuration, profile: str) -> dict[str, KeySource]:
    """The ways to a profile's keys that its file names, whatever the environment says. Raises ConfigError."""
    fields = configuration.profiles[profile].as_mapping(profile)
    return {service: key for service in SERVICES if (key := _find_key_source(service, fields, {}))}


def check_profile(configuration: Configuration, profile: str) -> None:
    """Raise ConfigError for the first thing in a profile that cannot be."""
    find_key_sources_in_file(configuration, profile)
    fields = configuration.profiles[profile].as_mapping(profile)
    for row in SETTINGS.values():
        _resolve_setting(row, fields, {})


def _find_key_source(service: str, fields: Mapping[str, Node], given: Mapping[str, str]) -> KeySource | None:
    if (source := key_source_from_environment(service, given)) is not None:
        return source
    place, prefix = KEY_LOCATIONS[service]
    if place not in fields:
        return None
    there = {name: node for name, node in fields[place].as_mapping(place).items() if node.value is not None}
    ways = {name: there[f"{prefix}{name}"] for name in KEY_SOURCE_SETTINGS if f"{prefix}{name}" in there}
    if len(ways) > 1:
        names = ", ".join(name for name in there if name.removeprefix(prefix) in ways)
        raise fields[place].error(f"{service} has more than one key: {names}.", "Keep one of them.")
    for name, node in ways.items():
        return _key_source_from_node(service, name, node, f"{place}.{prefix}{name}")
    return None


def _key_source_from_node(service: str, name: str, node: Node, setting: str) -> KeySource:
    place = f"{setting}, line {node.line}"
    if name == "api_key_command":
        return KeySource(service, "command", node.as_texts(name), place)
    text = node.as_text(name) or ""
    if name == "api_key_file":
        return KeySource(service, "file", node.file.parent / expand_path(text), place)
    return KeySource(service, "value", text, place)


def _check_names(profile: str, node: Node) -> None:
    fields = node.as_mapping(f'the profile "{profile}"')
    _refuse_unknown(fields, (*SERVICES, *SETTINGS, *SHOP_SETTINGS), f'the profile "{profile}"')
    for service in SERVICES:
        if service in fields:
            valid = [
                f"{prefix}{name}"
                for place, prefix in KEY_LOCATIONS.values()
                if place == service
                for name in KEY_SOURCE_SETTINGS
            ]
            _refuse_unknown(fields[service].as_mapping(service), valid, service)


def _refuse_unknown(fields: Mapping[str, Node], valid: Sequence[str], where: str) -> None:
    for name, node in fields.items():
        if name not in valid:
            raise node.error(f'unknown name "{name}" in {where}.', suggest(name, valid))
