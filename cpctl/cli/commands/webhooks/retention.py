"""What is kept of received webhooks: taking it out to a file, and deleting what is old."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.context import Run
from cpctl.cli.time_args import parse_span
from cpctl.errors import ExitCode, InvalidInput, nearest
from cpctl.outbox.outbox import utc_now
from cpctl.output.private_files import private_file
from cpctl.signals.signal import shorten
from cpctl.webhooks.events.deliveries import Backlog, backlogs, give_up
from cpctl.webhooks.events.event_pruning import SHORTEST_DAYS, count_old, prune
from cpctl.webhooks.events.event_store import EventSearch, find_events

PORTION = 500


def exported(run: Run, search: EventSearch) -> Iterator[str]:
    """The events of a search as JSONL, some at a time, in the order of their arrival. Raises StoreError."""
    after = number = 0
    while found := find_events(run.store, search._replace(after=after, limit=PORTION)):
        after, number = int(found[-1]["id"]), number + len(found)
        yield "".join(f"{json.dumps(event)}\n" for event in found)
        run.output.progress(f"{number} exported")
    run.output.progress("")
    run.output.note(f"{number} exported.")


def write_export(run: Run, file: Path | None, pieces: Iterator[str]) -> None:
    """Write to a file, all of it or nothing, or to standard output. Raises InvalidInput, OutputError, StoreError."""
    if file is None:
        run.output.write(pieces)
        return
    with private_file(file) as written:
        written.writelines(pieces)


class _Plan(NamedTuple):
    """What a prune would do: how many go, how many stay for a target, and the target that is given up."""

    going: int
    staying: int
    given_up: Backlog | None


def prune_old(run: Run, older_than: str, target: str, yes: bool) -> None:
    """Count, ask, delete in portions, and say what stayed and why. Raises InvalidInput, StoreError."""
    profile = run.profile.name
    span = parse_span(older_than, "--older-than")
    if span < timedelta(days=SHORTEST_DAYS):
        raise InvalidInput(
            f'--older-than "{older_than}" is too short: an event that is repeated would come as a new one.',
            f"The service repeats for 7 days; keep events for {SHORTEST_DAYS}d or more.",
        )
    before = utc_now() - span
    dropped = _named_target(run, target) if target else None
    old = count_old(run.store, profile, before, dropped.target if dropped else "")
    plan = _Plan(old.prunable, old.kept_back, dropped)
    gone = 0
    if run.options.dry_run:
        run.output.note(f"Dry run: nothing was deleted. Would go: {_words(plan)}.")
    elif plan.going or dropped:
        of = f'of profile "{profile}" ({run.profile["environment"]})'
        run.confirm(f"Delete what was received before {before.astimezone():%Y-%m-%d %H:%M} {of}: {_words(plan)}?", yes)
        if dropped:
            give_up(run.store, profile, dropped.target)
        for portion in prune(run.store, profile, before):
            gone += portion
            run.output.progress(f"{gone} of {plan.going} deleted")
        run.output.progress("")
        run.output.note(f"{gone} deleted.")
    else:
        run.output.note("Nothing is that old, or may go.")
    _tell_staying(run, plan)
    counts = {"pruned": gone, "kept_for_targets": plan.staying, "given_up": _open(dropped) if dropped else 0}
    if run.options.dry_run:
        counts = {"would_prune": plan.going, **counts, "given_up": 0}
    run.finish({**counts, "before": f"{before:%Y-%m-%dT%H:%M:%SZ}"}, None, ExitCode.DONE)


def _words(plan: _Plan) -> str:
    words = _events(plan.going)
    if plan.given_up:
        words += f"; and give up {_open(plan.given_up)} that {shorten(plan.given_up.target)} has not got"
    return words


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{number} events"


def _open(backlog: Backlog) -> int:
    return backlog.waiting + backlog.failed


def _tell_staying(run: Run, plan: _Plan) -> None:
    if not plan.staying:
        return
    dropped = plan.given_up.target if plan.given_up else None
    names = [shorten(each.target) for each in backlogs(run.store, run.profile.name) if each.target != dropped]
    run.output.warn(
        f"{_events(plan.staying)} of that age stay, because a target has not got all: {', '.join(names)}.\n"
        "  `cpctl webhooks list --undelivered` shows them, `cpctl webhooks replay ID` sends them again;"
        " for a target that is no more: --give-up TARGET."
    )


def _named_target(run: Run, name: str) -> Backlog:
    """The target of that name, or with that URL or command, that has not got all. Raises InvalidInput."""
    found = backlogs(run.store, run.profile.name) if run.store.exists() else []
    for each in found:
        if name in (each.target, each.target.partition(" ")[2]):
            return each
    hint = nearest(name, [each.target for each in found]) if found else "Every target has got all."
    raise InvalidInput(f"Nothing waits for a target {shorten(name)}.", hint)
