"""Sending stored events again: to any URL at once, or to their own targets by the running receiver."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cpctl.cli.commands.webhooks.serve import check_target_url
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.clock import to_ms, utc_now
from cpctl.errors import ExitCode, InvalidInput
from cpctl.masking import MASK
from cpctl.output.columns import EVENT, WEBHOOK_REPLAY
from cpctl.signals.signal import quote_value
from cpctl.webhooks.events.deliveries import requeue
from cpctl.webhooks.events.event_store import get_events

_MAX_ANSWER_LENGTH = 200


def replay_to_url(context: Context, ids: Sequence[int], url: str, with_key: bool) -> None:
    """Post events to a URL, one after the other, and show each answer.

    Ends with 0 where all were taken, with 5 or 75 where all fared alike, else with 6. Raises InvalidInput,
    ConfigError, StoreError.
    """
    check_target_url(url)
    events = get_events(context.store, context.profile.name, ids)
    if context.options.dry_run:
        key = {"apikey": MASK} if with_key else {}
        show_calls(context, [{"method": "POST", "url": url, "body": {**key, **each["payload"]}} for each in events])
        return
    key = {"apikey": context.read_key("webhooks").value} if with_key else {}
    rows = [_post_event(context, event, url, key) for event in events]
    context.finish(rows, WEBHOOK_REPLAY, _combine_exit_statuses(row["status"] for row in rows))


def _post_event(context: Context, event: Mapping[str, Any], url: str, key: Mapping[str, str]) -> dict[str, Any]:
    from cpctl import __version__
    from cpctl.webhooks.events.http_post import TargetUnreachable, post

    headers = {"Content-Type": "application/json", "User-Agent": f"cpctl/{__version__}"}
    status: int | None = None
    try:
        answered = post(url, json.dumps({**key, **event["payload"]}).encode(), headers, context.profile.timeout)
        status, words = answered.status, _mask_and_shorten(answered.first_line, key)
    except TargetUnreachable as error:
        words = str(error)
    if status is None or not 200 <= status < 300:
        context.output.error(
            f"cpctl: Event {event['id']} was not taken: {' '.join(filter(None, [_format_status(status), words]))}."
        )
    return {"id": event["id"], "type": event["type"], "url": url, "status": status, "answer": words}


def _format_status(status: int | None) -> str:
    return "" if status is None else str(status)


def _mask_and_shorten(text: str, key: Mapping[str, str]) -> str:
    """What a target said, without the key, and only then cut: half a key is one too much."""
    for value in key.values():
        from cpctl.api.error_bodies import parse_error_message

        text = parse_error_message(text.encode(), value)  # understands JSON, in which a key may be written with escapes
    return text if len(text) <= _MAX_ANSWER_LENGTH else text[:_MAX_ANSWER_LENGTH] + "…"


def _combine_exit_statuses(statuses: Iterable[int | None]) -> ExitCode:
    codes = {_exit_status_for(status) for status in statuses}
    return codes.pop() if len(codes) == 1 else ExitCode.CONFLICT


def _exit_status_for(status: int | None) -> ExitCode:
    if status is None or status >= 500 or status in (408, 429):
        return ExitCode.TEMPORARY
    return ExitCode.DONE if 200 <= status < 300 else ExitCode.REFUSED


def replay_to_targets(context: Context, ids: Sequence[int]) -> None:
    """Let events go to their own targets again; the running receiver sends them. Raises InvalidInput, StoreError."""
    events = get_events(context.store, context.profile.name, ids)
    if missing := [event["id"] for event in events if not event["targets"]]:
        raise InvalidInput(
            f"Event {missing[0]} has no targets: none were given when it arrived.",
            "Nothing was changed. --to URL sends it anywhere.",
        )
    names = [each["target"] for event in events for each in event["targets"]]
    words = ", ".join(f"{names.count(name)} to {quote_value(name)}" for name in dict.fromkeys(names))
    if context.options.dry_run:
        context.output.note(f"Dry run: nothing was changed. Would go again: {words}.")
    else:
        requeue(context.store, ids, to_ms(utc_now()))
        events = get_events(context.store, context.profile.name, ids)
        context.output.note(f"Due again: {words}. A running `cpctl webhooks serve` with these targets sends them.")
    context.finish(events, EVENT, ExitCode.DONE)
