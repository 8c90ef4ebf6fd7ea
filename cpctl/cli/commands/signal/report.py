"""The words of `signal report`: which time a shift is, and how its numbers are told."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.context import Context
from cpctl.clock import format_iso, from_ms, to_ms, utc_now
from cpctl.errors import InvalidInput
from cpctl.outbox.models import STORED_STATES, WAITING_STATES, State
from cpctl.outbox.statistics import (
    HOUR_MS,
    LeadTime,
    ShiftFilter,
    ShiftStatistics,
    WaitingSummary,
    compute_shift_statistics,
)
from cpctl.output.bar_chart import Bar, Chart, ChartReport, format_report
from cpctl.output.columns import Record, TableView, make_columns
from cpctl.output.text import TerminalInfo
from cpctl.signals.signal import quote_value


class ShiftSelection(NamedTuple):
    """Which shift is wanted, as it was typed; None for all stations, all operators."""

    day: str
    begin: str
    end: str
    station: str | None
    operator: str | None


class ShiftTimes(NamedTuple):
    """A shift from `start` until before `end`, both in local time."""

    day: date
    start: datetime
    end: datetime

    @property
    def hour_starts_ms(self) -> list[int]:
        """When each hour of the shift begins (ms); the first begins on the clock's full hour."""
        past = timedelta(minutes=self.start.minute, seconds=self.start.second)
        return list(range(to_ms(self.start - past), to_ms(self.end), HOUR_MS))


def show_report(context: Context, selection: ShiftSelection, html: str) -> None:
    """The whole of `signal report`."""
    now = utc_now().astimezone()
    times = resolve_times(selection, now.date())
    for name, value in (("--station", selection.station), ("--operator", selection.operator)):
        _require_utf8(name, value)
    hours = times.hour_starts_ms
    first = hours[0] if hours else to_ms(times.start)
    whose = {"station": selection.station, "operator": selection.operator}
    span = ShiftFilter(context.profile.name, to_ms(times.start), to_ms(times.end), first, **whose)
    shift = compute_shift_statistics(context.store, span)
    report = build_report(shift, times, span, now)
    _note_if_empty(context, shift, times, selection, now)
    if html:
        _write_page(context, html, report)
    if html != "-":
        context.show(report, SHIFT_SHEET)


def _require_utf8(option: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{option} {quote_value(value or '')} is not text in UTF-8.") from error


# --- which time ---------------------------------------------------------------------------


def resolve_times(selection: ShiftSelection, today: date) -> ShiftTimes:
    """The time of a shift, from midnight to midnight unless the choice says otherwise. Raises InvalidInput."""
    day = _parse_day(selection.day, today)
    begin, end = _parse_clock_time(selection.begin, "--from"), _parse_clock_time(selection.end, "--to")
    try:
        past_midnight = end <= begin
        last = day + timedelta(days=1) if past_midnight else day
        # A day begins and ends by the local clock; where that is changed it has 23 or 25 hours.
        return ShiftTimes(day, datetime.combine(day, begin).astimezone(), datetime.combine(last, end).astimezone())
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f'--date "{selection.day}" is beyond what this machine can reckon with.') from error


def _parse_day(text: str, today: date) -> date:
    named = {"today": today, "yesterday": today - timedelta(days=1)}.get(text.strip().lower())
    if named:
        return named
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise InvalidInput(f'--date "{text}" is not a day.', "Write it as today, yesterday or 2026-01-20.")


def _parse_clock_time(text: str, option: str) -> time:
    """A time of day; midnight where none is given."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text.strip() or "0:00")
    if match and (option, match[0]) == ("--to", "24:00"):
        return time()
    try:
        if match:
            return time(int(match[1]), int(match[2]))
    except ValueError:
        pass
    raise InvalidInput(f'{option} "{text}" is not a time of day.', "Write it as 22:00.")


# --- what scripts get ---------------------------------------------------------------------


def build_report(shift: ShiftStatistics, times: ShiftTimes, span: ShiftFilter, now: datetime) -> dict[str, Any]:
    """The shift as scripts see it."""
    return {
        "profile": span.profile,
        "date": times.day.isoformat(),
        "from": times.start.isoformat(),
        "to": times.end.isoformat(),
        "station": span.station,
        "operator": span.operator,
        "totals": _summarize_totals(shift),
        "types": _count_rows("type", shift.types),
        "hours": _hour_rows(shift, times),
        "operators": _count_rows("operator", shift.operators),
        "stations": _count_rows("station", shift.stations),
        "carriers": _count_rows("carrier", shift.carriers),
        "waiting_now": _summarize_waiting(shift.waiting, now),
        "registered_to_shipped": _summarize_lead_time(shift.lead_time),
    }


def _summarize_totals(shift: ShiftStatistics) -> dict[str, int]:
    states = {str(state): shift.states.get(state, 0) for state in STORED_STATES}
    moments = {"conflicts": "conflict", "overrides": "override", "undone": "undo"}
    return {
        "accepted": shift.accepted_count,
        **states,
        **{name: shift.audit_events.get(of, 0) for name, of in moments.items()},
    }


def _count_rows(name: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{name: value, "count": count} for value, count in counts.items()]


def _hour_rows(shift: ShiftStatistics, times: ShiftTimes) -> list[dict[str, Any]]:
    starts = [from_ms(ms).astimezone() for ms in times.hour_starts_ms]
    clock = [f"{at:%H:%M}" for at in starts]
    return [
        # The hour that a clock change repeats says which of the two it is.
        {
            "hour": name if clock.count(name) == 1 else f"{name}{at:%z}",
            "from": at.isoformat(),
            "count": shift.hours.get(number, 0),
        }
        for number, (name, at) in enumerate(zip(clock, starts, strict=True))
    ]


def _summarize_waiting(waiting: WaitingSummary, now: datetime) -> dict[str, Any]:
    age = max(to_ms(now) - waiting.oldest_accepted_ms, 0) // 1000 if waiting.oldest_accepted_ms is not None else None
    return {
        "count": waiting.number,
        "oldest_seconds": age,
        "oldest_accepted_at": format_iso(waiting.oldest_accepted_ms),
        "oldest_id": None if waiting.oldest_id is None else str(waiting.oldest_id),
        "oldest_order": waiting.oldest_order or None,
        "oldest_item": waiting.oldest_item or None,
    }


def _summarize_lead_time(lead: LeadTime) -> dict[str, Any]:
    def seconds(ms: int | None) -> int | None:
        return None if ms is None else ms // 1000

    return {
        "items": lead.item_count,
        "without_registration": lead.unregistered_count,
        "median_seconds": seconds(lead.median_ms),
        "p90_seconds": seconds(lead.p90_ms),
        "slowest_seconds": seconds(lead.slowest_ms),
        "slowest_order": lead.slowest_order or None,
        "slowest_item": lead.slowest_item or None,
    }


_SECTION_KEYS = {
    "types": "type",
    "hours": "hour",
    "operators": "operator",
    "stations": "station",
    "carriers": "carrier",
}
_NUMERIC_KEY = re.compile("^(count|items|without_registration|.*_seconds)$")


def _report_rows(report: Record) -> list[Record]:
    """The report as lines of section, key and count."""
    rows = [("total", key, count) for key, count in report["totals"].items()]
    for section, name in _SECTION_KEYS.items():
        rows += [(name, each[name], each["count"]) for each in report[section]]
    for section in ("waiting_now", "registered_to_shipped"):
        rows += [(section, key, value) for key, value in report[section].items() if _NUMERIC_KEY.search(key)]
    return [{"section": section, "key": key, "count": count} for section, key, count in rows]


# --- what people get ----------------------------------------------------------------------


def _note_if_empty(
    context: Context, shift: ShiftStatistics, times: ShiftTimes, selection: ShiftSelection, now: datetime
) -> None:
    if shift.accepted_count or shift.audit_events:
        return
    whose = "".join(
        f' {word} "{name}"'
        for word, name in (("at station", selection.station), ("by operator", selection.operator))
        if name is not None
    )
    context.output.note(f"No signal was accepted{whose} from {_format_time(times.start)} to {_format_time(times.end)}.")
    if times.start > now:
        context.output.note("That time is yet to come; `--date yesterday` shows the night before.")


def _format_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %z}"  # not the zone's name: Windows writes that in its own language


def _write_page(context: Context, file: str, report: Record) -> None:
    from cpctl.output.html_page import render_page

    if file == "-":
        context.output.write(iter([render_page(draw_report(report))]))
    elif context.options.dry_run:
        context.output.note(f"Dry run: {file} was not written.")
    else:
        from cpctl.files import write_private

        write_private(Path(file), context.mask_keys(render_page(draw_report(report))))
        context.output.note(f"Written: {file}")


def draw_report(report: Record) -> ChartReport:
    """The report as people see it, on a terminal and on paper."""
    start, end = datetime.fromisoformat(report["from"]), datetime.fromisoformat(report["to"])
    about = [
        f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({_format_duration(end, start)})",
        f"profile {report['profile']}",
    ]
    about += [f"{name} {report[name] or '(none)'}" for name in ("station", "operator") if report[name] is not None]
    charts = [
        Chart(heading, [Bar(each[name] or "(none)", each["count"]) for each in report[section]], name == "hour")
        for heading, section, name in _CHART_HEADINGS
    ]
    return ChartReport(f"Shift of {report['date']}", " · ".join(about), _list_facts(report), charts)


_CHART_HEADINGS = (
    ("Signals by hour", "hours", "hour"),
    ("Signals by type", "types", "type"),
    ("Signals by operator", "operators", "operator"),
    ("Signals by station", "stations", "station"),
    ("Shipped by carrier", "carriers", "carrier"),
)
# These are told even where there are none.
_FACTS_SHOWN_AT_ZERO = ("accepted", State.DELIVERED, State.REFUSED, "conflicts", "overrides", "undone")


def _format_duration(end: datetime, start: datetime) -> str:
    hours = (end - start).total_seconds() / 3600
    return f"{hours:.2f}".rstrip("0").rstrip(".") + " h"


def _list_facts(report: Record) -> Sequence[tuple[str, str]]:
    facts = [
        (name, str(count))
        for name, count in report["totals"].items()
        if (count or name in _FACTS_SHOWN_AT_ZERO) and name not in WAITING_STATES
    ]
    now, lead = report["waiting_now"], report["registered_to_shipped"]
    facts.append(("waiting now", str(now["count"])))
    if now["count"]:
        facts.append(("oldest waits", _format_age(now["oldest_seconds"])))
    if lead["items"]:
        facts += [
            ("registered to shipped", f"{lead['items']} items"),
            ("median", _format_age(lead["median_seconds"])),
            ("p90", _format_age(lead["p90_seconds"])),
            ("slowest", _format_age(lead["slowest_seconds"])),
            ("slowest item", str(lead["slowest_item"])),
        ]
    if lead["without_registration"]:
        facts.append(("shipped without registration", str(lead["without_registration"])))
    return facts


def _format_age(seconds: int) -> str:
    """A span with its two largest units: `2 d 5 h`, `14 h 23 min`, `40 s`."""
    for unit, size, next_unit, next_size in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // next_size
            return f"{seconds // size} {unit}" + (f" {rest} {next_unit}" if rest else "")
    return f"{seconds} s"


def _render(report: Any, screen: TerminalInfo) -> str:
    return format_report(draw_report(report), screen)


SHIFT_SHEET = TableView(make_columns("section", "key", "count"), _report_rows, _render)
