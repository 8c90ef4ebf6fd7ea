"""`cpctl webhooks export` and `prune`: copy events to a file, and delete old ones."""

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
from cpctl.webhooks.events.event_search import BATCH_SIZE, EventSearch, find_events


def iter_export_chunks(context: Context, search: EventSearch) -> Iterator[str]:
    """The events of a search as JSONL, some at a time, in the order of their arrival. Raises StoreError."""
    after = count = 0
    while events := find_events(context.store, search._replace(after=after, limit=BATCH_SIZE)):
        after, count = int(events[-1]["id"]), count + len(events)
        yield "".join(f"{json.dumps(event)}\n" for event in events)
        context.output.progress(f"{count} exported")
    context.output.progress("")
    context.output.note(f"{count} exported.")


def write_export(context: Context, file: Path | None, chunks: Iterator[str]) -> None:
    """Write a complete file or none, or to standard output. Raises InvalidInput, OutputError, StoreError."""
    if file is None:
        context.output.write(chunks)
        return
    with private_file(file) as written:
        written.writelines(chunks)


class _PrunePlan(NamedTuple):
    prunable_count: int
    retained_count: int
    dropped_backlog: Backlog | None

    @property
    def dropped_count(self) -> int:
        return _undelivered_count(self.dropped_backlog) if self.dropped_backlog else 0

    def describe(self) -> str:
        text = _format_event_count(self.prunable_count)
        if self.dropped_backlog:
            target = quote_value(self.dropped_backlog.target)
            text += f"; and drop {target}, with {self.dropped_count} undelivered"
        return text


def prune_old_events(context: Context, older_than: str, target: str, yes: bool) -> None:
    """Count, confirm, delete in batches, and warn about events that stay. Raises InvalidInput, StoreError."""
    profile = context.profile.name
    span = parse_duration(older_than, "--older-than")
    if span < timedelta(days=MIN_RETENTION_DAYS):
        raise InvalidInput(
            f'--older-than "{older_than}" is too short: a repeated event would be stored as a new one.',
            f"The service repeats events for 7 days; keep them for {MIN_RETENTION_DAYS}d or more.",
        )
    before = utc_now() - span
    dropped = _find_target_backlog(context, target) if target else None
    counts = count_prunable(context.store, profile, before, dropped.target if dropped else "")
    plan = _PrunePlan(counts.prunable, counts.undelivered, dropped)
    pruned_count = 0
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was deleted. Would delete {plan.describe()}.")
    elif plan.prunable_count or dropped:
        scope = f'of profile "{profile}" ({context.profile["environment"]})'
        local_time = f"{before.astimezone():%Y-%m-%d %H:%M}"
        context.confirm(f"Delete events {scope} received before {local_time}: {plan.describe()}?", yes)
        if dropped:
            drop_target(context.store, profile, dropped.target)
        for batch_count in prune_events(context.store, profile, before):
            pruned_count += batch_count
            context.output.progress(f"{pruned_count} of {plan.prunable_count} deleted")
        context.output.progress("")
        context.output.note(f"{pruned_count} deleted.")
    else:
        context.output.note("No events are old enough to delete.")
    _warn_about_retained(context, plan)
    result = {"pruned": pruned_count, "kept_for_targets": plan.retained_count, "dropped": plan.dropped_count}
    if context.options.dry_run:
        result = {"would_prune": plan.prunable_count, **result, "dropped": 0}
    context.finish({**result, "before": f"{before:%Y-%m-%dT%H:%M:%SZ}"}, None, ExitCode.DONE)


def _format_event_count(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _undelivered_count(backlog: Backlog) -> int:
    return backlog.waiting + backlog.failed


def _warn_about_retained(context: Context, plan: _PrunePlan) -> None:
    if not plan.retained_count:
        return
    dropped = plan.dropped_backlog.target if plan.dropped_backlog else None
    backlogs = read_backlogs(context.store, context.profile.name)
    names = ", ".join(quote_value(backlog.target) for backlog in backlogs if backlog.target != dropped)
    context.output.warn(
        f"{_format_event_count(plan.retained_count)} of that age are kept for targets that have not accepted them:"
        f" {names}.\n  `cpctl webhooks list --undelivered` shows them, `cpctl webhooks replay ID` sends them again;"
        " --drop-target TARGET drops a target that no longer exists."
    )


def _find_target_backlog(context: Context, name: str) -> Backlog:
    backlogs = read_backlogs(context.store, context.profile.name) if context.store.exists() else []
    for backlog in backlogs:
        if name in (backlog.target, backlog.target.partition(" ")[2]):
            return backlog
    hint = suggest(name, [backlog.target for backlog in backlogs]) if backlogs else "Every target has every event."
    raise InvalidInput(f"No events wait for a target {quote_value(name)}.", hint)
