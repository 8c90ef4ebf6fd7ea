"""Building the plan of a service from the command line, the profile and this machine."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.context import Context
from cpctl.cli.executable import find_own_command
from cpctl.cli.framework import LazyGroup
from cpctl.config.keys import KEY_VARIABLES, KeySource
from cpctl.config.paths import find_config_file
from cpctl.config.profiles import Profile
from cpctl.config.settings import SETTINGS
from cpctl.errors import ConfigError, InvalidInput, suggest
from cpctl.service_units.service_plan import (
    DEFAULT_ACCOUNT,
    KEY_FOLDER,
    SERVICES,
    SYSTEM_CONFIG,
    SYSTEM_UNIT_FOLDER,
    Credential,
    Service,
    ServicePlan,
)

_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]{0,99}")
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}\$?")
_PROXY_VARIABLES = (
    *("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
    *("NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE"),
)
# What ProtectHome= and PrivateTmp= hide: systemd.exec(5).
HOME_FOLDERS = ("/home", "/root", "/run/user")
TEMP_FOLDERS = ("/tmp", "/var/tmp")
# Options that the unit itself gives, or with which the service would do nothing.
_NOT_PASSED_TO_SERVICE = ("profile", "config", "dry_run")


class InstallOptions(NamedTuple):
    """The command line of `service print`, checked."""

    service: Service
    name: str
    is_user_unit: bool
    run_as: str | None
    interval_seconds: int
    arguments: tuple[str, ...]


def parse_service(name: str, os_name: str = os.name) -> Service:
    if os_name == "nt":
        raise InvalidInput(
            "Windows has neither systemd nor cron.", "Let the Task Scheduler run `cpctl outbox flush --quiet`."
        )
    if name not in SERVICES:
        raise InvalidInput(f'Unknown service "{name}".', suggest(name, SERVICES))
    return SERVICES[name]


def parse_unit_name(name: str) -> str:
    """A valid name of a unit, without `.service`. Raises InvalidInput."""
    if not _UNIT_NAME.fullmatch(name):
        raise InvalidInput(f'--name "{name}" is not a valid name of a unit.', "Use letters, digits, and - _ . :")
    return name.removesuffix(".service")


def parse_service_arguments(service: Service, arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments after --, checked as the command of the service would check them. Raises InvalidInput."""
    from cpctl.cli.root import GROUPS

    group, command_name, *_ = service.command
    if arguments and group in GROUPS:
        command = LazyGroup(group, "").get_command(None, command_name)
        parsed = command.make_context(f"cpctl {group} {command_name}", list(arguments), obj=Context({}))
        for name in _NOT_PASSED_TO_SERVICE:
            if parsed.params.get(name):
                option = f"--{name.replace('_', '-')}"
                raise InvalidInput(f"{option} cannot be passed to the service.", f"Put {option} before the --.")
    return tuple(arguments)


def build_plan(context: Context, options: InstallOptions, for_cron: bool = False) -> ServicePlan:
    """The plan of a unit, or of a line in the crontab of the current user. Raises ConfigError, InvalidInput."""
    profile = context.profile
    owner = _find_store_owner(profile.store)
    is_system = not (for_cron or options.is_user_unit)
    account = _choose_account(options, owner) if is_system else ""
    is_own = not is_system or account == owner
    config = _service_config(profile, is_own)
    # The profile by name: another default profile must not change what a service sends.
    profile_options = () if profile.name_source == "environment" else (f"--profile={profile.name}",)
    user_folder = _find_user_unit_folder(context.environment) if options.is_user_unit and not for_cron else ""
    return ServicePlan(
        service=options.service,
        name=options.name,
        program=_find_program(),
        options=(*profile_options, *options.arguments),
        environment=tuple(_service_environment(context, config, is_own)),
        credential=_plan_credential(profile, options.service.key_service, is_system, for_cron),
        unit_folder=SYSTEM_UNIT_FOLDER if is_system else user_folder,
        account=account,
        store_folder=_store_folder(profile) if is_own else "",
        needs_tmp=_needs_tmp(profile, config, is_own),
        interval_seconds=options.interval_seconds,
        comments=(
            *(_account_notes(profile, account, is_own, config, options.service) if is_system else ()),
            *_option_notes(context, () if for_cron else options.arguments),
        ),
    )


def _choose_account(options: InstallOptions, store_owner: str) -> str:
    if options.run_as is None:
        return DEFAULT_ACCOUNT if options.service.is_network_facing else store_owner
    if not _ACCOUNT_NAME.fullmatch(options.run_as):
        raise InvalidInput(
            f'--run-as "{options.run_as}" is not a valid name of an account.', "For example: --run-as cpctl"
        )
    return options.run_as


def _store_folder(profile: Profile) -> str:
    return str(profile.store.absolute().parent)


def _service_config(profile: Profile, is_own: bool) -> Path | None:
    """The configuration of the service. Another account cannot read one in a home folder."""
    if profile.file is None:
        return None
    file = profile.file.absolute()
    return file if is_own or not is_below(file, HOME_FOLDERS + TEMP_FOLDERS) else Path(SYSTEM_CONFIG)


def _service_environment(context: Context, config: Path | None, is_own: bool) -> Iterator[tuple[str, str]]:
    """Settings from the environment of the current shell, which a service would not see."""
    profile = context.profile
    if config is not None:
        yield "CPCTL_CONFIG", str(config)
    source = profile.settings["store"].source
    if is_own and source == "CPCTL_STORE":
        yield "CPCTL_STORE", str(profile.store.absolute())
    elif is_own and not source.startswith("line "):
        yield "CPCTL_DATA_DIR", _store_folder(profile)
    for setting in ("base_url", "timeout"):
        if profile.settings[setting].source == SETTINGS[setting].variable:
            yield SETTINGS[setting].variable, profile[setting]
    yield from ((name, value) for name, value in _proxy_settings(context) if "@" not in value)


def _proxy_settings(context: Context) -> list[tuple[str, str]]:
    return [(name, context.environment[name]) for name in _PROXY_VARIABLES if name in context.environment]


def _plan_credential(profile: Profile, service: str, is_system: bool, for_cron: bool) -> Credential | None:
    """The file that the key is read from: the one in the profile, or one to create."""
    source = profile.keys.get(service)
    is_found_by_cron = source and source.kind != "command" and source.location.startswith(f"{service}.")
    if for_cron and is_found_by_cron:
        return None
    variable = f"{KEY_VARIABLES[service]}_FILE"
    if source is not None and isinstance(source.value, Path):
        file = str(source.value.absolute())
        return Credential(service, variable, file, (f"The key for {service} is read from {file}: {source.location}.",))
    folder = Path(KEY_FOLDER) if is_system else find_config_file(None, {})[0].parent
    file = str(folder / f"{service}.key")
    notes = (
        f"The key for {service} must be in {file}. {_explain_key_file(source)}",
        "Once, before the first start; then type the key, Enter, Ctrl-D:",
        f"  {'sudo ' if is_system else ''}install -D -m 600 /dev/stdin {shlex.quote(file)}",
    )
    return Credential(service, variable, file, notes)


def _explain_key_file(source: KeySource | None) -> str:
    if source is None:
        return "No key is set yet."
    reason = "a service cannot unlock a password store" if source.kind == "command" else "units never contain keys"
    return f"It now comes from {source.location}; {reason}."


def _needs_tmp(profile: Profile, config: Path | None, is_own: bool) -> bool:
    """Whether PrivateTmp= would hide a file that the service needs."""
    needed = [Path(_find_program()[0]), *([config] if config else []), *([profile.store] if is_own else [])]
    return any(is_below(file.absolute(), TEMP_FOLDERS) for file in needed)


def _account_notes(
    profile: Profile, account: str, is_own: bool, config: Path | None, service: Service
) -> Iterator[str]:
    if account == "root":
        yield f"It runs as root, who owns {profile.store}. Print it as the user who reports signals."
    if is_own:
        return
    yield f"It runs as {account}; once: sudo useradd --system --no-create-home {account}"
    if not service.is_network_facing:
        yield f"It has a store of its own in /var/lib/cpctl; it does not send what is accepted in {profile.store}."
    if config is not None:
        yield f'{config} must have the profile "{profile.name}" (no keys), belong to {account}, and have mode 600.'
    if any(is_below(Path(program), HOME_FOLDERS) for program in (_find_program()[0], sys.executable)):
        yield f"{account} cannot run {_find_program()[0]}, which is in a home folder: install cpctl in /opt."


def _option_notes(context: Context, arguments: Sequence[str]) -> Iterator[str]:
    for name, value in _proxy_settings(context):
        if "@" in value:
            yield f"{name} contains a password and is left out; docs/services.md says where to put it."
    if any(argument.split("=")[0] == "--exec" for argument in arguments):
        yield "Commands started by --exec have the limits of the unit; docs/services.md says how to widen them."


def _find_program() -> tuple[str, ...]:
    """The command that runs this cpctl. A link is not resolved: an upgrade may change where it leads."""
    started = Path(sys.argv[0]).absolute()
    if started.name == "cpctl" and started.is_file() and os.access(started, os.X_OK):
        return (str(started),)
    return tuple(find_own_command())


def _find_store_owner(store: Path) -> str:
    if sys.platform == "win32":  # it has neither systemd nor cron
        return "cpctl"
    import pwd

    try:
        user_id = store.stat().st_uid
    except OSError:
        user_id = os.getuid()
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def _find_user_unit_folder(environment: Mapping[str, str]) -> str:
    config_home = Path(environment.get("XDG_CONFIG_HOME", ""))
    try:
        base = config_home if config_home.is_absolute() else Path.home() / ".config"
    except RuntimeError as error:
        raise ConfigError("Cannot find a folder for user units: there is no home folder.", "Set HOME.") from error
    return str(base / "systemd" / "user")


def is_below(path: Path, folders: Sequence[str]) -> bool:
    """Whether a path, or what it links to, is in one of the folders."""
    return any(each.is_relative_to(folder) for each in (path, path.resolve()) for folder in folders)
