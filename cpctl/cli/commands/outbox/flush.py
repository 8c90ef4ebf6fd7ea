"""Flushing the outbox: once, for cron and for people, or on and on, as a service."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cpctl.cli.commands.signal.submit import tell_fates
from cpctl.cli.context import Run
from cpctl.cli.dry_run import show_calls
from cpctl.cli.signal_sender import calls_of, make_sender
from cpctl.errors import ExitCode
from cpctl.outbox.delivery_result import Reply
from cpctl.outbox.dispatcher import Delivery, Pause
from cpctl.outbox.models import Entry, State, exit_of, from_ms
from cpctl.outbox.outbox import utc_now
from cpctl.outbox.queries import Search, depth, find
from cpctl.output.columns import SIGNAL

if TYPE_CHECKING:
    from cpctl.outbox.delivery_result import Send

POLL_SECONDS = 1.0


def flush_once(run: Run, require_delivery: bool) -> None:
    """Send all that waits. Silent where nothing is left to do for a person, so that cron sends no mail."""
    before = depth(run.store, run.profile.name)
    if run.options.dry_run:
        waiting = find(run.store, Search(run.profile.name, (State.QUEUED,)))
        show_calls(run, calls_of(run.profile, [entry.signal for entry in waiting]))
        return
    reports: list[dict[str, Any]] = []
    pause = None
    if before.waiting:
        reports, pause = _flush(run, before.waiting)
    left = depth(run.store, run.profile.name).waiting
    status = _status(reports, pause, left, require_delivery)
    try:
        if run.options.output or run.options.query:
            run.finish(reports, SIGNAL, status)
        run.status, run.worked = status, True
    finally:
        _tell(run, reports, pause, left)


def _flush(run: Run, waiting: int) -> tuple[list[dict[str, Any]], Pause | None]:
    standing = _delivery(run, None).pause()
    if standing is not None:
        return [], standing
    reports = []
    started = time.monotonic()
    for entry, _ in _delivery(run, make_sender(run)).flush():
        reports.append(entry.report())
        rate = len(reports) / max(time.monotonic() - started, 0.001)
        run.output.progress(f"{len(reports)} of {waiting} tried, {rate:.0f} a second")
    run.output.progress("")
    return reports, None


def _delivery(run: Run, send: "Send | None") -> Delivery:
    return Delivery(run.outbox, send or _nothing, run.profile.timeout)


def _nothing(signals: Any) -> Reply:
    raise AssertionError("a paused queue is only looked at")


def _status(reports: list[dict[str, Any]], pause: Pause | None, left: int, require_delivery: bool) -> ExitCode:
    if pause is not None:
        return ExitCode.KEY_REFUSED if pause.http_status in (401, 403) else ExitCode.REFUSED
    if reports and (status := exit_of(reports, require_delivery)):
        return status
    return ExitCode.TEMPORARY if left and require_delivery else ExitCode.DONE


def _tell(run: Run, reports: list[dict[str, Any]], pause: Pause | None, left: int) -> None:
    talk = run.output
    if pause is not None:
        since = f"{from_ms(pause.paused_at).astimezone():%Y-%m-%d %H:%M}"
        talk.fail(f'cpctl: The queue of profile "{run.profile.name}" is paused since {since}: {pause.message}.')
        talk.fail(f"  {left} wait and are safe. When that is mended: `cpctl outbox release`, then flush again.")
        return
    tell_fates(run, [each for each in reports if each["state"] not in (State.QUEUED, State.DELIVERED)])
    if talk.talks_to_terminal or run.options.verbose:
        delivered = sum(each["state"] == State.DELIVERED for each in reports)
        reasons = {each["message"] for each in reports if each["state"] == State.QUEUED}
        why = f" ({'; '.join(sorted(reasons))})" if reasons else _asked_to_wait(run) if left else ""
        talk.note(f"{delivered} delivered, {left} waiting{why}.")


def _asked_to_wait(run: Run) -> str:
    """Why nothing more was tried, where the service said when to come back."""
    soonest = min((entry.not_before for entry in find(run.store, Search(run.profile.name, (State.QUEUED,)))), default=0)
    now = utc_now()
    if from_ms(soonest) <= now + timedelta(seconds=1):
        return ""
    until = f"{from_ms(soonest).astimezone():%H:%M:%S}"
    return f" (the service asked to wait until {until}; `cpctl outbox retry --all`, then flush, sends sooner)"


def watch(run: Run) -> None:
    """Flush whenever something is due, until the process is stopped. One line per fate on stderr."""
    send = make_sender(run)
    run.output.note(f'Watching the outbox of profile "{run.profile.name}" in {run.store.path}.')
    paused = False
    probe = True
    while True:
        standing = _delivery(run, None).pause()
        if standing is not None and not paused:
            _tell(run, [], standing, depth(run.store, run.profile.name).waiting)
        paused = standing is not None
        for entry, reply in _delivery(run, send).flush(probe=probe):
            _log(run, entry, reply)
        probe = False
        time.sleep(POLL_SECONDS)


def _log(run: Run, entry: Entry, reply: Reply) -> None:
    line = f"{entry.state} {entry.signal.kind.name} {entry.signal.order} {entry.signal.item} (signal {entry.id})"
    if entry.state is State.DELIVERED:
        run.output.note(line)
    else:
        run.output.fail(f"{line}: {reply.message}")
