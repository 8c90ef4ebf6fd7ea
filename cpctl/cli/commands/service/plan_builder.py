"""What a service must know of the person who prints it and of this machine, put into a plan."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.service.host import (
    HOME_FOLDERS,
    TEMP_FOLDERS,
    find_program,
    find_store_owner,
    find_user_unit_folder,
    is_below,
    is_program_in_home,
)
from cpctl.cli.context import Context
from cpctl.cli.framework import LazyGroup
from cpctl.config.keys import KEY_VARIABLES, KeySource
from cpctl.config.paths import find_config_file
from cpctl.config.profiles import Profile
from cpctl.config.settings import SETTINGS
from cpctl.errors import InvalidInput, suggest
from cpctl.service_units.escaping import reject_control_characters
from cpctl.service_units.service_plan import (
    DEFAULT_ACCOUNT,
    KEY_FOLDER,
    SERVICES,
    SYSTEM_CONFIG,
    SYSTEM_UNIT_FOLDER,
    Credential,
    Service,
    ServicePlan,
    validate_plan,
)

_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,99}")
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?")
# What a way out of the house needs; a service does not see what stands in a person's shell.
_PROXY_VARIABLES = (
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
)
# What the service must not be told by itself: it is told by the unit, or it would do nothing.
_NOT_PASSED_TO_SERVICE = ("profile", "config", "dry_run")


class InstallOptions(NamedTuple):
    """What was asked for on the command line, checked."""

    service: Service
    name: str
    is_user_unit: bool
    run_as: str | None
    interval_seconds: int
    arguments: tuple[str, ...]


def parse_service(name: str, os_name: str = os.name) -> Service:
    """The service of that name. Raises InvalidInput for another, and on Windows."""
    if os_name == "nt":
        raise InvalidInput(
            "Windows has neither systemd nor cron.", "Let the Task Scheduler run `cpctl outbox flush --quiet`."
        )
    if name not in SERVICES:
        raise InvalidInput(f'There is no service "{name}".', suggest(name, SERVICES))
    return SERVICES[name]


def parse_unit_name(name: str) -> str:
    """A name that a unit can have. Raises InvalidInput."""
    if not _UNIT_NAME.fullmatch(name):
        raise InvalidInput(f'--name "{name}" cannot be the name of a unit.', "Use letters, digits, and - _ . :")
    return name.removesuffix(".service")


def parse_service_arguments(service: Service, arguments: Sequence[str]) -> tuple[str, ...]:
    """Options for the service itself, as its command understands them. Raises InvalidInput."""
    from cpctl.cli.root import GROUPS

    group, command, *_ = service.command
    if arguments and group in GROUPS:
        made = LazyGroup(group, "").get_command(None, command)
        context = made.make_context(f"cpctl {group} {command}", list(arguments), obj=Context({}))
        for name in _NOT_PASSED_TO_SERVICE:
            if context.params.get(name):
                option = f"--{name.replace('_', '-')}"
                raise InvalidInput(f"{option} cannot be given to the service.", f"Put {option} before the --.")
    return tuple(arguments)


def plan_unit(context: Context, options: InstallOptions) -> ServicePlan:
    """The plan of a unit. Raises ConfigError without a profile, InvalidInput for what no unit can hold."""
    profile = _require_single_line_names(context.profile)
    account = "" if options.is_user_unit else _choose_account(options, find_store_owner(profile.store))
    own = options.is_user_unit or account == find_store_owner(profile.store)
    keys = _config_folder() if options.is_user_unit else Path(KEY_FOLDER)
    config = _service_config(profile, own)
    return validate_plan(
        ServicePlan(
            service=options.service,
            name=options.name,
            program=find_program(),
            options=(*_profile_arguments(profile), *options.arguments),
            environment=tuple(_service_environment(context, config, own)),
            credential=_plan_credential(
                profile, options.service.key_service, keys, "" if options.is_user_unit else "sudo "
            ),
            unit_folder=find_user_unit_folder(context.environment) if options.is_user_unit else SYSTEM_UNIT_FOLDER,
            account=account,
            store_folder=_store_folder(profile) if own else "",
            needs_tmp=_needs_tmp(profile, config, own),
            interval_seconds=options.interval_seconds,
            comments=(
                *_account_remarks(profile, account, own, config, options.service),
                *_option_remarks(context, options.arguments),
            ),
        )
    )


def plan_cron(context: Context, options: InstallOptions) -> ServicePlan:
    """The plan of a line in the crontab of the person who prints it. Raises ConfigError, InvalidInput."""
    profile = _require_single_line_names(context.profile)
    key = profile.keys.get(options.service.key_service)
    found = key is not None and key.kind != "command" and key.location.startswith(f"{options.service.key_service}.")
    return validate_plan(
        ServicePlan(
            service=options.service,
            name=options.name,
            program=find_program(),
            options=(*_profile_arguments(profile), *options.arguments),
            environment=tuple(_service_environment(context, _service_config(profile, True), True)),
            credential=None if found else _plan_credential(profile, options.service.key_service, _config_folder(), ""),
            unit_folder="",
            account="",
            store_folder=_store_folder(profile),
            needs_tmp=True,
            interval_seconds=options.interval_seconds,
            comments=_option_remarks(context, ()),
        )
    )


def _require_single_line_names(profile: Profile) -> Profile:
    """The profile, if its names fit into one line each: they stand in comments, too. Raises InvalidInput."""
    reject_control_characters("The profile", profile.name)
    reject_control_characters("The configuration", str(profile.file or ""))
    reject_control_characters("The store", str(profile.store))
    return profile


def _config_folder() -> Path:
    return find_config_file(None, {})[0].parent


def _store_folder(profile: Profile) -> str:
    return str(profile.store.absolute().parent)


def _service_config(profile: Profile, is_store_owner: bool) -> Path | None:
    """The configuration the service reads: another account cannot read what lies in a home."""
    if profile.file is None:
        return None
    file = profile.file.absolute()
    return file if is_store_owner or not is_below(file, HOME_FOLDERS + TEMP_FOLDERS) else Path(SYSTEM_CONFIG)


def _profile_arguments(profile: Profile) -> tuple[str, ...]:
    """Named outright: another default in the file must not change what a service sends."""
    return () if profile.name_source == "environment" else (f"--profile={profile.name}",)


def _service_environment(context: Context, config: Path | None, is_store_owner: bool) -> Iterator[tuple[str, str]]:
    """What the person's shell says and a service would not see: where things are, and the way out of the house."""
    profile = context.profile
    if config is not None:
        yield "CPCTL_CONFIG", str(config)
    source = profile.settings["store"].source
    if is_store_owner and source == "CPCTL_STORE":
        yield "CPCTL_STORE", str(profile.store.absolute())
    elif is_store_owner and not source.startswith("line "):
        yield "CPCTL_DATA_DIR", _store_folder(profile)
    for setting in ("base_url", "timeout"):
        if profile.settings[setting].source == SETTINGS[setting].variable:
            yield SETTINGS[setting].variable, profile[setting]
    yield from ((name, value) for name, value in _proxy_settings(context) if "@" not in value)


def _proxy_settings(context: Context) -> list[tuple[str, str]]:
    return [(name, context.environment[name]) for name in _PROXY_VARIABLES if name in context.environment]


def _plan_credential(profile: Profile, service: str, folder: Path, sudo: str) -> Credential:
    """Where the key is to be read from: the file that is named, or one that has yet to be made."""
    source = profile.keys.get(service)
    variable = f"{KEY_VARIABLES[service]}_FILE"
    if source is not None and isinstance(source.value, Path):
        file = str(source.value.absolute())
        return Credential(service, variable, file, (f"The key for {service} is read from {file}: {source.location}.",))
    file = str(folder / f"{service}.key")
    remarks = (
        f"The key for {service} must stand in {file}. {_explain_key_file(source)}",
        "Once, before the first start; then type the key, Enter, Ctrl-D:",
        f"  {sudo}install -D -m 600 /dev/stdin {shlex.quote(file)}",
    )
    return Credential(service, variable, file, remarks)


def _explain_key_file(source: KeySource | None) -> str:
    if source is None:
        return "No key is set yet."
    if source.kind == "command":
        return f"Now it comes from {source.location}; a service cannot unlock a password store."
    return f"Now it comes from {source.location}, and a unit repeats no key."


def _choose_account(options: InstallOptions, store_owner: str) -> str:
    """Who a system unit runs as. Raises InvalidInput for what no account can be called."""
    if options.run_as is None:
        return DEFAULT_ACCOUNT if options.service.is_network_facing else store_owner
    if not _ACCOUNT_NAME.fullmatch(options.run_as):
        raise InvalidInput(f'--run-as "{options.run_as}" cannot be the name of an account.', "Such as: --run-as cpctl")
    return options.run_as


def _needs_tmp(profile: Profile, config: Path | None, is_store_owner: bool) -> bool:
    """Whether something it needs lies where PrivateTmp= would hide it."""
    needed = [Path(find_program()[0]), *([config] if config else []), *([profile.store] if is_store_owner else [])]
    return any(is_below(each.absolute(), TEMP_FOLDERS) for each in needed)


def _account_remarks(
    profile: Profile, account: str, is_store_owner: bool, config: Path | None, service: Service
) -> Iterator[str]:
    """What a person has to do for the account it runs as, before it runs."""
    if account == "root":
        yield f"It runs as root, who owns {profile.store}. Print it as the person who reports signals."
    if is_store_owner:
        return
    yield f"It runs as {account}; once: sudo useradd --system --no-create-home {account}"
    if not service.is_network_facing:
        yield f"It has a store of its own, /var/lib/cpctl; it does not send what is accepted in {profile.store}."
    if config is not None:
        yield f'{config} must have the profile "{profile.name}" (no keys), belong to {account}, and have mode 600.'
    if is_program_in_home():
        yield f"{account} cannot run {find_program()[0]}, which lies in a home: install cpctl for all, in /opt."


def _option_remarks(context: Context, arguments: Sequence[str]) -> tuple[str, ...]:
    """What cannot be written into a unit, and what the unit's limits mean."""
    left_out = [
        f"{name} holds a password and is left out; docs/services.md says where it can stand."
        for name, value in _proxy_settings(context)
        if "@" in value
    ]
    if any(word.split("=")[0] == "--exec" for word in arguments):
        left_out.append(
            "What --exec starts lives within the limits of the unit; docs/services.md says how to widen them."
        )
    return tuple(left_out)
