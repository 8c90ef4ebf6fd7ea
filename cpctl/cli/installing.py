"""What a service must know of this machine and of the person who prints it, put into a plan."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.group import LazyGroup
from cpctl.cli.run import Run
from cpctl.config.paths import config_file
from cpctl.config.profiles import SETTINGS, Profile
from cpctl.config.secrets import ENV_NAMES
from cpctl.errors import ConfigError, InvalidInput, nearest
from cpctl.services.escaping import refuse_unwritable
from cpctl.services.plan import (
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
# What ProtectHome= hides, and PrivateTmp=.
_HOMES = ("/home", "/root", "/run/user")
_TMP = ("/tmp", "/var/tmp")


class Asked(NamedTuple):
    """What was asked for on the command line, checked."""

    service: Service
    name: str
    user: bool
    run_as: str | None
    every: int
    words: tuple[str, ...]


def checked_service(name: str) -> Service:
    """The service of that name. Raises InvalidInput."""
    if os.name == "nt":
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
    return name


def checked_words(service: Service, words: Sequence[str]) -> tuple[str, ...]:
    """Options for the service itself, as its command understands them. Raises InvalidInput."""
    from cpctl.cli.root import GROUPS

    group, command, *_ = service.command
    if words and group in GROUPS:
        made = LazyGroup(group, "").get_command(None, command)
        context = made.make_context(f"cpctl {group} {command}", list(words), obj=Run({}))
        for name in ("profile", "config", "dry_run"):
            if context.params.get(name):
                option = f"--{name.replace('_', '-')}"
                raise InvalidInput(f"{option} cannot be given to the service.", f"Put {option} before the --.")
    return tuple(words)


def unit_plan(run: Run, asked: Asked) -> Plan:
    """The plan of a unit. Raises ConfigError without a profile, InvalidInput for what no unit can hold."""
    profile = _written_in_a_line(run.profile)
    owner = _owner(profile.store)
    account = "" if asked.user else _account(asked, owner)
    shares_store = asked.user or account == owner
    default = config_file(None, {})[0].parent if asked.user else Path(KEY_FOLDER)
    config = profile.file.absolute() if profile.file else None
    if config and not shares_store and _below(config, _HOMES + _TMP):
        config = Path(SYSTEM_CONFIG)
    plan = Plan(
        asked.service,
        asked.name,
        _program(),
        (*_chosen_profile(profile), *asked.words),
        tuple(_environment(run, config, shares_store)),
        _credential(profile, asked.service.key, default, "" if asked.user else "sudo "),
        str(_user_units()) if asked.user else SYSTEM_FOLDER,
        account,
        str(profile.store.absolute().parent) if shares_store else "",
        False,
        asked.every,
        (),
    )
    return checked(plan._replace(sees_tmp=_sees_tmp(plan, config), remarks=tuple(_remarks(run, plan, owner))))


def cron_plan(run: Run, asked: Asked) -> Plan:
    """The plan of a line in the crontab of the person who prints it. Raises ConfigError, InvalidInput."""
    profile = _written_in_a_line(run.profile)
    config = profile.file.absolute() if profile.file else None
    key = profile.keys.get(asked.service.key)
    own = key is not None and key.kind != "command" and key.place.startswith(f"{asked.service.key}.")
    credential = None if own else _credential(profile, asked.service.key, config_file(None, {})[0].parent, "")
    return checked(
        Plan(
            asked.service,
            asked.name,
            _program(),
            (*_chosen_profile(profile), *asked.words),
            tuple(_environment(run, config, True)),
            credential,
            "",
            "",
            str(profile.store.absolute().parent),
            True,
            asked.every,
            (),
        )
    )


def _written_in_a_line(profile: Profile) -> Profile:
    """The profile, if its names fit into one line each: they stand in comments, too. Raises InvalidInput."""
    refuse_unwritable("The profile", profile.name)
    refuse_unwritable("The configuration", str(profile.file or ""))
    refuse_unwritable("The store", str(profile.store))
    return profile


def _program() -> tuple[str, ...]:
    """The cpctl that runs now. A link is kept: behind it, an upgrade may put another version."""
    started = Path(sys.argv[0]).absolute()
    if started.name == "cpctl" and os.access(started, os.X_OK) and started.is_file():
        return (str(started),)
    return (sys.executable, "-m", "cpctl")


def _chosen_profile(profile: Profile) -> tuple[str, ...]:
    """Named outright: another default in the file must not change what a service sends."""
    return () if profile.name_source == "environment" else (f"--profile={profile.name}",)


def _environment(run: Run, config: Path | None, shares_store: bool) -> Iterator[tuple[str, str]]:
    """What the person's shell says and a service would not see: where things are, and the way out of the house."""
    profile = run.profile
    if config is not None:
        yield "CPCTL_CONFIG", str(config)
    store = profile.settings["store"].source
    if shares_store and not store.startswith("line "):
        name = "CPCTL_STORE" if store == "CPCTL_STORE" else "CPCTL_DATA_DIR"
        yield name, str(profile.store.absolute() if name == "CPCTL_STORE" else profile.store.absolute().parent)
    for setting in ("base_url", "timeout"):
        if profile.settings[setting].source == SETTINGS[setting].variable:
            yield SETTINGS[setting].variable, profile[setting]
    yield from ((name, value) for name, value in _routes(run) if "@" not in value)


def _routes(run: Run) -> list[tuple[str, str]]:
    return [(name, run.environment[name]) for name in _ROUTES if name in run.environment]


def _credential(profile: Profile, service: str, default: Path, sudo: str) -> Credential:
    """Where the key is to be read from: the file that is named, or one that has yet to be made."""
    source = profile.keys.get(service)
    variable = f"{ENV_NAMES[service]}_FILE"
    if source is not None and isinstance(source.value, Path):
        file = str(source.value.absolute())
        return Credential(service, variable, file, (f"The key for {service} is read from {file}: {source.place}.",))
    file = str(default / f"{service}.key")
    why = "No key is set yet."
    if source is not None:
        why = f"Now it comes from {source.place}" + (
            "; a service cannot unlock a password store." if source.kind == "command" else ", which no unit repeats."
        )
    from shlex import quote

    return Credential(
        service,
        variable,
        file,
        (
            f"The key for {service} must stand in {file}. {why}",
            "Once, before the first start; then type the key, Enter, Ctrl-D:",
            f"  {sudo}install -D -m 600 /dev/stdin {quote(file)}",
        ),
    )


def _account(asked: Asked, owner: str) -> str:
    """Who a system unit runs as. Raises InvalidInput for what no account can be called."""
    if asked.run_as is None:
        return ACCOUNT if asked.service.meets_strangers else owner
    if not _ACCOUNT.fullmatch(asked.run_as):
        raise InvalidInput(f'--run-as "{asked.run_as}" cannot be the name of an account.', "Such as: --run-as cpctl")
    return asked.run_as


def _owner(store: Path) -> str:
    """Who owns the store; where there is none yet, who asks."""
    import pwd

    try:
        number = store.stat().st_uid
    except OSError:
        number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _user_units() -> Path:
    """The folder of a person's own units: systemd.unit(5). Raises ConfigError."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        base = Path(named) if Path(named).is_absolute() else Path.home() / ".config"
    except RuntimeError as error:
        raise ConfigError("There is no home folder here to keep units in.", "Set HOME.") from error
    return base / "systemd" / "user"


def _below(path: Path, folders: Sequence[str]) -> bool:
    """Whether a path lies in one of the folders, itself or what it links to."""
    return any(each.is_relative_to(folder) for each in (path, path.resolve()) for folder in folders)


def _sees_tmp(plan: Plan, config: Path | None) -> bool:
    needed = [Path(plan.program[0]), *([Path(plan.store)] if plan.store else []), *([config] if config else [])]
    return any(_below(each, _TMP) for each in needed)


def _remarks(run: Run, plan: Plan, owner: str) -> Iterator[str]:
    """What a person has to know, or to do, before it runs."""
    if plan.account == "root":
        yield f"It runs as root, who owns {run.profile.store}. Print it as the person who reports signals."
    if plan.account and not plan.store:
        yield from _remarks_of_account(plan, run.profile, owner)
    for name, value in _routes(run):
        if "@" in value:
            yield f"{name} holds a password and is left out; put it into a file for EnvironmentFile=."
    if any(word.split("=")[0] == "--exec" for word in plan.words):
        yield "What --exec starts lives within the limits of the unit; docs/services.md says how to widen them."


def _remarks_of_account(plan: Plan, profile: Profile, owner: str) -> Iterator[str]:
    """The service has an account, a store and a configuration of its own."""
    yield f"It runs as {plan.account}; once: sudo useradd --system --no-create-home {plan.account}"
    if not plan.service.meets_strangers:
        yield f"It has a store of its own, /var/lib/cpctl; what {owner} accepts in {profile.store} is not sent by it."
    if profile.file is not None:
        named = dict(plan.environment)["CPCTL_CONFIG"]
        yield f'{named} must have the profile "{profile.name}" (no keys), belong to {plan.account}, and have mode 600.'
    if _below(Path(plan.program[0]), _HOMES):
        yield f"{plan.account} cannot run {plan.program[0]}, which lies in a home: install cpctl for all, in /opt."
