"""`profile set-key`: replace a key in its file, or move it there."""

import sys
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.calls import verify_core_key
from cpctl.cli.commands.whoami import find_same_key_warnings
from cpctl.cli.context import Context
from cpctl.cli.input_files import read_input
from cpctl.cli.prompts import ask_key
from cpctl.config.changes import change_configuration, key_files_transaction, with_key_file
from cpctl.config.keys import KEY_VARIABLES, SERVICES, UNVERIFIED_KEY_NOTES, Key, parse_key
from cpctl.config.paths import key_file_path
from cpctl.config.profiles import Configuration, choose_profile, find_key_sources_in_file, require_configuration
from cpctl.errors import ConfigError, CpctlError, ExitCode, InvalidInput, suggest

MAX_KEY_LENGTH = 4096
KEY_CHECK_TIMEOUT_SECONDS = 10.0


class ChangeTarget(NamedTuple):
    """Where a new key goes. `is_configured` says that the profile already names the file."""

    configuration: Configuration
    profile: str
    service: str
    file: Path
    is_configured: bool


def set_key(context: Context, service: str, source: str | None, check: bool) -> None:
    """Write a key to the key file of the profile. Raises ConfigError, InvalidInput, and with `check` KeyRefused."""
    if service not in SERVICES:
        raise InvalidInput(f'There is no service "{service}".', suggest(service, SERVICES))
    if source not in (None, "-"):  # not repeated in the message: it may be the key
        raise InvalidInput(
            "A key cannot be given on the command line, where others can read it.",
            f"`cpctl profile set-key {service}` prompts for it; with - it is read from standard input.",
        )
    target = _find_target(context, service)
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was changed. The {service} key would be written to {target.file}.")
        return
    key = _read_new_key(context, target, source)
    if check and service == "core":
        _verify_key(context, target, key)
    _write_key(target, key)
    context.is_work_done = True
    _report_change(context, target, key, check)


def _find_target(context: Context, service: str) -> ChangeTarget:
    configuration = require_configuration(context.options.config, context.environment)
    profile, _ = choose_profile(configuration, context.options.profile, context.environment)
    source = find_key_sources_in_file(configuration, profile).get(service)
    if source is not None and source.kind == "command":
        raise ConfigError(
            f'The {service} key of "{profile}" comes from a command: {source.describe()}.',
            f"Change the key where that command reads it, or first remove the command from {configuration.file}.",
        )
    if source is not None and isinstance(source.value, Path):
        return ChangeTarget(configuration, profile, service, source.value, is_configured=True)
    file = key_file_path(configuration.file.parent, profile, service)
    return ChangeTarget(configuration, profile, service, file, is_configured=False)


def _read_new_key(context: Context, target: ChangeTarget, source: str | None) -> Key:
    if context.can_prompt and (source is None or sys.stdin.isatty()):
        return ask_key(context, f'The {target.service} key of "{target.profile}"')
    if source is None:
        raise InvalidInput(
            "Cannot prompt for the key.",
            f"Give it on standard input: `cpctl profile set-key {target.service} --profile {target.profile} - < FILE`.",
        )
    try:
        text = read_input("-", MAX_KEY_LENGTH + 1).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ConfigError("standard input: the key contains a character that is not allowed in a key.") from error
    if len(text) > MAX_KEY_LENGTH:
        raise ConfigError(f"standard input: the key is longer than {MAX_KEY_LENGTH} characters.")
    key = parse_key(text, "standard input")
    context.add_masked_key(key)
    return key


def _verify_key(context: Context, target: ChangeTarget, key: Key) -> None:
    context.use_profile(target.profile)
    context.use_key("core", key)
    try:
        verify_core_key(context, min(context.profile.timeout, KEY_CHECK_TIMEOUT_SECONDS))
    except CpctlError as error:
        error.hint = "The key was not changed. Without --check it is written unchecked."
        raise


def _write_key(target: ChangeTarget, key: Key) -> None:
    def edit(before: Configuration, old: str) -> str:
        if target.profile not in before.profiles:
            raise ConfigError(f'The profile "{target.profile}" was removed at the same time.', "Repeat the command.")
        return with_key_file(old, target.profile, target.service, target.file.name)

    with key_files_transaction({target.file.resolve(): key}):
        if not target.is_configured:
            change_configuration(target.configuration.file, target.profile, edit)


def _report_change(context: Context, target: ChangeTarget, key: Key, check: bool) -> None:
    context.output.note(f'The {target.service} key ({key.last_four}) of "{target.profile}" is in {target.file}.')
    if check:
        context.output.note(f"It was {UNVERIFIED_KEY_NOTES.get(target.service, 'accepted by the service')}.")
    if target.service == "signal":
        context.output.note("If the old key was refused, `cpctl outbox release` resumes the queue.")
    others = [
        name
        for name in target.configuration.profiles
        for source in find_key_sources_in_file(target.configuration, name).values()
        if source.value == target.file and name != target.profile
    ]
    if others:
        context.output.warn(f"These profiles use the same file and have the new key too: {', '.join(others)}.")
    warn_if_key_overridden(context, target.service)
    context.use_profile(target.profile)
    warn_if_keys_equal(context)
    result = {"profile": target.profile, "service": target.service, "file": str(target.file), "key": key.last_four}
    context.finish(result if context.has_explicit_output else None, None, ExitCode.DONE)


def warn_if_key_overridden(context: Context, service: str) -> None:
    """Warn if the environment has a key that overrides the one in the profile."""
    for name in (KEY_VARIABLES[service], f"{KEY_VARIABLES[service]}_FILE"):
        if name in context.environment:
            context.output.warn(f"{name} is set in the environment and overrides the {service} key of every profile.")


def warn_if_keys_equal(context: Context) -> None:
    """Warn if core and signal have the same key."""
    for text in find_same_key_warnings(context.profile):
        context.output.warn(text)
