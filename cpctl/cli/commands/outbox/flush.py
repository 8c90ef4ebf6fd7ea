"""Flushing the outbox: once, for cron and for people, or on and on, as a service."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cpctl.cli.commands.signal.submit import print_next_steps
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.clock import from_ms, utc_now
from cpctl.errors import ExitCode
from cpctl.outbox.delivery_result import DeliveryResult
from cpctl.outbox.dispatcher import Dispatcher, Pause
from cpctl.outbox.models import QueuedSignal, State, exit_status
from cpctl.outbox.queries import SignalQuery, find_signals, read_queue_depth
from cpctl.output.columns import SIGNAL
from cpctl.sdk.sender import build_calls

if TYPE_CHECKING:
    from cpctl.outbox.delivery_result import Send

POLL_SECONDS = 1.0


def flush_once(context: Context, require_delivery: bool) -> None:
    """Send all that waits. Silent where nothing is left to do for a person, so that cron sends no mail."""
    before = read_queue_depth(context.store, context.profile.name)
    if context.options.dry_run:
        waiting = find_signals(context.store, SignalQuery(context.profile.name, (State.QUEUED,)))
        show_calls(context, build_calls(context.profile, [entry.signal for entry in waiting]))
        return
    reports: list[dict[str, Any]] = []
    pause = None
    if before.waiting_count:
        reports, pause = _flush_waiting(context, before.waiting_count)
    left = read_queue_depth(context.store, context.profile.name).waiting_count
    status = _exit_status(reports, pause, left, require_delivery)
    try:
        if context.options.output or context.options.query:
            context.finish(reports, SIGNAL, status)
        context.exit_status, context.is_work_done = status, True
    finally:
        _report_flush(context, reports, pause, left)


def _flush_waiting(context: Context, waiting_count: int) -> tuple[list[dict[str, Any]], Pause | None]:
    standing = _make_dispatcher(context, None).get_pause()
    if standing is not None:
        return [], standing
    reports = []
    started = time.monotonic()
    for entry, _ in _make_dispatcher(context, context.make_signal_sender()).flush():
        reports.append(entry.to_dict())
        rate = len(reports) / max(time.monotonic() - started, 0.001)
        context.output.progress(f"{len(reports)} of {waiting_count} tried, {rate:.0f} a second")
    context.output.progress("")
    return reports, None


def _make_dispatcher(context: Context, send: "Send | None") -> Dispatcher:
    return Dispatcher(context.outbox, send or _send_nothing, context.profile.timeout)


def _send_nothing(signals: Any) -> DeliveryResult:
    raise AssertionError("a paused queue is only looked at")


def _exit_status(
    reports: list[dict[str, Any]], pause: Pause | None, remaining: int, require_delivery: bool
) -> ExitCode:
    if pause is not None:
        return ExitCode.KEY_REFUSED if pause.http_status in (401, 403) else ExitCode.REFUSED
    if reports and (status := exit_status(reports, require_delivery)):
        return status
    return ExitCode.TEMPORARY if remaining and require_delivery else ExitCode.DONE


def _report_flush(context: Context, reports: list[dict[str, Any]], pause: Pause | None, remaining: int) -> None:
    talk = context.output
    if pause is not None:
        since = f"{from_ms(pause.paused_at).astimezone():%Y-%m-%d %H:%M}"
        talk.error(f'cpctl: The queue of profile "{context.profile.name}" is paused since {since}: {pause.message}.')
        talk.error(f"  {remaining} wait and are safe. When that is mended: `cpctl outbox release`, then flush again.")
        return
    print_next_steps(context, [each for each in reports if each["state"] not in (State.QUEUED, State.DELIVERED)])
    if talk.stderr_is_terminal or context.options.verbose:
        delivered = sum(each["state"] == State.DELIVERED for each in reports)
        reasons = {each["message"] for each in reports if each["state"] == State.QUEUED}
        why = f" ({'; '.join(sorted(reasons))})" if reasons else _describe_retry_after(context) if remaining else ""
        talk.note(f"{delivered} delivered, {remaining} waiting{why}.")


def _describe_retry_after(context: Context) -> str:
    """Why nothing more was tried, where the service said when to come back."""
    soonest = min(
        (entry.not_before for entry in find_signals(context.store, SignalQuery(context.profile.name, (State.QUEUED,)))),
        default=0,
    )
    now = utc_now()
    if from_ms(soonest) <= now + timedelta(seconds=1):
        return ""
    until = f"{from_ms(soonest).astimezone():%H:%M:%S}"
    return f" (the service asked to wait until {until}; `cpctl outbox retry --all`, then flush, sends sooner)"


def watch_outbox(context: Context) -> None:
    """Flush whenever something is due, until the process is stopped. One line per fate on stderr."""
    send = context.make_signal_sender()
    context.output.note(f'Watching the outbox of profile "{context.profile.name}" in {context.store.path}.')
    paused = False
    probe = True
    while True:
        standing = _make_dispatcher(context, None).get_pause()
        if standing is not None and not paused:
            _report_flush(context, [], standing, read_queue_depth(context.store, context.profile.name).waiting_count)
        paused = standing is not None
        for entry, reply in _make_dispatcher(context, send).flush(probe=probe):
            _log_delivery(context, entry, reply)
        probe = False
        time.sleep(POLL_SECONDS)


def _log_delivery(context: Context, entry: QueuedSignal, result: DeliveryResult) -> None:
    line = f"{entry.state} {entry.signal.type.name} {entry.signal.order} {entry.signal.item} (signal {entry.id})"
    if entry.state is State.DELIVERED:
        context.output.note(line)
    else:
        context.output.error(f"{line}: {result.message}")
