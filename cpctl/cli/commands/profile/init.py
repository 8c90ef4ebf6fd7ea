"""`profile init`: a new profile, from options and prompts."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.calls import verify_core_key
from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.commands.profile.set_key import KEY_CHECK_TIMEOUT_SECONDS, warn_if_key_overridden, warn_if_keys_equal
from cpctl.cli.context import Context
from cpctl.cli.prompts import ask, ask_key, check_plain_text, choose
from cpctl.config.changes import SettingValue, change_configuration, key_files_transaction, with_profile
from cpctl.config.keys import KEY_VARIABLES, SERVICES, UNVERIFIED_KEY_NOTES, Key, KeySource, key_source_from_environment
from cpctl.config.paths import expand_path, find_config_file, key_file_path
from cpctl.config.profiles import Configuration, find_key_sources_in_file, parse_configuration, read_config_text
from cpctl.config.settings import SETTINGS
from cpctl.errors import ConfigError, Conflict, CpctlError, ExitCode, InvalidInput, KeyRefused, suggest

DEFAULT_PROFILE_NAME = "production"
PROFILE_NAME_PATTERN = re.compile(r"\w[\w.-]{0,63}")
KEY_SOURCE_LABELS = (
    "in its own file; type or paste the key now, it is not shown",
    "in an existing file",
    "in a password store: a command prints it, such as: pass show cpctl/{service}",
    "in the environment ({variable}), or to be set later",
)
TYPED_CHOICE, FILE_CHOICE, COMMAND_CHOICE, LATER_CHOICE = 1, 2, 3, 4


class KeyPlan(NamedTuple):
    """The planned source of a key: typed, file, command or later. A typed key has its value and the file for it.

    `text` is what the configuration gets: the name of the file, or the command.
    """

    service: str
    source: str
    text: str = ""
    key: Key | None = None
    file: Path | None = None

    def to_options(self) -> list[str]:
        """The equivalent options; a typed key is left for `profile set-key`."""
        if self.source in ("file", "command"):
            return [f"--{self.service}-key-{self.source}", self.text]
        return ["--later", self.service]

    def to_settings(self) -> dict[str, SettingValue]:
        """The section of the profile, or nothing for a later key."""
        if self.source == "later":
            return {}
        if self.source == "command":
            return {self.service: {"api_key_command": shlex.split(self.text)}}
        return {self.service: {"api_key_file": self.text}}


class NewProfile(NamedTuple):
    """A profile to be written."""

    file: Path
    name: str
    settings: Mapping[str, str]
    keys: Mapping[str, KeyPlan]
    options: InitOptions
    is_interactive: bool


def init_profile(context: Context, name: str | None, options: InitOptions) -> None:
    """Create a profile. Raises InvalidInput, ConfigError, and Conflict if the name exists."""
    file, _ = find_config_file(context.options.config, context.environment)
    if name and context.options.profile not in (None, name):
        raise InvalidInput(f'The profile is given two names: "{name}", and "{context.options.profile}" with --profile.')
    existing = parse_configuration(read_config_text(file) or "", file)
    plan = _plan_profile(context, file, existing, name or context.options.profile, options)
    commands = _equivalent_commands(context, plan) if plan.is_interactive else []
    if context.options.dry_run:
        context.output.note(f'Dry run: nothing was written. The profile "{plan.name}" would be in {file}.')
        _show_result(context, _build_result(plan, [], commands), commands, ExitCode.DONE)
        return
    typed = {key.file: key.key for key in plan.keys.values() if key.file and key.key}
    with key_files_transaction(typed):
        changed = change_configuration(file, plan.name, lambda before, old: _add_profile(plan, before, old))
    context.is_work_done = True
    context.use_profile(plan.name)
    context.output.note(f'The profile "{plan.name}" is in {file}.')
    context.output.note(f"Its calls go to {context.profile['base_url']} ({context.profile['environment']}).")
    if changed.default != plan.name:
        context.output.note(f"`cpctl profile use {plan.name}` makes it the default.")
    keys = [_report_key(context, service, plan) for service in SERVICES]
    warn_if_keys_equal(context)
    if commands:
        context.output.note("The same without prompts:")
    by_severity = (ExitCode.DONE, ExitCode.KEY_REFUSED, ExitCode.CONFIG)
    status = max((row.pop("status") for row in keys), key=by_severity.index)
    _show_result(context, _build_result(plan, keys, commands), commands, status)


# Planning


def _plan_profile(
    context: Context, file: Path, existing: Configuration, name: str | None, options: InitOptions
) -> NewProfile:
    """The profile from options and prompts. Raises InvalidInput if something is missing and prompts are impossible."""
    if name is not None:
        if problem := _check_name(name):
            raise InvalidInput(f"The name of the profile {problem}.")
        _refuse_taken(existing, name, options.force)
    settings = _settings_from_options(options)
    keys = {service: _plan_key_from_options(service, options) for service in SERVICES}
    keyless = [service for service in ("core", "signal") if keys[service] is None]
    missing = [] if name else ["NAME"]
    missing += [] if "environment" in settings else ["--environment live|sandbox"]
    missing += [f"--{service}-key-file (or --{service}-key-command)" for service in keyless]
    if missing and not context.can_prompt:
        later = " ".join(f"--later {service}" for service in keyless)
        raise InvalidInput(
            f"Cannot prompt for missing options. Missing: {', '.join(missing)}.",
            f"If a key comes from the environment, or later, add: {later}." if keyless else "",
        )
    if missing:
        return _prompt_for_missing(context, NewProfile(file, name or "", settings, {}, options, True), existing, keys)
    planned = {service: plan or KeyPlan(service, "later") for service, plan in keys.items()}
    return NewProfile(file, name or "", settings, planned, options, is_interactive=False)


def _settings_from_options(options: InitOptions) -> dict[str, str]:
    given = {name: getattr(options, name, None) for name in SETTINGS}
    found = {name: text for name, text in given.items() if text is not None}
    for name, text in found.items():
        if problem := check_plain_text(text) or SETTINGS[name].check(text):
            raise InvalidInput(f'{_option_name(name)} "{text}" {problem}.')
    return found


def _prompt_for_missing(
    context: Context, plan: NewProfile, existing: Configuration, keys: Mapping[str, KeyPlan | None]
) -> NewProfile:
    """The plan completed by prompts. Nothing is written until all are answered, so that Ctrl-C changes nothing."""
    context.output.note("Enter accepts the value in brackets; Ctrl-C stops without changing anything.")
    taken = {} if plan.options.force else existing.profiles
    name = plan.name or ask(
        "Name of the profile",
        DEFAULT_PROFILE_NAME if DEFAULT_PROFILE_NAME not in existing.profiles else "",
        lambda text: _check_name(text) or ("already exists; choose another name" if text in taken else ""),
    )
    settings = dict(plan.settings)
    if "environment" not in settings:
        is_sandbox = "sandbox" in name or settings.get("base_url", "").startswith("http:")
        default = "sandbox" if is_sandbox else "live"
        settings["environment"] = ask("Environment, live or sandbox", default, SETTINGS["environment"].check)
    planned = {
        service: key or _prompt_for_key(context, plan.file, name, service, existing) for service, key in keys.items()
    }
    if "shipping_option" not in settings:
        settings["shipping_option"] = ask("Shipping option of your parcels, such as GLS (may be empty)")
    return plan._replace(name=name, settings=settings, keys=planned)


def _check_name(text: str) -> str:
    wrong = "" if PROFILE_NAME_PATTERN.fullmatch(text) else "must consist of letters, digits, dots, - and _, at most 64"
    return check_plain_text(text) or wrong


def _refuse_taken(existing: Configuration, name: str, force: bool) -> None:
    if name in existing.profiles and not force:
        raise Conflict(
            f'The profile "{name}" already exists in {existing.file}.',
            f"Change a key with `cpctl profile set-key SERVICE --profile {name}`, "
            "or replace the whole profile with --force.",
        )


# Keys


def _plan_key_from_options(service: str, options: InitOptions) -> KeyPlan | None:
    """The key that options give, or None. Raises InvalidInput for two of them, ConfigError for an unusable file."""
    for name in options.later or ():
        if name not in SERVICES:
            raise InvalidInput(f'--later "{name}": there is no such service.', suggest(name, SERVICES))
    file = getattr(options, f"{service}_key_file")
    command = getattr(options, f"{service}_key_command")
    is_later = service in (options.later or ())
    sources = ((f"--{service}-key-file", file), (f"--{service}-key-command", command), (f"--later {service}", is_later))
    given = [option for option, value in sources if value not in (None, False)]
    if len(given) > 1:
        raise InvalidInput(f"The {service} key has {len(given)} sources: {', '.join(given)}.", "Keep one.")
    if command is not None:
        if problem := _check_command(command):
            raise InvalidInput(f"--{service}-key-command {problem}.")
        return KeyPlan(service, "command", command)
    if file is not None:
        return _plan_key_file(service, file, f"--{service}-key-file")
    return KeyPlan(service, "later") if is_later else None


def _prompt_for_key(context: Context, config: Path, profile: str, service: str, existing: Configuration) -> KeyPlan:
    """Ask for the source of a key, and for the key itself if it is to be written."""
    labels = [label.format(service=service, variable=KEY_VARIABLES[service]) for label in KEY_SOURCE_LABELS]
    is_elsewhere = service == "webhooks" or key_source_from_environment(service, context.environment) is not None
    note = " (needed only to receive webhooks)" if service == "webhooks" else ""
    default = LATER_CHOICE if is_elsewhere else TYPED_CHOICE
    choice = choose(f"Where is the {service} key?{note}", labels, default)
    if choice == TYPED_CHOICE:
        file = _choose_key_file(config, profile, service, existing)
        return KeyPlan(service, "typed", file.name, ask_key(context, f"The {service} key"), file)
    if choice == FILE_CHOICE:
        name = ask(f"File of the {service} key", validate=lambda text: _check_key_file(service, text))
        return _plan_key_file(service, name, "The answer")
    if choice == COMMAND_CHOICE:
        return KeyPlan(service, "command", ask(f"Command that prints the {service} key", validate=_check_command))
    return KeyPlan(service, "later")


def _choose_key_file(config: Path, profile: str, service: str, existing: Configuration) -> Path:
    """A file for a key, beside the configuration; never an existing file that this profile does not name."""
    usual = key_file_path(config.parent, profile, service)
    known = find_key_sources_in_file(existing, profile).get(service) if profile in existing.profiles else None
    if known is not None and known.value == usual:
        return usual
    free, number = usual, 2
    while os.path.lexists(free):
        free = usual.with_name(f"{usual.stem}-{number}.key")
        number += 1
    return free


def _plan_key_file(service: str, name: str, label: str) -> KeyPlan:
    """The path becomes absolute: in the configuration, a relative one would be relative to its folder."""
    file = Path(os.path.abspath(expand_path(name)))  # noqa: PTH100 - `resolve` would replace a link by its target
    KeySource(service, "file", file, label).read()
    return KeyPlan(service, "file", str(file))


def _check_key_file(service: str, name: str) -> str:
    if not name:
        return "must be the name of a file"
    try:
        _plan_key_file(service, name, "cannot be used")
    except ConfigError as error:
        return f"{error.message} {error.hint}".strip().rstrip(".")
    return ""


def _check_command(text: str) -> str:
    try:
        arguments = shlex.split(text)
    except ValueError as error:
        return f'"{text}" is not a command: {str(error).lower()}'
    return "" if arguments else "must be a command, such as: pass show cpctl/signal"


# Writing


def _add_profile(plan: NewProfile, before: Configuration, old: str) -> str:
    _refuse_taken(before, plan.name, plan.options.force)
    values: dict[str, SettingValue] = {name: text for name, text in plan.settings.items() if text}
    for key in plan.keys.values():
        values |= key.to_settings()
    default = plan.name if plan.options.default or not before.profiles else None
    if default is None and before.default is None and len(before.profiles) == 1:
        default = next(iter(before.profiles))  # as the only profile it was the default
    return with_profile(old, plan.name, values, default)


# Reporting


def _report_key(context: Context, service: str, plan: NewProfile) -> dict[str, Any]:
    warn_if_key_overridden(context, service)
    verdict, message, status = _check_key(context, service, plan)
    context.output.progress("")
    show = context.output.error if status else context.output.note
    show(f"{service} key: {message}.")
    return {"service": service, "verdict": verdict, "message": message, "status": status}


def _check_key(context: Context, service: str, plan: NewProfile) -> tuple[str, str, ExitCode]:
    command = f"`cpctl profile set-key {service} --profile {plan.name}`"
    if service not in context.profile.keys:
        message = "needed only to receive webhooks" if service == "webhooks" else f"add it with {command}"
        return "not set", f"not set; {message}", ExitCode.DONE
    if plan.options.no_check:
        return "not checked", "not checked because of --no-check", ExitCode.DONE
    try:
        key = context.read_key(service)
        if service != "core":
            return "not checked", f"{key.last_four}, {UNVERIFIED_KEY_NOTES[service]}", ExitCode.DONE
        context.output.progress("Trying the core key …")
        verify_core_key(context, min(context.profile.timeout, KEY_CHECK_TIMEOUT_SECONDS))
    except KeyRefused as error:
        message = f"{error.message.rstrip('.')}; the profile was written, set another key with {command}"
        return "refused", message, error.exit_code
    except ConfigError as error:
        return "not read", f"{error.message} {error.hint}".strip().rstrip("."), error.exit_code
    except CpctlError as error:
        return "not checked", f"not checked: {error.message.rstrip('.')}; try again with `cpctl doctor`", ExitCode.DONE
    return "accepted", f"{key.last_four}, accepted by the service", ExitCode.DONE


def _build_result(plan: NewProfile, keys: list[dict[str, Any]], commands: list[str]) -> dict[str, Any]:
    return {
        "profile": plan.name,
        "config": str(plan.file),
        "settings": {name: text for name, text in plan.settings.items() if text},
        "keys": keys,
        "commands": commands,
    }


def _show_result(context: Context, result: dict[str, Any], commands: list[str], status: ExitCode) -> None:
    if context.has_explicit_output:
        context.finish(result, None, status)
        return
    context.finish(None, None, status)
    context.output.write(f"{line}\n" for line in commands)


def _equivalent_commands(context: Context, plan: NewProfile) -> list[str]:
    """Commands that do the same without prompts; none of them contains a key."""
    config = ["--config", str(plan.file)] if context.options.config else []
    init = ["cpctl", "profile", "init", plan.name]
    for name in SETTINGS:
        if text := plan.settings.get(name):
            init += [_option_name(name), text]
    for key in plan.keys.values():
        init += key.to_options()
    init += [_option_name(name) for name in ("default", "force", "no_check") if getattr(plan.options, name)]
    commands = [shlex.join([*init, *config])]
    for key in plan.keys.values():
        if key.key:
            set_key = ["cpctl", "profile", "set-key", key.service, "-", "--profile", plan.name, *config]
            commands.append(f"{shlex.join(set_key)} < {key.service}.key")
    return commands


def _option_name(name: str) -> str:
    return f"--{name.replace('_', '-')}"
