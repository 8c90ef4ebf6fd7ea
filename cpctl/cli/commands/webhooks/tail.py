"""The last events, and then each new one as it arrives."""

import time
from collections.abc import Mapping
from typing import Any

from cpctl.cli.commands.webhooks.event_filters import EventFilters, search_of
from cpctl.cli.context import Run
from cpctl.errors import ExitCode, InvalidInput
from cpctl.output.text import cell, escaped
from cpctl.webhooks.events.event_store import EventSearch, find_events, latest_id

POLL_SECONDS = 0.5
PORTION = 500
_FORMATS = ("table", "json", "jsonl", "value")


def tail(run: Run, filters: EventFilters, lines: int, follow: bool) -> None:
    """Show the last events; with `follow` go on until stopped by Ctrl-C, which is not worth a word then.

    A line each on a terminal, else JSONL. Raises InvalidInput, StoreError, BrokenPipeError.
    """
    _choose_format(run)
    search = search_of(run, filters)
    try:
        after = latest_id(run.store)  # first, so that nothing is missed between two looks
        found = find_events(run.store, search._replace(limit=lines)) if lines else []
        for event in found:
            _show(run, event)
        if follow:
            _follow(run, search, max([after, *(int(event["id"]) for event in found)]))
    except KeyboardInterrupt:
        run.status = ExitCode.INTERRUPTED


def _choose_format(run: Run) -> None:
    """Lines for people, JSONL for programs: what has no end has no closing bracket. Raises InvalidInput."""
    asked = run.options.output
    if asked is not None and asked not in _FORMATS and run.output.format == asked:
        raise InvalidInput(
            f"`webhooks tail` writes events one by one, and {asked} is for whole lists.",
            f"Use -o jsonl, or `cpctl webhooks list -o {asked}`.",
        )
    if run.output.format not in ("table", "value") or (run.options.query is not None and asked != "value"):
        run.output.format = "jsonl"


def _follow(run: Run, search: EventSearch, after: int) -> None:
    while True:
        newest = latest_id(run.store)
        while newest > after:
            found = find_events(run.store, search._replace(after=after, limit=PORTION))
            for event in found:
                _show(run, event)
            seen = int(found[-1]["id"]) if found else 0
            after = seen if len(found) == PORTION else max(newest, seen)
        run.output.insist_on_reader()  # `tail -f | grep -m 1` is over when grep is
        time.sleep(POLL_SECONDS)


def _show(run: Run, event: Mapping[str, Any]) -> None:
    if run.output.format == "table":
        run.output.write(iter([escaped(_line(event)) + "\n"]))
    else:
        run.output.show(event)


def _line(event: Mapping[str, Any]) -> str:
    """An event as one line: when, what, of which item, and what else it says."""
    said = (f"{name}={cell(value)}" for name, value in event["fields"].items())
    words = (event["datetime"], event["type"], event["order"], event["item"], *said)
    return " ".join(str(word) for word in words if word)
