"""`cpctl webhooks export` and `prune`: copy events to a file, and delete old ones."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cpctl.cli.context import Context
from cpctl.cli.time_args import parse_duration
from cpctl.clock import utc_now
from cpctl.errors import ExitCode, InvalidInput, suggest
from cpctl.files import private_file
from cpctl.signals.signal import quote_value
from cpctl.webhooks.events.deliveries import Backlog, drop_target, read_backlogs
from cpctl.webhooks.events.event_search import BATCH_SIZE, EventSearch, find_events
from cpctl.webhooks.events.event_store import MIN_RETENTION_DAYS, count_prunable, prune_events


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
    dropped_count = dropped.waiting + dropped.failed if dropped else 0
    counts = count_prunable(context.store, profile, before, dropped.target if dropped else "")
    summary = _format_event_count(counts.prunable)
    if dropped:
        summary += f"; and drop {quote_value(dropped.target)}, with {dropped_count} undelivered"
    pruned_count = 0
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was deleted. Would delete {summary}.")
    elif counts.prunable or dropped:
        scope = f'of profile "{profile}" ({context.profile["environment"]})'
        local_time = f"{before.astimezone():%Y-%m-%d %H:%M}"
        context.confirm(f"Delete events {scope} received before {local_time}: {summary}?", yes)
        if dropped:
            drop_target(context.store, profile, dropped.target)
        for batch_count in prune_events(context.store, profile, before):
            pruned_count += batch_count
            context.output.progress(f"{pruned_count} of {counts.prunable} deleted")
        context.output.progress("")
        context.output.note(f"{pruned_count} deleted.")
    else:
        context.output.note("No events are old enough to delete.")
    if counts.undelivered:
        _warn_about_retained(context, counts.undelivered, dropped)
    result = {"pruned": pruned_count, "kept_for_targets": counts.undelivered, "dropped": dropped_count}
    if context.options.dry_run:
        result = {"would_prune": counts.prunable, **result, "dropped": 0}
    context.finish({**result, "before": f"{before:%Y-%m-%dT%H:%M:%SZ}"}, None, ExitCode.DONE)


def _format_event_count(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _warn_about_retained(context: Context, count: int, dropped: Backlog | None) -> None:
    targets = [backlog.target for backlog in read_backlogs(context.store, context.profile.name)]
    names = ", ".join(quote_value(target) for target in targets if not dropped or target != dropped.target)
    context.output.warn(
        f"{_format_event_count(count)} of that age are kept for targets that have not accepted them: {names}.\n"
        "  `cpctl webhooks list --undelivered` shows them, `cpctl webhooks replay ID` sends them again;"
        " --drop-target TARGET drops a target that no longer exists."
    )


def _find_target_backlog(context: Context, name: str) -> Backlog:
    backlogs = read_backlogs(context.store, context.profile.name) if context.store.exists() else []
    for backlog in backlogs:
        if name in (backlog.target, backlog.target.partition(" ")[2]):
            return backlog
    hint = suggest(name, [backlog.target for backlog in backlogs]) if backlogs else "Every target has every event."
    raise InvalidInput(f"No events wait for a target {quote_value(name)}.", hint)
