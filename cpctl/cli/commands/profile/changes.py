"""`profile set-key` and `profile use`: small changes to what is there."""

import sys
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.profile.key_files import (
    UNVERIFIED_KEY_NOTES,
    key_files_transaction,
    verify_core_key,
    warn_if_key_overridden,
    warn_if_keys_equal,
    write_config_or_key,
)
from cpctl.cli.context import Context
from cpctl.cli.input_files import read_input
from cpctl.cli.prompts import ask_key
from cpctl.config.changes import change_configuration
from cpctl.config.keys import SERVICES, Key, KeySource, parse_key
from cpctl.config.paths import find_config_file, key_file_path
from cpctl.config.profiles import (
    Configuration,
    choose_profile,
    find_key_sources_in_file,
    load_profile,
    read_configuration,
)
from cpctl.config.yaml_editor import with_default, with_key_file
from cpctl.errors import ConfigError, CpctlError, ExitCode, InvalidInput, suggest
from cpctl.output.columns import PROFILE

MAX_KEY_LENGTH = 4096


class ChangeTarget(NamedTuple):
    """Where a new key goes; `named` says that the profile points there already."""

    configuration: Configuration
    profile: str
    service: str
    file: Path
    is_configured: bool


def set_key(context: Context, service: str, source: str | None, check: bool) -> None:
    """Put a key into the key file of the profile. Raises ConfigError, InvalidInput, and with `check` KeyRefused."""
    if service not in SERVICES:
        raise InvalidInput(f'There is no service "{service}".', suggest(service, SERVICES))
    if source not in (None, "-"):  # whatever it is, it is not repeated: it may be the key
        raise InvalidInput(
            "A key is never given on the command line, where others can read it.",
            f"`cpctl profile set-key {service}` asks for it, and with - it is read from standard input.",
        )
    target = _find_target(context, service)
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was changed. The {service} key would be written to {target.file}.")
        return
    key = _read_new_key(context, target, source)
    if check:
        _verify_key(context, target, key)
    _write_key(target, key)
    context.is_work_done = True
    _report_change(context, target, key, check)


def _find_target(context: Context, service: str) -> ChangeTarget:
    configuration = _require_configuration(context)
    profile, _ = choose_profile(configuration, context.options.profile, context.environment)
    source = find_key_sources_in_file(configuration, profile).get(service)
    if source is not None and source.kind == "command":
        raise ConfigError(
            f'The {service} key of "{profile}" comes from a command: {source.describe()}.',
            f"Change the key where that command finds it, or take the command out of {configuration.file} first.",
        )
    if source is not None and isinstance(source.value, Path):
        return ChangeTarget(configuration, profile, service, source.value, is_configured=True)
    file = key_file_path(configuration.file.parent, profile, service)
    return ChangeTarget(configuration, profile, service, file, is_configured=False)


def _require_configuration(context: Context) -> Configuration:
    configuration = read_configuration(context.options.config, context.environment)
    if configuration is None or not configuration.profiles:
        file, _ = find_config_file(context.options.config, context.environment)
        raise ConfigError(f"No profile: there is no profile in {file}; `cpctl profile init` makes one.")
    return configuration


def _read_new_key(context: Context, target: ChangeTarget, source: str | None) -> Key:
    typed = context.can_prompt and (source is None or sys.stdin.isatty())
    if typed:
        return ask_key(context, f'Key of {target.service} for the profile "{target.profile}"')
    if source is None:
        raise InvalidInput(
            "Nobody can be asked for the key here.",
            f"Give it on standard input: `cpctl profile set-key {target.service} --profile {target.profile} - < FILE`.",
        )
    try:
        text = read_input("-", MAX_KEY_LENGTH + 1).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ConfigError("standard input: the key holds a character no key has.") from error
    if len(text) > MAX_KEY_LENGTH:
        raise ConfigError(f"standard input: more than {MAX_KEY_LENGTH} characters are no key.")
    key = parse_key(text, "standard input")
    context.add_masked_key(key)
    return key


def _verify_key(context: Context, target: ChangeTarget, key: Key) -> None:
    """A key that was to be checked replaces the old one only when it is found right."""
    if target.service != "core":
        return
    context.use_profile(target.profile)
    context.use_key("core", key)
    try:
        verify_core_key(context)
    except CpctlError as error:
        error.hint = "The key was not changed. Without --check it is kept unchecked."
        raise


def _write_key(target: ChangeTarget, key: Key) -> None:
    real = target.file.resolve()
    with key_files_transaction({real: key}):
        if not target.is_configured:
            file = target.configuration.file
            change_configuration(
                file, target.profile, lambda before, old: _point_to_key_file(target, before, old), write_config_or_key
            )


def _point_to_key_file(target: ChangeTarget, before: Configuration, old: str) -> str:
    if target.profile not in before.profiles:
        raise ConfigError(f'The profile "{target.profile}" was taken out meanwhile.', "Repeat the command.")
    return with_key_file(old, target.profile, target.service, target.file.name)


def _report_change(context: Context, target: ChangeTarget, key: Key, check: bool) -> None:
    context.output.note(f'The {target.service} key ({key.last_four}) of "{target.profile}" is in {target.file}.')
    if check:
        context.output.note(f"It is {UNVERIFIED_KEY_NOTES.get(target.service, 'accepted by the service')}.")
    if target.service == "signal":
        context.output.note("If the old key was refused, `cpctl outbox release` lets the queue move again.")
    others = [name for name, key in _list_key_sources(target) if key.value == target.file and name != target.profile]
    if others:
        context.output.warn(f"The profiles that use the same file have the new key, too: {', '.join(others)}.")
    warn_if_key_overridden(context, target.service)
    warn_if_keys_equal(context, target.profile)
    context.finish(
        {"profile": target.profile, "service": target.service, "file": str(target.file), "key": key.last_four}
        if context.options.output or context.options.query
        else None,
        None,
        ExitCode.DONE,
    )


def _list_key_sources(target: ChangeTarget) -> list[tuple[str, KeySource]]:
    names = target.configuration.profiles
    return [(name, key) for name in names for key in find_key_sources_in_file(target.configuration, name).values()]


def use_profile(context: Context, name: str) -> None:
    """Make a profile the default. Raises ConfigError for one that is not there or cannot be used."""
    configuration = _require_configuration(context)
    choose_profile(configuration, name, context.environment)
    profile = load_profile(context.environment, context.options.config, name)
    where = f"{profile['base_url']} ({profile['environment']})"
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was changed. Calls would go to {where}.")
    else:
        change_configuration(
            configuration.file, name, lambda before, old: _set_default(name, before, old), write_config_or_key
        )
        context.output.note(f'The profile "{name}" is used from now on: calls go to {where}.')
    if (stronger := context.environment.get("CPCTL_PROFILE")) and stronger != name:
        context.output.warn(f'CPCTL_PROFILE is set in the environment; as long as it is, "{stronger}" is used.')
    row = {"name": name, "environment": profile["environment"], "base_url": profile["base_url"]}
    context.finish([{**row, "default": not context.options.dry_run}], PROFILE, ExitCode.DONE)


def _set_default(name: str, before: Configuration, old: str) -> str:
    choose_profile(before, name, {})
    return old if before.default == name else with_default(old, name)
