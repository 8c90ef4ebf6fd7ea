"""From a typed signal to its fate: check, accept, deliver, tell."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.api.failures import fault_of_status
from cpctl.cli.context import Run
from cpctl.cli.dry_run import show_calls
from cpctl.cli.options import MoreFields, RequireDelivery, parse_fields
from cpctl.cli.signal_sender import calls_of, make_sender
from cpctl.cli.time_args import parse_time
from cpctl.errors import ConfigError, ExitCode, InvalidInput, StoreError
from cpctl.outbox.models import WAITING, Entry, Origin, State, exit_of
from cpctl.outbox.outbox import Accepted, utc_now
from cpctl.output.columns import SIGNAL
from cpctl.signals.signal import Signal, make_signal, shorten
from cpctl.signals.signal_types import KINDS, VERSIONS


class How(NamedTuple):
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
    field: MoreFields = None


def report(
    run: Run, kind: str, items: Sequence[str | None], order: str, said: Mapping[str, str | None], how: How
) -> None:
    """Report one signal of each item: the whole of a `signal` command."""
    try:
        signals = _checked(run, kind, items, order, said, how)
        if run.options.dry_run:
            show_calls(run, calls_of(run.profile, signals))
            return
        if not how.queue_only:
            run.profile.key("signal").check()
    except ConfigError as error:
        raise ConfigError(f"NOT ACCEPTED: {error.message}", error.hint) from error
    origin = Origin(run.profile["operator"], run.profile["station"])
    accepted = run.outbox.accept(signals, how.force, [origin] * len(signals))
    run.accepted = sum(one.new for one in accepted)
    fates, failed = _deliver(run, _to_send(accepted, how))
    reports = [_report(one, fates) for one in accepted]
    status = exit_of(_judged(accepted, fates, how), how.require_delivery)
    try:
        run.finish(reports, SIGNAL, failed or status)
    finally:
        tell_fates(run, reports)


def _to_send(accepted: Sequence[Accepted], how: How) -> list[int]:
    """New signals; and what waits already, where a repeat insists on delivery."""
    if how.queue_only:
        return []
    return [
        one.entry.id
        for one in accepted
        if one.new or (how.require_delivery and one.state is State.DUPLICATE and one.entry.state in WAITING)
    ]


def _deliver(run: Run, ids: Sequence[int]) -> tuple[dict[int, Entry], ExitCode | None]:
    """Try to deliver accepted signals. Whatever stands in the way now, they stay accepted."""
    if not ids:
        return {}, None
    from cpctl.outbox.dispatcher import Delivery

    try:
        Delivery(run.outbox, make_sender(run), run.profile.timeout).deliver(ids)
        return {entry.id: entry for entry in run.outbox.entries(ids)}, None
    except ConfigError as error:
        run.output.fail(f"cpctl: Accepted and safe, but not sent: {error.message} {error.hint}".rstrip())
        return {}, error.exit_code
    except StoreError as error:
        run.output.warn(f"Accepted, but how sending went is not known. {error.message}")
        return {}, None


def _report(one: Accepted, fates: Mapping[int, Entry]) -> dict[str, Any]:
    return fates[one.entry.id].report() if one.new and one.entry.id in fates else one.report()


def _judged(accepted: Sequence[Accepted], fates: Mapping[int, Entry], how: How) -> list[dict[str, Any]]:
    """What the exit status goes by: for a repeat that insists on delivery, the fate of the first."""
    repeats = [one for one in accepted if one.state is State.DUPLICATE and how.require_delivery]
    others = [_report(one, fates) for one in accepted if one not in repeats]
    return others + [fates.get(one.entry.id, one.entry).report() for one in repeats]


def tell_fates(run: Run, reports: Iterable[Mapping[str, Any]]) -> None:
    """Say what a person has to know beyond the table: each sentence once, with the next step."""
    talk = run.output
    for state, words, hint, number in _grouped(reports):
        signals = "1 signal" if number == 1 else f"{number} signals"
        if state == State.QUEUED:
            talk.note(f"{signals} safe in the outbox{': ' + words if words else ''}. `cpctl outbox flush` sends.")
        elif state in (State.HELD, State.REFUSED, State.EXPIRED, State.CONFLICT):
            talk.fail(f"cpctl: {signals} {'in ' if state == State.CONFLICT else ''}{state}: {words}.")
            if hint:
                talk.fail(f"  {hint}")


def _grouped(reports: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, str, int]]:
    groups: dict[tuple[str, str, str], int] = {}
    for each in reports:
        key = (each["state"], each["message"], _hint(each))
        groups[key] = groups.get(key, 0) + 1
    return [(*key, number) for key, number in groups.items()]


def _hint(fate: Mapping[str, Any]) -> str:
    if fate["state"] == State.CONFLICT:
        return "Nothing was sent for it. If the new one is right, repeat the command with --force."
    if fate["state"] == State.REFUSED:
        mend = f"Report it anew with the right words, then `cpctl outbox drop {fate['id']}`"
        return f"{mend}; if it was right, `cpctl outbox retry {fate['id']}`."
    if fate["state"] == State.HELD and fate["http_status"]:
        fault = fault_of_status(fate["http_status"])
        return fault.hint if fault else ""
    return ""


def _checked(
    run: Run, kind: str, items: Sequence[str | None], order: str, said: Mapping[str, str | None], how: How
) -> list[Signal]:
    """The signals, all checked before any is accepted. Raises InvalidInput with all that is wrong."""
    version = _version(run, how)
    now = utc_now()
    at = parse_time(how.at, "--at") if how.at else now
    if twice := sorted({item for item in items if item is not None and items.count(item) > 1}):
        raise InvalidInput(f"The item {shorten(twice[0])} is named twice.", "Name each item once.")
    more = parse_fields(how.field)
    typed = ("item", "order", *(name for name, value in said.items() if value is not None))
    if again := [name for name in typed if name in more]:
        raise InvalidInput(f"{again[0]} is said twice, by -f as well.", "-f is for fields that cpctl does not know.")
    fields = _with_shipping_option(run, kind, version, {**said, **more})
    signals, problems = [], []
    for item in items:
        about = {"order": order} if item is None else {"order": order, "item": item}
        try:
            signals.append(make_signal(kind, version, about | fields, at, now))
        except InvalidInput as error:
            problems.append(error)
    if problems:
        raise InvalidInput("\n".join(dict.fromkeys(each.message for each in problems)), problems[0].hint)
    _remark(run, kind, version, fields)
    return signals


def _version(run: Run, how: How) -> str:
    version = how.api_version or run.profile["signal_version"]
    if version not in VERSIONS:
        raise InvalidInput(f'--api-version "{version}" does not exist.', f"Valid: {', '.join(VERSIONS)}.")
    return version


def _with_shipping_option(run: Run, kind: str, version: str, said: Mapping[str, str | None]) -> dict[str, str | None]:
    row = KINDS[kind]
    wants = version in row.required and "shipping_option" in row.required[version]
    if not wants or said.get("shipping_option") is not None:
        return dict(said)
    default = run.profile["shipping_option"]
    if not default:
        raise InvalidInput(
            f"{kind} needs a shipping option, and the profile names none.",
            f'Give --shipping-option GLS, or set shipping_option in the profile "{run.profile.name}".',
        )
    return {**said, "shipping_option": default}


def _remark(run: Run, kind: str, version: str, fields: Mapping[str, str | None]) -> None:
    """What is allowed and still worth a word."""
    if other := KINDS[kind].alias_of.get(version):
        instead = KINDS[other].command
        run.output.note(
            f"{kind} is another name of {other} in {version} and will go; `cpctl signal {instead}` says the same."
        )
    if kind == "ItemCanceled" and not fields.get("cause"):
        run.output.warn("A cancellation should say its cause; `cpctl signal causes` lists them.")
