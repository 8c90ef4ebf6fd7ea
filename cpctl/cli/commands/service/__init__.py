"""`cpctl service`: units for systemd and lines for cron."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.commands.service.plan_builder import (
    InstallOptions,
    parse_service,
    parse_service_arguments,
    parse_unit_name,
    plan_cron,
    plan_unit,
)
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.time_args import parse_duration
from cpctl.errors import ExitCode, InvalidInput
from cpctl.service_units.cron import render_cron_line
from cpctl.service_units.service_plan import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS, Service, ServicePlan, UnitFile
from cpctl.service_units.systemd_units import render_unit_files

UNIT_FILE_MODE = 0o644  # systemd complains of a unit that not all can read; there is no key in it
DEFAULT_INTERVAL = "2m"
commands = Commands()

ServiceName = Annotated[str, typer.Argument(metavar="outbox|webhooks", help="What is to run.", show_default=False)]
ServiceArguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- OPTION...]", help="Options for the service itself.", show_default=False),
]


class ServiceOptions(NamedTuple):
    """How it is to run."""

    user: Annotated[bool, typer.Option("--user", help="Units of your own, for `systemctl --user`.")] = False
    timer: Annotated[bool, typer.Option("--timer", help="Run it by a timer, not all the time.")] = False
    every: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help=f"How often timer or cron runs it; {DEFAULT_INTERVAL} if not said."),
    ] = None
    cron: Annotated[bool, typer.Option("--cron", help="Only the line for your crontab.")] = False
    run_as: Annotated[
        str | None, typer.Option("--run-as", metavar="ACCOUNT", help="The account a system unit runs as.")
    ] = None
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the unit.")] = None


@commands.add("print", "cpctl service print outbox")
def print_service(
    context: Context,
    service_name: ServiceName,
    options: ServiceOptions,
    write: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write the unit files there.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    arguments: ServiceArguments = None,
) -> None:
    """Print systemd units, or the line for cron, that keep cpctl running.

    Keys are never in them: systemd hands the key over from a file that only root can read.
    """
    service = parse_service(service_name)
    asked = _make_install_options(service, options, arguments or [])
    _refuse_contradictions(service, options, write, force)
    if options.cron:
        _show_cron(context, plan_cron(context, asked))
        return
    plan = plan_unit(context, asked)
    if write is not None:
        _write_units(context, Path(write), render_unit_files(plan), force)
    else:
        _show_units(context, render_unit_files(plan), plan_cron(context, asked))
    for remark in plan.comments:
        context.output.warn(remark)


def _make_install_options(service: Service, options: ServiceOptions, arguments: Sequence[str]) -> InstallOptions:
    by_timer = options.timer or options.every is not None
    every = _parse_interval(options.every or DEFAULT_INTERVAL) if by_timer else 0
    name = parse_unit_name(options.name or f"cpctl-{service.name}")
    return InstallOptions(
        service, name, options.user, options.run_as, every, parse_service_arguments(service, arguments)
    )


def _parse_interval(text: str) -> int:
    """The seconds between two runs. Raises InvalidInput."""
    seconds = int(parse_duration(text, "--every").total_seconds())
    if not MIN_INTERVAL_SECONDS <= seconds <= MAX_INTERVAL_SECONDS:
        raise InvalidInput(f'--every "{text}" must be from {MIN_INTERVAL_SECONDS}s to 1d.', "Such as: --every 2m")
    return seconds


def _refuse_contradictions(service: Service, options: ServiceOptions, write: str | None, force: bool) -> None:
    if (options.timer or options.every is not None) and not service.one_shot_command:
        raise InvalidInput(
            f'"{service.name}" has to run all the time; a timer cannot run it.', "Leave out --timer and --every."
        )
    for one, other, why in (
        (options.user, options.run_as is not None, "--user and --run-as: units of your own run as you."),
        (options.cron, options.user, "--cron and --user: cron has no units."),
        (options.cron, options.timer, "--cron and --timer: choose one; --every is for both."),
        (options.cron, options.run_as is not None, "--cron and --run-as: a crontab is that of its owner."),
        (options.cron, write is not None, "--cron and --write: a crontab is no file to write; pipe into `crontab -`."),
        (force, write is None, "--force without --write: nothing would be overwritten."),
    ):
        if one and other:
            raise InvalidInput(f"These do not go together: {why}")


def _show_units(context: Context, files: Sequence[UnitFile], by_cron: ServicePlan) -> None:
    if context.options.output or context.options.query:
        context.show(_unit_rows(files))
    else:
        context.output.write(iter(["\n".join(file.content for file in files), "\n", _cron_comment(by_cron)]))


def _cron_comment(plan: ServicePlan) -> str:
    """The line for those without systemd; where cron could not do it, why."""
    try:
        return f"# Without systemd, for `crontab -e`:\n# {render_cron_line(plan)}"
    except InvalidInput as error:
        return f"# Without systemd: {error.message}\n"


def _show_cron(context: Context, plan: ServicePlan) -> None:
    line = render_cron_line(plan)
    if context.options.output or context.options.query:
        context.show(_unit_rows([UnitFile("crontab", line)]))
    else:
        context.output.write(iter([line]))
    for remark in (*plan.comments, *(plan.credential.comments if plan.credential else ())):
        context.output.note(remark)


def _unit_rows(files: Sequence[UnitFile]) -> list[dict[str, Any]]:
    return [{"file": file.path, "content": file.content} for file in files]


def _write_units(context: Context, folder: Path, files: Sequence[UnitFile], force: bool) -> None:
    """Write all files or none. Raises InvalidInput where one is there already, or cannot be written."""
    placed = [UnitFile(str(folder / Path(each.path).name), each.content) for each in files]
    there = [each.path for each in placed if Path(each.path).exists()]
    if there and not force:
        raise InvalidInput(f"{there[0]} is there already.", "Add --force to overwrite it, or name another folder.")
    if context.options.dry_run:
        context.output.note(f"Dry run: would write {', '.join(each.path for each in placed)}.")
        return
    _write_all_or_none(folder, placed)
    context.output.note(f"Written: {', '.join(each.path for each in placed)}. The comments in it say how to install.")
    context.finish(_unit_rows(placed) if context.options.output or context.options.query else None, None, ExitCode.DONE)


def _write_all_or_none(folder: Path, files: Sequence[UnitFile]) -> None:
    """Every draft is written before the first takes its place."""
    from cpctl.files import private_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"The folder {folder} cannot be made: {error.strerror}.") from error
    with ExitStack() as drafts:
        for each in files:
            written = drafts.enter_context(private_file(Path(each.path)))
            written.write(each.content)
            written.flush()
    for each in files:
        Path(each.path).chmod(UNIT_FILE_MODE)
