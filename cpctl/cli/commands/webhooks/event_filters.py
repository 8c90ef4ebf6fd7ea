"""Options that select received events, and the search they make."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.context import Context
from cpctl.cli.options import Since, Until
from cpctl.cli.time_args import parse_since
from cpctl.clock import utc_now
from cpctl.errors import suggest
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.store.store import Store
from cpctl.webhooks.events.event_search import EventSearch, find_event_ids, read_in_batches

# More events than this are read while they are written, so that they need not be in memory together.
MAX_EVENTS_IN_MEMORY = 1000

OrderFilter = Annotated[str, typer.Option(metavar="ORDER", help="Only this order, by its id or reference.")]
ItemFilter = Annotated[str, typer.Option(metavar="ITEM", help="Only this item, by its id or reference.")]


class EventFilters(NamedTuple):
    """Which events to select."""

    type: Annotated[list[str] | None, typer.Option(metavar="TYPE", help="Only events of this type; repeatable.")] = None
    order: OrderFilter = ""
    item: ItemFilter = ""
    reference: Annotated[
        str, typer.Option(metavar="REFERENCE", help="Only this reference of an order or of an item.")
    ] = ""
    since: Since = None
    until: Until = None
    undelivered: Annotated[bool, typer.Option("--undelivered", help="Only events that a target has not accepted.")] = (
        False
    )


def build_search(context: Context, filters: EventFilters, limit: int = 0) -> EventSearch:
    """The search for the options; `--since` and `--until` apply to the arrival. Raises InvalidInput."""
    now = utc_now()
    return EventSearch(
        context.profile.name,
        filters.type or (),
        filters.order,
        filters.item,
        filters.reference,
        parse_since(filters.since, "--since", now) if filters.since else None,
        parse_since(filters.until, "--until", now) if filters.until else None,
        filters.undelivered,
        limit=limit,
    )


def report_no_events(context: Context, types: Sequence[str] | None, message: str) -> None:
    """Say that nothing was found; for an unknown type, suggest a known one."""
    unknown = next((type_name for type_name in types or () if type_name not in WEBHOOK_TYPES), None)
    if unknown is None:
        context.output.note(message)
        return
    hint = suggest(unknown, WEBHOOK_TYPES)
    suggestion = hint if hint.startswith("Did") else "`cpctl webhooks types` lists the known types."
    context.output.note(f"{message} The type {quote_value(unknown)} is unknown. {suggestion}")


class StoredEvents:
    """Events that are read from the store while they are written: see `output.columns.LongData`."""

    def __init__(self, store: Store, ids: Sequence[int]) -> None:
        self._store, self._ids = store, ids

    def __iter__(self) -> Iterator[Any]:
        for batch in read_in_batches(self._store, self._ids):
            yield from batch

    def chunks(self) -> Iterator[tuple[str, list[Any]]]:
        """Some events at a time, as JSON without brackets and as values. Raises StoreError."""
        for batch in read_in_batches(self._store, self._ids):
            if batch:
                yield json.dumps(batch, ensure_ascii=False)[1:-1], batch


def find_events(context: Context, search: EventSearch) -> "list[dict[str, Any]] | StoredEvents":
    """The events of a search; a long list is read while it is written. Raises StoreError."""
    ids = find_event_ids(context.store, search)
    events = StoredEvents(context.store, ids)
    return events if len(ids) > MAX_EVENTS_IN_MEMORY else list(events)
