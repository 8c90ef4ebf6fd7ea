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
from cpctl.cli.calls import caller
from cpctl.cli.commands.doctor.doctor_context import Patient
from cpctl.cli.commands.outbox import verdict_of
from cpctl.cli.commands.profile.key_files import HARMLESS, NO_CALL
from cpctl.cli.commands.whoami import same_key_warnings
from cpctl.config.keys import ENV_NAMES
from cpctl.diagnostics import machine_checks as machine
from cpctl.diagnostics import network_checks as network
from cpctl.diagnostics.findings import Finding, failed, failure, ok, warning
from cpctl.errors import ConfigError, CpctlError, ExitCode, KeyRefused
from cpctl.outbox.queries import set_aside_beside
from cpctl.output.text import wants_color
from cpctl.store.location import could_be_made, network_file_system

Findings = Iterable[Finding]
LATE = timedelta(minutes=15), timedelta(hours=1)


class Check(NamedTuple):
    """One row of the examination: its name, and how it looks. The network is looked at last."""

    name: str
    look: Callable[[Patient], Findings]
    network: bool = False


def _version(patient: Patient) -> Findings:
    yield ok(f"cpctl {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}")


def _configuration(patient: Patient) -> Findings:
    try:
        profile = patient.run.profile
    except ConfigError as error:
        yield failed(error)
        return
    place = f"of {profile.file}" if profile.in_file else "of the environment alone"
    yield ok(f'profile "{profile.name}" {place}; calls go to {profile["base_url"]} ({profile["environment"]})')
    for text in same_key_warnings(profile):
        of = f" --profile {profile.name}" if profile.in_file else ""
        yield warning(text, f"`cpctl profile set-key signal{of}` takes the right one.")


def _permissions(patient: Patient) -> Findings:
    profile = patient.profile
    keys = profile.keys.values() if profile else ()
    files = [key.value for key in keys if isinstance(key.value, Path)]
    store = patient.store
    private = [patient.config, *files, store, *(store.with_name(f"{store.name}{end}") for end in ("-wal", "-shm"))]
    return machine.permissions(private, [patient.config.parent, *(file.parent for file in files), store.parent])


def _key(service: str, patient: Patient) -> Findings:
    profile = patient.profile
    if profile is None:
        return
    if service not in profile.keys:
        yield _no_key(service, patient)
        return
    source = profile.keys[service]
    if source.kind == "command" and patient.run.options.dry_run:
        yield ok(f"{source.words()}, which a dry run does not run")
        return
    key = patient.run.key(service)
    checked = "" if service == "core" else f"; {NO_CALL[service]}"
    yield ok(f"{key.last_four} from {source.words()}{checked}")


def _no_key(service: str, patient: Patient) -> Finding:
    if service == "webhooks":
        return ok("none is set; it is needed only to receive webhooks")
    name = patient.profile.name if patient.profile else ""
    way = f"`cpctl profile set-key {service} --profile {name}` keeps one; or set {ENV_NAMES[service]}."
    return warning("none is set; calls of that service will fail", way)


def _store(patient: Patient) -> Findings:
    store = patient.store
    if (shared := network_file_system(store.parent)) is not None:
        hint = "Name a folder on a local disk: `store:` in the profile, CPCTL_STORE or CPCTL_DATA_DIR."
        yield failure(f"{store} would lie on a network file system ({shared})", hint, ExitCode.STORE)
    for aside in set_aside_beside(store):
        hint = f"`cpctl outbox import {aside}` takes over what can be read; then move it away."
        yield failure(f"a damaged store was set aside as {aside}", hint, ExitCode.STORE)
    seen = patient.look
    if isinstance(seen, CpctlError):
        yield failure(seen.message, seen.hint, ExitCode.STORE)
    elif seen is None:
        yield _no_store(patient)
    elif seen.damage:
        yield failure(
            f"{store} is damaged: {seen.damage}", "`cpctl outbox export` takes out what waits.", ExitCode.STORE
        )
    elif seen.step > seen.known:
        yield failure(f"{store} was made by a newer cpctl", "Update cpctl on this machine.", ExitCode.STORE)
    elif not (os.access(store, os.W_OK) and os.access(store.parent, os.W_OK)):
        yield failure(f"{store} cannot be written", "Make the file and its folder writable.", ExitCode.STORE)
    else:
        old = "; it is brought up to date when it is used next" if seen.step < seen.known else ""
        yield ok(f"{store} can be read and written{old}")


def _no_store(patient: Patient) -> Finding:
    if could_be_made(patient.store):
        return ok(f"{patient.store} is made with the first signal")
    hint = "Make its folder writable, or name another one with CPCTL_DATA_DIR."
    return failure(f"{patient.store} cannot be made", hint, ExitCode.STORE)


def _outbox(patient: Patient) -> Findings:
    seen = patient.look
    if isinstance(seen, CpctlError):
        return
    if seen is None:
        yield ok("nothing waits")
        return
    if seen.step != seen.known:  # what waits in another shape was not counted
        return
    level, facts = verdict_of(seen.depth, 0, *LATE)
    said = str(facts["reason"])
    if level == 0:
        yield ok(said)
        return
    paused = "`cpctl outbox release` lets the queue move; " if seen.depth.paused else ""
    sends = "`cpctl outbox flush` sends, and " if seen.depth.waiting else ""
    hint = f"{paused}{sends}`cpctl outbox list` shows what became of each{'' if sends else ', and what to do'}."
    yield warning(said, hint) if level == 1 else failure(said, hint, ExitCode.TEMPORARY)


def _disk(patient: Patient) -> Findings:
    return machine.disk(patient.store)


def _terminal(patient: Patient) -> Findings:
    run = patient.run
    shown = run.output.talks_to_terminal
    color = wants_color(run.options.color or "auto", shown, run.environment)
    return machine.terminal(shutil.get_terminal_size().columns if shown else None, color, run.environment)


def _language(patient: Patient) -> Findings:
    return machine.language(patient.run.environment)


def _proxy(patient: Patient) -> Findings:
    return network.proxy(patient.way)


def _name(patient: Patient) -> Findings:
    return network.name(patient.way, patient.seconds)


def _connection(patient: Patient) -> Findings:
    return network.connection(patient.way, patient.reached, datetime.now(UTC))


def _clock(patient: Patient) -> Findings:
    return network.clock(patient.reached)


def _core_key_there(patient: Patient) -> Findings:
    """The one harmless call: it reads."""
    if isinstance(patient.reached, Exception) or patient.profile is None or "core" not in patient.profile.keys:
        return
    try:
        ask = caller(patient.run, "core", patient.seconds)
    except ConfigError:
        return  # told where the key was looked at
    try:
        ask(ENDPOINTS[HARMLESS], {})
    except KeyRefused as error:
        yield failure(error.message, error.hint, ExitCode.KEY_REFUSED)
    except CpctlError as error:
        yield failure(error.message, error.hint, ExitCode.TEMPORARY)
    else:
        yield ok("the service accepts the core key")


CHECKS = (
    Check("version", _version),
    Check("configuration", _configuration),
    Check("permissions", _permissions),
    Check("core key", partial(_key, "core")),
    Check("signal key", partial(_key, "signal")),
    Check("webhooks key", partial(_key, "webhooks")),
    Check("store", _store),
    Check("outbox", _outbox),
    Check("disk", _disk),
    Check("terminal", _terminal),
    Check("locale", _language),
    Check("proxy", _proxy, network=True),
    Check("name", _name, network=True),
    Check("connection", _connection, network=True),
    Check("clock", _clock, network=True),
    Check("service", _core_key_there, network=True),
)


def checks_for(patient: Patient, offline: bool) -> Iterator[Check]:
    """The checks that can be made: those of the network need a profile, and that nobody forbids it."""
    without = offline or patient.run.options.dry_run or patient.profile is None
    return (check for check in CHECKS if not (check.network and without))
