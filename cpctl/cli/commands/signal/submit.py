"""What all commands that report a signal do: check, accept, deliver, show."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.api.failures import classify_signal_status
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.cli.options import ExtraFields, RequireDelivery, parse_fields
from cpctl.cli.time_args import parse_time
from cpctl.clock import utc_now
from cpctl.errors import ConfigError, CpctlError, ExitCode, InvalidInput, StoreError
from cpctl.outbox.models import State
from cpctl.output.columns import SIGNAL
from cpctl.output.text import format_count
from cpctl.sdk.reporter import describe_send_error
from cpctl.sdk.results import exit_code
from cpctl.signals.signal import Signal, quote_value
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_TYPES

Fields = Mapping[str, str | None]
ApiVersion = Annotated[str | None, typer.Option("--api-version", metavar="VERSION", help="CloudSignal 1.1 or 2.0.")]
QueueOnly = Annotated[bool, typer.Option("--queue-only", help="Only accept; `outbox flush` sends later.")]


class SignalOptions(NamedTuple):
    """Options of every command that reports a signal."""

    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time of the event, ISO 8601; local without an offset. [now]")
    ] = None
    api_version: ApiVersion = None
    require_delivery: RequireDelivery = False
    queue_only: QueueOnly = False
    force: Annotated[bool, typer.Option("--force", help="Send it even if it contradicts an earlier signal.")] = False
    extra_fields: ExtraFields = None


class FileOptions(NamedTuple):
    """Options of the commands that read files of signals."""

    mapping: Annotated[
        str, typer.Option("--map", metavar="NAME", help="Column mapping: a preset, or one from the profile.")
    ] = ""
    type: Annotated[str, typer.Option(metavar="TYPE", help="Signal type of rows that name none.")] = ""
    constants: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field in every row; repeatable.")
    ] = None
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of the file. [UTF-8, else cp1252]", show_default=False)
    ] = ""
    delimiter: Annotated[
        str,
        typer.Option(metavar="CHARACTER", help="Delimiter between cells. [detected in the header]", show_default=False),
    ] = ""
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line is a row, not a header; needs --columns.")
    ] = False
    columns: Annotated[str, typer.Option(metavar="A,B,C", help="Names of the columns if there is no header.")] = ""
    partial: Annotated[bool, typer.Option("--partial", help="Accept valid rows even if other rows are wrong.")] = False
    connections: Annotated[int, typer.Option(metavar="N", min=1, max=50, help="Number of connections for sending.")] = 5
    api_version: ApiVersion = None
    queue_only: QueueOnly = False
    require_delivery: RequireDelivery = False


def report_signals(
    context: Context, type_name: str, items: Sequence[str | None], fields: Fields, options: SignalOptions
) -> None:
    """Report one signal for each item; `fields` are its other fields."""
    try:
        signals = _make_signals(context, type_name, items, fields, options)
        if context.options.dry_run:
            from cpctl.sdk.sender import build_calls

            show_calls(context, build_calls(context.profile, signals))
            return
        if not options.queue_only:
            context.profile.key_source("signal").check()
    except ConfigError as error:
        raise ConfigError(f"NOT ACCEPTED: {error.message}", error.hint) from error
    accepted = context.reporter.accept(signals, options.force)
    context.accepted_count = sum(each.is_new for each in accepted)
    results, failure = context.reporter.deliver(accepted, not options.queue_only, options.require_delivery)
    status = print_send_error(context, failure) or exit_code(results, options.require_delivery)
    reports = [result.report for result in results]
    try:
        context.finish(reports, SIGNAL, status)
    finally:
        print_next_steps(context, reports)


def print_send_error(context: Context, error: CpctlError | None) -> ExitCode | None:
    """Print what prevented sending, and return its exit status; None if there is no status of its own."""
    if isinstance(error, StoreError):
        context.output.warn(describe_send_error(error))
    elif error:
        context.output.error(f"cpctl: {describe_send_error(error)}")
        return error.exit_code
    return None


def print_next_steps(context: Context, reports: Iterable[Mapping[str, Any]]) -> None:
    """Print what a person has to know besides the table: each message once, with the next step."""
    output = context.output
    groups = Counter((report["state"], report["message"], _find_hint(report)) for report in reports)
    for (state, message, hint), number in groups.items():
        signals = format_count(number, "signal")
        if state == State.QUEUED:
            reason = f": {message}" if message else ""
            output.note(f"{signals} safe in the outbox{reason}. `cpctl outbox flush` sends.")
        elif state in (State.HELD, State.REFUSED, State.EXPIRED, State.CONFLICT):
            output.error(f"cpctl: {signals} {'in ' if state == State.CONFLICT else ''}{state}: {message}.")
            if hint:
                output.error(f"  {hint}")


def _find_hint(report: Mapping[str, Any]) -> str:
    if report["state"] == State.CONFLICT:
        return "Nothing was sent for it. If the new one is right, repeat the command with --force."
    if report["state"] == State.REFUSED:
        fix = f"Report it again with the right values, then `cpctl outbox drop {report['id']}`"
        return f"{fix}; if it was right, `cpctl outbox retry {report['id']}`."
    if report["state"] == State.HELD and report["http_status"]:
        failure = classify_signal_status(report["http_status"])
        return failure.hint if failure else ""
    return ""


def _make_signals(
    context: Context, type_name: str, items: Sequence[str | None], fields: Fields, options: SignalOptions
) -> list[Signal]:
    """Check all signals before any is accepted. Raises InvalidInput with every problem found."""
    version = choose_api_version(context, options.api_version)
    at = parse_time(options.at, "--at") if options.at else utc_now()
    if repeated := [item for item in items if item is not None and items.count(item) > 1]:
        raise InvalidInput(f"The item {quote_value(min(repeated))} is named twice.", "Name each item once.")
    extra = parse_fields(options.extra_fields)
    if repeated := [name for name in ("item", *fields) if name in extra and fields.get(name, "") is not None]:
        raise InvalidInput(
            f"{repeated[0]} is given twice: as an option and with -f.", "-f is for fields that cpctl does not know."
        )
    fields = {**fields, **extra}
    _check_shipping_option(context, type_name, version, fields)
    signals, problems = [], []
    for item in items:
        try:
            signals.append(context.reporter.make_signal(type_name, {"item": item, **fields}, at, version))
        except InvalidInput as error:
            problems.append(error)
    if problems:
        raise InvalidInput("\n".join(dict.fromkeys(error.message for error in problems)), problems[0].hint)
    _print_remarks(context, type_name, version, fields)
    return signals


def choose_api_version(context: Context, option: str | None) -> str:
    """The version of --api-version, or the profile's. Raises InvalidInput."""
    version = option or context.profile["signal_version"]
    if version not in API_VERSIONS:
        raise InvalidInput(f'--api-version "{version}" does not exist.', f"Valid: {', '.join(API_VERSIONS)}.")
    return str(version)


def _check_shipping_option(context: Context, type_name: str, version: str, fields: Fields) -> None:
    has_option = fields.get("shipping_option") is not None or context.profile["shipping_option"]
    if SIGNAL_TYPES[type_name].requires(version, "shipping_option") and not has_option:
        raise InvalidInput(
            f"{type_name} needs a shipping option, and the profile has none.",
            f'Add --shipping-option GLS, or set shipping_option in the profile "{context.profile.name}".',
        )


def _print_remarks(context: Context, type_name: str, version: str, fields: Fields) -> None:
    if other := SIGNAL_TYPES[type_name].alias_by_version.get(version):
        command = SIGNAL_TYPES[other].command
        context.output.note(
            f"{type_name} is another name for {other} in {version} and will be removed; use `cpctl signal {command}`."
        )
    if type_name == "ItemCanceled" and not fields.get("cause"):
        context.output.warn("A cancellation should name its cause; `cpctl signal causes` lists them.")
