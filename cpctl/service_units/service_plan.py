"""The services of cpctl, and the plan of one service on one machine, from which a unit or a cron line is made."""

import unicodedata
from typing import NamedTuple

from cpctl.errors import InvalidInput

SYSTEM_UNIT_FOLDER = "/etc/systemd/system"
KEY_FOLDER = "/etc/cpctl"
SYSTEM_CONFIG = "/etc/cpctl/config.yaml"
DEFAULT_ACCOUNT = "cpctl"
STATE_FOLDER = "cpctl"  # below /var/lib
MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS = 10, 86_400
# Control characters, line and paragraph separators, and undecodable bytes.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})


class Service(NamedTuple):
    """A service that cpctl can run as."""

    name: str
    description: str
    key_service: str  # the API service whose key it needs, as the configuration calls it
    command: tuple[str, ...]
    one_shot_command: tuple[str, ...]  # for a timer or cron; () for a service that must run all the time
    directives: tuple[str, ...]  # its own lines of [Service]
    is_network_facing: bool  # it runs as an account of its own; the other one runs as the owner of the store


SERVICES = {
    service.name: service
    for service in (
        Service(
            "outbox",
            "cpctl: deliver the signals in the outbox",
            "signal",
            ("outbox", "flush", "--watch"),
            ("outbox", "flush", "--quiet"),
            ("Type=exec",),
            is_network_facing=False,
        ),
        Service(
            "webhooks",
            "cpctl: receive webhooks",
            "webhooks",
            ("webhooks", "serve"),
            (),
            ("Type=notify", "NotifyAccess=main", "WatchdogSec=60s", "KillMode=mixed", "TimeoutStopSec=20s"),
            is_network_facing=True,
        ),
    )
}


class Credential(NamedTuple):
    """The file of a key, never the key itself."""

    service_name: str  # the API service of the key, as the configuration calls it
    variable: str  # the environment variable that names the file
    file: str
    comments: tuple[str, ...]  # how to create the file, or which setting names it


class ServicePlan(NamedTuple):
    """One service on one machine."""

    service: Service
    name: str  # of the unit
    program: tuple[str, ...]
    options: tuple[str, ...]  # of the command: the profile, and the options after --
    environment: tuple[tuple[str, str], ...]
    credential: Credential | None  # None if cron finds the key through the profile
    unit_folder: str
    account: str  # that runs a system unit; "" for a user unit
    store_folder: str  # the only folder it writes to; "" for /var/lib/cpctl
    needs_tmp: bool  # a file it needs is in /tmp
    interval_seconds: int  # between two runs; 0 for a service that runs all the time
    comments: tuple[str, ...]


class UnitFile(NamedTuple):
    file: str
    content: str


def reject_control_characters(text: str) -> None:
    """Raise InvalidInput for a text with a line break or another control character: it could add a line."""
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text):
        shown = text.encode("unicode_escape", "surrogatepass").decode("ascii")
        raise InvalidInput(
            f'Units and cron lines cannot contain a line break or another control character: "{shown}"',
            "Use another name or path.",
        )
