"""What a service must know of the person who prints it and of this machine, put into a plan."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.service.host import HOMES, TMP, below, owner, program, program_in_a_home, user_units
from cpctl.cli.context import Run
from cpctl.cli.framework import LazyGroup
from cpctl.config.keys import ENV_NAMES, KeySource
from cpctl.config.paths import config_file
from cpctl.config.profiles import SETTINGS, Profile
from cpctl.errors import InvalidInput, nearest
from cpctl.service_units.escaping import refuse_unwritable
from cpctl.service_units.service_plan import (
    ACCOUNT,
    KEY_FOLDER,
    SERVICES,
    SYSTEM_CONFIG,
    SYSTEM_FOLDER,
    Credential,
    Plan,
    Service,
    checked,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,99}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?")
# What a way out of the house needs; a service does not see what stands in a person's shell.
_ROUTES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE")
# What the service must not be told by itself: it is told by the unit, or it would do nothing.
_BEFORE_THE_DASHES = ("profile", "config", "dry_run")


class Asked(NamedTuple):
    """What was asked for on the command line, checked."""

    service: Service
    name: str
    user: bool
    run_as: str | None
    every: int
    words: tuple[str, ...]


def checked_service(name: str, system: str = os.name) -> Service:
    """The service of that name. Raises InvalidInput for another, and on Windows."""
    if system == "nt":
        raise InvalidInput(
            "Windows has neither systemd nor cron.", "Let the Task Scheduler run `cpctl outbox flush --quiet`."
        )
    if name not in SERVICES:
        raise InvalidInput(f'There is no service "{name}".', nearest(name, SERVICES))
    return SERVICES[name]


def checked_name(name: str) -> str:
    """A name that a unit can have. Raises InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f'--name "{name}" cannot be the name of a unit.', "Use letters, digits, and - _ . :")
    return name.removesuffix(".service")


def checked_words(service: Service, words: Sequence[str]) -> tuple[str, ...]:
    """Options for the service itself, as its command understands them. Raises InvalidInput."""
    from cpctl.cli.root import GROUPS

    group, command, *_ = service.command
    if words and group in GROUPS:
        made = LazyGroup(group, "").get_command(None, command)
        context = made.make_context(f"cpctl {group} {command}", list(words), obj=Run({}))
        for name in _BEFORE_THE_DASHES:
            if context.params.get(name):
                option = f"--{name.replace('_', '-')}"
                raise InvalidInput(f"{option} cannot be given to the service.", f"Put {option} before the --.")
    return tuple(words)


def unit_plan(run: Run, asked: Asked) -> Plan:
    """The plan of a unit. Raises ConfigError without a profile, InvalidInput for what no unit can hold."""
    profile = _fit_for_a_line(run.profile)
    account = "" if asked.user else _account(asked, owner(profile.store))
    own = asked.user or account == owner(profile.store)
    keys = _own_folder() if asked.user else Path(KEY_FOLDER)
    config = _config(profile, own)
    return checked(
        Plan(
            service=asked.service,
            name=asked.name,
            program=program(),
            words=(*_chosen_profile(profile), *asked.words),
            environment=tuple(_environment(run, config, own)),
            credential=_credential(profile, asked.service.key, keys, "" if asked.user else "sudo "),
            folder=user_units(run.environment) if asked.user else SYSTEM_FOLDER,
            account=account,
            store=_store_folder(profile) if own else "",
            sees_tmp=_sees_tmp(profile, config, own),
            every=asked.every,
            remarks=(*_remarks_of_account(profile, account, own, config, asked.service), *_remarks(run, asked.words)),
        )
    )


def cron_plan(run: Run, asked: Asked) -> Plan:
    """The plan of a line in the crontab of the person who prints it. Raises ConfigError, InvalidInput."""
    profile = _fit_for_a_line(run.profile)
    key = profile.keys.get(asked.service.key)
    found = key is not None and key.kind != "command" and key.place.startswith(f"{asked.service.key}.")
    return checked(
        Plan(
            service=asked.service,
            name=asked.name,
            program=program(),
            words=(*_chosen_profile(profile), *asked.words),
            environment=tuple(_environment(run, _config(profile, True), True)),
            credential=None if found else _credential(profile, asked.service.key, _own_folder(), ""),
            folder="",
            account="",
            store=_store_folder(profile),
            sees_tmp=True,
            every=asked.every,
            remarks=_remarks(run, ()),
        )
    )


def _fit_for_a_line(profile: Profile) -> Profile:
    """The profile, if its names fit into one line each: they stand in comments, too. Raises InvalidInput."""
    refuse_unwritable("The profile", profile.name)
    refuse_unwritable("The configuration", str(profile.file or ""))
    refuse_unwritable("The store", str(profile.store))
    return profile


def _own_folder() -> Path:
    return config_file(None, {})[0].parent


def _store_folder(profile: Profile) -> str:
    return str(profile.store.absolute().parent)


def _config(profile: Profile, own: bool) -> Path | None:
    """The configuration the service reads: another account cannot read what lies in a home."""
    if profile.file is None:
        return None
    file = profile.file.absolute()
    return file if own or not below(file, HOMES + TMP) else Path(SYSTEM_CONFIG)


def _chosen_profile(profile: Profile) -> tuple[str, ...]:
    """Named outright: another default in the file must not change what a service sends."""
    return () if profile.name_source == "environment" else (f"--profile={profile.name}",)


def _environment(run: Run, config: Path | None, own: bool) -> Iterator[tuple[str, str]]:
    """What the person's shell says and a service would not see: where things are, and the way out of the house."""
    profile = run.profile
    if config is not None:
        yield "CPCTL_CONFIG", str(config)
    source = profile.settings["store"].source
    if own and source == "CPCTL_STORE":
        yield "CPCTL_STORE", str(profile.store.absolute())
    elif own and not source.startswith("line "):
        yield "CPCTL_DATA_DIR", _store_folder(profile)
    for setting in ("base_url", "timeout"):
        if profile.settings[setting].source == SETTINGS[setting].variable:
            yield SETTINGS[setting].variable, profile[setting]
    yield from ((name, value) for name, value in _routes(run) if "@" not in value)


def _routes(run: Run) -> list[tuple[str, str]]:
    return [(name, run.environment[name]) for name in _ROUTES if name in run.environment]


def _credential(profile: Profile, service: str, folder: Path, sudo: str) -> Credential:
    """Where the key is to be read from: the file that is named, or one that has yet to be made."""
    source = profile.keys.get(service)
    variable = f"{ENV_NAMES[service]}_FILE"
    if source is not None and isinstance(source.value, Path):
        file = str(source.value.absolute())
        return Credential(service, variable, file, (f"The key for {service} is read from {file}: {source.place}.",))
    file = str(folder / f"{service}.key")
    remarks = (
        f"The key for {service} must stand in {file}. {_why_a_file(source)}",
        "Once, before the first start; then type the key, Enter, Ctrl-D:",
        f"  {sudo}install -D -m 600 /dev/stdin {shlex.quote(file)}",
    )
    return Credential(service, variable, file, remarks)


def _why_a_file(source: KeySource | None) -> str:
    if source is None:
        return "No key is set yet."
    if source.kind == "command":
        return f"Now it comes from {source.place}; a service cannot unlock a password store."
    return f"Now it comes from {source.place}, and a unit repeats no key."


def _account(asked: Asked, owner: str) -> str:
    """Who a system unit runs as. Raises InvalidInput for what no account can be called."""
    if asked.run_as is None:
        return ACCOUNT if asked.service.meets_strangers else owner
    if not _ACCOUNT.fullmatch(asked.run_as):
        raise InvalidInput(f'--run-as "{asked.run_as}" cannot be the name of an account.', "Such as: --run-as cpctl")
    return asked.run_as


def _sees_tmp(profile: Profile, config: Path | None, own: bool) -> bool:
    """Whether something it needs lies where PrivateTmp= would hide it."""
    needed = [Path(program()[0]), *([config] if config else []), *([profile.store] if own else [])]
    return any(below(each.absolute(), TMP) for each in needed)


def _remarks_of_account(
    profile: Profile, account: str, own: bool, config: Path | None, service: Service
) -> Iterator[str]:
    """What a person has to do for the account it runs as, before it runs."""
    if account == "root":
        yield f"It runs as root, who owns {profile.store}. Print it as the person who reports signals."
    if own:
        return
    yield f"It runs as {account}; once: sudo useradd --system --no-create-home {account}"
    if not service.meets_strangers:
        yield f"It has a store of its own, /var/lib/cpctl; it does not send what is accepted in {profile.store}."
    if config is not None:
        yield f'{config} must have the profile "{profile.name}" (no keys), belong to {account}, and have mode 600.'
    if program_in_a_home():
        yield f"{account} cannot run {program()[0]}, which lies in a home: install cpctl for all, in /opt."


def _remarks(run: Run, words: Sequence[str]) -> tuple[str, ...]:
    """What cannot be written into a unit, and what the unit's limits mean."""
    left_out = [
        f"{name} holds a password and is left out; docs/services.md says where it can stand."
        for name, value in _routes(run)
        if "@" in value
    ]
    if any(word.split("=")[0] == "--exec" for word in words):
        left_out.append(
            "What --exec starts lives within the limits of the unit; docs/services.md says how to widen them."
        )
    return tuple(left_out)
