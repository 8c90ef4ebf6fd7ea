"""`cpctl doctor`: check everything that a signal needs on its way."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.errors import Conflict, InvalidInput
from cpctl.output.columns import DOCTOR_CHECK
from cpctl.output.views import TableView

if TYPE_CHECKING:
    from cpctl.cli.commands.doctor.checks import DoctorContext

commands = Commands()


@commands.add("doctor", "cpctl doctor --offline -o json")
def run_doctor(
    context: Context,
    offline: Annotated[bool, typer.Option("--offline", help="Skip the checks that need the network.")] = False,
    bundle: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a zip file for a bug report, without keys.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --bundle.")] = False,
) -> None:
    """Check configuration, keys, store, network, clock and machine; each line is ok, a warning or a failure.

    Nothing is changed, and only one read-only call is made. The exit status is 0, or that of the first
    failure in this order: 3 configuration, key or clock; 7 store or disk; 4 the service refuses the key;
    75 network, or undelivered signals.
    """
    if force and bundle is None:
        raise InvalidInput("--force needs --bundle.")
    if bundle is not None and Path(bundle).exists() and not force:
        raise Conflict(f"The file {bundle} already exists.", "Name another file, or add --force to replace it.")
    from cpctl.cli.commands.doctor.checks import DoctorContext, select_checks
    from cpctl.diagnostics.findings import exit_status, run_check
    from cpctl.output.reports import format_checks

    doctor = DoctorContext(context)
    if doctor.profile is None and not offline:
        context.output.note("Without a profile the network checks are skipped.")
    found = []
    for check in select_checks(doctor, offline):
        context.output.progress(f"{check.name} …")
        found += [(check.name, finding) for finding in run_check(check.run, doctor)]
    context.output.progress("")
    rows = [
        {"check": name, "level": finding.level, "message": finding.message, "remedy": finding.remedy or None}
        for name, finding in found
    ]
    if bundle is not None:
        _write_bundle(doctor, Path(bundle), rows)
    context.finish(rows, TableView(DOCTOR_CHECK, list, format_checks), exit_status([finding for _, finding in found]))


def _write_bundle(doctor: "DoctorContext", file: Path, rows: list[dict[str, Any]]) -> None:
    from cpctl.cli.commands.doctor.bundle import build_bundle, zip_bundle
    from cpctl.files import write_private

    output = doctor.context.output
    files = build_bundle(doctor, rows)
    if doctor.context.options.dry_run:
        output.note(f"Dry run: {file} was not written. It would contain:")
    else:
        write_private(file, zip_bundle(files))
        output.note(f"{file} contains:")
    for each in files:
        output.note(f"  {each.name:<20} {each.description}")
    output.note("Keys and passwords are masked; check the file before you send it.")
