"""`profile set-key` and `profile use`: small changes to what is there."""

import sys
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.profile.key_files import (
    NO_CALL,
    try_core_key,
    warn_of_same_keys,
    warn_of_stronger,
    write_own,
    written_keys,
)
from cpctl.cli.context import Run
from cpctl.cli.input_files import read_input
from cpctl.cli.prompts import ask_key
from cpctl.config.changes import change_configuration
from cpctl.config.keys import SERVICES, Key, KeySource, checked_key
from cpctl.config.paths import config_file, key_file
from cpctl.config.profiles import Configuration, chosen_profile, keys_in_file, load_profile, read_configuration
from cpctl.config.yaml_editor import with_default, with_key_file
from cpctl.errors import ConfigError, CpctlError, ExitCode, InvalidInput, nearest
from cpctl.output.columns import PROFILE

LONGEST = 4096


class Target(NamedTuple):
    """Where a new key goes; `named` says that the profile points there already."""

    configuration: Configuration
    profile: str
    service: str
    file: Path
    named: bool


def set_key(run: Run, service: str, source: str | None, check: bool) -> None:
    """Put a key into the key file of the profile. Raises ConfigError, InvalidInput, and with `check` KeyRefused."""
    if service not in SERVICES:
        raise InvalidInput(f'There is no service "{service}".', nearest(service, SERVICES))
    if source not in (None, "-"):  # whatever it is, it is not repeated: it may be the key
        raise InvalidInput(
            "A key is never given on the command line, where others can read it.",
            f"`cpctl profile set-key {service}` asks for it, and with - it is read from standard input.",
        )
    target = _target(run, service)
    if run.options.dry_run:
        run.output.note(f"Dry run: nothing was changed. The {service} key would be written to {target.file}.")
        return
    key = _new_key(run, target, source)
    if check:
        _check_first(run, target, key)
    _write(target, key)
    run.worked = True
    _tell(run, target, key, check)


def _target(run: Run, service: str) -> Target:
    configuration = _configuration(run)
    profile, _ = chosen_profile(configuration, run.options.profile, run.environment)
    source = keys_in_file(configuration, profile).get(service)
    if source is not None and source.kind == "command":
        raise ConfigError(
            f'The {service} key of "{profile}" comes from a command: {source.words()}.',
            f"Change the key where that command finds it, or take the command out of {configuration.file} first.",
        )
    if source is not None and isinstance(source.value, Path):
        return Target(configuration, profile, service, source.value, named=True)
    file = key_file(configuration.file.parent, profile, service)
    return Target(configuration, profile, service, file, named=False)


def _configuration(run: Run) -> Configuration:
    configuration = read_configuration(run.options.config, run.environment)
    if configuration is None or not configuration.profiles:
        file, _ = config_file(run.options.config, run.environment)
        raise ConfigError(f"No profile: there is no profile in {file}; `cpctl profile init` makes one.")
    return configuration


def _new_key(run: Run, target: Target, source: str | None) -> Key:
    typed = run.can_ask and (source is None or sys.stdin.isatty())
    if typed:
        return ask_key(run, f'Key of {target.service} for the profile "{target.profile}"')
    if source is None:
        raise InvalidInput(
            "Nobody can be asked for the key here.",
            f"Give it on standard input: `cpctl profile set-key {target.service} --profile {target.profile} - < FILE`.",
        )
    try:
        text = read_input("-", LONGEST + 1).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ConfigError("standard input: the key holds a character no key has.") from error
    if len(text) > LONGEST:
        raise ConfigError(f"standard input: more than {LONGEST} characters are no key.")
    key = checked_key(text, "standard input")
    run.hide_from_now_on(key)
    return key


def _check_first(run: Run, target: Target, key: Key) -> None:
    """A key that was to be checked replaces the old one only when it is found right."""
    if target.service != "core":
        return
    run.use_profile(target.profile)
    run.use_key("core", key)
    try:
        try_core_key(run)
    except CpctlError as error:
        error.hint = "The key was not changed. Without --check it is kept unchecked."
        raise


def _write(target: Target, key: Key) -> None:
    real = target.file.resolve()
    with written_keys({real: key}):
        if not target.named:
            file = target.configuration.file
            change_configuration(file, target.profile, lambda before, old: _pointed(target, before, old), write_own)


def _pointed(target: Target, before: Configuration, old: str) -> str:
    if target.profile not in before.profiles:
        raise ConfigError(f'The profile "{target.profile}" was taken out meanwhile.', "Repeat the command.")
    return with_key_file(old, target.profile, target.service, target.file.name)


def _tell(run: Run, target: Target, key: Key, check: bool) -> None:
    run.output.note(f'The {target.service} key ({key.last_four}) of "{target.profile}" is in {target.file}.')
    if check:
        run.output.note(f"It is {NO_CALL.get(target.service, 'accepted by the service')}.")
    if target.service == "signal":
        run.output.note("If the old key was refused, `cpctl outbox release` lets the queue move again.")
    others = [name for name, key in _users(target) if key.value == target.file and name != target.profile]
    if others:
        run.output.warn(f"The profiles that use the same file have the new key, too: {', '.join(others)}.")
    warn_of_stronger(run, target.service)
    warn_of_same_keys(run, target.profile)
    run.finish(
        {"profile": target.profile, "service": target.service, "file": str(target.file), "key": key.last_four}
        if run.options.output or run.options.query
        else None,
        None,
        ExitCode.DONE,
    )


def _users(target: Target) -> list[tuple[str, KeySource]]:
    names = target.configuration.profiles
    return [(name, key) for name in names for key in keys_in_file(target.configuration, name).values()]


def use_profile(run: Run, name: str) -> None:
    """Make a profile the default. Raises ConfigError for one that is not there or cannot be used."""
    configuration = _configuration(run)
    chosen_profile(configuration, name, run.environment)
    profile = load_profile(run.environment, run.options.config, name)
    where = f"{profile['base_url']} ({profile['environment']})"
    if run.options.dry_run:
        run.output.note(f"Dry run: nothing was changed. Calls would go to {where}.")
    else:
        change_configuration(configuration.file, name, lambda before, old: _chosen(name, before, old), write_own)
        run.output.note(f'The profile "{name}" is used from now on: calls go to {where}.')
    if (stronger := run.environment.get("CPCTL_PROFILE")) and stronger != name:
        run.output.warn(f'CPCTL_PROFILE is set in the environment; as long as it is, "{stronger}" is used.')
    row = {"name": name, "environment": profile["environment"], "base_url": profile["base_url"]}
    run.finish([{**row, "default": not run.options.dry_run}], PROFILE, ExitCode.DONE)


def _chosen(name: str, before: Configuration, old: str) -> str:
    chosen_profile(before, name, {})
    return old if before.default == name else with_default(old, name)
