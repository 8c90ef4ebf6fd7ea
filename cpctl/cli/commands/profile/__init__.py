"""`cpctl profile`: the profiles of the configuration file."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.commands.whoami import key_facts, same_key_warnings
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.config.keys import SERVICES
from cpctl.config.paths import config_file, default_store
from cpctl.config.profiles import Profile, load_profile, read_configuration
from cpctl.errors import CpctlError, ExitCode
from cpctl.output.columns import FINDING, PLACE, PROFILE, SETTING

commands = Commands()


@commands.add(
    "init", "cpctl profile init production --environment live --core-key-file core.key --signal-key-file signal.key"
)
def init_profile(
    run: Run,
    options: InitOptions,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of the new profile.", show_default=False)
    ] = None,
) -> None:
    """Make a profile; what no option says is asked at the terminal."""
    from cpctl.cli.commands.profile import init as first_profile

    first_profile.init_profile(run, name, options)


@commands.add("list", "cpctl profile list")
def list_profiles(run: Run) -> None:
    """List the profiles, and which one is the default."""
    configuration = read_configuration(run.options.config, run.environment)
    names = list(configuration.profiles) if configuration else []
    if not names:
        run.output.note("There is no profile; `cpctl profile init` makes one.")
    rows = []
    for name in names:
        profile = _load(run, name)
        default = name == (configuration.default if configuration else None) or len(names) == 1
        rows.append(
            {
                "name": name,
                "environment": profile["environment"],
                "base_url": profile["base_url"],
                "default": default,
            }
        )
    run.show(rows, PROFILE)


@commands.add("show", "cpctl profile show")
def show_profile(run: Run) -> None:
    """Show every setting of the profile, with the source of its value; of a key its last characters."""
    profile = run.profile
    rows: list[dict[str, Any]] = [{"setting": "profile", "value": profile.name, "source": profile.name_source}]
    for service in SERVICES:
        facts = key_facts(run, service)
        rows.append(
            {"setting": f"{service} key", "value": facts["key"] or facts.get("problem"), "source": facts["source"]}
        )
    rows += [{"setting": name, "value": each.text, "source": each.source} for name, each in profile.settings.items()]
    run.show(rows, SETTING)


@commands.add("set-key", "cpctl profile set-key signal -")
def set_key(
    run: Run,
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

    profile_changes.set_key(run, service, source, check)


@commands.add("use", "cpctl profile use sandbox")
def use_profile(run: Run, name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a profile.")]) -> None:
    """Make a profile the default, and say where calls go from now on."""
    from cpctl.cli.commands.profile import changes as profile_changes

    profile_changes.use_profile(run, name)


@commands.add("path", "cpctl profile path")
def show_paths(run: Run) -> None:
    """Show where configuration and store are, and who says so."""
    file, source = config_file(run.options.config, run.environment)
    rows = [_place("configuration", file, source)]
    try:
        rows.append(_place("store", run.profile.store, run.profile.settings["store"].source))
    except CpctlError:  # without a profile there is still a place where its store would be
        rows.append(_place("store", *default_store(run.environment)))
    run.show(rows, PLACE)


def _place(what: str, path: Path, source: str) -> dict[str, Any]:
    return {"what": what, "path": str(path), "source": source, "exists": os.access(path, os.F_OK)}


@commands.add("check", "cpctl profile check")
def check_profiles(run: Run) -> None:
    """Check the configuration and every profile in it; nothing is sent."""
    configuration = read_configuration(run.options.config, run.environment)
    names: list[str | None] = list(configuration.profiles) if configuration else []
    findings: list[dict[str, Any]] = []
    for name in names or [None]:
        findings += _findings(run, name)
    failed = any(row["verdict"] == "failure" for row in findings)
    run.show(findings, FINDING, ExitCode.CONFIG if failed else ExitCode.DONE)


def _findings(run: Run, name: str | None) -> list[dict[str, Any]]:
    label = name or "environment"
    try:
        profile = _load(run, name)
    except CpctlError as error:
        return [_finding(label, "failure", f"{error.message} {error.hint}")]
    rows = []
    for service, source in profile.keys.items():
        try:
            source.read()
            rows.append(_finding(f"{label}: {service} key", "ok", ""))
        except CpctlError as error:
            rows.append(_finding(f"{label}: {service} key", "failure", f"{error.message} {error.hint}"))
    rows += [
        _finding(f"{label}: {service} key", "warning", "None is set; calls of that service will fail.")
        for service in ("core", "signal")
        if service not in profile.keys
    ]
    if not any(row["verdict"] == "failure" for row in rows):
        rows += [_finding(label, "warning", text) for text in same_key_warnings(profile)]
    return rows or [_finding(label, "ok", "")]


def _finding(what: str, verdict: str, remedy: str) -> dict[str, Any]:
    return {"what": what, "verdict": verdict, "remedy": remedy.strip()}


def _load(run: Run, name: str | None) -> Profile:
    return load_profile(run.environment, run.options.config, name, run.options.timeout)
