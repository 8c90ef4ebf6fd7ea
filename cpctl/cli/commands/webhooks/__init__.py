"""`cpctl webhooks`: receiving, and looking at what was received."""

from pathlib import Path
from typing import Annotated

import typer

from cpctl.cli.commands.webhooks.event_filters import (
    EventFilters,
    build_search,
    find_events,
    parse_event_ids,
    report_no_events,
)
from cpctl.cli.commands.webhooks.serve import DeliveryOptions, ServerOptions, serve
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.options import EventIds, Limit, Yes
from cpctl.errors import InvalidInput
from cpctl.output.columns import EVENT, EVENT_DETAIL, ITEM_STATE, WEBHOOK_TYPE

commands = Commands()


@commands.add("serve", "cpctl webhooks serve --tls-cert fullchain.pem --tls-key privkey.pem --host 0.0.0.0 --port 443")
def serve_webhooks(context: Context, server_options: ServerOptions, delivery_options: DeliveryOptions) -> None:
    """Receive webhooks: check the key, store the event, then answer; hand it over after that."""
    serve(context, server_options, delivery_options)


@commands.add("list", "cpctl webhooks list --type ItemShipped --since 7d")
def list_events(context: Context, filters: EventFilters, limit: Limit = 0) -> None:
    """List the webhooks that were received, in the order in which it happened."""
    found = find_events(context, build_search(context, filters, limit))
    if not found:
        report_no_events(context, filters.type, "No such webhook was received.")
    context.show(found, EVENT)


@commands.add("show", "cpctl webhooks show 1")
def show_events(context: Context, ids: EventIds) -> None:
    """Show all that is known of events: what they said, how often they came, and which targets have them."""
    from cpctl.webhooks.events.event_store import get_events

    found = get_events(context.store, context.profile.name, parse_event_ids(ids))
    context.show(found[0] if len(found) == 1 else found, EVENT_DETAIL if len(found) == 1 else EVENT)


@commands.add("tail", "cpctl webhooks tail --lines 20 --type ItemShipped")
def tail_events(
    context: Context,
    filters: EventFilters,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new one as it arrives.")] = False,
    lines: Annotated[int, typer.Option(metavar="N", min=0, help="So many of the last to begin with.")] = 10,
) -> None:
    """Show the last events, a line each; JSONL where it is read by a program."""
    from cpctl.cli.commands.webhooks.tail import tail

    tail(context, filters, lines, follow)


@commands.add("items", "cpctl webhooks items --order 123456780000")
def list_items(
    context: Context,
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only of this order, by its id or reference.")] = "",
    item: Annotated[str, typer.Option(metavar="ITEM", help="Only this item, by its id or reference.")] = "",
    latest: Annotated[
        list[str] | None, typer.Option("--latest", metavar="TYPE", help="Only where this was the last; repeatable.")
    ] = None,
) -> None:
    """Show the latest known state of each item, and of each order (its item is empty)."""
    from cpctl.webhooks.events.event_store import find_item_states

    found = find_item_states(context.store, context.profile.name, order, item, latest or ())
    if not found:
        report_no_events(context, latest, "Nothing was received of such an item.")
    context.show(found, ITEM_STATE)


@commands.add("replay", "cpctl webhooks replay 1 2 --to http://127.0.0.1:9000/hooks")
def replay_events(
    context: Context,
    ids: EventIds,
    url: Annotated[
        str, typer.Option("--to", metavar="URL", help="Where to send them; without it to their targets.")
    ] = "",
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Put the profile's webhook key in, as the service does.")
    ] = False,
) -> None:
    """Send stored events again, and show what is answered."""
    from cpctl.cli.commands.webhooks.replay import replay_to_targets, replay_to_url

    numbers = parse_event_ids(ids)
    if with_key and not url:
        raise InvalidInput("--with-key is about --to, which is not given.", "Add --to URL.")
    if url:
        replay_to_url(context, numbers, url, with_key)
    else:
        replay_to_targets(context, numbers)


@commands.add("export", "cpctl webhooks export received.jsonl --since 30d")
def export_events(
    context: Context,
    filters: EventFilters,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="File to write; - for standard output.")] = "-",
) -> None:
    """Write events to a file as JSONL, in the order of their arrival."""
    from cpctl.cli.commands.webhooks.retention import iter_export_chunks, write_export

    search = build_search(context, filters)
    if context.options.dry_run:
        from cpctl.webhooks.events.event_store import find_event_ids

        number = len(find_event_ids(context.store, search))
        context.output.note(f"Dry run: nothing was written; {number} would be exported.")
        return
    write_export(context, Path(file) if file != "-" else None, iter_export_chunks(context, search))


@commands.add("prune", "cpctl webhooks prune --older-than 90d --yes")
def prune_events(
    context: Context,
    older_than: Annotated[str, typer.Option("--older-than", metavar="SPAN", help="Received so long ago; 8d or more.")],
    abandoned_target: Annotated[
        str, typer.Option("--give-up", metavar="TARGET", help="A target that is no more: it shall get nothing more.")
    ] = "",
    yes: Yes = False,
) -> None:
    """Delete old events, but none that a target has not got. The latest states of items stay."""
    from cpctl.cli.commands.webhooks.retention import prune_old_events

    prune_old_events(context, older_than, abandoned_target, yes)


@commands.add("types", "cpctl webhooks types")
def list_types(context: Context) -> None:
    """List the types of webhooks, with their fields."""
    from cpctl.signals.webhook_types import WEBHOOK_TYPES

    context.show(
        [
            {
                "type": kind.name,
                "since": kind.since_version,
                "about": "item" if kind.is_about_item else "order",
                "required": ", ".join(kind.required),
                "optional": ", ".join(kind.optional),
                "meaning": kind.meaning,
            }
            for kind in WEBHOOK_TYPES.values()
        ],
        WEBHOOK_TYPE,
    )
