"""What the doctor looks at, a row per check, in the order in which it is shown."""

import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cpctl import __version__
from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import make_caller
from cpctl.cli.commands.doctor.doctor_context import DoctorContext
from cpctl.cli.commands.outbox import assess_outbox
from cpctl.cli.commands.profile.key_files import KEY_CHECK_ENDPOINT, UNVERIFIED_KEY_NOTES
from cpctl.cli.commands.whoami import find_same_key_warnings
from cpctl.config.keys import KEY_VARIABLES
from cpctl.diagnostics import machine_checks as machine
from cpctl.diagnostics import network_checks as network
from cpctl.diagnostics.findings import Finding, failure, failure_from_error, ok, warning
from cpctl.errors import ConfigError, CpctlError, ExitCode, KeyRefused
from cpctl.outbox.queries import find_quarantined_files
from cpctl.output.text import wants_color
from cpctl.store.location import can_create_store, detect_network_file_system

Findings = Iterable[Finding]
LATENESS_THRESHOLDS = timedelta(minutes=15), timedelta(hours=1)


class DoctorCheck(NamedTuple):
    """One row of the examination: its name, and how it looks. The network is looked at last."""

    name: str
    run: Callable[[DoctorContext], Findings]
    needs_network: bool = False


def _check_version(doctor: DoctorContext) -> Findings:
    yield ok(f"cpctl {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}")


def _check_configuration(doctor: DoctorContext) -> Findings:
    try:
        profile = doctor.context.profile
    except ConfigError as error:
        yield failure_from_error(error)
        return
    place = f"of {profile.file}" if profile.is_in_file else "of the environment alone"
    yield ok(f'profile "{profile.name}" {place}; calls go to {profile["base_url"]} ({profile["environment"]})')
    for text in find_same_key_warnings(profile):
        of = f" --profile {profile.name}" if profile.is_in_file else ""
        yield warning(text, f"`cpctl profile set-key signal{of}` takes the right one.")


def _check_permissions(doctor: DoctorContext) -> Findings:
    profile = doctor.profile
    keys = profile.keys.values() if profile else ()
    files = [key.value for key in keys if isinstance(key.value, Path)]
    store = doctor.store_path
    private = [doctor.config_path, *files, store, *(store.with_name(f"{store.name}{end}") for end in ("-wal", "-shm"))]
    return machine.check_permissions(
        private, [doctor.config_path.parent, *(file.parent for file in files), store.parent]
    )


def _check_key(service: str, doctor: DoctorContext) -> Findings:
    profile = doctor.profile
    if profile is None:
        return
    if service not in profile.keys:
        yield _missing_key_finding(service, doctor)
        return
    source = profile.keys[service]
    if source.kind == "command" and doctor.context.options.dry_run:
        yield ok(f"{source.describe()}, which a dry run does not run")
        return
    key = doctor.context.read_key(service)
    checked = "" if service == "core" else f"; {UNVERIFIED_KEY_NOTES[service]}"
    yield ok(f"{key.last_four} from {source.describe()}{checked}")


def _missing_key_finding(service: str, doctor: DoctorContext) -> Finding:
    if service == "webhooks":
        return ok("none is set; it is needed only to receive webhooks")
    name = doctor.profile.name if doctor.profile else ""
    way = f"`cpctl profile set-key {service} --profile {name}` keeps one; or set {KEY_VARIABLES[service]}."
    return warning("none is set; calls of that service will fail", way)


def _check_store(doctor: DoctorContext) -> Findings:
    store = doctor.store_path
    if (shared := detect_network_file_system(store.parent)) is not None:
        hint = "Name a folder on a local disk: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR."
        yield failure(f"{store} would lie on a network file system ({shared})", hint, ExitCode.STORE)
    for aside in find_quarantined_files(store):
        hint = f"`cpctl outbox import {aside}` takes over what can be read; then move it away."
        yield failure(f"a damaged store was set aside as {aside}", hint, ExitCode.STORE)
    seen = doctor.store_contents
    if isinstance(seen, CpctlError):
        yield failure(seen.message, seen.hint, ExitCode.STORE)
    elif seen is None:
        yield _missing_store_finding(doctor)
    elif seen.damage:
        yield failure(
            f"{store} is damaged: {seen.damage}", "`cpctl outbox export` takes out what waits.", ExitCode.STORE
        )
    elif seen.schema_version > seen.latest_schema_version:
        yield failure(f"{store} was made by a newer cpctl", "Update cpctl on this machine.", ExitCode.STORE)
    elif not (os.access(store, os.W_OK) and os.access(store.parent, os.W_OK)):
        yield failure(f"{store} cannot be written", "Make the file and its folder writable.", ExitCode.STORE)
    else:
        old = (
            "; it is brought up to date when it is used next"
            if seen.schema_version < seen.latest_schema_version
            else ""
        )
        yield ok(f"{store} can be read and written{old}")


def _missing_store_finding(doctor: DoctorContext) -> Finding:
    if can_create_store(doctor.store_path):
        return ok(f"{doctor.store_path} is made with the first signal")
    hint = "Make its folder writable, or name another one with CPCTL_DATA_DIR."
    return failure(f"{doctor.store_path} cannot be made", hint, ExitCode.STORE)


def _check_outbox(doctor: DoctorContext) -> Findings:
    seen = doctor.store_contents
    if isinstance(seen, CpctlError):
        return
    if seen is None:
        yield ok("nothing waits")
        return
    if seen.schema_version != seen.latest_schema_version:  # what waits in another shape was not counted
        return
    level, facts = assess_outbox(seen.queue_depth, 0, *LATENESS_THRESHOLDS)
    said = str(facts["reason"])
    if level == 0:
        yield ok(said)
        return
    paused = "`cpctl outbox release` lets the queue move; " if seen.queue_depth.is_paused else ""
    sends = "`cpctl outbox flush` sends, and " if seen.queue_depth.waiting_count else ""
    hint = f"{paused}{sends}`cpctl outbox list` shows what became of each{'' if sends else ', and what to do'}."
    yield warning(said, hint) if level == 1 else failure(said, hint, ExitCode.TEMPORARY)


def _check_disk(doctor: DoctorContext) -> Findings:
    return machine.check_disk(doctor.store_path)


def _check_terminal(doctor: DoctorContext) -> Findings:
    run = doctor.context
    shown = run.output.stderr_is_terminal
    color = wants_color(run.options.color or "auto", shown, run.environment)
    return machine.check_terminal(shutil.get_terminal_size().columns if shown else None, color, run.environment)


def _check_locale(doctor: DoctorContext) -> Findings:
    return machine.check_locale(doctor.context.environment)


def _check_proxy(doctor: DoctorContext) -> Findings:
    return network.check_proxy(doctor.route)


def _check_name_resolution(doctor: DoctorContext) -> Findings:
    return network.check_dns(doctor.route, doctor.timeout_seconds)


def _check_connection(doctor: DoctorContext) -> Findings:
    return network.check_connection(doctor.route, doctor.connection, datetime.now(UTC))


def _check_clock(doctor: DoctorContext) -> Findings:
    return network.check_clock(doctor.connection)


def _check_service(doctor: DoctorContext) -> Findings:
    """The one harmless call: it reads."""
    if isinstance(doctor.connection, Exception) or doctor.profile is None or "core" not in doctor.profile.keys:
        return
    try:
        ask = make_caller(doctor.context, "core", doctor.timeout_seconds)
    except ConfigError:
        return  # told where the key was looked at
    try:
        ask(ENDPOINTS[KEY_CHECK_ENDPOINT], {})
    except KeyRefused as error:
        yield failure(error.message, error.hint, ExitCode.KEY_REFUSED)
    except CpctlError as error:
        yield failure(error.message, error.hint, ExitCode.TEMPORARY)
    else:
        yield ok("the service accepts the core key")


CHECKS = (
    DoctorCheck("version", _check_version),
    DoctorCheck("configuration", _check_configuration),
    DoctorCheck("permissions", _check_permissions),
    DoctorCheck("core key", partial(_check_key, "core")),
    DoctorCheck("signal key", partial(_check_key, "signal")),
    DoctorCheck("webhooks key", partial(_check_key, "webhooks")),
    DoctorCheck("store", _check_store),
    DoctorCheck("outbox", _check_outbox),
    DoctorCheck("disk", _check_disk),
    DoctorCheck("terminal", _check_terminal),
    DoctorCheck("locale", _check_locale),
    DoctorCheck("proxy", _check_proxy, needs_network=True),
    DoctorCheck("name", _check_name_resolution, needs_network=True),
    DoctorCheck("connection", _check_connection, needs_network=True),
    DoctorCheck("clock", _check_clock, needs_network=True),
    DoctorCheck("service", _check_service, needs_network=True),
)


def select_checks(doctor: DoctorContext, offline: bool) -> Iterator[DoctorCheck]:
    """The checks that can be made: those of the network need a profile, and that nobody forbids it."""
    without = offline or doctor.context.options.dry_run or doctor.profile is None
    return (check for check in CHECKS if not (check.needs_network and without))
