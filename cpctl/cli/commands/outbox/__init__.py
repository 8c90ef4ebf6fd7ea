"""`cpctl outbox`: what is accepted and not delivered yet."""

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
from cpctl.outbox.models import OPEN_STATES, QueuedSignal, State
from cpctl.outbox.queries import (
    QueueDepth,
    SignalQuery,
    count_waiting_in_other_profiles,
    export_signals,
    find_quarantined,
    find_signals,
    import_signals,
    read_queue_depth,
)
from cpctl.output.columns import SIGNAL
from cpctl.store.location import can_create_store

commands = Commands()
Everything = Annotated[bool, typer.Option("--all", help="All that can be, instead of named ones.")]


@commands.add("list", "cpctl outbox list --state refused -o value --query '[].id'")
def list_outbox(context: Context, state: StateFilter = None, limit: Limit = 0) -> None:
    """List what is not delivered: queued, held, refused and expired."""
    states = parse_signal_states(state) or list(OPEN_STATES)
    found = find_signals(context.store, SignalQuery(context.profile.name, states, limit=limit))
    if not found:
        context.output.note("The outbox is empty." if not state else "There is nothing in that state.")
    for profile, number in count_waiting_in_other_profiles(context.store, context.profile.name).items():
        context.output.note(f'In the profile "{profile}" {number} more wait: --profile {profile} shows them.')
    reports = [entry.to_dict() for entry in found]
    context.show(reports, SIGNAL)
    if context.output.stderr_is_terminal:
        print_next_steps(context, reports)


@commands.add("show", "cpctl outbox show 1")
def show_signal(context: Context, ids: SignalIds) -> None:
    """Show all that is known of signals."""
    found = [entry.to_dict() for entry in context.outbox.get_by_ids(_parse_signal_ids(ids))]
    context.show(found[0] if len(found) == 1 else found, None if len(found) == 1 else SIGNAL)


@commands.add("flush", "cpctl outbox flush --quiet")
def flush_outbox(
    context: Context,
    require_delivery: RequireDelivery = False,
    keep_running: Annotated[bool, typer.Option("--watch", help="Keep on, as a service, until it is stopped.")] = False,
) -> None:
    """Send what waits, oldest first for each item."""
    if keep_running:
        watch_outbox(context)
    else:
        flush_once(context, require_delivery)


@commands.add("retry", "cpctl outbox retry --all")
def retry_signals(context: Context, ids: OptionalSignalIds = None, everything: Everything = False) -> None:
    """Put signals back as due now: refused and expired ones too. `outbox flush` sends them."""
    _change_signals(
        context,
        _select_signal_ids(context, ids, everything, OPEN_STATES),
        context.outbox.retry,
        "due now; `cpctl outbox flush` sends",
    )


@commands.add("hold", "cpctl outbox hold 1")
def hold_signals(context: Context, ids: SignalIds) -> None:
    """Keep signals back, and what comes later of their items with them."""
    _change_signals(
        context,
        _parse_signal_ids(ids),
        context.outbox.hold,
        f"held; `cpctl outbox release {' '.join(ids)}` lets them go",
    )


@commands.add("release", "cpctl outbox release")
def release_signals(context: Context, ids: OptionalSignalIds = None, everything: Everything = False) -> None:
    """Let signals go that were held; without an ID, end the pause of the queue."""
    if ids or everything:
        held = _select_signal_ids(context, ids, everything, (State.HELD,))
        _change_signals(context, held, context.outbox.release, "released; `cpctl outbox flush` sends")
        if not everything:
            return
    if not context.options.dry_run:
        paused = read_queue_depth(context.store, context.profile.name).is_paused
        moved = context.outbox.release_queue()
        words = f"The queue moves again; {moved} were held by it. `cpctl outbox flush` sends."
        context.output.note(
            words if paused else "The queue was not paused. A signal held by hand is released by its id."
        )


@commands.add("drop", "cpctl outbox drop 1 --yes")
def drop_signals(context: Context, ids: SignalIds, yes: Yes = False) -> None:
    """Give signals up for good; they are never sent and stay in the history."""
    numbers = _parse_signal_ids(ids)
    if not context.options.dry_run:
        what = ", ".join(f"{e.id} ({e.signal.type.name} {e.signal.item})" for e in context.outbox.get_by_ids(numbers))
        context.confirm(
            f'Never send {what} of profile "{context.profile.name}" ({context.profile["environment"]})?', yes
        )
    _change_signals(context, numbers, context.outbox.drop, "dropped")


@commands.add("export", "cpctl outbox export waiting.jsonl --hold")
def export_outbox(
    context: Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="File to write; - for standard output.")] = "-",
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep them back here, so that only the other store sends.")
    ] = False,
) -> None:
    """Write what is not delivered to a file, to take it to another machine."""
    found = find_signals(context.store, SignalQuery(context.profile.name, OPEN_STATES))
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was written or held; {len(found)} would be exported.")
        return
    # Read before they are held: what waits here is to be sent from there. One sent meanwhile makes `hold` refuse.
    text = "".join(f"{line}\n" for line in export_signals(context.store, context.profile.name))
    if hold:
        context.outbox.hold([entry.id for entry in found if entry.state in (State.QUEUED, State.HELD)])
    _write_export(context, file, text)
    context.output.note(
        f"{len(found)} exported" + ("; held here." if hold else "; they are still sent from here, too.")
    )


def _write_export(context: Context, file: str, text: str) -> None:
    if file == "-":
        context.output.write(iter([text]))
        return
    from cpctl.output.private_files import write_private

    write_private(Path(file), text)


@commands.add("import", "cpctl outbox import waiting.jsonl")
def import_outbox(
    context: Context, file: Annotated[str, typer.Argument(metavar="FILE|-", help="An export, or a store.")]
) -> None:
    """Take over signals from an export, or what can still be read of a damaged store."""
    content = read_input(file)
    if context.options.dry_run:
        raise InvalidInput(
            "`outbox import` has no dry run.", "Import knows signals it has seen; a repeat takes none twice."
        )
    done = import_signals(context.outbox, file, content)
    context.is_work_done = True
    context.output.note(f"{len(done.imported_uids)} imported, {done.known_count} known already.")
    if done.damage:
        context.output.warn(f"{file} could be read only in part: {done.damage}.")
    context.show({"imported": len(done.imported_uids), "known": done.known_count, "unreadable": done.damage or None})


@commands.add("check", "cpctl outbox check --warn 15m --crit 1h")
def check_outbox(
    context: Context,
    warn: Annotated[str, typer.Option(metavar="SPAN", help="Warn when the oldest waits so long.")] = "15m",
    crit: Annotated[str, typer.Option(metavar="SPAN", help="Critical when the oldest waits so long.")] = "1h",
) -> None:
    """Look at the outbox as a monitoring plugin: ends with 0 OK, 1 warning, 2 critical, 3 unknown."""
    try:
        spans = parse_duration(warn, "--warn"), parse_duration(crit, "--crit")
        _require_writable_store(context)
        counted = read_queue_depth(context.store, _monitored_profile(context))
        verdict, facts = assess_outbox(counted, len(find_quarantined(context.store)), *spans)
    except StoreError as error:
        verdict, facts = 2, {"verdict": "CRITICAL", "reason": f"no signal can be accepted: {error.message}"}
    except CpctlError as error:
        verdict, facts = 3, {"verdict": "UNKNOWN", "reason": error.message}
    context.exit_status = ExitCode(verdict)
    context.is_work_done = True
    if context.options.output or context.options.query:
        context.show(facts)
    else:
        numbers = " ".join(f"{name}={value}" for name, value in facts.items() if isinstance(value, int))
        context.output.write(iter([f"CPCTL {facts['verdict']} - {facts['reason']} | {numbers}".rstrip(" |") + "\n"]))


def _require_writable_store(context: Context) -> None:
    """What cannot be written cannot accept a signal. A store that is not there yet is not made. Raises StoreError."""
    if context.store.exists():
        context.store.write(lambda work: None)
    elif not can_create_store(context.store.path):
        raise StoreError(f"The store {context.store.path} cannot be made.")


def _monitored_profile(context: Context) -> str:
    """The profile that was named; without a name all of the store, so that none is forgotten."""
    named = context.options.profile or context.environment.get("CPCTL_PROFILE")
    return context.profile.name if named else ""


def assess_outbox(
    counted: QueueDepth, quarantined_count: int, warn: timedelta, crit: timedelta
) -> tuple[int, dict[str, Any]]:
    """Level and facts of an outbox. Age beats count: a hundred fresh signals are fine, one old one is not."""
    age = utc_now() - from_ms(counted.oldest_waiting_ms) if counted.oldest_waiting_ms else timedelta()
    given_up = counted.counts.get(State.REFUSED, 0) + counted.counts.get(State.EXPIRED, 0)
    reasons = (
        [f"{quarantined_count} damaged store set aside: import it, then move it away"] if quarantined_count else []
    )
    reasons += [f"{given_up} refused or expired"] if given_up else []
    reasons += ["the queue is paused"] if counted.is_paused else []
    reasons += [f"{counted.waiting_count} waiting, the oldest for {format_age(age)}"] if counted.waiting_count else []
    late = 2 if age >= crit else 1 if age >= warn else 0
    level = 2 if quarantined_count or given_up or counted.is_paused else late if counted.waiting_count else 0
    return level, {
        "verdict": ("OK", "WARNING", "CRITICAL")[level],
        "reason": ", ".join(reasons) or "nothing waits",
        "waiting": counted.waiting_count,
        "refused": given_up,
        "oldest_seconds": int(age.total_seconds()),
    }


def _change_signals(
    context: Context, ids: Sequence[int], change: Callable[[Sequence[int]], list[QueuedSignal]], done: str
) -> None:
    """Change entries and show them; in a dry run, show them unchanged."""
    if context.options.dry_run:
        found = context.outbox.get_by_ids(ids)
        context.output.note("Dry run: nothing was changed.")
    else:
        found = change(ids)
        context.output.note(f"{len(found)} {done}.")
    context.finish([entry.to_dict() for entry in found], SIGNAL, ExitCode.DONE)


def _parse_signal_ids(texts: Sequence[str]) -> list[int]:
    return parse_ids(texts, "a signal", "cpctl outbox list")


def _select_signal_ids(context: Context, ids: list[str] | None, everything: bool, states: Sequence[State]) -> list[int]:
    if bool(ids) == everything:
        words = "Name ids or say --all, not both." if ids else "Name ids, or say --all."
        raise InvalidInput(words, "`cpctl outbox list` shows the ids.")
    if ids:
        return _parse_signal_ids(ids)
    return [entry.id for entry in find_signals(context.store, SignalQuery(context.profile.name, states))]
