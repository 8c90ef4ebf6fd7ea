"""`profile init`: a new profile, from options alone or from the fewest questions."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.commands.profile.init_keys import KeyPlan, build_key_settings, plan_key_from_options, prompt_for_key
from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.commands.profile.key_files import (
    UNVERIFIED_KEY_NOTES,
    key_files_transaction,
    verify_core_key,
    warn_if_key_overridden,
    warn_if_keys_equal,
    write_config_or_key,
)
from cpctl.cli.context import Context
from cpctl.cli.prompts import ask, check_plain_text
from cpctl.config.changes import change_configuration, read_configuration_file
from cpctl.config.keys import SERVICES, Key
from cpctl.config.paths import find_config_file
from cpctl.config.profiles import SETTINGS, Configuration
from cpctl.config.yaml_editor import SETTING_ORDER, SettingValue, with_profile
from cpctl.errors import ConfigError, Conflict, CpctlError, ExitCode, InvalidInput, KeyRefused

DEFAULT_PROFILE_NAME = "production"
PROFILE_NAME_PATTERN = re.compile(r"\w[\w.-]{0,63}")
_UNSET_KEY_MESSAGES = {"webhooks": "not set; only needed to receive webhooks"}


class NewProfile(NamedTuple):
    """A profile as it is going to be."""

    file: Path
    name: str
    settings: Mapping[str, str]
    keys: Mapping[str, KeyPlan]
    options: InitOptions
    is_interactive: bool


def init_profile(context: Context, name: str | None, options: InitOptions) -> None:
    """Make a profile and write it. Raises InvalidInput, ConfigError, and Conflict for a name that is taken."""
    file, _ = find_config_file(context.options.config, context.environment)
    if name and context.options.profile not in (None, name):
        raise InvalidInput(f'The profile has two names: "{name}", and "{context.options.profile}" by --profile.')
    plan = _plan_profile(context, file, read_configuration_file(file), name or context.options.profile, options)
    commands = _equivalent_commands(context, plan) if plan.is_interactive else []
    if context.options.dry_run:
        context.output.note(f'Dry run: nothing was written. The profile "{plan.name}" would be in {file}.')
        _show_result(context, _build_result(plan, [], commands), commands, ExitCode.DONE)
        return
    default = _write_profile(plan)
    context.is_work_done = True
    context.use_profile(plan.name)
    context.output.note(f'The profile "{plan.name}" is in {file}.')
    context.output.note(f"Its calls go to {context.profile['base_url']} ({context.profile['environment']}).")
    if default != plan.name:
        context.output.note(f"`cpctl profile use {plan.name}` makes it the default.")
    keys = [_report_key(context, service, plan) for service in SERVICES]
    warn_if_keys_equal(context, plan.name)
    if commands:
        context.output.note("The same without questions:")
    status = max((row.pop("status") for row in keys), key=_severity)
    _show_result(context, _build_result(plan, keys, commands), commands, status)


# --- what is wanted -----------------------------------------------------------------------


def _plan_profile(
    context: Context, file: Path, existing: Configuration, name: str | None, options: InitOptions
) -> NewProfile:
    """The profile that options and answers make. Raises InvalidInput where something is missing and nobody is there."""
    if name is not None:
        if wrong := _check_name(name, existing, options.force, refuse_taken=False):
            raise InvalidInput(f"The name of the profile {wrong}.")
        _refuse_taken(existing, name, options.force)
    settings = _validated_settings(options)
    keys = {service: plan_key_from_options(file, service, options) for service in SERVICES}
    missing = [] if name else ["NAME"]
    missing += [] if "environment" in settings else ["--environment live|sandbox"]
    keyless = [service for service in ("core", "signal") if keys[service] is None]
    missing += [_format_key_option(service) for service in keyless]
    if missing and not context.can_prompt:
        later = " ".join(f"--later {service}" for service in keyless)
        raise InvalidInput(
            f"Nobody can be asked here, and there is no {', no '.join(missing)}.",
            f"Where a key comes from the environment, or later, say so: {later}." if keyless else "",
        )
    if missing:
        return _prompt_for_missing(context, NewProfile(file, name or "", settings, {}, options, True), existing, keys)
    known = {service: plan or KeyPlan(service, "later") for service, plan in keys.items()}
    return NewProfile(file, name or "", settings, known, options, is_interactive=False)


def _format_key_option(service: str) -> str:
    return f"--{service}-key-file (or --{service}-key-command)"


def _validated_settings(options: InitOptions) -> dict[str, str]:
    found = {}
    for name in ("environment", "base_url", "signal_version", "shipping_option"):
        text = getattr(options, name)
        if text is None:
            continue
        if wrong := check_plain_text(text) or SETTINGS[name].check(text):
            raise InvalidInput(f'--{name.replace("_", "-")} "{text}" {wrong}.')
        found[name] = text
    return found


def _prompt_for_missing(
    context: Context, plan: NewProfile, existing: Configuration, keys: Mapping[str, KeyPlan | None]
) -> NewProfile:
    """The plan with all that is missing asked for; nothing is written meanwhile, so that Ctrl-C changes nothing."""
    context.output.note("Enter takes what stands in brackets; Ctrl-C stops, and nothing is changed.")
    name = plan.name or ask(
        "Name of the profile",
        DEFAULT_PROFILE_NAME if DEFAULT_PROFILE_NAME not in existing.profiles else "",
        lambda text: _check_name(text, existing, plan.options.force, refuse_taken=True),
    )
    settings = dict(plan.settings)
    if "environment" not in settings:
        usual = "sandbox" if "sandbox" in name or settings.get("base_url", "").startswith("http:") else "live"
        settings["environment"] = ask("Environment, live or sandbox", usual, SETTINGS["environment"].check)
    found = {
        service: given or prompt_for_key(context, plan.file, name, service, existing) for service, given in keys.items()
    }
    if "shipping_option" not in settings:
        settings["shipping_option"] = ask("Carrier: the shipping option of your parcels, such as GLS (may be empty)")
    return plan._replace(name=name, settings=settings, keys=found)


def _check_name(text: str, existing: Configuration, force: bool, refuse_taken: bool) -> str:
    if wrong := check_plain_text(text):
        return wrong
    if not PROFILE_NAME_PATTERN.fullmatch(text):
        return "must be of letters, digits, dots, - and _, at most 64"
    return "is taken; choose another" if refuse_taken and text in existing.profiles and not force else ""


def _refuse_taken(existing: Configuration, name: str, force: bool) -> None:
    if name in existing.profiles and not force:
        raise Conflict(
            f'There is a profile "{name}" in {existing.file} already.',
            f"`cpctl profile set-key SERVICE --profile {name}` changes a key of it; --force replaces it whole.",
        )


# --- writing it ---------------------------------------------------------------------------


def _write_profile(plan: NewProfile) -> str | None:
    """Write keys and configuration; the default profile afterwards."""
    typed = {each.file: each.key for each in plan.keys.values() if each.file and each.key}
    with key_files_transaction(typed):
        changed = change_configuration(
            plan.file, plan.name, lambda before, old: _edit_configuration(plan, before, old), write_config_or_key
        )
    return changed.default


def _edit_configuration(plan: NewProfile, before: Configuration, old: str) -> str:
    _refuse_taken(before, plan.name, plan.options.force)
    values: dict[str, SettingValue] = {name: text for name, text in plan.settings.items() if text}
    for each in plan.keys.values():
        values |= build_key_settings(each)
    default = plan.name if plan.options.default or not before.profiles else None
    if default is None and before.default is None and len(before.profiles) == 1:
        default = next(iter(before.profiles))  # being the only one, it was the default
    return with_profile(old, plan.name, values, default)


# --- what is said afterwards --------------------------------------------------------------


def _report_key(context: Context, service: str, plan: NewProfile) -> dict[str, Any]:
    """What is known of a key of the new profile, said and returned."""
    warn_if_key_overridden(context, service)
    verdict, words, status = _check_key(context, service, plan)
    context.output.progress("")
    say = context.output.error if status else context.output.note
    say(f"{service} key: {words}.")
    return {"service": service, "verdict": verdict, "message": words, "status": status}


def _check_key(context: Context, service: str, plan: NewProfile) -> tuple[str, str, ExitCode]:
    if service not in context.profile.keys:
        later = f"not set yet; `cpctl profile set-key {service} --profile {plan.name}` keeps one"
        return "not set", _UNSET_KEY_MESSAGES.get(service, later), ExitCode.DONE
    if plan.options.no_check:
        return "not checked", "not checked, as --no-check says", ExitCode.DONE
    try:
        key: Key = context.read_key(service)
        if service != "core":
            return "not checked", f"{key.last_four}, {UNVERIFIED_KEY_NOTES[service]}", ExitCode.DONE
        context.output.progress("Trying the core key …")
        verify_core_key(context)
    except KeyRefused as error:
        again = f"the profile is kept; `cpctl profile set-key {service} --profile {plan.name}` takes another"
        return "refused", f"{error.message.rstrip('.')}; {again}", error.exit_code
    except ConfigError as error:
        return "not read", f"{error.message} {error.hint}".strip().rstrip("."), error.exit_code
    except CpctlError as error:
        return "not checked", f"not checked: {error.message.rstrip('.')}; `cpctl doctor` tries again", ExitCode.DONE
    return "accepted", f"{key.last_four}, accepted by the service", ExitCode.DONE


def _severity(status: ExitCode) -> int:
    return (ExitCode.DONE, ExitCode.KEY_REFUSED, ExitCode.CONFIG).index(status)


def _build_result(plan: NewProfile, keys: list[dict[str, Any]], commands: list[str]) -> dict[str, Any]:
    return {
        "profile": plan.name,
        "config": str(plan.file),
        "settings": {name: text for name, text in plan.settings.items() if text},
        "keys": keys,
        "commands": commands,
    }


def _show_result(context: Context, result: dict[str, Any], commands: list[str], status: ExitCode) -> None:
    if context.options.output or context.options.query:
        context.finish(result, None, status)
        return
    context.finish(None, None, status)
    context.output.write(f"{line}\n" for line in commands)


def _equivalent_commands(context: Context, plan: NewProfile) -> list[str]:
    """The same as commands that ask nothing and hold no key."""
    words = ["cpctl", "profile", "init", plan.name]
    for name, text in sorted(plan.settings.items(), key=lambda each: SETTING_ORDER.index(each[0])):
        words += [f"--{name.replace('_', '-')}", text] if text else []
    for each in plan.keys.values():
        words += each.to_options()
    words += [f"--{name.replace('_', '-')}" for name in ("default", "force", "no_check") if getattr(plan.options, name)]
    config = ["--config", str(plan.file)] if context.options.config else []
    typed = [each.service for each in plan.keys.values() if each.key]
    again = [["cpctl", "profile", "set-key", service, "-", "--profile", plan.name, *config] for service in typed]
    return [shlex.join([*words, *config])] + [
        f"{shlex.join(call)} < {service}.key" for call, service in zip(again, typed, strict=True)
    ]
