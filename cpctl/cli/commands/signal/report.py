"""`cpctl signal report`: a shift in numbers, as data, as charts, or as a page to print."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.commands.signal.shift_charts import build_charts, format_charts
from cpctl.cli.commands.signal.shift_data import build_report, report_rows
from cpctl.cli.commands.signal.shift_times import ShiftTimes, resolve_times
from cpctl.cli.context import Context
from cpctl.clock import to_ms, utc_now
from cpctl.errors import InvalidInput
from cpctl.outbox.statistics import ShiftFilter, compute_shift_statistics
from cpctl.output.views import TableView, make_columns
from cpctl.signals.signal import quote_value

SHIFT_VIEW = TableView(make_columns("section", "key", "count"), report_rows, format_charts)


class ShiftSelection(NamedTuple):
    """The options that select a shift, as they were typed; None for all stations, all operators."""

    day: str
    begin: str
    end: str
    station: str | None
    operator: str | None


def show_report(context: Context, selection: ShiftSelection, html: str) -> None:
    """Show a shift; with `html`, also write it as a page."""
    now = utc_now().astimezone()
    day, begin, end, station, operator = selection
    times = resolve_times(day, begin, end, now.date())
    for option, value in (("--station", station), ("--operator", operator)):
        _require_utf8(option, value)
    first_hour_ms = [*times.hour_starts_ms, to_ms(times.start)][0]
    shift_filter = ShiftFilter(
        context.profile.name, to_ms(times.start), to_ms(times.end), first_hour_ms, station, operator
    )
    shift = compute_shift_statistics(context.store, shift_filter)
    report = build_report(shift, times, shift_filter, now)
    if not (shift.accepted_count or shift.audit_events):
        _note_empty_shift(context, times, shift_filter, now)
    if html:
        _write_page(context, html, report)
    if html != "-":
        context.show(report, SHIFT_VIEW)


def _require_utf8(option: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{option} {quote_value(value or '')} is not valid UTF-8.") from error


def _note_empty_shift(context: Context, times: ShiftTimes, shift_filter: ShiftFilter, now: datetime) -> None:
    by = "" if shift_filter.station is None else f' at station "{shift_filter.station}"'
    by += "" if shift_filter.operator is None else f' by operator "{shift_filter.operator}"'
    # Not the zone's name: Windows writes that in its own language.
    start, end = (f"{time:%Y-%m-%d %H:%M %z}" for time in (times.start, times.end))
    context.output.note(f"No signal was accepted{by} from {start} to {end}.")
    if times.start > now:
        context.output.note("This time is in the future; `--date yesterday` shows the previous night.")


def _write_page(context: Context, file: str, report: dict[str, Any]) -> None:
    from cpctl.output.html_page import render_page

    if file == "-":
        context.output.write(iter([render_page(build_charts(report))]))
    elif context.options.dry_run:
        context.output.note(f"Dry run: {file} was not written.")
    else:
        from cpctl.files import write_private

        write_private(Path(file), context.mask_keys(render_page(build_charts(report))))
        context.output.note(f"Written: {file}")
