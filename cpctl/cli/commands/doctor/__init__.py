"""`cpctl doctor`: one look at all that a signal needs on its way."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.errors import Conflict, InvalidInput
from cpctl.output.columns import CHECKUP, Sheet

commands = Commands()


@commands.add("doctor", "cpctl doctor --offline -o json")
def examine(
    run: Run,
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
    from cpctl.cli.commands.doctor.doctor_context import Patient
    from cpctl.diagnostics.findings import status_of

    patient = Patient(run)
    found = _findings(patient, offline)
    rows = [
        {"check": name, "level": each.level, "said": each.said, "remedy": each.remedy or None} for name, each in found
    ]
    if bundle is not None:
        _bundle(patient, Path(bundle), rows)
    run.finish(rows, Sheet(CHECKUP, list, _drawn), status_of([each for _, each in found]))


def _findings(patient: Any, offline: bool) -> list[Any]:
    from cpctl.cli.commands.doctor.checks import checks_for
    from cpctl.diagnostics.findings import examined

    run = patient.run
    if patient.profile is None and not offline:
        run.output.note("Without a profile the network is left out.")
    found = []
    for check in checks_for(patient, offline):
        run.output.progress(f"{check.name} …")
        found += examined(check.name, check.look, patient)
    run.output.progress("")
    return found


def _drawn(rows: Any, screen: Any) -> str:
    from cpctl.output.findings_report import checkup_text

    return checkup_text(rows, screen)


def _refuse_existing(file: Path, force: bool) -> None:
    if file.exists() and not force:
        raise Conflict(f"There is a file {file} already.", "Name another file, or add --force to replace it.")


def _bundle(patient: Any, file: Path, rows: list[dict[str, Any]]) -> None:
    from cpctl.cli.commands.doctor.bundle import contents, zipped
    from cpctl.output.private_files import write_private_bytes

    run = patient.run
    parts = contents(patient, rows)
    if run.options.dry_run:
        run.output.note(f"Dry run: {file} was not written. It would hold:")
    else:
        write_private_bytes(file, zipped(parts))
        run.output.note(f"{file} holds:")
    for part in parts:
        run.output.note(f"  {part.name:<20} {part.about}")
    run.output.note("Keys and passwords are taken out; look it through before you send it.")
