"""The checks of `doctor`, and what they examine. The table at the end of this file has the order of the report."""

import http.client
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cpctl import __version__
from cpctl.cli.calls import verify_core_key
from cpctl.cli.commands.outbox import assess_outbox
from cpctl.cli.commands.whoami import find_same_key_warnings
from cpctl.cli.context import Context
from cpctl.config.keys import KEY_VARIABLES, SERVICES, UNVERIFIED_KEY_NOTES
from cpctl.config.paths import find_config_file, find_default_store
from cpctl.config.profiles import Profile
from cpctl.diagnostics import machine_checks as machine
from cpctl.diagnostics import network_checks as network
from cpctl.diagnostics.findings import Finding, failure, ok, warning
from cpctl.errors import ConfigError, CpctlError, ExitCode, KeyRefused
from cpctl.net import is_loopback
from cpctl.outbox.queries import StoreInspection, find_quarantined_files, inspect_store
from cpctl.output.text import wants_color
from cpctl.store.location import can_create_store, detect_network_file_system

Findings = Iterable[Finding]
LATENESS_THRESHOLDS = timedelta(minutes=15), timedelta(hours=1)
MAX_NETWORK_SECONDS = 10.0
MAX_PROBLEM_SIGNALS = 20


class DoctorContext:
    """The context of a command, and what the checks share. Nothing here changes anything."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def profile(self) -> Profile | None:
        """The profile in use, or None if there is no usable one."""
        try:
            return self.context.profile
        except ConfigError:
            return None

    @cached_property
    def config_path(self) -> Path:
        """The configuration file, which may not exist. Raises ConfigError."""
        return find_config_file(self.context.options.config, self.context.environment)[0]

    @cached_property
    def store_path(self) -> Path:
        """The store, which may not exist. Raises ConfigError."""
        return self.profile.store if self.profile else find_default_store(self.context.environment)[0]

    @cached_property
    def store_contents(self) -> StoreInspection | CpctlError | None:
        """What is in the store, or why it cannot be read; None if it does not exist."""
        try:
            return inspect_store(self.store_path, MAX_PROBLEM_SIGNALS) if self.store_path.exists() else None
        except CpctlError as error:
            return error
        except OSError as error:
            return ConfigError(f"Cannot read the store {self.store_path}: {error.strerror}.")

    @cached_property
    def timeout_seconds(self) -> float:
        """The maximum time of one network check."""
        assert self.profile is not None, "network checks need a profile"
        return self.profile.timeout if self.context.options.timeout else min(self.profile.timeout, MAX_NETWORK_SECONDS)

    @cached_property
    def route(self) -> network.ConnectionSettings:
        """Address, proxy and certificate authorities for connections to the service."""
        assert self.profile is not None, "network checks need a profile"
        from cpctl.api.client import find_proxy_and_ca_bundle

        url = self.profile["base_url"]
        return network.ConnectionSettings(
            url, *find_proxy_and_ca_bundle(url, is_loopback(urlsplit(url).hostname or ""))
        )

    @cached_property
    def connection(self) -> network.ConnectionProbe | Exception:
        """The result of one connection, or why it failed."""
        try:
            return network.probe_connection(self.route, self.timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            return error


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
    source = profile.keys.get(service)
    if source is None and service == "webhooks":
        yield ok("not set; it is needed only to receive webhooks")
        return
    if source is None:
        remedy = (
            f"Add one with `cpctl profile set-key {service} --profile {profile.name}`, or set {KEY_VARIABLES[service]}."
        )
        yield warning("not set; calls to this service will fail", remedy)
        return
    if source.kind == "command" and doctor.context.options.dry_run:
        yield ok(f"{source.describe()}; a dry run does not run the command")
        return
    key = doctor.context.read_key(service)
    note = "" if service == "core" else f"; {UNVERIFIED_KEY_NOTES[service]}"
    yield ok(f"{key.last_four} from {source.describe()}{note}")


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
    elif store is not None:
        yield _store_finding(file, store)
    elif can_create_store(file):
        yield ok(f"{file} will be created with the first signal")
    else:
        remedy = "Make its folder writable, or name another one with CPCTL_DATA_DIR."
        yield failure(f"cannot create {file}", remedy, ExitCode.STORE)


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
    context, is_terminal = doctor.context, doctor.context.output.stderr_is_terminal
    has_color = wants_color(context.options.color or "auto", is_terminal, context.environment)
    columns = shutil.get_terminal_size().columns if is_terminal else None
    return machine.check_terminal(columns, has_color, context.environment)


def _check_connection(doctor: DoctorContext) -> Findings:
    return network.check_connection(doctor.route, doctor.connection, datetime.now(UTC))


def _check_service(doctor: DoctorContext) -> Findings:
    """Make the one read-only call, if there is a connection and a key."""
    if isinstance(doctor.connection, Exception) or doctor.profile is None or "core" not in doctor.profile.keys:
        return
    try:
        verify_core_key(doctor.context, doctor.timeout_seconds)
    except ConfigError:
        return  # reported by the check of the core key
    except CpctlError as error:
        status = ExitCode.KEY_REFUSED if isinstance(error, KeyRefused) else ExitCode.TEMPORARY
        yield failure(error.message, error.hint, status)
    else:
        yield ok("the service accepts the core key")


CHECKS = (
    DoctorCheck("version", _check_version),
    DoctorCheck("configuration", _check_configuration),
    DoctorCheck("permissions", _check_permissions),
    *(DoctorCheck(f"{service} key", partial(_check_key, service)) for service in SERVICES),
    DoctorCheck("store", _check_store),
    DoctorCheck("outbox", _check_outbox),
    DoctorCheck("disk", lambda doctor: machine.check_disk(doctor.store_path)),
    DoctorCheck("terminal", _check_terminal),
    DoctorCheck("locale", lambda doctor: machine.check_locale(doctor.context.environment)),
    DoctorCheck("proxy", lambda doctor: network.check_proxy(doctor.route), needs_network=True),
    DoctorCheck("name", lambda doctor: network.check_dns(doctor.route, doctor.timeout_seconds), needs_network=True),
    DoctorCheck("connection", _check_connection, needs_network=True),
    DoctorCheck("clock", lambda doctor: network.check_clock(doctor.connection), needs_network=True),
    DoctorCheck("service", _check_service, needs_network=True),
)


def select_checks(doctor: DoctorContext, offline: bool) -> Iterator[DoctorCheck]:
    """The checks to run: those of the network need a profile, and run neither offline nor in a dry run."""
    without_network = offline or doctor.context.options.dry_run or doctor.profile is None
    return (check for check in CHECKS if not (check.needs_network and without_network))
