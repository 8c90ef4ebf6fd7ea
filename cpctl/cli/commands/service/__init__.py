"""`cpctl service`: units for systemd and lines for cron."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.commands.service.plan_builder import (
    Asked,
    checked_name,
    checked_service,
    checked_words,
    cron_plan,
    unit_plan,
)
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.time_args import parse_span
from cpctl.errors import ExitCode, InvalidInput
from cpctl.service_units.cron import cron_line
from cpctl.service_units.service_plan import LONGEST_TIMER, SHORTEST_TIMER, Plan, Service, UnitFile
from cpctl.service_units.systemd_units import unit_files

UNIT_MODE = 0o644  # systemd complains of a unit that not all can read; there is no key in it
DEFAULT_EVERY = "2m"
commands = Commands()

What = Annotated[str, typer.Argument(metavar="outbox|webhooks", help="What is to run.", show_default=False)]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- OPTION...]", help="Options for the service itself.", show_default=False),
]


class Options(NamedTuple):
    """How it is to run."""

    user: Annotated[bool, typer.Option("--user", help="Units of your own, for `systemctl --user`.")] = False
    timer: Annotated[bool, typer.Option("--timer", help="Run it by a timer, not all the time.")] = False
    every: Annotated[
        str | None, typer.Option(metavar="SPAN", help=f"How often timer or cron runs it; {DEFAULT_EVERY} if not said.")
    ] = None
    cron: Annotated[bool, typer.Option("--cron", help="Only the line for your crontab.")] = False
    run_as: Annotated[
        str | None, typer.Option("--run-as", metavar="ACCOUNT", help="The account a system unit runs as.")
    ] = None
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the unit.")] = None


@commands.add("print", "cpctl service print outbox")
def print_service(
    run: Run,
    what: What,
    options: Options,
    write: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write the unit files there.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    words: Words = None,
) -> None:
    """Print systemd units, or the line for cron, that keep cpctl running.

    Keys are never in them: systemd hands the key over from a file that only root can read.
    """
    service = checked_service(what)
    asked = _asked(service, options, words or [])
    _refuse_contradictions(service, options, write, force)
    if options.cron:
        _show_cron(run, cron_plan(run, asked))
        return
    plan = unit_plan(run, asked)
    if write is not None:
        _write(run, Path(write), unit_files(plan), force)
    else:
        _show(run, unit_files(plan), cron_plan(run, asked))
    for remark in plan.remarks:
        run.output.warn(remark)


def _asked(service: Service, options: Options, words: Sequence[str]) -> Asked:
    by_timer = options.timer or options.every is not None
    every = _span(options.every or DEFAULT_EVERY) if by_timer else 0
    name = checked_name(options.name or f"cpctl-{service.name}")
    return Asked(service, name, options.user, options.run_as, every, checked_words(service, words))


def _span(text: str) -> int:
    """The seconds between two runs. Raises InvalidInput."""
    seconds = int(parse_span(text, "--every").total_seconds())
    if not SHORTEST_TIMER <= seconds <= LONGEST_TIMER:
        raise InvalidInput(f'--every "{text}" must be from {SHORTEST_TIMER}s to 1d.', "Such as: --every 2m")
    return seconds


def _refuse_contradictions(service: Service, options: Options, write: str | None, force: bool) -> None:
    if (options.timer or options.every is not None) and not service.once:
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


def _show(run: Run, files: Sequence[UnitFile], by_cron: Plan) -> None:
    if run.options.output or run.options.query:
        run.show(_rows(files))
    else:
        run.output.write(iter(["\n".join(file.content for file in files), "\n", _cron_comment(by_cron)]))


def _cron_comment(plan: Plan) -> str:
    """The line for those without systemd; where cron could not do it, why."""
    try:
        return f"# Without systemd, for `crontab -e`:\n# {cron_line(plan)}"
    except InvalidInput as error:
        return f"# Without systemd: {error.message}\n"


def _show_cron(run: Run, plan: Plan) -> None:
    line = cron_line(plan)
    if run.options.output or run.options.query:
        run.show(_rows([UnitFile("crontab", line)]))
    else:
        run.output.write(iter([line]))
    for remark in (*plan.remarks, *(plan.credential.remarks if plan.credential else ())):
        run.output.note(remark)


def _rows(files: Sequence[UnitFile]) -> list[dict[str, Any]]:
    return [file._asdict() for file in files]


def _write(run: Run, folder: Path, files: Sequence[UnitFile], force: bool) -> None:
    """Write all files or none. Raises InvalidInput where one is there already, or cannot be written."""
    placed = [UnitFile(str(folder / Path(each.file).name), each.content) for each in files]
    there = [each.file for each in placed if Path(each.file).exists()]
    if there and not force:
        raise InvalidInput(f"{there[0]} is there already.", "Add --force to overwrite it, or name another folder.")
    if run.options.dry_run:
        run.output.note(f"Dry run: would write {', '.join(each.file for each in placed)}.")
        return
    _write_together(folder, placed)
    run.output.note(f"Written: {', '.join(each.file for each in placed)}. The comments in it say how to install.")
    run.finish(_rows(placed) if run.options.output or run.options.query else None, None, ExitCode.DONE)


def _write_together(folder: Path, files: Sequence[UnitFile]) -> None:
    """Every draft is written before the first takes its place."""
    from cpctl.output.private_files import private_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"The folder {folder} cannot be made: {error.strerror}.") from error
    with ExitStack() as drafts:
        for each in files:
            written = drafts.enter_context(private_file(Path(each.file)))
            written.write(each.content)
            written.flush()
    for each in files:
        Path(each.file).chmod(UNIT_MODE)
