"""The words of `signal report`: which time a shift is, and how its numbers are told."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.cli.context import Run
from cpctl.errors import InvalidInput
from cpctl.outbox.models import STORED_STATES, WAITING, State, from_ms, iso, to_ms
from cpctl.outbox.outbox import utc_now
from cpctl.outbox.statistics import HOUR_MS, Lead, Shift, Span, Waiting, shift_of
from cpctl.output.bar_chart import Bar, Chart, Drawing, drawing_text
from cpctl.output.columns import Record, Sheet, columns
from cpctl.output.text import Screen
from cpctl.signals.signal import shorten


class Choice(NamedTuple):
    """Which shift is wanted, as it was typed; None for all stations, all operators."""

    day: str
    begin: str
    end: str
    station: str | None
    operator: str | None


class Times(NamedTuple):
    """A shift from `start` until before `end`, both in local time."""

    day: date
    start: datetime
    end: datetime

    @property
    def hours(self) -> list[int]:
        """When each hour of the shift begins (ms); the first begins on the clock's full hour."""
        past = timedelta(minutes=self.start.minute, seconds=self.start.second)
        return list(range(to_ms(self.start - past), to_ms(self.end), HOUR_MS))


def show_report(run: Run, choice: Choice, html: str) -> None:
    """The whole of `signal report`."""
    now = utc_now().astimezone()
    times = times_of(choice, now.date())
    for name, value in (("--station", choice.station), ("--operator", choice.operator)):
        _check_name(name, value)
    hours = times.hours
    first = hours[0] if hours else to_ms(times.start)
    whose = {"station": choice.station, "operator": choice.operator}
    span = Span(run.profile.name, to_ms(times.start), to_ms(times.end), first, **whose)
    shift = shift_of(run.store, span)
    report = as_report(shift, times, span, now)
    _remark(run, shift, times, choice, now)
    if html:
        _write_page(run, html, report)
    if html != "-":
        run.show(report, SHIFT)


def _check_name(option: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{option} {shorten(value or '')} is not text in UTF-8.") from error


# --- which time ---------------------------------------------------------------------------


def times_of(choice: Choice, today: date) -> Times:
    """The time of a shift, from midnight to midnight unless the choice says otherwise. Raises InvalidInput."""
    day = _day(choice.day, today)
    begin, end = _clock_time(choice.begin, "--from"), _clock_time(choice.end, "--to")
    try:
        past_midnight = end <= begin
        last = day + timedelta(days=1) if past_midnight else day
        # A day begins and ends by the local clock; where that is changed it has 23 or 25 hours.
        return Times(day, datetime.combine(day, begin).astimezone(), datetime.combine(last, end).astimezone())
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f'--date "{choice.day}" is beyond what this machine can reckon with.') from error


def _day(text: str, today: date) -> date:
    named = {"today": today, "yesterday": today - timedelta(days=1)}.get(text.strip().lower())
    if named:
        return named
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise InvalidInput(f'--date "{text}" is not a day.', "Write it as today, yesterday or 2026-01-20.")


def _clock_time(text: str, option: str) -> time:
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


def as_report(shift: Shift, times: Times, span: Span, now: datetime) -> dict[str, Any]:
    """The shift as scripts see it."""
    return {
        "profile": span.profile,
        "date": times.day.isoformat(),
        "from": times.start.isoformat(),
        "to": times.end.isoformat(),
        "station": span.station,
        "operator": span.operator,
        "totals": _totals(shift),
        "types": _counted("type", shift.types),
        "hours": _hours(shift, times),
        "operators": _counted("operator", shift.operators),
        "stations": _counted("station", shift.stations),
        "carriers": _counted("carrier", shift.carriers),
        "waiting_now": _waiting(shift.waiting, now),
        "registered_to_shipped": _lead(shift.lead),
    }


def _totals(shift: Shift) -> dict[str, int]:
    states = {str(state): shift.states.get(state, 0) for state in STORED_STATES}
    moments = {"conflicts": "conflict", "overrides": "override", "undone": "undo"}
    return {"accepted": shift.accepted, **states, **{name: shift.moments.get(of, 0) for name, of in moments.items()}}


def _counted(name: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{name: value, "count": count} for value, count in counts.items()]


def _hours(shift: Shift, times: Times) -> list[dict[str, Any]]:
    starts = [from_ms(ms).astimezone() for ms in times.hours]
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


def _waiting(waiting: Waiting, now: datetime) -> dict[str, Any]:
    age = max(to_ms(now) - waiting.since, 0) // 1000 if waiting.since is not None else None
    return {
        "count": waiting.number,
        "oldest_seconds": age,
        "oldest_accepted_at": iso(waiting.since),
        "oldest_id": None if waiting.id is None else str(waiting.id),
        "oldest_order": waiting.order or None,
        "oldest_item": waiting.item or None,
    }


def _lead(lead: Lead) -> dict[str, Any]:
    def seconds(ms: int | None) -> int | None:
        return None if ms is None else ms // 1000

    return {
        "items": lead.items,
        "without_registration": lead.unknown,
        "median_seconds": seconds(lead.median_ms),
        "p90_seconds": seconds(lead.p90_ms),
        "slowest_seconds": seconds(lead.slowest_ms),
        "slowest_order": lead.order or None,
        "slowest_item": lead.item or None,
    }


_LISTS = {"types": "type", "hours": "hour", "operators": "operator", "stations": "station", "carriers": "carrier"}
_NUMBER = re.compile("^(count|items|without_registration|.*_seconds)$")


def _rows(report: Record) -> list[Record]:
    """The report as lines of section, key and count."""
    rows = [("total", key, count) for key, count in report["totals"].items()]
    for section, name in _LISTS.items():
        rows += [(name, each[name], each["count"]) for each in report[section]]
    for section in ("waiting_now", "registered_to_shipped"):
        rows += [(section, key, value) for key, value in report[section].items() if _NUMBER.search(key)]
    return [{"section": section, "key": key, "count": count} for section, key, count in rows]


# --- what people get ----------------------------------------------------------------------


def _remark(run: Run, shift: Shift, times: Times, choice: Choice, now: datetime) -> None:
    if shift.accepted or shift.moments:
        return
    whose = "".join(
        f' {word} "{name}"'
        for word, name in (("at station", choice.station), ("by operator", choice.operator))
        if name is not None
    )
    run.output.note(f"No signal was accepted{whose} from {_clock(times.start)} to {_clock(times.end)}.")
    if times.start > now:
        run.output.note("That time is yet to come; `--date yesterday` shows the night before.")


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %z}"  # not the zone's name: Windows writes that in its own language


def _write_page(run: Run, file: str, report: Record) -> None:
    from cpctl.output.html_page import page

    if file == "-":
        run.output.write(iter([page(drawing(report))]))
    elif run.options.dry_run:
        run.output.note(f"Dry run: {file} was not written.")
    else:
        from cpctl.output.private_files import write_private

        write_private(Path(file), run.hide(page(drawing(report))))
        run.output.note(f"Written: {file}")


def drawing(report: Record) -> Drawing:
    """The report as people see it, on a terminal and on paper."""
    start, end = datetime.fromisoformat(report["from"]), datetime.fromisoformat(report["to"])
    about = [f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({_span(end, start)})", f"profile {report['profile']}"]
    about += [f"{name} {report[name] or '(none)'}" for name in ("station", "operator") if report[name] is not None]
    charts = [
        Chart(heading, [Bar(each[name] or "(none)", each["count"]) for each in report[section]], name == "hour")
        for heading, section, name in _HEADINGS
    ]
    return Drawing(f"Shift of {report['date']}", " · ".join(about), _facts(report), charts)


_HEADINGS = (
    ("Signals by hour", "hours", "hour"),
    ("Signals by type", "types", "type"),
    ("Signals by operator", "operators", "operator"),
    ("Signals by station", "stations", "station"),
    ("Shipped by carrier", "carriers", "carrier"),
)
# These are told even where there are none.
_ALWAYS = ("accepted", State.DELIVERED, State.REFUSED, "conflicts", "overrides", "undone")


def _span(end: datetime, start: datetime) -> str:
    hours = (end - start).total_seconds() / 3600
    return f"{hours:.2f}".rstrip("0").rstrip(".") + " h"


def _facts(report: Record) -> Sequence[tuple[str, str]]:
    facts = [
        (name, str(count))
        for name, count in report["totals"].items()
        if (count or name in _ALWAYS) and name not in WAITING
    ]
    now, lead = report["waiting_now"], report["registered_to_shipped"]
    facts.append(("waiting now", str(now["count"])))
    if now["count"]:
        facts.append(("oldest waits", _age(now["oldest_seconds"])))
    if lead["items"]:
        facts += [
            ("registered to shipped", f"{lead['items']} items"),
            ("median", _age(lead["median_seconds"])),
            ("p90", _age(lead["p90_seconds"])),
            ("slowest", _age(lead["slowest_seconds"])),
            ("slowest item", str(lead["slowest_item"])),
        ]
    if lead["without_registration"]:
        facts.append(("shipped without registration", str(lead["without_registration"])))
    return facts


def _age(seconds: int) -> str:
    """A span with its two largest units: `2 d 5 h`, `14 h 23 min`, `40 s`."""
    for unit, size, next_unit, next_size in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // next_size
            return f"{seconds // size} {unit}" + (f" {rest} {next_unit}" if rest else "")
    return f"{seconds} s"


def _drawn(report: Any, screen: Screen) -> str:
    return drawing_text(drawing(report), screen)


SHIFT = Sheet(columns("section", "key", "count"), _rows, _drawn)
