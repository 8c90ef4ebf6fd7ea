"""`profile init`: a new profile, from options alone or from the fewest questions."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.commands.profile.init_keys import KeyPlan, ask_for_key, given_key, values_of
from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.commands.profile.key_files import (
    NO_CALL,
    try_core_key,
    warn_of_same_keys,
    warn_of_stronger,
    write_own,
    written_keys,
)
from cpctl.cli.context import Run
from cpctl.cli.prompts import ask, check_visible
from cpctl.config.changes import change_configuration, current
from cpctl.config.keys import SERVICES, Key
from cpctl.config.paths import config_file
from cpctl.config.profiles import SETTINGS, Configuration
from cpctl.config.yaml_editor import ORDER, Value, with_profile
from cpctl.errors import ConfigError, Conflict, CpctlError, ExitCode, InvalidInput, KeyRefused

USUAL_NAME = "production"
NAME = re.compile(r"\w[\w.-]{0,63}")
_LATER = {"webhooks": "not set; only needed to receive webhooks"}


class Plan(NamedTuple):
    """A profile as it is going to be."""

    file: Path
    name: str
    settings: Mapping[str, str]
    keys: Mapping[str, KeyPlan]
    options: InitOptions
    asked: bool


def init_profile(run: Run, name: str | None, options: InitOptions) -> None:
    """Make a profile and write it. Raises InvalidInput, ConfigError, and Conflict for a name that is taken."""
    file, _ = config_file(run.options.config, run.environment)
    if name and run.options.profile not in (None, name):
        raise InvalidInput(f'The profile has two names: "{name}", and "{run.options.profile}" by --profile.')
    plan = _plan(run, file, current(file), name or run.options.profile, options)
    commands = _commands(run, plan) if plan.asked else []
    if run.options.dry_run:
        run.output.note(f'Dry run: nothing was written. The profile "{plan.name}" would be in {file}.')
        _finish(run, _facts(plan, [], commands), commands, ExitCode.DONE)
        return
    default = _write(plan)
    run.worked = True
    run.use_profile(plan.name)
    run.output.note(f'The profile "{plan.name}" is in {file}.')
    run.output.note(f"Its calls go to {run.profile['base_url']} ({run.profile['environment']}).")
    if default != plan.name:
        run.output.note(f"`cpctl profile use {plan.name}` makes it the default.")
    keys = [_looked_at(run, service, plan) for service in SERVICES]
    warn_of_same_keys(run, plan.name)
    if commands:
        run.output.note("The same without questions:")
    status = max((row.pop("status") for row in keys), key=_weight)
    _finish(run, _facts(plan, keys, commands), commands, status)


# --- what is wanted -----------------------------------------------------------------------


def _plan(run: Run, file: Path, existing: Configuration, name: str | None, options: InitOptions) -> Plan:
    """The profile that options and answers make. Raises InvalidInput where something is missing and nobody is there."""
    if name is not None:
        if wrong := _check_name(name, existing, options.force, taken_too=False):
            raise InvalidInput(f"The name of the profile {wrong}.")
        _refuse_taken(existing, name, options.force)
    settings = _settings(options)
    keys = {service: given_key(file, service, options) for service in SERVICES}
    missing = [] if name else ["NAME"]
    missing += [] if "environment" in settings else ["--environment live|sandbox"]
    keyless = [service for service in ("core", "signal") if keys[service] is None]
    missing += [_option(service) for service in keyless]
    if missing and not run.can_ask:
        later = " ".join(f"--later {service}" for service in keyless)
        raise InvalidInput(
            f"Nobody can be asked here, and there is no {', no '.join(missing)}.",
            f"Where a key comes from the environment, or later, say so: {later}." if keyless else "",
        )
    if missing:
        return _asked(run, Plan(file, name or "", settings, {}, options, True), existing, keys)
    known = {service: plan or KeyPlan(service, "later") for service, plan in keys.items()}
    return Plan(file, name or "", settings, known, options, asked=False)


def _option(service: str) -> str:
    return f"--{service}-key-file (or --{service}-key-command)"


def _settings(options: InitOptions) -> dict[str, str]:
    found = {}
    for name in ("environment", "base_url", "signal_version", "shipping_option"):
        text = getattr(options, name)
        if text is None:
            continue
        if wrong := check_visible(text) or SETTINGS[name].check(text):
            raise InvalidInput(f'--{name.replace("_", "-")} "{text}" {wrong}.')
        found[name] = text
    return found


def _asked(run: Run, plan: Plan, existing: Configuration, keys: Mapping[str, KeyPlan | None]) -> Plan:
    """The plan with all that is missing asked for; nothing is written meanwhile, so that Ctrl-C changes nothing."""
    run.output.note("Enter takes what stands in brackets; Ctrl-C stops, and nothing is changed.")
    name = plan.name or ask(
        "Name of the profile",
        USUAL_NAME if USUAL_NAME not in existing.profiles else "",
        lambda text: _check_name(text, existing, plan.options.force, taken_too=True),
    )
    settings = dict(plan.settings)
    if "environment" not in settings:
        usual = "sandbox" if "sandbox" in name or settings.get("base_url", "").startswith("http:") else "live"
        settings["environment"] = ask("Environment, live or sandbox", usual, SETTINGS["environment"].check)
    found = {service: given or ask_for_key(run, plan.file, name, service, existing) for service, given in keys.items()}
    if "shipping_option" not in settings:
        settings["shipping_option"] = ask("Carrier: the shipping option of your parcels, such as GLS (may be empty)")
    return plan._replace(name=name, settings=settings, keys=found)


def _check_name(text: str, existing: Configuration, force: bool, taken_too: bool) -> str:
    if wrong := check_visible(text):
        return wrong
    if not NAME.fullmatch(text):
        return "must be of letters, digits, dots, - and _, at most 64"
    return "is taken; choose another" if taken_too and text in existing.profiles and not force else ""


def _refuse_taken(existing: Configuration, name: str, force: bool) -> None:
    if name in existing.profiles and not force:
        raise Conflict(
            f'There is a profile "{name}" in {existing.file} already.',
            f"`cpctl profile set-key SERVICE --profile {name}` changes a key of it; --force replaces it whole.",
        )


# --- writing it ---------------------------------------------------------------------------


def _write(plan: Plan) -> str | None:
    """Write keys and configuration; the default profile afterwards."""
    typed = {each.file: each.key for each in plan.keys.values() if each.file and each.key}
    with written_keys(typed):
        changed = change_configuration(plan.file, plan.name, lambda before, old: _text(plan, before, old), write_own)
    return changed.default


def _text(plan: Plan, before: Configuration, old: str) -> str:
    _refuse_taken(before, plan.name, plan.options.force)
    values: dict[str, Value] = {name: text for name, text in plan.settings.items() if text}
    for each in plan.keys.values():
        values |= values_of(each)
    default = plan.name if plan.options.default or not before.profiles else None
    if default is None and before.default is None and len(before.profiles) == 1:
        default = next(iter(before.profiles))  # being the only one, it was the default
    return with_profile(old, plan.name, values, default)


# --- what is said afterwards --------------------------------------------------------------


def _looked_at(run: Run, service: str, plan: Plan) -> dict[str, Any]:
    """What is known of a key of the new profile, said and returned."""
    warn_of_stronger(run, service)
    verdict, words, status = _verdict(run, service, plan)
    run.output.progress("")
    say = run.output.fail if status else run.output.note
    say(f"{service} key: {words}.")
    return {"service": service, "verdict": verdict, "message": words, "status": status}


def _verdict(run: Run, service: str, plan: Plan) -> tuple[str, str, ExitCode]:
    if service not in run.profile.keys:
        later = f"not set yet; `cpctl profile set-key {service} --profile {plan.name}` keeps one"
        return "not set", _LATER.get(service, later), ExitCode.DONE
    if plan.options.no_check:
        return "not checked", "not checked, as --no-check says", ExitCode.DONE
    try:
        key: Key = run.key(service)
        if service != "core":
            return "not checked", f"{key.last_four}, {NO_CALL[service]}", ExitCode.DONE
        run.output.progress("Trying the core key …")
        try_core_key(run)
    except KeyRefused as error:
        again = f"the profile is kept; `cpctl profile set-key {service} --profile {plan.name}` takes another"
        return "refused", f"{error.message.rstrip('.')}; {again}", error.exit_code
    except ConfigError as error:
        return "not read", f"{error.message} {error.hint}".strip().rstrip("."), error.exit_code
    except CpctlError as error:
        return "not checked", f"not checked: {error.message.rstrip('.')}; `cpctl doctor` tries again", ExitCode.DONE
    return "accepted", f"{key.last_four}, accepted by the service", ExitCode.DONE


def _weight(status: ExitCode) -> int:
    return (ExitCode.DONE, ExitCode.KEY_REFUSED, ExitCode.CONFIG).index(status)


def _facts(plan: Plan, keys: list[dict[str, Any]], commands: list[str]) -> dict[str, Any]:
    return {
        "profile": plan.name,
        "config": str(plan.file),
        "settings": {name: text for name, text in plan.settings.items() if text},
        "keys": keys,
        "commands": commands,
    }


def _finish(run: Run, facts: dict[str, Any], commands: list[str], status: ExitCode) -> None:
    if run.options.output or run.options.query:
        run.finish(facts, None, status)
        return
    run.finish(None, None, status)
    run.output.write(f"{line}\n" for line in commands)


def _commands(run: Run, plan: Plan) -> list[str]:
    """The same as commands that ask nothing and hold no key."""
    words = ["cpctl", "profile", "init", plan.name]
    for name, text in sorted(plan.settings.items(), key=lambda each: ORDER.index(each[0])):
        words += [f"--{name.replace('_', '-')}", text] if text else []
    for each in plan.keys.values():
        words += each.words()
    words += [f"--{name.replace('_', '-')}" for name in ("default", "force", "no_check") if getattr(plan.options, name)]
    config = ["--config", str(plan.file)] if run.options.config else []
    typed = [each.service for each in plan.keys.values() if each.key]
    again = [["cpctl", "profile", "set-key", service, "-", "--profile", plan.name, *config] for service in typed]
    return [shlex.join([*words, *config])] + [
        f"{shlex.join(call)} < {service}.key" for call, service in zip(again, typed, strict=True)
    ]
