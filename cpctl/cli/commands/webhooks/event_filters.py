"""Choosing from the webhooks that were received: options that several commands take, and long lists of events."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.context import Context
from cpctl.cli.options import Since, Until
from cpctl.cli.time_args import parse_since
from cpctl.clock import utc_now
from cpctl.errors import InvalidInput, suggest
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.store.store import Store
from cpctl.webhooks.events.event_store import EventSearch, find_event_ids, read_in_batches

# Up to so many events are read at once; more of them are read while they are written.
MAX_EVENTS_IN_MEMORY = 1000


class EventFilters(NamedTuple):
    """Which events are wanted."""

    type: Annotated[list[str] | None, typer.Option("--type", metavar="TYPE", help="Only of this type; repeatable.")] = (
        None
    )
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only of this order, by its id or reference.")] = ""
    item: Annotated[str, typer.Option(metavar="ITEM", help="Only of this item, by its id or reference.")] = ""
    reference: Annotated[
        str, typer.Option(metavar="REFERENCE", help="Only with this reference of an order or item.")
    ] = ""
    since: Since = None
    until: Until = None
    undelivered: Annotated[bool, typer.Option("--undelivered", help="Only what a target has not got.")] = False


def build_search(context: Context, filters: EventFilters, limit: int = 0) -> EventSearch:
    """The search that the options ask for. `--since` and `--until` are about the arrival. Raises InvalidInput."""
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
    """Say that nothing was found; and where a type is unknown and near a known one, which was meant."""
    unknown = next((each for each in types or () if each not in WEBHOOK_TYPES), None)
    if unknown is None:
        context.output.note(message)
        return
    hint = suggest(unknown, WEBHOOK_TYPES)
    meant = hint if hint.startswith("Did") else "`cpctl webhooks types` lists those that are known."
    context.output.note(f"{message} The type {quote_value(unknown)} is unknown. {meant}")


def parse_event_ids(texts: Sequence[str]) -> list[int]:
    """Ids of events as numbers, each once. Raises InvalidInput."""
    for text in texts:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise InvalidInput(
                f"{quote_value(text)} is not the id of an event.", "`cpctl webhooks list` shows the ids."
            )
    return list(dict.fromkeys(int(text) for text in texts))


class StoredEvents:
    """Events that are read from the store while they are written: see `output.columns.LongData`."""

    def __init__(self, store: Store, ids: Sequence[int]) -> None:
        self._store, self._ids = store, ids

    def __iter__(self) -> Iterator[Any]:
        """The events. Raises StoreError."""
        for portion in read_in_batches(self._store, self._ids):
            yield from portion

    def chunks(self) -> Iterator[tuple[str, list[Any]]]:
        """Some events at a time, as JSON without brackets and as values. Raises StoreError."""
        for portion in read_in_batches(self._store, self._ids):
            if portion:
                yield json.dumps(portion, ensure_ascii=False)[1:-1], portion


def find_events(context: Context, search: EventSearch) -> "list[dict[str, Any]] | StoredEvents":
    """The events of a search; many of them one after the other. Raises StoreError."""
    ids = find_event_ids(context.store, search)
    long = StoredEvents(context.store, ids)
    return long if len(ids) > MAX_EVENTS_IN_MEMORY else list(long)
