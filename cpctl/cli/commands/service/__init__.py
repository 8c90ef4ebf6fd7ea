"""`cpctl service`: systemd units and crontab lines."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cpctl.cli.commands.service.plan_builder import (
    InstallOptions,
    build_plan,
    parse_service,
    parse_service_arguments,
    parse_unit_name,
)
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.time_args import parse_duration
from cpctl.errors import ExitCode, InvalidInput
from cpctl.service_units.cron import render_cron_line
from cpctl.service_units.service_plan import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS, Service, ServicePlan, UnitFile
from cpctl.service_units.systemd_units import render_unit_files

UNIT_FILE_MODE = 0o644  # systemd warns about units that not everyone can read; they contain no keys
DEFAULT_INTERVAL = "2m"
commands = Commands()

ServiceName = Annotated[str, typer.Argument(metavar="outbox|webhooks", help="Service to run.", show_default=False)]
ServiceArguments = Annotated[
    list[str] | None, typer.Argument(metavar="[-- OPTION...]", help="Options for the service.", show_default=False)
]


class ServiceOptions(NamedTuple):
    """How to run the service."""

    user: Annotated[bool, typer.Option("--user", help="Print user units, for `systemctl --user`.")] = False
    timer: Annotated[bool, typer.Option("--timer", help="Run it by a timer instead of all the time.")] = False
    every: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help=f"Time between runs of the timer or cron; default {DEFAULT_INTERVAL}."),
    ] = None
    cron: Annotated[bool, typer.Option("--cron", help="Print only the line for your crontab.")] = False
    run_as: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Account that runs a system unit.")] = None
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the unit.")] = None


@commands.add("print", "cpctl service print outbox")
def print_service(
    context: Context,
    service_name: ServiceName,
    options: ServiceOptions,
    write: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write the unit files to this folder.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    arguments: ServiceArguments = None,
) -> None:
    """Print systemd units, or a line for cron, that keep cpctl running.

    Keys are never in them: systemd passes the key on from a file that only root can read.
    """
    service = parse_service(service_name)
    install_options = _make_install_options(service, options, arguments or [])
    _refuse_contradictions(service, options, write, force)
    if options.cron:
        _show_cron(context, build_plan(context, install_options, for_cron=True))
        return
    plan = build_plan(context, install_options)
    if write is not None:
        _write_units(context, Path(write), render_unit_files(plan), force)
    else:
        files, cron_plan = render_unit_files(plan), build_plan(context, install_options, for_cron=True)
        _show(context, files, "\n".join(file.content for file in files), "\n", _cron_comment(cron_plan))
    for comment in plan.comments:
        context.output.warn(comment)


def _make_install_options(service: Service, options: ServiceOptions, arguments: Sequence[str]) -> InstallOptions:
    is_timed = options.timer or options.every is not None
    interval = _parse_interval(options.every or DEFAULT_INTERVAL) if is_timed else 0
    name = parse_unit_name(options.name or f"cpctl-{service.name}")
    parsed = parse_service_arguments(service, arguments)
    return InstallOptions(service, name, options.user, options.run_as, interval, parsed)


def _parse_interval(text: str) -> int:
    seconds = int(parse_duration(text, "--every").total_seconds())
    if not MIN_INTERVAL_SECONDS <= seconds <= MAX_INTERVAL_SECONDS:
        raise InvalidInput(f'--every "{text}" must be from {MIN_INTERVAL_SECONDS}s to 1d.', "For example: --every 2m")
    return seconds


def _refuse_contradictions(service: Service, options: ServiceOptions, write: str | None, force: bool) -> None:
    if (options.timer or options.every is not None) and not service.one_shot_command:
        raise InvalidInput(
            f'"{service.name}" must run all the time; a timer cannot run it.', "Leave out --timer and --every."
        )
    for is_given, is_contradicted, message in (
        (options.user, options.run_as is not None, "--user and --run-as cannot be combined: user units run as you."),
        (options.cron, options.user, "--cron and --user cannot be combined: cron has no units."),
        (options.cron, options.timer, "--cron and --timer cannot be combined; --every works with both."),
        (options.cron, options.run_as is not None, "--cron and --run-as cannot be combined: a crontab has one owner."),
        (options.cron, write is not None, "--cron and --write cannot be combined: pipe the line into `crontab -`."),
        (force, write is None, "--force needs --write."),
    ):
        if is_given and is_contradicted:
            raise InvalidInput(message)


def _show(context: Context, files: Sequence[UnitFile], *texts: str) -> None:
    if _wants_records(context):
        context.show([file._asdict() for file in files])
    else:
        context.output.write(iter(texts))


def _wants_records(context: Context) -> bool:
    return bool(context.options.output or context.options.query)


def _cron_comment(plan: ServicePlan) -> str:
    try:
        return f"# Without systemd, for `crontab -e`:\n# {render_cron_line(plan)}"
    except InvalidInput as error:
        return f"# Without systemd: {error.message}\n"


def _show_cron(context: Context, plan: ServicePlan) -> None:
    line = render_cron_line(plan)
    _show(context, [UnitFile("crontab", line)], line)
    for comment in (*plan.comments, *(plan.credential.comments if plan.credential else ())):
        context.output.note(comment)


def _write_units(context: Context, folder: Path, files: Sequence[UnitFile], force: bool) -> None:
    placed = [UnitFile(str(folder / Path(file.file).name), file.content) for file in files]
    existing = [file.file for file in placed if Path(file.file).exists()]
    if existing and not force:
        raise InvalidInput(f"{existing[0]} already exists.", "Add --force to overwrite it, or use another folder.")
    paths = ", ".join(file.file for file in placed)
    if context.options.dry_run:
        context.output.note(f"Dry run: would write {paths}.")
        return
    _write_all_or_none(folder, placed)
    context.output.note(f"Wrote {paths}. The comments at the top say how to install.")
    rows = [file._asdict() for file in placed] if _wants_records(context) else None
    context.finish(rows, None, ExitCode.DONE)


def _write_all_or_none(folder: Path, files: Sequence[UnitFile]) -> None:
    """Write every draft before the first one replaces its file."""
    from cpctl.files import private_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"Cannot create the folder {folder}: {error.strerror}.") from error
    with ExitStack() as drafts:
        for file in files:
            draft = drafts.enter_context(private_file(Path(file.file)))
            draft.write(file.content)
            draft.flush()
    for file in files:
        Path(file.file).chmod(UNIT_FILE_MODE)
