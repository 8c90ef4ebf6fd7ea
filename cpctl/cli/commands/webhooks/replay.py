"""`cpctl webhooks replay`: post stored events to a URL, or requeue them for their own targets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cpctl.cli.commands.webhooks.target_options import check_target_url
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.clock import now_ms
from cpctl.errors import ExitCode, InvalidInput
from cpctl.masking import MASK
from cpctl.net import Unreachable, post
from cpctl.output.columns import EVENT, WEBHOOK_REPLAY
from cpctl.signals.signal import quote_value
from cpctl.webhooks.events.deliveries import requeue
from cpctl.webhooks.events.event_search import get_events

_MAX_RESPONSE_LENGTH = 200


def replay_to_url(context: Context, ids: Sequence[int], url: str, with_key: bool) -> None:
    """Post events to a URL and show each response. Raises InvalidInput, ConfigError, StoreError.

    The exit status is 0 if all were accepted, 5 or 75 if all failed in the same way, else 6.
    """
    check_target_url(url)
    events = get_events(context.store, context.profile.name, ids)
    if context.options.dry_run:
        key = {"apikey": MASK} if with_key else {}
        show_calls(context, [{"method": "POST", "url": url, "body": {**key, **event["payload"]}} for event in events])
        return
    key = {"apikey": context.read_key("webhooks").value} if with_key else {}
    rows = [_post_event(context, event, url, key) for event in events]
    statuses = {_exit_status_for(row["status"]) for row in rows}
    context.finish(rows, WEBHOOK_REPLAY, statuses.pop() if len(statuses) == 1 else ExitCode.CONFLICT)


def _post_event(context: Context, event: Mapping[str, Any], url: str, key: Mapping[str, str]) -> dict[str, Any]:
    from cpctl import __version__

    headers = {"Content-Type": "application/json", "User-Agent": f"cpctl/{__version__}"}
    status: int | None = None
    try:
        response = post(url, json.dumps({**key, **event["payload"]}).encode(), headers, context.profile.timeout)
        status, text = response.status, _mask_and_shorten(response.first_line, key)
    except Unreachable as error:
        text = str(error)
    if status is None or not 200 <= status < 300:
        reason = " ".join(filter(None, ["" if status is None else str(status), text]))
        context.output.error(f"cpctl: Event {event['id']} was not accepted: {reason}.")
    return {"id": event["id"], "type": event["type"], "url": url, "status": status, "response": text}


def _mask_and_shorten(text: str, key: Mapping[str, str]) -> str:
    """Mask the key before shortening: part of a key would not be recognized."""
    for value in key.values():
        from cpctl.api.error_bodies import parse_error_message

        text = parse_error_message(text.encode(), value)  # reads JSON, in which a key may be escaped
    return text if len(text) <= _MAX_RESPONSE_LENGTH else text[:_MAX_RESPONSE_LENGTH] + "…"


def _exit_status_for(status: int | None) -> ExitCode:
    if status is None or status >= 500 or status in (408, 429):
        return ExitCode.TEMPORARY
    return ExitCode.DONE if 200 <= status < 300 else ExitCode.REFUSED


def replay_to_targets(context: Context, ids: Sequence[int]) -> None:
    """Requeue events for their own targets; the running receiver sends them. Raises InvalidInput, StoreError."""
    events = get_events(context.store, context.profile.name, ids)
    if without_targets := [event["id"] for event in events if not event["targets"]]:
        raise InvalidInput(
            f"Event {without_targets[0]} has no targets: the receiver had none when it arrived.",
            "Nothing was changed. Use --to URL to send it anywhere.",
        )
    names = [delivery["target"] for event in events for delivery in event["targets"]]
    counts = ", ".join(f"{names.count(name)} to {quote_value(name)}" for name in dict.fromkeys(names))
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was changed. Would send again: {counts}.")
    else:
        requeue(context.store, ids, now_ms())
        events = get_events(context.store, context.profile.name, ids)
        context.output.note(f"Requeued: {counts}. A running `cpctl webhooks serve` with these targets sends them.")
    context.finish(events, EVENT, ExitCode.DONE)
