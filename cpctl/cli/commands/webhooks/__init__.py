"""`cpctl webhooks`: receiving, and looking at what was received."""

from pathlib import Path
from typing import Annotated

import typer

from cpctl.cli.commands.webhooks.event_filters import (
    EventFilters,
    chosen_events,
    parse_event_ids,
    search_of,
    tell_empty,
)
from cpctl.cli.commands.webhooks.serve import Handing, Listening, serve
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.options import EventIds, Limit, Yes
from cpctl.errors import InvalidInput
from cpctl.output.columns import EVENT, EVENT_SHEET, ITEM_STATE, WEBHOOK_KIND

commands = Commands()


@commands.add("serve", "cpctl webhooks serve --tls-cert fullchain.pem --tls-key privkey.pem --host 0.0.0.0 --port 443")
def serve_webhooks(run: Run, listening: Listening, handing: Handing) -> None:
    """Receive webhooks: check the key, store the event, then answer; hand it over after that."""
    serve(run, listening, handing)


@commands.add("list", "cpctl webhooks list --type ItemShipped --since 7d")
def list_events(run: Run, filters: EventFilters, limit: Limit = 0) -> None:
    """List the webhooks that were received, in the order in which it happened."""
    found = chosen_events(run, search_of(run, filters, limit))
    if not found:
        tell_empty(run, filters.type, "No such webhook was received.")
    run.show(found, EVENT)


@commands.add("show", "cpctl webhooks show 1")
def show_events(run: Run, ids: EventIds) -> None:
    """Show all that is known of events: what they said, how often they came, and which targets have them."""
    from cpctl.webhooks.events.event_store import events_named

    found = events_named(run.store, run.profile.name, parse_event_ids(ids))
    run.show(found[0] if len(found) == 1 else found, EVENT_SHEET if len(found) == 1 else EVENT)


@commands.add("tail", "cpctl webhooks tail --lines 20 --type ItemShipped")
def tail_events(
    run: Run,
    filters: EventFilters,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new one as it arrives.")] = False,
    lines: Annotated[int, typer.Option(metavar="N", min=0, help="So many of the last to begin with.")] = 10,
) -> None:
    """Show the last events, a line each; JSONL where it is read by a program."""
    from cpctl.cli.commands.webhooks.tail import tail

    tail(run, filters, lines, follow)


@commands.add("items", "cpctl webhooks items --order 123456780000")
def list_items(
    run: Run,
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only of this order, by its id or reference.")] = "",
    item: Annotated[str, typer.Option(metavar="ITEM", help="Only this item, by its id or reference.")] = "",
    latest: Annotated[
        list[str] | None, typer.Option("--latest", metavar="TYPE", help="Only where this was the last; repeatable.")
    ] = None,
) -> None:
    """Show the latest known state of each item, and of each order (its item is empty)."""
    from cpctl.webhooks.events.event_store import item_states

    found = item_states(run.store, run.profile.name, order, item, latest or ())
    if not found:
        tell_empty(run, latest, "Nothing was received of such an item.")
    run.show(found, ITEM_STATE)


@commands.add("replay", "cpctl webhooks replay 1 2 --to http://127.0.0.1:9000/hooks")
def replay_events(
    run: Run,
    ids: EventIds,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Where to send them; without it to their targets.")
    ] = "",
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Put the profile's webhook key in, as the service does.")
    ] = False,
) -> None:
    """Send stored events again, and show what is answered."""
    from cpctl.cli.commands.webhooks.replay import replay_to, replay_to_targets

    numbers = parse_event_ids(ids)
    if with_key and not to:
        raise InvalidInput("--with-key is about --to, which is not given.", "Add --to URL.")
    if to:
        replay_to(run, numbers, to, with_key)
    else:
        replay_to_targets(run, numbers)


@commands.add("export", "cpctl webhooks export received.jsonl --since 30d")
def export_events(
    run: Run,
    filters: EventFilters,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="File to write; - for standard output.")] = "-",
) -> None:
    """Write events to a file as JSONL, in the order of their arrival."""
    from cpctl.cli.commands.webhooks.retention import exported, write_export

    search = search_of(run, filters)
    if run.options.dry_run:
        from cpctl.webhooks.events.event_store import event_ids

        number = len(event_ids(run.store, search))
        run.output.note(f"Dry run: nothing was written; {number} would be exported.")
        return
    write_export(run, Path(file) if file != "-" else None, exported(run, search))


@commands.add("prune", "cpctl webhooks prune --older-than 90d --yes")
def prune_events(
    run: Run,
    older_than: Annotated[str, typer.Option("--older-than", metavar="SPAN", help="Received so long ago; 8d or more.")],
    give_up: Annotated[
        str, typer.Option("--give-up", metavar="TARGET", help="A target that is no more: it shall get nothing more.")
    ] = "",
    yes: Yes = False,
) -> None:
    """Delete old events, but none that a target has not got. The latest states of items stay."""
    from cpctl.cli.commands.webhooks.retention import prune_old

    prune_old(run, older_than, give_up, yes)


@commands.add("types", "cpctl webhooks types")
def list_types(run: Run) -> None:
    """List the types of webhooks, with their fields."""
    from cpctl.signals.webhook_types import WEBHOOKS

    run.show(
        [
            {
                "type": kind.name,
                "since": kind.since,
                "about": "item" if kind.about_item else "order",
                "required": ", ".join(kind.required),
                "optional": ", ".join(kind.optional),
                "meaning": kind.meaning,
            }
            for kind in WEBHOOKS.values()
        ],
        WEBHOOK_KIND,
    )
