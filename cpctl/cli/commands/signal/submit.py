"""From a typed signal to its fate: check, accept, deliver, tell."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.api.failures import classify_signal_status
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.cli.options import ExtraFields, RequireDelivery, parse_fields
from cpctl.cli.signal_sender import build_calls, make_sender
from cpctl.cli.time_args import parse_time
from cpctl.clock import utc_now
from cpctl.errors import ConfigError, ExitCode, InvalidInput, StoreError
from cpctl.outbox.models import WAITING_STATES, Origin, QueuedSignal, State
from cpctl.outbox.outbox import AcceptedSignal
from cpctl.output.columns import SIGNAL
from cpctl.sdk.exit_status import exit_status
from cpctl.signals.signal import Signal, make_signal, quote_value
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_TYPES


class SignalOptions(NamedTuple):
    """Options of every command that reports a signal."""

    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it happened, ISO 8601; without an offset local. [now]")
    ] = None
    api_version: Annotated[
        str | None, typer.Option("--api-version", metavar="VERSION", help="CloudSignal 1.1 or 2.0.")
    ] = None
    require_delivery: RequireDelivery = False
    queue_only: Annotated[bool, typer.Option("--queue-only", help="Accept it; sending is left to the outbox.")] = False
    force: Annotated[bool, typer.Option("--force", help="Send it although it contradicts an earlier one.")] = False
    extra_fields: ExtraFields = None


def report_signals(
    context: Context,
    type_name: str,
    items: Sequence[str | None],
    order: str,
    fields: Mapping[str, str | None],
    options: SignalOptions,
) -> None:
    """Report one signal of each item: the whole of a `signal` command."""
    try:
        signals = _make_signals(context, type_name, items, order, fields, options)
        if context.options.dry_run:
            show_calls(context, build_calls(context.profile, signals))
            return
        if not options.queue_only:
            context.profile.key_source("signal").check()
    except ConfigError as error:
        raise ConfigError(f"NOT ACCEPTED: {error.message}", error.hint) from error
    origin = Origin(context.profile["operator"], context.profile["station"])
    accepted = context.outbox.accept(signals, options.force, [origin] * len(signals))
    context.accepted_count = sum(one.is_new for one in accepted)
    fates, failed = _deliver(context, _select_ids_to_send(accepted, options))
    reports = [_build_report(one, fates) for one in accepted]
    status = exit_status(_reports_for_exit_status(accepted, fates, options), options.require_delivery)
    try:
        context.finish(reports, SIGNAL, failed or status)
    finally:
        print_next_steps(context, reports)


def _select_ids_to_send(accepted: Sequence[AcceptedSignal], options: SignalOptions) -> list[int]:
    """New signals; and what waits already, where a repeat insists on delivery."""
    if options.queue_only:
        return []
    return [
        one.queued_signal.id
        for one in accepted
        if one.is_new
        or (options.require_delivery and one.state is State.DUPLICATE and one.queued_signal.state in WAITING_STATES)
    ]


def _deliver(context: Context, ids: Sequence[int]) -> tuple[dict[int, QueuedSignal], ExitCode | None]:
    """Try to deliver accepted signals. Whatever stands in the way now, they stay accepted."""
    if not ids:
        return {}, None
    from cpctl.outbox.dispatcher import Dispatcher

    try:
        Dispatcher(context.outbox, make_sender(context), context.profile.timeout).deliver(ids)
        return {entry.id: entry for entry in context.outbox.get_by_ids(ids)}, None
    except ConfigError as error:
        context.output.error(f"cpctl: Accepted and safe, but not sent: {error.message} {error.hint}".rstrip())
        return {}, error.exit_code
    except StoreError as error:
        context.output.warn(f"Accepted, but how sending went is not known. {error.message}")
        return {}, None


def _build_report(accepted: AcceptedSignal, results: Mapping[int, QueuedSignal]) -> dict[str, Any]:
    return (
        results[accepted.queued_signal.id].to_dict()
        if accepted.is_new and accepted.queued_signal.id in results
        else accepted.to_dict()
    )


def _reports_for_exit_status(
    accepted: Sequence[AcceptedSignal], results: Mapping[int, QueuedSignal], options: SignalOptions
) -> list[dict[str, Any]]:
    """What the exit status goes by: for a repeat that insists on delivery, the fate of the first."""
    repeats = [one for one in accepted if one.state is State.DUPLICATE and options.require_delivery]
    others = [_build_report(one, results) for one in accepted if one not in repeats]
    return others + [results.get(one.queued_signal.id, one.queued_signal).to_dict() for one in repeats]


def print_next_steps(context: Context, reports: Iterable[Mapping[str, Any]]) -> None:
    """Say what a person has to know beyond the table: each sentence once, with the next step."""
    talk = context.output
    for state, words, hint, number in _group_messages(reports):
        signals = "1 signal" if number == 1 else f"{number} signals"
        if state == State.QUEUED:
            talk.note(f"{signals} safe in the outbox{': ' + words if words else ''}. `cpctl outbox flush` sends.")
        elif state in (State.HELD, State.REFUSED, State.EXPIRED, State.CONFLICT):
            talk.error(f"cpctl: {signals} {'in ' if state == State.CONFLICT else ''}{state}: {words}.")
            if hint:
                talk.error(f"  {hint}")


def _group_messages(reports: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, str, int]]:
    groups: dict[tuple[str, str, str], int] = {}
    for each in reports:
        key = (each["state"], each["message"], _find_hint(each))
        groups[key] = groups.get(key, 0) + 1
    return [(*key, number) for key, number in groups.items()]


def _find_hint(row: Mapping[str, Any]) -> str:
    if row["state"] == State.CONFLICT:
        return "Nothing was sent for it. If the new one is right, repeat the command with --force."
    if row["state"] == State.REFUSED:
        mend = f"Report it anew with the right words, then `cpctl outbox drop {row['id']}`"
        return f"{mend}; if it was right, `cpctl outbox retry {row['id']}`."
    if row["state"] == State.HELD and row["http_status"]:
        fault = classify_signal_status(row["http_status"])
        return fault.hint if fault else ""
    return ""


def _make_signals(
    context: Context,
    type_name: str,
    items: Sequence[str | None],
    order: str,
    given_fields: Mapping[str, str | None],
    options: SignalOptions,
) -> list[Signal]:
    """The signals, all checked before any is accepted. Raises InvalidInput with all that is wrong."""
    version = _choose_version(context, options)
    now = utc_now()
    at = parse_time(options.at, "--at") if options.at else now
    if twice := sorted({item for item in items if item is not None and items.count(item) > 1}):
        raise InvalidInput(f"The item {quote_value(twice[0])} is named twice.", "Name each item once.")
    more = parse_fields(options.extra_fields)
    typed = ("item", "order", *(name for name, value in given_fields.items() if value is not None))
    if again := [name for name in typed if name in more]:
        raise InvalidInput(f"{again[0]} is said twice, by -f as well.", "-f is for fields that cpctl does not know.")
    fields = _add_shipping_option(context, type_name, version, {**given_fields, **more})
    signals, problems = [], []
    for item in items:
        about = {"order": order} if item is None else {"order": order, "item": item}
        try:
            signals.append(make_signal(type_name, version, about | fields, at, now))
        except InvalidInput as error:
            problems.append(error)
    if problems:
        raise InvalidInput("\n".join(dict.fromkeys(each.message for each in problems)), problems[0].hint)
    _print_remarks(context, type_name, version, fields)
    return signals


def _choose_version(context: Context, options: SignalOptions) -> str:
    version = options.api_version or context.profile["signal_version"]
    if version not in API_VERSIONS:
        raise InvalidInput(f'--api-version "{version}" does not exist.', f"Valid: {', '.join(API_VERSIONS)}.")
    return version


def _add_shipping_option(
    context: Context, type_name: str, version: str, fields: Mapping[str, str | None]
) -> dict[str, str | None]:
    row = SIGNAL_TYPES[type_name]
    wants = version in row.required and "shipping_option" in row.required[version]
    if not wants or fields.get("shipping_option") is not None:
        return dict(fields)
    default = context.profile["shipping_option"]
    if not default:
        raise InvalidInput(
            f"{type_name} needs a shipping option, and the profile names none.",
            f'Give --shipping-option GLS, or set shipping_option in the profile "{context.profile.name}".',
        )
    return {**fields, "shipping_option": default}


def _print_remarks(context: Context, type_name: str, version: str, fields: Mapping[str, str | None]) -> None:
    """What is allowed and still worth a word."""
    if other := SIGNAL_TYPES[type_name].alias_by_version.get(version):
        instead = SIGNAL_TYPES[other].command
        context.output.note(
            f"{type_name} is another name of {other} in {version} and will go; `cpctl signal {instead}` says the same."
        )
    if type_name == "ItemCanceled" and not fields.get("cause"):
        context.output.warn("A cancellation should say its cause; `cpctl signal causes` lists them.")
