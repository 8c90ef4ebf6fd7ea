"""`cpctl signal report`: a shift in numbers, as data, as charts, or as a page to print."""

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.context import Context
from cpctl.clock import format_iso, from_ms, to_ms, utc_now
from cpctl.errors import InvalidInput
from cpctl.outbox.models import STORED_STATES, WAITING_STATES, State
from cpctl.outbox.statistics import HOUR_MS, ShiftFilter, ShiftStatistics, compute_shift_statistics
from cpctl.output.reports import Bar, Chart, ChartReport, format_report, render_page
from cpctl.output.views import Record, TableView, make_columns
from cpctl.signals.signal import quote_value

# The sections that count signals: what a member is named by, and the heading of the chart.
_SECTIONS = {
    "types": ("type", "Signals by type"),
    "hours": ("hour", "Signals by hour"),
    "operators": ("operator", "Signals by operator"),
    "stations": ("station", "Signals by station"),
    "carriers": ("carrier", "Shipped by carrier"),
}
_AUDIT_TOTALS = {"conflicts": "conflict", "overrides": "override", "undone": "undo"}
_FACTS_SHOWN_AT_ZERO = ("accepted", State.DELIVERED, State.REFUSED, *_AUDIT_TOTALS)
_NUMERIC_KEY = re.compile("^(count|items|without_registration|.*_seconds)$")


def show_report(
    context: Context, day: str, begin: str, end: str, station: str | None, operator: str | None, html: str
) -> None:
    """Show a shift, of all stations or operators if None; with `html`, also write it as a page."""
    now = utc_now().astimezone()
    times = _resolve_times(day, begin, end, now.date())
    for option, name in (("--station", station or ""), ("--operator", operator or "")):
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise InvalidInput(f"{option} {quote_value(name)} is not valid UTF-8.")
    first_hour_ms = [*times.hour_starts_ms, to_ms(times.start)][0]
    shift_filter = ShiftFilter(
        context.profile.name, to_ms(times.start), to_ms(times.end), first_hour_ms, station, operator
    )
    shift = compute_shift_statistics(context.store, shift_filter)
    report = _build_report(shift, times, shift_filter, now)
    if not (shift.accepted_count or shift.audit_events):
        _note_empty_shift(context, times, shift_filter, now)
    if html:
        _write_page(context, html, report)
    if html != "-":
        context.show(report, _SHIFT_VIEW)


def _note_empty_shift(context: Context, times: "ShiftTimes", shift_filter: ShiftFilter, now: datetime) -> None:
    by = "" if shift_filter.station is None else f' at station "{shift_filter.station}"'
    by += "" if shift_filter.operator is None else f' by operator "{shift_filter.operator}"'
    # Not the zone's name: Windows writes that in its own language.
    start, end = (f"{time:%Y-%m-%d %H:%M %z}" for time in (times.start, times.end))
    context.output.note(f"No signal was accepted{by} from {start} to {end}.")
    if times.start > now:
        context.output.note("This time is in the future; `--date yesterday` shows the previous night.")


def _write_page(context: Context, file: str, report: Record) -> None:
    page = render_page(_build_charts(report))
    if file == "-":
        context.output.write(iter([page]))
    elif context.options.dry_run:
        context.output.note(f"Dry run: {file} was not written.")
    else:
        from cpctl.files import write_private

        write_private(Path(file), context.mask_keys(page))
        context.output.note(f"Written: {file}")


# --- times ----------------------------------------------------------------------------------


class ShiftTimes(NamedTuple):
    """A shift from `start` until before `end`, both in local time."""

    day: date
    start: datetime
    end: datetime

    @property
    def hour_starts_ms(self) -> list[int]:
        """The start of each hour of the shift (ms); the first is a full hour of the clock."""
        past_hour = timedelta(minutes=self.start.minute, seconds=self.start.second)
        return list(range(to_ms(self.start - past_hour), to_ms(self.end), HOUR_MS))


def _resolve_times(day_text: str, begin_text: str, end_text: str, today: date) -> ShiftTimes:
    day = _parse_day(day_text.strip(), today)
    begin, end = _parse_clock_time(begin_text, "--from"), _parse_clock_time(end_text, "--to")
    try:
        last_day = day + timedelta(days=1) if end <= begin else day
        # A day begins and ends by the local clock: when that changes, the day has 23 or 25 hours.
        return ShiftTimes(day, datetime.combine(day, begin).astimezone(), datetime.combine(last_day, end).astimezone())
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f'--date "{day_text}" is outside the range of this machine\'s clock.') from error


def _parse_day(text: str, today: date) -> date:
    if named := {"today": today, "yesterday": today - timedelta(days=1)}.get(text.lower()):
        return named
    with suppress(ValueError):
        if (day := date.fromisoformat(text)).isoformat() == text:  # not the other ISO forms, such as 20260120
            return day
    raise InvalidInput(f'--date "{text}" is not a day.', "Write it as today, yesterday or 2026-01-20.")


def _parse_clock_time(text: str, option: str) -> time:
    given = text.strip() or "0:00"
    if (option, given) == ("--to", "24:00"):
        return time()
    if match := re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", given):
        return time(int(match[1]), int(match[2]))
    raise InvalidInput(f'{option} "{text}" is not a time of day.', "Write it as 22:00.")


# --- data -----------------------------------------------------------------------------------


def _build_report(
    shift: ShiftStatistics, times: ShiftTimes, shift_filter: ShiftFilter, now: datetime
) -> dict[str, Any]:
    """The shift as one JSON object."""
    states = {str(state): shift.states.get(state, 0) for state in STORED_STATES}
    audit_events = {name: shift.audit_events.get(kind, 0) for name, kind in _AUDIT_TOTALS.items()}
    counts = {
        section: [{key: value, "count": count} for value, count in getattr(shift, section).items()]
        for section, (key, _) in _SECTIONS.items()
    }
    waiting, lead = shift.waiting, shift.lead_time
    oldest_ms = waiting.oldest_accepted_ms
    durations_ms = {"median": lead.median_ms, "p90": lead.p90_ms, "slowest": lead.slowest_ms}
    return {
        "profile": shift_filter.profile,
        "date": times.day.isoformat(),
        "from": times.start.isoformat(),
        "to": times.end.isoformat(),
        "station": shift_filter.station,
        "operator": shift_filter.operator,
        "totals": {"accepted": shift.accepted_count, **states, **audit_events},
        **counts,
        "hours": _make_hour_rows(shift, times),
        "waiting_now": {
            "count": waiting.number,
            "oldest_seconds": None if oldest_ms is None else max(to_ms(now) - oldest_ms, 0) // 1000,
            "oldest_accepted_at": format_iso(oldest_ms),
            "oldest_id": None if waiting.oldest_id is None else str(waiting.oldest_id),
            "oldest_order": waiting.oldest_order or None,
            "oldest_item": waiting.oldest_item or None,
        },
        "registered_to_shipped": {
            "items": lead.item_count,
            "without_registration": lead.unregistered_count,
            **{f"{name}_seconds": None if ms is None else ms // 1000 for name, ms in durations_ms.items()},
            "slowest_order": lead.slowest_order or None,
            "slowest_item": lead.slowest_item or None,
        },
    }


def _make_hour_rows(shift: ShiftStatistics, times: ShiftTimes) -> list[dict[str, Any]]:
    starts = [from_ms(ms).astimezone() for ms in times.hour_starts_ms]
    names = [f"{start:%H:%M}" for start in starts]
    # When the clock is set back, the repeated hours show their offset.
    names = [name if names.count(name) == 1 else f"{name}{start:%z}" for name, start in zip(names, starts, strict=True)]
    return [
        {"hour": name, "from": start.isoformat(), "count": shift.hours.get(number, 0)}
        for number, (name, start) in enumerate(zip(names, starts, strict=True))
    ]


def _make_rows(report: Record) -> list[Record]:
    rows = [("total", key, count) for key, count in report["totals"].items()]
    for section, (name, _) in _SECTIONS.items():
        rows += [(name, row[name], row["count"]) for row in report[section]]
    for section in ("waiting_now", "registered_to_shipped"):
        rows += [(section, key, value) for key, value in report[section].items() if _NUMERIC_KEY.search(key)]
    return [{"section": section, "key": key, "count": count} for section, key, count in rows]


# --- charts ---------------------------------------------------------------------------------


def _build_charts(report: Record) -> ChartReport:
    start, end = datetime.fromisoformat(report["from"]), datetime.fromisoformat(report["to"])
    hours = f"{(end - start).total_seconds() / 3600:.2f}".rstrip("0").rstrip(".")
    subtitle = [f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({hours} h)", f"profile {report['profile']}"]
    subtitle += [f"{name} {report[name] or '(none)'}" for name in ("station", "operator") if report[name] is not None]
    charts = []
    for section, (name, heading) in sorted(_SECTIONS.items(), key=lambda row: row[0] != "hours"):
        bars = [Bar(row[name] or "(none)", row["count"]) for row in report[section]]
        charts.append(Chart(heading, bars, is_vertical=section == "hours"))
    return ChartReport(f"Shift of {report['date']}", " · ".join(subtitle), _list_facts(report), charts)


def _list_facts(report: Record) -> list[tuple[str, str]]:
    facts = [
        (name, str(count))
        for name, count in report["totals"].items()
        if (count or name in _FACTS_SHOWN_AT_ZERO) and name not in WAITING_STATES
    ]
    waiting, lead = report["waiting_now"], report["registered_to_shipped"]
    facts.append(("waiting now", str(waiting["count"])))
    if waiting["count"]:
        facts.append(("oldest waiting for", _format_age(waiting["oldest_seconds"])))
    if lead["items"]:
        facts.append(("registered to shipped", f"{lead['items']} items"))
        facts += [(name, _format_age(lead[f"{name}_seconds"])) for name in ("median", "p90", "slowest")]
        facts.append(("slowest item", str(lead["slowest_item"])))
    if lead["without_registration"]:
        facts.append(("shipped without registration", str(lead["without_registration"])))
    return facts


def _format_age(seconds: int) -> str:
    """A duration in its two largest units: `2 d 5 h`, `14 h 23 min`, `40 s`."""
    for unit, size, next_unit, next_size in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // next_size
            return f"{seconds // size} {unit}" + (f" {rest} {next_unit}" if rest else "")
    return f"{seconds} s"


_SHIFT_VIEW = TableView(
    make_columns("section", "key", "count"),
    _make_rows,
    lambda report, terminal: format_report(_build_charts(report), terminal),
)
