"""`cpctl outbox`: what is accepted and not delivered yet."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.commands.outbox.flush import flush_once, watch
from cpctl.cli.commands.signal import stored_states
from cpctl.cli.commands.signal.submit import tell_fates
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.cli.options import Limit, RequireDelivery, SignalIds, SignalIdsOrNone, States, Yes
from cpctl.cli.time_args import age_words, parse_span
from cpctl.errors import CpctlError, ExitCode, InvalidInput, StoreError
from cpctl.outbox.models import OPEN, Entry, State, from_ms
from cpctl.outbox.outbox import utc_now
from cpctl.outbox.queries import Depth, Search, depth, exported, find, import_file, set_aside, waiting_elsewhere
from cpctl.output.columns import SIGNAL
from cpctl.signals.signal import shorten
from cpctl.store.location import could_be_made

commands = Commands()
Everything = Annotated[bool, typer.Option("--all", help="All that can be, instead of named ones.")]


@commands.add("list", "cpctl outbox list --state refused -o value --query '[].id'")
def list_outbox(run: Run, state: States = None, limit: Limit = 0) -> None:
    """List what is not delivered: queued, held, refused and expired."""
    states = stored_states(state) or list(OPEN)
    found = find(run.store, Search(run.profile.name, states, limit=limit))
    if not found:
        run.output.note("The outbox is empty." if not state else "There is nothing in that state.")
    for profile, number in waiting_elsewhere(run.store, run.profile.name).items():
        run.output.note(f'In the profile "{profile}" {number} more wait: --profile {profile} shows them.')
    reports = [entry.report() for entry in found]
    run.show(reports, SIGNAL)
    if run.output.talks_to_terminal:
        tell_fates(run, reports)


@commands.add("show", "cpctl outbox show 1")
def show_signal(run: Run, ids: SignalIds) -> None:
    """Show all that is known of signals."""
    found = [entry.report() for entry in run.outbox.entries(_ids(ids))]
    run.show(found[0] if len(found) == 1 else found, None if len(found) == 1 else SIGNAL)


@commands.add("flush", "cpctl outbox flush --quiet")
def flush_outbox(
    run: Run,
    require_delivery: RequireDelivery = False,
    keep_on: Annotated[bool, typer.Option("--watch", help="Keep on, as a service, until it is stopped.")] = False,
) -> None:
    """Send what waits, oldest first for each item."""
    if keep_on:
        watch(run)
    else:
        flush_once(run, require_delivery)


@commands.add("retry", "cpctl outbox retry --all")
def retry_signals(run: Run, ids: SignalIdsOrNone = None, everything: Everything = False) -> None:
    """Put signals back as due now: refused and expired ones too. `outbox flush` sends them."""
    _change(run, _ids_or_all(run, ids, everything, OPEN), run.outbox.retry, "due now; `cpctl outbox flush` sends")


@commands.add("hold", "cpctl outbox hold 1")
def hold_signals(run: Run, ids: SignalIds) -> None:
    """Keep signals back, and what comes later of their items with them."""
    _change(run, _ids(ids), run.outbox.hold, f"held; `cpctl outbox release {' '.join(ids)}` lets them go")


@commands.add("release", "cpctl outbox release")
def release_signals(run: Run, ids: SignalIdsOrNone = None, everything: Everything = False) -> None:
    """Let signals go that were held; without an ID, end the pause of the queue."""
    if ids or everything:
        held = _ids_or_all(run, ids, everything, (State.HELD,))
        _change(run, held, run.outbox.release, "released; `cpctl outbox flush` sends")
        if not everything:
            return
    if not run.options.dry_run:
        paused = depth(run.store, run.profile.name).paused
        moved = run.outbox.release_queue()
        words = f"The queue moves again; {moved} were held by it. `cpctl outbox flush` sends."
        run.output.note(words if paused else "The queue was not paused. A signal held by hand is released by its id.")


@commands.add("drop", "cpctl outbox drop 1 --yes")
def drop_signals(run: Run, ids: SignalIds, yes: Yes = False) -> None:
    """Give signals up for good; they are never sent and stay in the history."""
    numbers = _ids(ids)
    if not run.options.dry_run:
        what = ", ".join(f"{e.id} ({e.signal.kind.name} {e.signal.item})" for e in run.outbox.entries(numbers))
        run.confirm(f'Never send {what} of profile "{run.profile.name}" ({run.profile["environment"]})?', yes)
    _change(run, numbers, run.outbox.drop, "dropped")


@commands.add("export", "cpctl outbox export waiting.jsonl --hold")
def export_outbox(
    run: Run,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="File to write; - for standard output.")] = "-",
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep them back here, so that only the other store sends.")
    ] = False,
) -> None:
    """Write what is not delivered to a file, to take it to another machine."""
    found = find(run.store, Search(run.profile.name, OPEN))
    if run.options.dry_run:
        run.output.note(f"Dry run: nothing was written or held; {len(found)} would be exported.")
        return
    # Read before they are held: what waits here is to be sent from there. One sent meanwhile makes `hold` refuse.
    text = "".join(f"{line}\n" for line in exported(run.store, run.profile.name))
    if hold:
        run.outbox.hold([entry.id for entry in found if entry.state in (State.QUEUED, State.HELD)])
    _write_export(run, file, text)
    run.output.note(f"{len(found)} exported" + ("; held here." if hold else "; they are still sent from here, too."))


def _write_export(run: Run, file: str, text: str) -> None:
    if file == "-":
        run.output.write(iter([text]))
        return
    from cpctl.output.private_files import write_private

    write_private(Path(file), text)


@commands.add("import", "cpctl outbox import waiting.jsonl")
def import_outbox(
    run: Run, file: Annotated[str, typer.Argument(metavar="FILE|-", help="An export, or a store.")]
) -> None:
    """Take over signals from an export, or what can still be read of a damaged store."""
    content = read_input(file)
    if run.options.dry_run:
        raise InvalidInput(
            "`outbox import` has no dry run.", "Import knows signals it has seen; a repeat takes none twice."
        )
    done = import_file(run.outbox, file, content)
    run.worked = True
    run.output.note(f"{len(done.taken)} imported, {done.known} known already.")
    if done.unreadable:
        run.output.warn(f"{file} could be read only in part: {done.unreadable}.")
    run.show({"imported": len(done.taken), "known": done.known, "unreadable": done.unreadable or None})


@commands.add("check", "cpctl outbox check --warn 15m --crit 1h")
def check_outbox(
    run: Run,
    warn: Annotated[str, typer.Option(metavar="SPAN", help="Warn when the oldest waits so long.")] = "15m",
    crit: Annotated[str, typer.Option(metavar="SPAN", help="Critical when the oldest waits so long.")] = "1h",
) -> None:
    """Look at the outbox as a monitoring plugin: ends with 0 OK, 1 warning, 2 critical, 3 unknown."""
    try:
        spans = parse_span(warn, "--warn"), parse_span(crit, "--crit")
        _insist_on_writing(run)
        counted = depth(run.store, _watched(run))
        verdict, facts = verdict_of(counted, len(set_aside(run.store)), *spans)
    except StoreError as error:
        verdict, facts = 2, {"verdict": "CRITICAL", "reason": f"no signal can be accepted: {error.message}"}
    except CpctlError as error:
        verdict, facts = 3, {"verdict": "UNKNOWN", "reason": error.message}
    run.status = ExitCode(verdict)
    run.worked = True
    if run.options.output or run.options.query:
        run.show(facts)
    else:
        numbers = " ".join(f"{name}={value}" for name, value in facts.items() if isinstance(value, int))
        run.output.write(iter([f"CPCTL {facts['verdict']} - {facts['reason']} | {numbers}".rstrip(" |") + "\n"]))


def _insist_on_writing(run: Run) -> None:
    """What cannot be written cannot accept a signal. A store that is not there yet is not made. Raises StoreError."""
    if run.store.exists():
        run.store.write(lambda work: None)
    elif not could_be_made(run.store.path):
        raise StoreError(f"The store {run.store.path} cannot be made.")


def _watched(run: Run) -> str:
    """The profile that was named; without a name all of the store, so that none is forgotten."""
    named = run.options.profile or run.environment.get("CPCTL_PROFILE")
    return run.profile.name if named else ""


def verdict_of(counted: Depth, aside: int, warn: timedelta, crit: timedelta) -> tuple[int, dict[str, Any]]:
    """Level and facts of an outbox. Age beats count: a hundred fresh signals are fine, one old one is not."""
    age = utc_now() - from_ms(counted.oldest_waiting) if counted.oldest_waiting else timedelta()
    given_up = counted.counts.get(State.REFUSED, 0) + counted.counts.get(State.EXPIRED, 0)
    reasons = [f"{aside} damaged store set aside: import it, then move it away"] if aside else []
    reasons += [f"{given_up} refused or expired"] if given_up else []
    reasons += ["the queue is paused"] if counted.paused else []
    reasons += [f"{counted.waiting} waiting, the oldest for {age_words(age)}"] if counted.waiting else []
    late = 2 if age >= crit else 1 if age >= warn else 0
    level = 2 if aside or given_up or counted.paused else late if counted.waiting else 0
    return level, {
        "verdict": ("OK", "WARNING", "CRITICAL")[level],
        "reason": ", ".join(reasons) or "nothing waits",
        "waiting": counted.waiting,
        "refused": given_up,
        "oldest_seconds": int(age.total_seconds()),
    }


def _change(run: Run, ids: Sequence[int], change: Callable[[Sequence[int]], list[Entry]], done: str) -> None:
    """Change entries and show them; in a dry run, show them unchanged."""
    if run.options.dry_run:
        found = run.outbox.entries(ids)
        run.output.note("Dry run: nothing was changed.")
    else:
        found = change(ids)
        run.output.note(f"{len(found)} {done}.")
    run.finish([entry.report() for entry in found], SIGNAL, ExitCode.DONE)


def _ids(texts: Sequence[str]) -> list[int]:
    for text in texts:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise InvalidInput(f"{shorten(text)} is not the id of a signal.", "`cpctl outbox list` shows the ids.")
    return list(dict.fromkeys(int(text) for text in texts))


def _ids_or_all(run: Run, ids: list[str] | None, everything: bool, states: Sequence[State]) -> list[int]:
    if bool(ids) == everything:
        words = "Name ids or say --all, not both." if ids else "Name ids, or say --all."
        raise InvalidInput(words, "`cpctl outbox list` shows the ids.")
    if ids:
        return _ids(ids)
    return [entry.id for entry in find(run.store, Search(run.profile.name, states))]
