"""What is to run: the services of cpctl, and all that a unit or a cron line must know of place and person."""

from typing import NamedTuple

from cpctl.errors import InvalidInput
from cpctl.service_units.escaping import reject_control_characters

SYSTEM_UNIT_FOLDER = "/etc/systemd/system"
KEY_FOLDER = "/etc/cpctl"
SYSTEM_CONFIG = "/etc/cpctl/config.yaml"
DEFAULT_ACCOUNT = "cpctl"
STATE_FOLDER = "cpctl"  # below /var/lib
MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS = 10, 86_400


class Service(NamedTuple):
    """A row per service: what it does, its command, and its own lines of `[Service]`."""

    name: str
    description: str
    key_service: str  # the service whose key it needs, as the configuration calls it
    command: tuple[str, ...]
    one_shot_command: tuple[str, ...]  # what a timer or cron runs; () where it has to run all the time
    directives: tuple[str, ...]
    is_network_facing: bool  # it gets an account of its own, where the other works on what a person has accepted


SERVICES = {
    row.name: row
    for row in (
        Service(
            "outbox",
            "cpctl: deliver what waits in the outbox",
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
    """The file of a key: never the key."""

    service_name: str  # as the configuration calls its service
    variable: str  # names the file to cpctl
    file: str
    comments: tuple[str, ...]  # how to make it, or who named it


class ServicePlan(NamedTuple):
    """One service on one machine."""

    service: Service
    name: str  # of the unit
    program: tuple[str, ...]
    options: tuple[str, ...]  # options of the command: the profile, and what the service was told
    environment: tuple[tuple[str, str], ...]
    credential: Credential | None  # None where cron finds the key through the profile
    unit_folder: str  # of the unit files
    account: str  # who it runs as; "" for a unit of the person's own
    store_folder: str  # the folder it writes to; "" where systemd makes one for the account
    needs_tmp: bool  # something it needs lies in /tmp
    interval_seconds: int  # seconds from one run to the next; 0 for a service that keeps on
    comments: tuple[str, ...]


class UnitFile(NamedTuple):
    """A file for systemd."""

    path: str
    content: str


def validate_plan(plan: ServicePlan) -> ServicePlan:
    """The plan, with every text in it known to fit in a line. Raises InvalidInput."""
    for text in (*plan.program, *plan.options):
        reject_control_characters("The word", text)
    for name, text in plan.environment:
        reject_control_characters(f"{name} with", text)
    reject_control_characters("The folder of the store", plan.store_folder)
    reject_control_characters("The folder of the units", plan.unit_folder)
    for remark in plan.comments:
        reject_control_characters("The remark", remark)
    if plan.credential is not None:
        _check_credential_path(plan.credential.file)
    return plan


def check_program_path(program: str) -> None:
    """Raise InvalidInput for a path that systemd takes for no program: systemd.service(5) knows no quotes in one."""
    if any(mark in program for mark in "\"'\\"):
        raise InvalidInput(
            f"systemd runs no program with a quote or a backslash in its path: {program}",
            "Install cpctl elsewhere, or use --cron.",
        )


def _check_credential_path(file: str) -> None:
    """systemd takes this path unquoted: it drops blanks at its end and joins lines at a backslash."""
    reject_control_characters("The key file", file)
    if file != file.rstrip(" \\"):
        raise InvalidInput(f'The key file "{file}" ends in a blank or a backslash.', "Give it another name.")
