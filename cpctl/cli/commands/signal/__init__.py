"""`cpctl signal`: report what happened to an item, and look at what was reported."""

from typing import TYPE_CHECKING, Annotated

import typer

from cpctl.cli.commands.signal.file_options import FileOptions
from cpctl.cli.commands.signal.submit import SignalOptions, report_signals
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.options import Cause, DelayHours, Items, Limit, OrderId, Since, StateFilter
from cpctl.errors import InvalidInput, suggest
from cpctl.output.columns import CAUSE, SIGNAL, SIGNAL_TYPE

if TYPE_CHECKING:
    from cpctl.outbox.models import State

commands = Commands()

EXAMPLE_ITEM = "123456780001 --order 123456780000"


@commands.add("registered", f"cpctl signal registered {EXAMPLE_ITEM}")
def report_registered(context: Context, items: Items, order: OrderId, options: SignalOptions) -> None:
    """Report ItemRegistered: received and accepted by the production."""
    report_signals(context, "ItemRegistered", items, order, {}, options)


@commands.add("produce", f"cpctl signal produce {EXAMPLE_ITEM}")
def report_produce(context: Context, items: Items, order: OrderId, options: SignalOptions) -> None:
    """Report ItemProduce: production has started."""
    report_signals(context, "ItemProduce", items, order, {}, options)


@commands.add("produced", f"cpctl signal produced {EXAMPLE_ITEM}")
def report_produced(context: Context, items: Items, order: OrderId, options: SignalOptions) -> None:
    """Report ItemProduced: production is completed."""
    report_signals(context, "ItemProduced", items, order, {}, options)


@commands.add("packed", f"cpctl signal packed {EXAMPLE_ITEM}")
def report_packed(context: Context, items: Items, order: OrderId, options: SignalOptions) -> None:
    """Report ItemPacked: packed and ready to go."""
    report_signals(context, "ItemPacked", items, order, {}, options)


@commands.add("shipped", f"cpctl signal shipped {EXAMPLE_ITEM} --tracking 1A2B3C4D5E6F --shipping-option GLS")
def report_shipped(
    context: Context,
    items: Items,
    order: OrderId,
    tracking: Annotated[str, typer.Option(metavar="CODE", help="Tracking code of the parcel.")],
    options: SignalOptions,
    shipping_option: Annotated[
        str | None, typer.Option("--shipping-option", metavar="NAME", help="Who carries it. [the profile's]")
    ] = None,
) -> None:
    """Report ItemShipped: on its way, with a tracking code."""
    report_signals(
        context, "ItemShipped", items, order, {"tracking": tracking, "shipping_option": shipping_option}, options
    )


@commands.add("delay", f'cpctl signal delay {EXAMPLE_ITEM} --cause "Print error, reprint needed" --delay 24')
def report_delay(
    context: Context,
    items: Items,
    order: OrderId,
    options: SignalOptions,
    cause: Cause = None,
    delay: DelayHours = None,
) -> None:
    """Report ItemDelay: it will be late."""
    report_signals(context, "ItemDelay", items, order, {"cause": cause, "delay": delay}, options)


@commands.add(
    "error", f'cpctl signal error {EXAMPLE_ITEM} --api-version 1.1 --cause "Print error, reprint needed" --delay 24'
)
def report_error(
    context: Context,
    items: Items,
    order: OrderId,
    options: SignalOptions,
    cause: Cause = None,
    delay: DelayHours = None,
) -> None:
    """Report ItemError: version 1.1's word for a delay."""
    report_signals(context, "ItemError", items, order, {"cause": cause, "delay": delay}, options)


@commands.add(
    "canceled", f'cpctl signal canceled {EXAMPLE_ITEM} --cause CancelBookSize --message "Book has wrong width"'
)
def report_canceled(
    context: Context,
    items: Items,
    order: OrderId,
    options: SignalOptions,
    cause: Annotated[
        str | None, typer.Option(metavar="CAUSE", help="A published cause: see `cpctl signal causes`.")
    ] = None,
    message: Annotated[str | None, typer.Option(metavar="TEXT", help="Words for the client.")] = None,
    delay: DelayHours = None,
) -> None:
    """Report ItemCanceled: it will not be produced."""
    report_signals(context, "ItemCanceled", items, order, {"cause": cause, "message": message, "delay": delay}, options)


@commands.add("order-registered", "cpctl signal order-registered 123456780000 --api-version 1.1")
def report_order_registered(
    context: Context,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Full order id.")],
    options: SignalOptions,
) -> None:
    """Report OrderRegistered: version 1.1's word for a whole order."""
    report_signals(context, "OrderRegistered", [None], order, {}, options)


@commands.add("types", "cpctl signal types")
def list_types(context: Context) -> None:
    """List the types of signals, with their fields."""
    from cpctl.signals.signal_types import LATEST_API_VERSION, SIGNAL_TYPES

    context.show(
        [
            {
                "type": kind.name,
                "command": f"signal {kind.command}",
                "api_versions": ", ".join(kind.required),
                "required": ", ".join(kind.required.get(LATEST_API_VERSION) or kind.required["1.1"]),
                "optional": ", ".join(kind.optional),
                "meaning": kind.meaning,
            }
            for kind in SIGNAL_TYPES.values()
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
    item: Annotated[str, typer.Option(metavar="ITEM", help="Only of this item.")] = "",
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only of this order.")] = "",
    state: StateFilter = None,
    limit: Limit = 0,
) -> None:
    """Show what was accepted, and what became of it."""
    from cpctl.cli.time_args import parse_since
    from cpctl.clock import utc_now
    from cpctl.outbox.queries import SignalQuery, find_signals

    at = parse_since(since, "--since", utc_now()) if since else None
    search = SignalQuery(context.profile.name, parse_signal_states(state), order, item, at, limit)
    found = [entry.to_dict() for entry in find_signals(context.store, search)]
    if not found:
        context.output.note("No such signal was accepted here.")
    context.show(found, SIGNAL)


@commands.add("report", "cpctl signal report --date yesterday --from 22:00 --to 06:00")
def show_shift_report(
    context: Context,
    date: Annotated[str, typer.Option(metavar="DAY", help="today, yesterday or 2026-01-20.")] = "today",
    begin: Annotated[str, typer.Option("--from", metavar="HH:MM", help="Only from then on.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="HH:MM", help="Only until then; may be past midnight.")] = "",
    station: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this station.")] = None,
    all_stations: Annotated[bool, typer.Option("--all-stations", help="Of every station; the default.")] = False,
    operator: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this operator.")] = None,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write a page to print; - for standard output.")] = "",
) -> None:
    """Show a shift in numbers: what was reported, by whom, and how long items took."""
    from cpctl.cli.commands.signal.report import show_report

    if station is not None and all_stations:
        raise InvalidInput("--station and --all-stations contradict each other.", "Say one of them.")
    show_report(context, date, begin, end, station, operator, html)


@commands.add("send", "cpctl signal send shipped.csv --type shipped --result shipped.result.csv")
def send_file(
    context: Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, TSV, JSON or JSONL; - for standard input.")],
    options: FileOptions,
    result: Annotated[str, typer.Option(metavar="FILE", help="Write what became of each row.")] = "",
) -> None:
    """Report a file of signals, of any types; the same file again sends nothing twice."""
    from cpctl.cli.commands.signal.send import send_signal_file

    send_signal_file(context, file, result, options)


@commands.add("watch", "cpctl signal watch inbox --map ups-worldship")
def watch_folder(
    context: Context,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where files of signals are put.")],
    options: FileOptions,
    interval: Annotated[str, typer.Option(metavar="SPAN", help="Between two looks.")] = "2s",
    settle: Annotated[str, typer.Option(metavar="SPAN", help="How long a file must not have changed.")] = "5s",
    once: Annotated[bool, typer.Option("--once", help="Take what is complete, then end; for cron.")] = False,
) -> None:
    """Report every file that is put into a folder, and move it to done or error with its results."""
    from cpctl.cli.commands.signal.watch import run_hot_folder

    run_hot_folder(context, folder, options, interval, settle, once)


@commands.add("scan", "cpctl signal scan --type shipped --hold 10s")
def scan_items(
    context: Context,
    short_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="registered, produce, produced, packed or shipped.")
    ] = "shipped",
    order: Annotated[str, typer.Option("--order", metavar="ORDER", help="Full id of the order of all items.")] = "",
    hold: Annotated[str, typer.Option(metavar="SPAN", help="How long UNDO can take a scan back.")] = "10s",
    sound: Annotated[str, typer.Option(metavar="bell|none|COMMAND", help="What makes a verdict heard.")] = "bell",
    check: Annotated[bool, typer.Option("--check", help="Test scanner, layout, suffix and sound instead.")] = False,
) -> None:
    """The packing bench: scan items and labels, report them."""
    from cpctl.cli.commands.signal import scan

    scan.run_scan(context, short_type, order, hold, sound, check)


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
    """States as they were typed. Raises InvalidInput naming the nearest."""
    from cpctl.outbox.models import STORED_STATES, State

    for name in names or ():
        if name not in STORED_STATES:
            raise InvalidInput(f'There is no state "{name}".', suggest(name, [str(each) for each in STORED_STATES]))
    return [State(name) for name in names or ()]
