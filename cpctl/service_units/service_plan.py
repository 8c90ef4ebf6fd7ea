"""What is to run: the services of cpctl, and all that a unit or a cron line must know of place and person."""

from typing import NamedTuple

from cpctl.errors import InvalidInput
from cpctl.service_units.escaping import refuse_unwritable

SYSTEM_FOLDER = "/etc/systemd/system"
KEY_FOLDER = "/etc/cpctl"
SYSTEM_CONFIG = "/etc/cpctl/config.yaml"
ACCOUNT = "cpctl"
STATE_FOLDER = "cpctl"  # below /var/lib
SHORTEST_TIMER, LONGEST_TIMER = 10, 86_400


class Service(NamedTuple):
    """A row per service: what it does, its command, and its own lines of `[Service]`."""

    name: str
    sentence: str
    key: str  # the service whose key it needs, as the configuration calls it
    command: tuple[str, ...]
    once: tuple[str, ...]  # what a timer or cron runs; () where it has to run all the time
    lines: tuple[str, ...]
    meets_strangers: bool  # it gets an account of its own, where the other works on what a person has accepted


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
            meets_strangers=False,
        ),
        Service(
            "webhooks",
            "cpctl: receive webhooks",
            "webhooks",
            ("webhooks", "serve"),
            (),
            ("Type=notify", "NotifyAccess=main", "WatchdogSec=60s", "KillMode=mixed", "TimeoutStopSec=20s"),
            meets_strangers=True,
        ),
    )
}


class Credential(NamedTuple):
    """The file of a key: never the key."""

    name: str  # as the configuration calls its service
    variable: str  # names the file to cpctl
    file: str
    remarks: tuple[str, ...]  # how to make it, or who named it


class Plan(NamedTuple):
    """One service on one machine."""

    service: Service
    name: str  # of the unit
    program: tuple[str, ...]
    words: tuple[str, ...]  # options of the command: the profile, and what the service was told
    environment: tuple[tuple[str, str], ...]
    credential: Credential | None  # None where cron finds the key through the profile
    folder: str  # of the unit files
    account: str  # who it runs as; "" for a unit of the person's own
    store: str  # the folder it writes to; "" where systemd makes one for the account
    sees_tmp: bool  # something it needs lies in /tmp
    every: int  # seconds from one run to the next; 0 for a service that keeps on
    remarks: tuple[str, ...]


class UnitFile(NamedTuple):
    """A file for systemd."""

    file: str
    content: str


def checked(plan: Plan) -> Plan:
    """The plan, with every text in it known to fit in a line. Raises InvalidInput."""
    for text in (*plan.program, *plan.words):
        refuse_unwritable("The word", text)
    for name, text in plan.environment:
        refuse_unwritable(f"{name} with", text)
    refuse_unwritable("The folder of the store", plan.store)
    refuse_unwritable("The folder of the units", plan.folder)
    for remark in plan.remarks:
        refuse_unwritable("The remark", remark)
    if plan.credential is not None:
        _refuse_raw_ends(plan.credential.file)
    return plan


def refuse_odd_program(program: str) -> None:
    """Raise InvalidInput for a path that systemd takes for no program: systemd.service(5) knows no quotes in one."""
    if any(mark in program for mark in "\"'\\"):
        raise InvalidInput(
            f"systemd runs no program with a quote or a backslash in its path: {program}",
            "Install cpctl elsewhere, or use --cron.",
        )


def _refuse_raw_ends(file: str) -> None:
    """systemd takes this path unquoted: it drops blanks at its end and joins lines at a backslash."""
    refuse_unwritable("The key file", file)
    if file != file.rstrip(" \\"):
        raise InvalidInput(f'The key file "{file}" ends in a blank or a backslash.', "Give it another name.")
