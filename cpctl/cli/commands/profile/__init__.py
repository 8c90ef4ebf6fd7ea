"""`cpctl profile`: the profiles of the configuration file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.commands.whoami import describe_key, find_same_key_warnings, key_rows, setting_rows
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.config.keys import SERVICES
from cpctl.config.paths import find_config_file, find_default_store
from cpctl.config.profiles import Profile, choose_profile, load_profile, read_configuration, require_configuration
from cpctl.errors import CpctlError, ExitCode
from cpctl.output.columns import CONFIG_PATH, PROFILE, PROFILE_FINDING, SETTING

commands = Commands()


@commands.add(
    "init", "cpctl profile init production --environment live --core-key-file core.key --signal-key-file signal.key"
)
def init_profile(
    context: Context,
    options: InitOptions,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of the new profile.", show_default=False)
    ] = None,
) -> None:
    """Create a profile; prompt for what no option gives."""
    from cpctl.cli.commands.profile import init

    init.init_profile(context, name, options)


@commands.add("list", "cpctl profile list")
def list_profiles(context: Context) -> None:
    """List the profiles, and which one is the default."""
    configuration = read_configuration(context.options.config, context.environment)
    names = list(configuration.profiles) if configuration else []
    if not names:
        context.output.note("There is no profile; `cpctl profile init` creates one.")
    default = configuration.default if configuration else None
    rows = [_profile_row(_load_profile(context, name), name == default or len(names) == 1) for name in names]
    context.show(rows, PROFILE)


@commands.add("show", "cpctl profile show")
def show_profile(context: Context) -> None:
    """Show every setting of the profile with its source, and the last characters of each key."""
    profile = context.profile
    keys = {service: describe_key(context, service) for service in SERVICES}
    settings = {name: {"value": value.text, "source": value.source} for name, value in profile.settings.items()}
    first = {"setting": "profile", "value": profile.name, "source": profile.name_source}
    context.show([first, *key_rows(keys), *setting_rows(settings)], SETTING)


@commands.add("set-key", "cpctl profile set-key signal -")
def set_profile_key(
    context: Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="core, signal or webhooks.")],
    source: Annotated[
        str | None, typer.Argument(metavar="[-]", help="- reads the key from standard input.", show_default=False)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Try a core key with a read-only call; keep it only if it is accepted.")
    ] = False,
) -> None:
    """Write a key to the key file of the profile; prompt for it, or read it from standard input."""
    from cpctl.cli.commands.profile import set_key

    set_key.set_key(context, service, source, check)


@commands.add("use", "cpctl profile use sandbox")
def use_profile(
    context: Context, name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a profile.")]
) -> None:
    """Make a profile the default."""
    configuration = require_configuration(context.options.config, context.environment)
    choose_profile(configuration, name, context.environment)
    profile = load_profile(context.environment, context.options.config, name)
    where = f"{profile['base_url']} ({profile['environment']})"
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was changed. Calls would go to {where}.")
    else:
        from cpctl.config.changes import set_default_profile

        set_default_profile(configuration.file, name)
        context.output.note(f'The profile "{name}" is now the default: calls go to {where}.')
    if (forced := context.environment.get("CPCTL_PROFILE")) and forced != name:
        context.output.warn(f'CPCTL_PROFILE is set in the environment and overrides the default: "{forced}" is used.')
    context.finish([_profile_row(profile, not context.options.dry_run)], PROFILE, ExitCode.DONE)


@commands.add("path", "cpctl profile path")
def show_paths(context: Context) -> None:
    """Show the paths of configuration and store, and what set them."""
    file, source = find_config_file(context.options.config, context.environment)
    rows = [_path_row("configuration", file, source)]
    try:
        rows.append(_path_row("store", context.profile.store, context.profile.settings["store"].source))
    except CpctlError:  # without a profile, its store would be the default one
        rows.append(_path_row("store", *find_default_store(context.environment)))
    context.show(rows, CONFIG_PATH)


@commands.add("check", "cpctl profile check")
def check_profiles(context: Context) -> None:
    """Check the configuration and every profile in it; nothing is sent."""
    configuration = read_configuration(context.options.config, context.environment)
    names: list[str | None] = list(configuration.profiles) if configuration else []
    findings = [row for name in names or [None] for row in _check_profile(context, name)]
    failed = any(row["verdict"] == "failure" for row in findings)
    context.show(findings, PROFILE_FINDING, ExitCode.CONFIG if failed else ExitCode.DONE)


def _check_profile(context: Context, name: str | None) -> list[dict[str, Any]]:
    label = name or "environment"
    try:
        profile = _load_profile(context, name)
    except CpctlError as error:
        return [_finding_row(label, "failure", f"{error.message} {error.hint}")]
    rows = []
    for service, source in profile.keys.items():
        try:
            source.read()
            rows.append(_finding_row(f"{label}: {service} key", "ok", ""))
        except CpctlError as error:
            rows.append(_finding_row(f"{label}: {service} key", "failure", f"{error.message} {error.hint}"))
    rows += [
        _finding_row(f"{label}: {service} key", "warning", "Not set; calls to this service will fail.")
        for service in ("core", "signal")
        if service not in profile.keys
    ]
    if not any(row["verdict"] == "failure" for row in rows):
        rows += [_finding_row(label, "warning", text) for text in find_same_key_warnings(profile)]
    return rows or [_finding_row(label, "ok", "")]


def _finding_row(check: str, verdict: str, remedy: str) -> dict[str, Any]:
    return {"check": check, "verdict": verdict, "remedy": remedy.strip()}


def _path_row(name: str, path: Path, source: str) -> dict[str, Any]:
    return {"name": name, "path": str(path), "source": source, "exists": os.access(path, os.F_OK)}


def _profile_row(profile: Profile, is_default: bool) -> Mapping[str, Any]:
    names = {"name": profile.name, "environment": profile["environment"], "base_url": profile["base_url"]}
    return {**names, "default": is_default}


def _load_profile(context: Context, name: str | None) -> Profile:
    return load_profile(context.environment, context.options.config, name, context.options.timeout)
