"""The last events, and then each new one as it arrives."""

import time
from collections.abc import Mapping
from typing import Any

from cpctl.cli.commands.webhooks.event_filters import EventFilters, build_search
from cpctl.cli.context import Context
from cpctl.errors import ExitCode, InvalidInput
from cpctl.output.text import escape_controls, format_cell
from cpctl.webhooks.events.event_store import EventSearch, find_events, find_last_event_id

POLL_SECONDS = 0.5
BATCH_SIZE = 500
_STREAM_FORMATS = ("table", "json", "jsonl", "value")


def tail(context: Context, filters: EventFilters, lines: int, follow: bool) -> None:
    """Show the last events; with `follow` go on until stopped by Ctrl-C, which is not worth a word then.

    A line each on a terminal, else JSONL. Raises InvalidInput, StoreError, BrokenPipeError.
    """
    _choose_format(context)
    search = build_search(context, filters)
    try:
        after = find_last_event_id(context.store)  # first, so that nothing is missed between two looks
        found = find_events(context.store, search._replace(limit=lines)) if lines else []
        for event in found:
            _print_event(context, event)
        if follow:
            _follow(context, search, max([after, *(int(event["id"]) for event in found)]))
    except KeyboardInterrupt:
        context.exit_status = ExitCode.INTERRUPTED


def _choose_format(context: Context) -> None:
    """Lines for people, JSONL for programs: what has no end has no closing bracket. Raises InvalidInput."""
    asked = context.options.output
    if asked is not None and asked not in _STREAM_FORMATS and context.output.format == asked:
        raise InvalidInput(
            f"`webhooks tail` writes events one by one, and {asked} is for whole lists.",
            f"Use -o jsonl, or `cpctl webhooks list -o {asked}`.",
        )
    if context.output.format not in ("table", "value") or (context.options.query is not None and asked != "value"):
        context.output.format = "jsonl"


def _follow(context: Context, search: EventSearch, after: int) -> None:
    while True:
        newest = find_last_event_id(context.store)
        while newest > after:
            found = find_events(context.store, search._replace(after=after, limit=BATCH_SIZE))
            for event in found:
                _print_event(context, event)
            seen = int(found[-1]["id"]) if found else 0
            after = seen if len(found) == BATCH_SIZE else max(newest, seen)
        context.output.ensure_reader()  # `tail -f | grep -m 1` is over when grep is
        time.sleep(POLL_SECONDS)


def _print_event(context: Context, event: Mapping[str, Any]) -> None:
    if context.output.format == "table":
        context.output.write(iter([escape_controls(_format_event(event)) + "\n"]))
    else:
        context.output.show(event)


def _format_event(event: Mapping[str, Any]) -> str:
    """An event as one line: when, what, of which item, and what else it says."""
    said = (f"{name}={format_cell(value)}" for name, value in event["fields"].items())
    words = (event["datetime"], event["type"], event["order"], event["item"], *said)
    return " ".join(str(word) for word in words if word)
