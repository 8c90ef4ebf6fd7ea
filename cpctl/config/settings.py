"""The settings of a profile: a row for each, with its default, the variable that overrides it and its check."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from cpctl.config.keys import OLD_WEBHOOKS_SERVICE, SERVICES
from cpctl.net import is_loopback
from cpctl.signals.signal_types import API_VERSIONS, LATEST_API_VERSION

LIVE_URL = "https://api.cloudprinter.com"
DEFAULT_SIGNAL_1_1_PATH = "/1.1/status/"
SIGNAL_1_1_PATHS = (DEFAULT_SIGNAL_1_1_PATH, "/cloudsignal/1.1/status/")
MAX_TIMEOUT_SECONDS = 3600.0

# The sources of a key, of which each key has exactly one.
KEY_SOURCE_SETTINGS = {
    "api_key": "the key itself",
    "api_key_file": "a file that holds the key and that nobody else can read; relative to the configuration file",
    "api_key_command": "a command, as a list, whose first line of output is the key",
}
# The mapping of a profile that holds each key, and the prefix of the names in it.
KEY_LOCATIONS = {**{service: (service, "") for service in SERVICES}, OLD_WEBHOOKS_SERVICE: ("webhooks", "old_")}


class Setting(NamedTuple):
    """A setting that is a single value. `check` returns what is wrong with a text, or ""."""

    name: str
    meaning: str
    default: str
    variable: str = ""
    check: Callable[[str], str] = lambda text: ""


def _one_of(*valid: str) -> Callable[[str], str]:
    return lambda text: "" if text in valid else f"must be {' or '.join(valid)}"


def _check_base_url(text: str) -> str:
    """Require https, or http to this machine: every request body holds a key."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "must contain nothing but scheme, host, port and path"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        return ""
    return "must begin with https:// (http:// only for this machine: 127.0.0.1, ::1 or localhost)"


def _check_timeout(text: str) -> str:
    try:
        is_valid = 0 < float(text) <= MAX_TIMEOUT_SECONDS
    except ValueError:
        return "must be a number of seconds, such as 30"
    return "" if is_valid else f"must be more than 0 and at most {MAX_TIMEOUT_SECONDS:.0f} seconds"


def _check_store(text: str) -> str:
    return "cannot be a database server yet; name a file" if "://" in text else ""


_ROWS = (
    Setting("environment", "live or sandbox: a label for people", "", check=_one_of("live", "sandbox")),
    Setting("base_url", "address of the service", LIVE_URL, "CPCTL_BASE_URL", _check_base_url),
    Setting("signal_version", "version of CloudSignal: 2.0 or 1.1", LATEST_API_VERSION, check=_one_of(*API_VERSIONS)),
    Setting(
        "signal_1_1_path",
        "which of the two documented paths version 1.1 is sent to",
        DEFAULT_SIGNAL_1_1_PATH,
        check=_one_of(*SIGNAL_1_1_PATHS),
    ),
    Setting("shipping_option", "shipping option of ItemShipped if a command gives none", ""),
    Setting("timeout", "maximum time of one call, in seconds", "30", "CPCTL_TIMEOUT", _check_timeout),
    Setting("station", "name of this bench; by default the host name", "", "CPCTL_STATION"),
    Setting("operator", "who reports, if no badge names anybody", "", "CPCTL_OPERATOR"),
    Setting("store", "file of the outbox and its history", "", "CPCTL_STORE", _check_store),
)
SETTINGS: dict[str, Setting] = {row.name: row for row in _ROWS}

# Settings that are lists or mappings; bench_settings.py reads them where they are used.
SHOP_SETTINGS = {
    "carriers": "carriers whose labels the bench expects, as a list: [ups, dhl-de]",
    "carrier_options": "the shipping option for each carrier's labels: {ups: UPS}",
    "item_pattern": "regular expression that the code of an item matches",
    "order_of_item": "how to derive the order id from the item id: {pattern: …, order: …}",
    "badge_prefix": "prefix of the codes on operators' badges",
    "maps": "column mappings for the shop's own files: {labels: {tracking: Parcel no.}}",
}

# Every other variable that cpctl reads; the variables of settings and keys are in their own tables.
OTHER_VARIABLES = {
    "CPCTL_PROFILE": "the profile to use",
    "CPCTL_CONFIG": "the configuration file",
    "CPCTL_DATA_DIR": "the folder of the store",
    "CPCTL_CACHE_DIR": "the folder of the cache for completion",
    "CPCTL_NO_INPUT": "any value: never prompt",
    "CREDENTIALS_DIRECTORY": "set by systemd: key files in this folder may have any mode",
    "CPCTL_SANDBOX_CONTROL": "where `cpctl sandbox fault`, `reset` and `requests` find their sandbox",
}
