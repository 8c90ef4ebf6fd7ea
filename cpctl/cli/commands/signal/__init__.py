"""`cpctl signal`: report events of items, and show what was reported."""

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpctl.cli.commands.signal.submit import FileOptions, SignalOptions, report_signals
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.options import Items, Limit, OrderId, Since, StateFilter
from cpctl.errors import InvalidInput, suggest
from cpctl.output.columns import CAUSE, SIGNAL, SIGNAL_TYPE
from cpctl.signals.signal_types import LATEST_API_VERSION, SIGNAL_FIELDS, SIGNAL_TYPES, SignalField, SignalType

if TYPE_CHECKING:
    from cpctl.outbox.models import State

commands = Commands()

OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="Full order id.")]


def _add_report_command(signal_type: SignalType) -> None:
    """Declare the command that reports one signal type; its options are the fields of the type."""

    def report(context: Context, options: SignalOptions, **fields: Any) -> None:
        report_signals(context, signal_type.name, fields.pop("items", [None]), fields, options)

    parameters = [_parameter("context", Context)]
    if signal_type.is_about_item:
        parameters += [_parameter("items", Items), _parameter("order", OrderId)]
    else:
        parameters += [_parameter("order", OrderArgument)]
    parameters += [_field_parameter(signal_type, field) for field in signal_type.fields]
    parameters.append(_parameter("options", SignalOptions))
    report.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    report.__doc__ = f"Report {signal_type.name}: {signal_type.meaning}."
    commands.add(signal_type.command, _report_example(signal_type))(report)


def _parameter(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _field_parameter(signal_type: SignalType, field: SignalField) -> Parameter:
    """The option of a field; it may be left out if one of the versions does not require it."""
    meaning, _, metavar = field.variant_for(signal_type.name)
    note = f" [{field.default}]" if field.default else ""
    help_text = f"{meaning[0].upper()}{meaning[1:]}.{note}"
    option = typer.Option(_option_name(field), metavar=metavar, help=help_text)
    if all(signal_type.requires(version, field.name) for version in signal_type.required):
        return _parameter(field.name, Annotated[str, option])
    return _parameter(field.name, Annotated[str | None, option], None)


def _report_example(signal_type: SignalType) -> str:
    order, item = SIGNAL_FIELDS["order"].example, SIGNAL_FIELDS["item"].example
    about = f"{item} --order {order}" if signal_type.is_about_item else order
    example = f"cpctl signal {signal_type.command} {about}"
    if LATEST_API_VERSION not in signal_type.required or LATEST_API_VERSION in signal_type.alias_by_version:
        example += " --api-version 1.1"
    for field in signal_type.fields:
        value = field.variant_for(signal_type.name).example
        example += f' {_option_name(field)} "{value}"' if " " in value else f" {_option_name(field)} {value}"
    return example


def _option_name(field: SignalField) -> str:
    return f"--{field.name.replace('_', '-')}"


for _signal_type in sorted(SIGNAL_TYPES.values(), key=lambda row: LATEST_API_VERSION not in row.required):
    _add_report_command(_signal_type)


@commands.add("types", "cpctl signal types")
def list_types(context: Context) -> None:
    """List the signal types and their fields."""
    context.show(
        [
            {
                "type": row.name,
                "command": f"signal {row.command}",
                "api_versions": ", ".join(row.required),
                "required": ", ".join(row.required.get(LATEST_API_VERSION) or row.required["1.1"]),
                "optional": ", ".join(row.optional),
                "meaning": row.meaning,
            }
            for row in SIGNAL_TYPES.values()
        ],
        SIGNAL_TYPE,
    )


@commands.add("causes", "cpctl signal causes")
def list_causes(context: Context) -> None:
    """List the published causes of a cancellation."""
    from cpctl.signals.causes import CANCEL_CAUSES

    context.show([{"cause": cause, "meaning": meaning} for cause, meaning in CANCEL_CAUSES.items()], CAUSE)


@commands.add("history", "cpctl signal history --since 7d --state refused")
def show_history(
    context: Context,
    since: Since = None,
    item: Annotated[str, typer.Option(metavar="ITEM", help="Show only signals of this item.")] = "",
    order: Annotated[str, typer.Option(metavar="ORDER", help="Show only signals of this order.")] = "",
    state: StateFilter = None,
    limit: Limit = 0,
) -> None:
    """Show the accepted signals and what became of them."""
    from cpctl.cli.time_args import parse_since
    from cpctl.clock import utc_now
    from cpctl.outbox.queries import SignalQuery, find_signals

    at = parse_since(since, "--since", utc_now()) if since else None
    query = SignalQuery(context.profile.name, parse_signal_states(state), order, item, at, limit)
    reports = [entry.to_dict() for entry in find_signals(context.store, query)]
    if not reports:
        context.output.note("No such signal was accepted here.")
    context.show(reports, SIGNAL)


@commands.add("report", "cpctl signal report --date yesterday --from 22:00 --to 06:00")
def show_shift_report(
    context: Context,
    date: Annotated[str, typer.Option(metavar="DAY", help="today, yesterday or 2026-01-20.")] = "today",
    begin: Annotated[str, typer.Option("--from", metavar="HH:MM", help="Start of the shift.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="HH:MM", help="End of the shift; may be after midnight.")] = "",
    station: Annotated[str | None, typer.Option(metavar="NAME", help="Count only this station.")] = None,
    all_stations: Annotated[bool, typer.Option("--all-stations", help="Count every station; the default.")] = False,
    operator: Annotated[str | None, typer.Option(metavar="NAME", help="Count only this operator.")] = None,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write a page to print; - for standard output.")] = "",
) -> None:
    """Show the numbers of a shift: what was reported, by whom, and how long items took."""
    from cpctl.cli.commands.signal.report import show_report

    if station is not None and all_stations:
        raise InvalidInput("--station and --all-stations contradict each other.", "Use one of them.")
    show_report(context, date, begin, end, station, operator, html)


@commands.add("send", "cpctl signal send shipped.csv --type shipped --result shipped.result.csv")
def send_file(
    context: Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, TSV, JSON or JSONL; - for standard input.")],
    options: FileOptions,
    result: Annotated[str, typer.Option(metavar="FILE", help="Write what became of each row to this file.")] = "",
) -> None:
    """Report a file of signals; the same file again sends nothing twice."""
    from cpctl.cli.commands.signal.send import send_signal_file

    send_signal_file(context, file, result, options)


@commands.add("watch", "cpctl signal watch inbox --map ups-worldship")
def watch_folder(
    context: Context,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Folder in which files of signals are put.")],
    options: FileOptions,
    interval: Annotated[str, typer.Option(metavar="SPAN", help="Time between scans of the folder.")] = "2s",
    settle: Annotated[
        str, typer.Option(metavar="SPAN", help="Process a file only after it has been unchanged for this long.")
    ] = "5s",
    once: Annotated[bool, typer.Option("--once", help="Process the complete files, then exit; for cron.")] = False,
) -> None:
    """Report every file that is put in a folder, and move it to done or error with its results."""
    from cpctl.cli.commands.signal.watch import run_hot_folder

    run_hot_folder(context, folder, options, interval, settle, once)


@commands.add("scan", "cpctl signal scan --type shipped --hold 10s")
def scan_items(
    context: Context,
    short_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="registered, produce, produced, packed or shipped.")
    ] = "shipped",
    order: Annotated[str, typer.Option("--order", metavar="ORDER", help="Full id of the order of all items.")] = "",
    hold: Annotated[str, typer.Option(metavar="SPAN", help="Time in which UNDO can take back a scan.")] = "10s",
    sound: Annotated[
        str, typer.Option(metavar="bell|none|COMMAND", help="Sound to play for each scan result.")
    ] = "bell",
    check: Annotated[
        bool, typer.Option("--check", help="Test the scanner, keyboard layout, suffix and sound instead.")
    ] = False,
) -> None:
    """Run a packing bench: scan items and labels, and report them."""
    from cpctl.cli.commands.signal import scan

    if check:
        scan.check_scanner(context, sound)
    else:
        scan.run_bench(context, short_type, order, hold, sound)


@commands.add("sheet", "cpctl signal sheet --html commands.html")
def print_sheet(
    context: Context,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write a page of barcodes to print.")
    ] = None,
) -> None:
    """List the command barcodes of the packing bench, or write them as a page to print."""
    from cpctl.cli.commands.signal.sheet import show_command_sheet

    show_command_sheet(context, html)


def parse_signal_states(names: list[str] | None) -> "list[State]":
    """Parse the states that were typed. Raises InvalidInput."""
    from cpctl.outbox.models import STORED_STATES, State

    for name in names or ():
        if name not in STORED_STATES:
            raise InvalidInput(f'There is no state "{name}".', suggest(name, [str(state) for state in STORED_STATES]))
    return [State(name) for name in names or ()]
