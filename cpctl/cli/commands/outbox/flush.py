"""`cpctl outbox flush`: once, for cron and for people, or continuously, as a service."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cpctl.cli.commands.signal.submit import print_next_steps
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.clock import from_ms, utc_now
from cpctl.errors import ExitCode
from cpctl.outbox.dispatcher import Dispatcher
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import Pause
from cpctl.outbox.queries import SignalQuery, find_signals, read_queue_depth
from cpctl.output.columns import SIGNAL
from cpctl.sdk.results import exit_status
from cpctl.sdk.sender import build_calls

POLL_SECONDS = 1.0
Report = dict[str, Any]


def flush_once(context: Context, require_delivery: bool) -> None:
    """Send everything that waits. Silent if nobody needs to act, so that cron sends no mail."""
    if context.options.dry_run:
        show_calls(context, build_calls(context.profile, [queued.signal for queued in _queued_signals(context)]))
        return
    waiting = _count_waiting(context)
    pause = context.outbox.read_pause() if waiting else None
    reports = _flush_waiting(context, waiting) if waiting and pause is None else []
    remaining = _count_waiting(context)
    status = _exit_status(reports, pause, remaining, require_delivery)
    try:
        if context.options.output or context.options.query:
            context.finish(reports, SIGNAL, status)
        context.exit_status, context.is_work_done = status, True
    finally:
        _report_flush(context, reports, pause, remaining)


def _count_waiting(context: Context) -> int:
    return read_queue_depth(context.store, context.profile.name).waiting_count


def _queued_signals(context: Context) -> list[QueuedSignal]:
    return find_signals(context.store, SignalQuery(context.profile.name, (State.QUEUED,)))


def _flush_waiting(context: Context, waiting_count: int) -> list[Report]:
    reports = []
    started = time.monotonic()
    for queued, _ in Dispatcher(context.outbox, context.make_signal_sender(), context.profile.timeout).flush():
        reports.append(queued.to_dict())
        rate = len(reports) / max(time.monotonic() - started, 0.001)
        context.output.progress(f"{len(reports)} of {waiting_count} tried, {rate:.0f} a second")
    context.output.progress("")
    return reports


def _exit_status(reports: list[Report], pause: Pause | None, remaining: int, require_delivery: bool) -> ExitCode:
    if pause is not None:
        return ExitCode.KEY_REFUSED if pause.http_status in (401, 403) else ExitCode.REFUSED
    if reports and (status := exit_status(reports, require_delivery)):
        return status
    return ExitCode.TEMPORARY if remaining and require_delivery else ExitCode.DONE


def _report_flush(context: Context, reports: Sequence[Report], pause: Pause | None, remaining: int) -> None:
    output = context.output
    if pause is not None:
        since = f"{from_ms(pause.paused_at).astimezone():%Y-%m-%d %H:%M}"
        output.error(f'cpctl: The queue of profile "{context.profile.name}" is paused since {since}: {pause.message}.')
        output.error(f"  {remaining} wait and are safe. Fix the cause, then `cpctl outbox release` and flush again.")
        return
    print_next_steps(context, [row for row in reports if row["state"] not in (State.QUEUED, State.DELIVERED)])
    if output.stderr_is_terminal or context.options.verbose:
        delivered = sum(row["state"] == State.DELIVERED for row in reports)
        messages = {row["message"] for row in reports if row["state"] == State.QUEUED}
        reason = "; ".join(sorted(messages)) or (_describe_retry_after(context) if remaining else "")
        output.note(f"{delivered} delivered, {remaining} waiting{f' ({reason})' if reason else ''}.")


def _describe_retry_after(context: Context) -> str:
    soonest = from_ms(min((queued.not_before for queued in _queued_signals(context)), default=0))
    if soonest <= utc_now() + timedelta(seconds=1):
        return ""
    until = f"{soonest.astimezone():%H:%M:%S}"
    return f"the service asked to wait until {until}; `cpctl outbox retry --all`, then flush, sends sooner"


def watch_outbox(context: Context) -> None:
    """Flush whenever something is due, until the process is stopped. One line per result on stderr."""
    send = context.make_signal_sender()
    context.output.note(f'Watching the outbox of profile "{context.profile.name}" in {context.store.path}.')
    was_paused, probe = False, True
    while True:
        pause = context.outbox.read_pause()
        if pause is not None and not was_paused:
            _report_flush(context, [], pause, _count_waiting(context))
        was_paused = pause is not None
        for queued, result in Dispatcher(context.outbox, send, context.profile.timeout).flush(probe=probe):
            signal = queued.signal
            line = f"{queued.state} {signal.type.name} {signal.order} {signal.item} (signal {queued.id})"
            if queued.state is State.DELIVERED:
                context.output.note(line)
            else:
                context.output.error(f"{line}: {result.message}")
        probe = False
        time.sleep(POLL_SECONDS)
