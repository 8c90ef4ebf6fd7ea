"""`cpctl outbox`: signals that are accepted and not delivered yet."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.commands.outbox.flush import flush_once, watch_outbox
from cpctl.cli.commands.signal import parse_signal_states
from cpctl.cli.commands.signal.submit import print_next_steps
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.cli.options import Limit, OptionalSignalIds, RequireDelivery, SignalIds, StateFilter, Yes, parse_ids
from cpctl.cli.time_args import format_age, parse_duration
from cpctl.clock import from_ms, utc_now
from cpctl.errors import CpctlError, ExitCode, InvalidInput, StoreError
from cpctl.outbox.export_import import export_signals, import_signals
from cpctl.outbox.models import OPEN_STATES, QueuedSignal, State
from cpctl.outbox.queries import (
    QueueDepth,
    SignalQuery,
    count_waiting_in_other_profiles,
    find_quarantined_files,
    find_signals,
    read_queue_depth,
)
from cpctl.output.columns import SIGNAL
from cpctl.store.location import can_create_store

commands = Commands()
AllSignals = Annotated[bool, typer.Option("--all", help="Change every signal in a matching state, instead of IDs.")]


@commands.add("list", "cpctl outbox list --state refused -o value --query '[].id'")
def list_outbox(context: Context, state: StateFilter = None, limit: Limit = 0) -> None:
    """List signals that are not delivered: queued, held, refused and expired."""
    found = _find(context, parse_signal_states(state) or OPEN_STATES, limit)
    if not found:
        context.output.note("The outbox is empty." if not state else "No signal is in that state.")
    for profile, number in count_waiting_in_other_profiles(context.store, context.profile.name).items():
        context.output.note(f'{number} more wait in the profile "{profile}": --profile {profile} shows them.')
    reports = [queued.to_dict() for queued in found]
    context.show(reports, SIGNAL)
    if context.output.stderr_is_terminal:
        print_next_steps(context, reports)


@commands.add("show", "cpctl outbox show 1")
def show_signal(context: Context, ids: SignalIds) -> None:
    """Show everything that is known about signals."""
    reports = [queued.to_dict() for queued in context.outbox.get_by_ids(_parse_signal_ids(ids))]
    context.show(reports[0] if len(reports) == 1 else reports, None if len(reports) == 1 else SIGNAL)


@commands.add("flush", "cpctl outbox flush --quiet")
def flush_outbox(
    context: Context,
    require_delivery: RequireDelivery = False,
    watch: Annotated[bool, typer.Option("--watch", help="Run as a service: send until stopped.")] = False,
) -> None:
    """Send the signals that wait, oldest first for each item."""
    if watch:
        watch_outbox(context)
    else:
        flush_once(context, require_delivery)


@commands.add("retry", "cpctl outbox retry --all")
def retry_signals(context: Context, ids: OptionalSignalIds = None, all_signals: AllSignals = False) -> None:
    """Make signals due now, refused and expired ones too; `outbox flush` sends them."""
    numbers = _select_ids(context, ids, all_signals, OPEN_STATES)
    _change_signals(context, numbers, context.outbox.retry, "due now; `cpctl outbox flush` sends")


@commands.add("hold", "cpctl outbox hold 1")
def hold_signals(context: Context, ids: SignalIds) -> None:
    """Hold signals back, and with them the later signals of their items."""
    done = f"held; `cpctl outbox release {' '.join(ids)}` releases them"
    _change_signals(context, _parse_signal_ids(ids), context.outbox.hold, done)


@commands.add("release", "cpctl outbox release")
def release_signals(context: Context, ids: OptionalSignalIds = None, all_signals: AllSignals = False) -> None:
    """Release held signals; without an ID, end the pause of the queue."""
    if ids or all_signals:
        held = _select_ids(context, ids, all_signals, (State.HELD,))
        _change_signals(context, held, context.outbox.release, "released; `cpctl outbox flush` sends")
        if not all_signals:
            return
    if not context.options.dry_run:
        was_paused = read_queue_depth(context.store, context.profile.name).is_paused
        resumed = context.outbox.release_queue()
        ended = f"The queue is no longer paused; {resumed} signals were held. `cpctl outbox flush` sends."
        not_paused = "The queue was not paused. To release a signal that was held by hand, name its id."
        context.output.note(ended if was_paused else not_paused)


@commands.add("drop", "cpctl outbox drop 1 --yes")
def drop_signals(context: Context, ids: SignalIds, yes: Yes = False) -> None:
    """Give up signals for good; they are never sent and stay in the history."""
    numbers = _parse_signal_ids(ids)
    if not context.options.dry_run:
        found = context.outbox.get_by_ids(numbers)
        named = ", ".join(f"{queued.id} ({queued.signal.type.name} {queued.signal.item})" for queued in found)
        where = f'profile "{context.profile.name}" ({context.profile["environment"]})'
        context.confirm(f"Never send {named} of {where}?", yes)
    _change_signals(context, numbers, context.outbox.drop, "dropped")


@commands.add("export", "cpctl outbox export waiting.jsonl --hold")
def export_outbox(
    context: Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="File to write; - for standard output.")] = "-",
    hold: Annotated[bool, typer.Option("--hold", help="Hold them here, so that only the other store sends.")] = False,
) -> None:
    """Write signals that are not delivered to a file, to take them to another machine."""
    found = _find(context, OPEN_STATES)
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was written or held; {len(found)} would be exported.")
        return
    from cpctl.files import write_private

    # Read before they are held: a signal that waits here is to be sent from there. If one was sent meanwhile, `hold`
    # refuses, and nothing is written.
    text = "".join(f"{line}\n" for line in export_signals(context.store, context.profile.name))
    if hold:
        context.outbox.hold([queued.id for queued in found if queued.state in (State.QUEUED, State.HELD)])
    if file == "-":
        context.output.write(iter([text]))
    else:
        write_private(Path(file), text)
    context.output.note(f"{len(found)} exported{'; held here.' if hold else '; they are still sent from here, too.'}")


@commands.add("import", "cpctl outbox import waiting.jsonl")
def import_outbox(
    context: Context, file: Annotated[str, typer.Argument(metavar="FILE|-", help="An export, or a store.")]
) -> None:
    """Import signals from an export, or what can still be read of a damaged store."""
    content = read_input(file)
    if context.options.dry_run:
        raise InvalidInput("`outbox import` has no dry run.", "It skips signals that this store already has.")
    result = import_signals(context.outbox, file, content)
    context.is_work_done = True
    context.output.note(f"{result.imported_count} imported, {result.known_count} known already.")
    if result.damage:
        context.output.warn(f"{file} could be read only in part: {result.damage}.")
    counts = {"imported": result.imported_count, "known": result.known_count}
    context.show({**counts, "unreadable": result.damage or None})


@commands.add("check", "cpctl outbox check --warn 15m --crit 1h")
def check_outbox(
    context: Context,
    warn: Annotated[str, typer.Option(metavar="SPAN", help="Warn when the oldest signal waits this long.")] = "15m",
    crit: Annotated[str, typer.Option(metavar="SPAN", help="Critical when the oldest waits this long.")] = "1h",
) -> None:
    """Check the outbox as a monitoring plugin: exits with 0 OK, 1 warning, 2 critical, 3 unknown."""
    try:
        thresholds = parse_duration(warn, "--warn"), parse_duration(crit, "--crit")
        if context.store.exists():
            context.store.write(lambda transaction: None)  # could a signal be accepted?
        elif not can_create_store(context.store.path):
            raise StoreError(f"Cannot create the store {context.store.path}.")
        is_named = context.options.profile or context.environment.get("CPCTL_PROFILE")
        # Without a named profile, all of the store is checked, so that no profile is forgotten.
        depth = read_queue_depth(context.store, context.profile.name if is_named else "")
        level, facts = assess_outbox(depth, len(find_quarantined_files(context.store.path)), *thresholds)
    except StoreError as error:
        level, facts = 2, {"verdict": "CRITICAL", "reason": f"no signal can be accepted: {error.message}"}
    except CpctlError as error:
        level, facts = 3, {"verdict": "UNKNOWN", "reason": error.message}
    context.exit_status, context.is_work_done = ExitCode(level), True
    if context.options.output or context.options.query:
        context.show(facts)
    else:
        numbers = " ".join(f"{name}={value}" for name, value in facts.items() if isinstance(value, int))
        context.output.write(iter([f"CPCTL {facts['verdict']} - {facts['reason']} | {numbers}".rstrip(" |") + "\n"]))


def assess_outbox(depth: QueueDepth, quarantined: int, warn: timedelta, crit: timedelta) -> tuple[int, dict[str, Any]]:
    """Level and facts of an outbox. Age beats count: a hundred fresh signals are fine, one old one is not."""
    age = utc_now() - from_ms(depth.oldest_waiting_ms) if depth.oldest_waiting_ms else timedelta()
    failed = depth.counts.get(State.REFUSED, 0) + depth.counts.get(State.EXPIRED, 0)
    problems = {
        f"{quarantined} damaged store set aside: import it, then move it away": quarantined,
        f"{failed} refused or expired": failed,
        "the queue is paused": depth.is_paused,
    }
    reasons = [reason for reason, is_true in problems.items() if is_true]
    level = 2 if reasons else 0
    if depth.waiting_count:
        reasons.append(f"{depth.waiting_count} waiting, the oldest for {format_age(age)}")
        level = max(level, 2 if age >= crit else 1 if age >= warn else 0)
    return level, {
        "verdict": ("OK", "WARNING", "CRITICAL")[level],
        "reason": ", ".join(reasons) or "nothing waits",
        "waiting": depth.waiting_count,
        "refused": failed,
        "oldest_seconds": int(age.total_seconds()),
    }


def _find(context: Context, states: Sequence[State], limit: int = 0) -> list[QueuedSignal]:
    return find_signals(context.store, SignalQuery(context.profile.name, states, limit=limit))


def _change_signals(
    context: Context, ids: Sequence[int], change: Callable[[Sequence[int]], list[QueuedSignal]], done: str
) -> None:
    if context.options.dry_run:
        found = context.outbox.get_by_ids(ids)
        context.output.note("Dry run: nothing was changed.")
    else:
        found = change(ids)
        context.output.note(f"{len(found)} {done}.")
    context.finish([queued.to_dict() for queued in found], SIGNAL, ExitCode.DONE)


def _parse_signal_ids(texts: Sequence[str]) -> list[int]:
    return parse_ids(texts, "a signal", "cpctl outbox list")


def _select_ids(context: Context, ids: list[str] | None, all_signals: bool, states: Sequence[State]) -> list[int]:
    if bool(ids) == all_signals:
        message = "Give either ids or --all, not both." if ids else "Give ids, or --all."
        raise InvalidInput(message, "`cpctl outbox list` shows the ids.")
    return _parse_signal_ids(ids) if ids else [queued.id for queued in _find(context, states)]
