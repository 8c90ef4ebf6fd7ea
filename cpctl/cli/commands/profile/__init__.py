"""`cpctl profile`: the profiles of the configuration file."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.commands.whoami import describe_key, find_same_key_warnings
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.config.keys import SERVICES
from cpctl.config.paths import find_config_file, find_default_store
from cpctl.config.profiles import Profile, load_profile, read_configuration
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
    """Make a profile; what no option says is asked at the terminal."""
    from cpctl.cli.commands.profile import init as first_profile

    first_profile.init_profile(context, name, options)


@commands.add("list", "cpctl profile list")
def list_profiles(context: Context) -> None:
    """List the profiles, and which one is the default."""
    configuration = read_configuration(context.options.config, context.environment)
    names = list(configuration.profiles) if configuration else []
    if not names:
        context.output.note("There is no profile; `cpctl profile init` makes one.")
    rows = []
    for name in names:
        profile = _load_profile(context, name)
        default = name == (configuration.default if configuration else None) or len(names) == 1
        rows.append(
            {
                "name": name,
                "environment": profile["environment"],
                "base_url": profile["base_url"],
                "default": default,
            }
        )
    context.show(rows, PROFILE)


@commands.add("show", "cpctl profile show")
def show_profile(context: Context) -> None:
    """Show every setting of the profile, with the source of its value; of a key its last characters."""
    profile = context.profile
    rows: list[dict[str, Any]] = [{"setting": "profile", "value": profile.name, "source": profile.name_source}]
    for service in SERVICES:
        facts = describe_key(context, service)
        rows.append(
            {"setting": f"{service} key", "value": facts["key"] or facts.get("problem"), "source": facts["source"]}
        )
    rows += [{"setting": name, "value": each.text, "source": each.source} for name, each in profile.settings.items()]
    context.show(rows, SETTING)


@commands.add("set-key", "cpctl profile set-key signal -")
def set_key(
    context: Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="core, signal or webhooks.")],
    source: Annotated[
        str | None, typer.Argument(metavar="[-]", help="- reads the key from standard input.", show_default=False)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Try a core key with a call that reads, and keep it only if it is right.")
    ] = False,
) -> None:
    """Put a key in the key file of the profile; it is asked for and not shown, or read from standard input."""
    from cpctl.cli.commands.profile import changes as profile_changes

    profile_changes.set_key(context, service, source, check)


@commands.add("use", "cpctl profile use sandbox")
def use_profile(
    context: Context, name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a profile.")]
) -> None:
    """Make a profile the default, and say where calls go from now on."""
    from cpctl.cli.commands.profile import changes as profile_changes

    profile_changes.use_profile(context, name)


@commands.add("path", "cpctl profile path")
def show_paths(context: Context) -> None:
    """Show where configuration and store are, and who says so."""
    file, source = find_config_file(context.options.config, context.environment)
    rows = [_path_row("configuration", file, source)]
    try:
        rows.append(_path_row("store", context.profile.store, context.profile.settings["store"].source))
    except CpctlError:  # without a profile there is still a place where its store would be
        rows.append(_path_row("store", *find_default_store(context.environment)))
    context.show(rows, CONFIG_PATH)


def _path_row(what: str, path: Path, source: str) -> dict[str, Any]:
    return {"what": what, "path": str(path), "source": source, "exists": os.access(path, os.F_OK)}


@commands.add("check", "cpctl profile check")
def check_profiles(context: Context) -> None:
    """Check the configuration and every profile in it; nothing is sent."""
    configuration = read_configuration(context.options.config, context.environment)
    names: list[str | None] = list(configuration.profiles) if configuration else []
    findings: list[dict[str, Any]] = []
    for name in names or [None]:
        findings += _check_profile(context, name)
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
        _finding_row(f"{label}: {service} key", "warning", "None is set; calls of that service will fail.")
        for service in ("core", "signal")
        if service not in profile.keys
    ]
    if not any(row["verdict"] == "failure" for row in rows):
        rows += [_finding_row(label, "warning", text) for text in find_same_key_warnings(profile)]
    return rows or [_finding_row(label, "ok", "")]


def _finding_row(what: str, verdict: str, remedy: str) -> dict[str, Any]:
    return {"what": what, "verdict": verdict, "remedy": remedy.strip()}


def _load_profile(context: Context, name: str | None) -> Profile:
    return load_profile(context.environment, context.options.config, name, context.options.timeout)
