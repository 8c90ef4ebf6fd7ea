"""`cpctl doctor`: one look at all that a signal needs on its way."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.errors import Conflict, InvalidInput
from cpctl.output.columns import DOCTOR_CHECK
from cpctl.output.views import TableView

commands = Commands()


@commands.add("doctor", "cpctl doctor --offline -o json")
def run_doctor(
    context: Context,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the network out.")] = False,
    bundle: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a zip file for a bug report, without keys.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --bundle.")] = False,
) -> None:
    """Look at configuration, keys, store, network, clock and machine; each line is ok, a warning or a failure.

    Nothing is changed, and one call is made that reads. Ends with 0, or with the first of these for
    which there is a failure: 3 configuration, key or clock; 7 store or disk; 4 the service refuses
    the key; 75 network, or signals that are not delivered.
    """
    if force and bundle is None:
        raise InvalidInput("--force is for --bundle, which is not given.")
    if bundle is not None:
        _refuse_existing(Path(bundle), force)
    from cpctl.cli.commands.doctor.doctor_context import DoctorContext
    from cpctl.diagnostics.findings import exit_status

    patient = DoctorContext(context)
    found = _run_checks(patient, offline)
    rows = [
        {"check": name, "level": each.level, "said": each.message, "remedy": each.remedy or None} for name, each in found
    ]
    if bundle is not None:
        _write_bundle(patient, Path(bundle), rows)
    context.finish(rows, TableView(DOCTOR_CHECK, list, _render_checks), exit_status([each for _, each in found]))


def _run_checks(doctor: Any, offline: bool) -> list[Any]:
    from cpctl.cli.commands.doctor.checks import select_checks
    from cpctl.diagnostics.findings import run_check

    run = doctor.context
    if doctor.profile is None and not offline:
        run.output.note("Without a profile the network is left out.")
    found = []
    for check in select_checks(doctor, offline):
        run.output.progress(f"{check.name} …")
        found += run_check(check.name, check.run, doctor)
    run.output.progress("")
    return found


def _render_checks(rows: Any, screen: Any) -> str:
    from cpctl.output.findings_report import format_checks

    return format_checks(rows, screen)


def _refuse_existing(file: Path, force: bool) -> None:
    if file.exists() and not force:
        raise Conflict(f"There is a file {file} already.", "Name another file, or add --force to replace it.")


def _write_bundle(doctor: Any, file: Path, rows: list[dict[str, Any]]) -> None:
    from cpctl.cli.commands.doctor.bundle import build_bundle, zip_bundle
    from cpctl.output.private_files import write_private_bytes

    run = doctor.context
    parts = build_bundle(doctor, rows)
    if run.options.dry_run:
        run.output.note(f"Dry run: {file} was not written. It would hold:")
    else:
        write_private_bytes(file, zip_bundle(parts))
        run.output.note(f"{file} holds:")
    for part in parts:
        run.output.note(f"  {part.name:<20} {part.description}")
    run.output.note("Keys and passwords are taken out; look it through before you send it.")
