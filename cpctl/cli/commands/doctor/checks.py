"""The checks of `doctor`: the table at the end of this file, in the order in which they are shown."""

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
from cpctl.diagnostics.findings import Finding, failure, ok, warning
from cpctl.errors import ConfigError, CpctlError, ExitCode, KeyRefused
from cpctl.outbox.queries import StoreInspection, find_quarantined_files
from cpctl.output.text import wants_color
from cpctl.store.location import can_create_store, detect_network_file_system

Findings = Iterable[Finding]
LATENESS_THRESHOLDS = timedelta(minutes=15), timedelta(hours=1)


class DoctorCheck(NamedTuple):
    """A check: its name, and a function that yields its findings."""

    name: str
    run: Callable[[DoctorContext], Findings]
    needs_network: bool = False


def _check_version(doctor: DoctorContext) -> Findings:
    yield ok(f"cpctl {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}")


def _check_configuration(doctor: DoctorContext) -> Findings:
    profile = doctor.context.profile
    source = profile.file if profile.is_in_file else "the environment alone"
    yield ok(f'profile "{profile.name}" from {source}; calls go to {profile["base_url"]} ({profile["environment"]})')
    for text in find_same_key_warnings(profile):
        option = f" --profile {profile.name}" if profile.is_in_file else ""
        yield warning(text, f"Set the right key with `cpctl profile set-key signal{option}`.")


def _check_permissions(doctor: DoctorContext) -> Findings:
    keys = doctor.profile.keys.values() if doctor.profile else ()
    key_files = [key.value for key in keys if isinstance(key.value, Path)]
    config, store = doctor.config_path, doctor.store_path
    store_files = [store, *(store.with_name(f"{store.name}{suffix}") for suffix in ("-wal", "-shm"))]
    folders = [config.parent, *(file.parent for file in key_files), store.parent]
    return machine.check_permissions([config, *key_files, *store_files], folders)


def _check_key(service: str, doctor: DoctorContext) -> Findings:
    profile = doctor.profile
    if profile is None:
        return
    if service not in profile.keys:
        yield _missing_key_finding(service, profile.name)
        return
    source = profile.keys[service]
    if source.kind == "command" and doctor.context.options.dry_run:
        yield ok(f"{source.describe()}; a dry run does not run the command")
        return
    key = doctor.context.read_key(service)
    note = "" if service == "core" else f"; {UNVERIFIED_KEY_NOTES[service]}"
    yield ok(f"{key.last_four} from {source.describe()}{note}")


def _missing_key_finding(service: str, profile: str) -> Finding:
    if service == "webhooks":
        return ok("not set; it is needed only to receive webhooks")
    command = f"cpctl profile set-key {service} --profile {profile}"
    return warning(
        "not set; calls to this service will fail", f"Add one with `{command}`, or set {KEY_VARIABLES[service]}."
    )


def _check_store(doctor: DoctorContext) -> Findings:
    file = doctor.store_path
    if (file_system := detect_network_file_system(file.parent)) is not None:
        remedy = "Name a folder on a local disk: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR."
        yield failure(f"{file} is on a network file system ({file_system})", remedy, ExitCode.STORE)
    for quarantined in find_quarantined_files(file):
        remedy = f"Recover what can be read with `cpctl outbox import {quarantined}`, then move the file away."
        yield failure(f"a damaged store was quarantined as {quarantined}", remedy, ExitCode.STORE)
    store = doctor.store_contents
    if isinstance(store, CpctlError):
        yield failure(store.message, store.hint, ExitCode.STORE)
    elif store is None:
        yield _missing_store_finding(file)
    else:
        yield _store_finding(file, store)


def _missing_store_finding(file: Path) -> Finding:
    if can_create_store(file):
        return ok(f"{file} will be created with the first signal")
    remedy = "Make its folder writable, or name another one with CPCTL_DATA_DIR."
    return failure(f"cannot create {file}", remedy, ExitCode.STORE)


def _store_finding(file: Path, store: StoreInspection) -> Finding:
    if store.damage:
        remedy = "Save what is waiting with `cpctl outbox export`."
        return failure(f"{file} is damaged: {store.damage}", remedy, ExitCode.STORE)
    if store.schema_version > store.latest_schema_version:
        return failure(f"{file} was created by a newer cpctl", "Update cpctl on this machine.", ExitCode.STORE)
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        return failure(f"{file} is not writable", "Make the file and its folder writable.", ExitCode.STORE)
    is_old = store.schema_version < store.latest_schema_version
    return ok(f"{file} is readable and writable{'; it will be migrated on next use' if is_old else ''}")


def _check_outbox(doctor: DoctorContext) -> Findings:
    store = doctor.store_contents
    if store is None:
        yield ok("nothing waits")
        return
    # A store of another version was not counted.
    if isinstance(store, CpctlError) or store.schema_version != store.latest_schema_version:
        return
    level, facts = assess_outbox(store.queue_depth, 0, *LATENESS_THRESHOLDS)
    message = str(facts["reason"])
    steps = ["resume the queue with `cpctl outbox release`"] if store.queue_depth.is_paused else []
    steps += ["send with `cpctl outbox flush`"] if store.queue_depth.waiting_count else []
    remedy = "; ".join([*steps, "see what happened to each with `cpctl outbox list`"])
    remedy = f"{remedy[0].upper()}{remedy[1:]}."
    if level == 0:
        yield ok(message)
    else:
        yield warning(message, remedy) if level == 1 else failure(message, remedy, ExitCode.TEMPORARY)


def _check_terminal(doctor: DoctorContext) -> Findings:
    context = doctor.context
    is_terminal = context.output.stderr_is_terminal
    has_color = wants_color(context.options.color or "auto", is_terminal, context.environment)
    columns = shutil.get_terminal_size().columns if is_terminal else None
    return machine.check_terminal(columns, has_color, context.environment)


def _check_service(doctor: DoctorContext) -> Findings:
    """Make the one read-only call, if there is a connection and a key."""
    if isinstance(doctor.connection, Exception) or doctor.profile is None or "core" not in doctor.profile.keys:
        return
    try:
        call = make_caller(doctor.context, "core", doctor.timeout_seconds)
    except ConfigError:
        return  # reported by the check of the core key
    try:
        call(ENDPOINTS[KEY_CHECK_ENDPOINT], {})
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
    DoctorCheck("disk", lambda doctor: machine.check_disk(doctor.store_path)),
    DoctorCheck("terminal", _check_terminal),
    DoctorCheck("locale", lambda doctor: machine.check_locale(doctor.context.environment)),
    DoctorCheck("proxy", lambda doctor: network.check_proxy(doctor.route), needs_network=True),
    DoctorCheck("name", lambda doctor: network.check_dns(doctor.route, doctor.timeout_seconds), needs_network=True),
    DoctorCheck(
        "connection",
        lambda doctor: network.check_connection(doctor.route, doctor.connection, datetime.now(UTC)),
        needs_network=True,
    ),
    DoctorCheck("clock", lambda doctor: network.check_clock(doctor.connection), needs_network=True),
    DoctorCheck("service", _check_service, needs_network=True),
)


def select_checks(doctor: DoctorContext, offline: bool) -> Iterator[DoctorCheck]:
    """The checks to run: those of the network need a profile, and run neither offline nor in a dry run."""
    without_network = offline or doctor.context.options.dry_run or doctor.profile is None
    return (check for check in CHECKS if not (check.needs_network and without_network))
