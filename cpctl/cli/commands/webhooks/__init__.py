"""`cpctl webhooks`: receive webhooks, and search the received events."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cpctl.cli.commands.webhooks.serve import ServerOptions, serve
from cpctl.cli.commands.webhooks.target_options import DeliveryOptions
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.options import EventIds, Limit, Since, Until, Yes, parse_ids
from cpctl.cli.time_args import parse_since
from cpctl.clock import utc_now
from cpctl.errors import InvalidInput, suggest
from cpctl.output.columns import EVENT, EVENT_DETAIL, ITEM_STATE, WEBHOOK_TYPE
from cpctl.signals.signal import quote_value
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.webhooks.events.event_search import EventSearch, find_event_ids, find_item_states, get_events, read_events

# More events than this are read while they are written, so that they need not be in memory together.
MAX_EVENTS_IN_MEMORY = 1000
commands = Commands()

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


@commands.add("serve", "cpctl webhooks serve --tls-cert fullchain.pem --tls-key privkey.pem --host 0.0.0.0 --port 443")
def serve_webhooks(context: Context, server_options: ServerOptions, delivery_options: DeliveryOptions) -> None:
    """Receive webhooks: check the key, store the event, respond, then deliver it to targets."""
    serve(context, server_options, delivery_options)


@commands.add("list", "cpctl webhooks list --type ItemShipped --since 7d")
def list_events(context: Context, filters: EventFilters, limit: Limit = 0) -> None:
    """List received events, in the order in which they happened."""
    ids = find_event_ids(context.store, _build_search(context, filters, limit))
    if not ids:
        _report_no_events(context, filters.type, "No matching events were received.")
    events = read_events(context.store, ids)
    context.show(events if len(ids) > MAX_EVENTS_IN_MEMORY else list(events), EVENT)


@commands.add("show", "cpctl webhooks show 1")
def show_events(context: Context, ids: EventIds) -> None:
    """Show events in full: their fields, how many times they were received, and their targets."""
    events = get_events(context.store, context.profile.name, _parse_event_ids(ids))
    context.show(events[0] if len(events) == 1 else events, EVENT_DETAIL if len(events) == 1 else EVENT)


def _parse_event_ids(ids: list[str]) -> list[int]:
    return parse_ids(ids, "an event", "cpctl webhooks list")


@commands.add("tail", "cpctl webhooks tail --lines 20 --type ItemShipped")
def tail_events(
    context: Context,
    filters: EventFilters,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show each new event as it arrives.")] = False,
    lines: Annotated[int, typer.Option(metavar="N", min=0, help="Start with this many of the last events.")] = 10,
) -> None:
    """Show the last events, one per line; as JSONL if the output is not a terminal."""
    from cpctl.cli.commands.webhooks.tail import tail

    tail(context, _build_search(context, filters), lines, follow)


@commands.add("items", "cpctl webhooks items --order 123456780000")
def list_items(
    context: Context,
    order: OrderFilter = "",
    item: ItemFilter = "",
    latest: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="Only where the latest event has this type; repeatable.")
    ] = None,
) -> None:
    """Show the latest known state of each item and order. The item of an order is empty."""
    states = find_item_states(context.store, context.profile.name, order, item, latest or ())
    if not states:
        _report_no_events(context, latest, "No events about matching items were received.")
    context.show(states, ITEM_STATE)


@commands.add("replay", "cpctl webhooks replay 1 2 --to http://127.0.0.1:9000/hooks")
def replay_events(
    context: Context,
    ids: EventIds,
    url: Annotated[
        str, typer.Option("--to", metavar="URL", help="Post them to this URL instead of their targets.")
    ] = "",
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Add the profile's webhook key, as the service does.")
    ] = False,
) -> None:
    """Send stored events again, and show the responses."""
    from cpctl.cli.commands.webhooks.replay import replay_to_targets, replay_to_url

    event_ids = _parse_event_ids(ids)
    if with_key and not url:
        raise InvalidInput("--with-key needs --to.", "Add --to URL.")
    if url:
        replay_to_url(context, event_ids, url, with_key)
    else:
        replay_to_targets(context, event_ids)


@commands.add("export", "cpctl webhooks export received.jsonl --since 30d")
def export_events(
    context: Context,
    filters: EventFilters,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="File to write; - for standard output.")] = "-",
) -> None:
    """Export events as JSONL, in the order of their arrival."""
    from cpctl.cli.commands.webhooks.retention import iter_export_chunks, write_export

    search = _build_search(context, filters)
    if context.options.dry_run:
        count = len(find_event_ids(context.store, search))
        context.output.note(f"Dry run: nothing was written; {count} events would be exported.")
    else:
        write_export(context, Path(file) if file != "-" else None, iter_export_chunks(context, search))


@commands.add("prune", "cpctl webhooks prune --older-than 90d --yes")
def prune_events(
    context: Context,
    older_than: Annotated[str, typer.Option(metavar="SPAN", help="Delete events received longer ago; 8d or more.")],
    drop_target: Annotated[
        str, typer.Option(metavar="TARGET", help="Stop delivering to a target that no longer exists.")
    ] = "",
    yes: Yes = False,
) -> None:
    """Delete old events that every target has accepted. The latest states of items stay."""
    from cpctl.cli.commands.webhooks.retention import prune_old_events

    prune_old_events(context, older_than, drop_target, yes)


@commands.add("types", "cpctl webhooks types")
def list_types(context: Context) -> None:
    """List the webhook types and their fields."""
    context.show(
        [
            {
                "type": webhook_type.name,
                "since": webhook_type.since_version,
                "about": "item" if webhook_type.is_about_item else "order",
                "required": ", ".join(webhook_type.required),
                "optional": ", ".join(webhook_type.optional),
                "meaning": webhook_type.meaning,
            }
            for webhook_type in WEBHOOK_TYPES.values()
        ],
        WEBHOOK_TYPE,
    )


def _build_search(context: Context, filters: EventFilters, limit: int = 0) -> EventSearch:
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


def _report_no_events(context: Context, types: Sequence[str] | None, message: str) -> None:
    unknown = next((type_name for type_name in types or () if type_name not in WEBHOOK_TYPES), None)
    if unknown is None:
        context.output.note(message)
        return
    hint = suggest(unknown, WEBHOOK_TYPES)
    suggestion = hint if hint.startswith("Did") else "`cpctl webhooks types` lists the known types."
    context.output.note(f"{message} The type {quote_value(unknown)} is unknown. {suggestion}")
