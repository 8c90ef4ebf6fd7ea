"""`cpctl webhooks tail`: the last events, and then each new one as it arrives."""

import time
from collections.abc import Mapping
from typing import Any

from cpctl.cli.context import Context
from cpctl.errors import ExitCode, InvalidInput
from cpctl.output.text import escape_controls, format_cell
from cpctl.webhooks.events.event_search import BATCH_SIZE, EventSearch, find_events, find_last_event_id

POLL_SECONDS = 0.5
_STREAM_FORMATS = ("table", "json", "jsonl", "value")


def tail(context: Context, search: EventSearch, lines: int, follow: bool) -> None:
    """Show the last events; with `follow`, continue until Ctrl-C, which prints no message.

    Raises InvalidInput, StoreError, BrokenPipeError.
    """
    _choose_format(context)
    try:
        last_id = find_last_event_id(context.store)  # before the search: an event that arrives between them is not lost
        events = find_events(context.store, search._replace(limit=lines)) if lines else []
        for event in events:
            _print_event(context, event)
        if follow:
            _follow(context, search, max([last_id, *(int(event["id"]) for event in events)]))
    except KeyboardInterrupt:
        context.exit_status = ExitCode.INTERRUPTED


def _choose_format(context: Context) -> None:
    requested = context.options.output
    if requested is not None and requested not in _STREAM_FORMATS and context.output.format == requested:
        raise InvalidInput(
            f"`webhooks tail` writes events one by one; {requested} needs a complete list.",
            f"Use -o jsonl, or `cpctl webhooks list -o {requested}`.",
        )
    has_query = context.options.query is not None and requested != "value"
    if context.output.format not in ("table", "value") or has_query:
        context.output.format = "jsonl"


def _follow(context: Context, search: EventSearch, after: int) -> None:
    while True:
        newest = find_last_event_id(context.store)
        while newest > after:
            events = find_events(context.store, search._replace(after=after, limit=BATCH_SIZE))
            for event in events:
                _print_event(context, event)
            after = int(events[-1]["id"]) if events else after
            if len(events) < BATCH_SIZE:  # events up to `newest` that do not match need not be searched again
                after = max(newest, after)
        context.output.ensure_reader()  # in `tail -f | grep -m 1`, grep ends first
        time.sleep(POLL_SECONDS)


def _print_event(context: Context, event: Mapping[str, Any]) -> None:
    if context.output.format == "table":
        context.output.write(iter([escape_controls(_format_event(event)) + "\n"]))
    else:
        context.output.show(event)


def _format_event(event: Mapping[str, Any]) -> str:
    fields = (f"{name}={format_cell(value)}" for name, value in event["fields"].items())
    parts = (event["datetime"], event["type"], event["order"], event["item"], *fields)
    return " ".join(str(part) for part in parts if part)
