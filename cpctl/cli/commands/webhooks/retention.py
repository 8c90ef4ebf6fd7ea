"""What is kept of received webhooks: taking it out to a file, and deleting what is old."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.context import Context
from cpctl.cli.time_args import parse_duration
from cpctl.clock import utc_now
from cpctl.errors import ExitCode, InvalidInput, suggest
from cpctl.files import private_file
from cpctl.signals.signal import quote_value
from cpctl.webhooks.events.deliveries import Backlog, drop_target, read_backlogs
from cpctl.webhooks.events.event_pruning import MIN_RETENTION_DAYS, count_prunable, prune_events
from cpctl.webhooks.events.event_store import EventSearch, find_events

EXPORT_BATCH_SIZE = 500


def iter_export_chunks(context: Context, search: EventSearch) -> Iterator[str]:
    """The events of a search as JSONL, some at a time, in the order of their arrival. Raises StoreError."""
    after = number = 0
    while found := find_events(context.store, search._replace(after=after, limit=EXPORT_BATCH_SIZE)):
        after, number = int(found[-1]["id"]), number + len(found)
        yield "".join(f"{json.dumps(event)}\n" for event in found)
        context.output.progress(f"{number} exported")
    context.output.progress("")
    context.output.note(f"{number} exported.")


def write_export(context: Context, file: Path | None, chunks: Iterator[str]) -> None:
    """Write to a file, all of it or nothing, or to standard output. Raises InvalidInput, OutputError, StoreError."""
    if file is None:
        context.output.write(chunks)
        return
    with private_file(file) as written:
        written.writelines(chunks)


class _PrunePlan(NamedTuple):
    """What a prune would do: how many go, how many stay for a target, and the target that is given up."""

    prunable_count: int
    retained_count: int
    abandoned_backlog: Backlog | None


def prune_old_events(context: Context, older_than: str, target: str, yes: bool) -> None:
    """Count, ask, delete in portions, and say what stayed and why. Raises InvalidInput, StoreError."""
    profile = context.profile.name
    span = parse_duration(older_than, "--older-than")
    if span < timedelta(days=MIN_RETENTION_DAYS):
        raise InvalidInput(
            f'--older-than "{older_than}" is too short: an event that is repeated would come as a new one.',
            f"The service repeats for 7 days; keep events for {MIN_RETENTION_DAYS}d or more.",
        )
    before = utc_now() - span
    dropped = _find_target_backlog(context, target) if target else None
    old = count_prunable(context.store, profile, before, dropped.target if dropped else "")
    plan = _PrunePlan(old.prunable, old.undelivered, dropped)
    gone = 0
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was deleted. Would go: {_describe_plan(plan)}.")
    elif plan.prunable_count or dropped:
        of = f'of profile "{profile}" ({context.profile["environment"]})'
        context.confirm(
            f"Delete what was received before {before.astimezone():%Y-%m-%d %H:%M} {of}: {_describe_plan(plan)}?", yes
        )
        if dropped:
            drop_target(context.store, profile, dropped.target)
        for portion in prune_events(context.store, profile, before):
            gone += portion
            context.output.progress(f"{gone} of {plan.prunable_count} deleted")
        context.output.progress("")
        context.output.note(f"{gone} deleted.")
    else:
        context.output.note("Nothing is that old, or may go.")
    _warn_about_retained(context, plan)
    counts = {
        "pruned": gone,
        "kept_for_targets": plan.retained_count,
        "given_up": _undelivered_count(dropped) if dropped else 0,
    }
    if context.options.dry_run:
        counts = {"would_prune": plan.prunable_count, **counts, "given_up": 0}
    context.finish({**counts, "before": f"{before:%Y-%m-%dT%H:%M:%SZ}"}, None, ExitCode.DONE)


def _describe_plan(plan: _PrunePlan) -> str:
    words = _format_event_count(plan.prunable_count)
    if plan.abandoned_backlog:
        words += f"; and give up {_undelivered_count(plan.abandoned_backlog)} that {quote_value(plan.abandoned_backlog.target)} has not got"
    return words


def _format_event_count(number: int) -> str:
    return "1 event" if number == 1 else f"{number} events"


def _undelivered_count(backlog: Backlog) -> int:
    return backlog.waiting + backlog.failed


def _warn_about_retained(context: Context, plan: _PrunePlan) -> None:
    if not plan.retained_count:
        return
    dropped = plan.abandoned_backlog.target if plan.abandoned_backlog else None
    names = [
        quote_value(each.target)
        for each in read_backlogs(context.store, context.profile.name)
        if each.target != dropped
    ]
    context.output.warn(
        f"{_format_event_count(plan.retained_count)} of that age stay, because a target has not got all: {', '.join(names)}.\n"
        "  `cpctl webhooks list --undelivered` shows them, `cpctl webhooks replay ID` sends them again;"
        " for a target that is no more: --give-up TARGET."
    )


def _find_target_backlog(context: Context, name: str) -> Backlog:
    """The target of that name, or with that URL or command, that has not got all. Raises InvalidInput."""
    found = read_backlogs(context.store, context.profile.name) if context.store.exists() else []
    for each in found:
        if name in (each.target, each.target.partition(" ")[2]):
            return each
    hint = suggest(name, [each.target for each in found]) if found else "Every target has got all."
    raise InvalidInput(f"Nothing waits for a target {quote_value(name)}.", hint)
