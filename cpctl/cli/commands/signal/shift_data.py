"""A shift as scripts see it: one JSON object, or rows of section, key and count."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cpctl.cli.commands.signal.shift_times import ShiftTimes
from cpctl.clock import format_iso, from_ms, to_ms
from cpctl.outbox.models import STORED_STATES
from cpctl.outbox.statistics import LeadTime, ShiftFilter, ShiftStatistics, WaitingSummary
from cpctl.output.views import Record

# The sections that count signals, and what each of their members is named by.
SECTION_KEYS = {"types": "type", "hours": "hour", "operators": "operator", "stations": "station", "carriers": "carrier"}
_AUDIT_TOTALS = {"conflicts": "conflict", "overrides": "override", "undone": "undo"}
_NUMERIC_KEY = re.compile("^(count|items|without_registration|.*_seconds)$")


def build_report(shift: ShiftStatistics, times: ShiftTimes, shift_filter: ShiftFilter, now: datetime) -> dict[str, Any]:
    """Return the shift as one JSON object."""
    states = {str(state): shift.states.get(state, 0) for state in STORED_STATES}
    audit_events = {name: shift.audit_events.get(kind, 0) for name, kind in _AUDIT_TOTALS.items()}
    return {
        "profile": shift_filter.profile,
        "date": times.day.isoformat(),
        "from": times.start.isoformat(),
        "to": times.end.isoformat(),
        "station": shift_filter.station,
        "operator": shift_filter.operator,
        "totals": {"accepted": shift.accepted_count, **states, **audit_events},
        "types": _count_rows("type", shift.types),
        "hours": _hour_rows(shift, times),
        "operators": _count_rows("operator", shift.operators),
        "stations": _count_rows("station", shift.stations),
        "carriers": _count_rows("carrier", shift.carriers),
        "waiting_now": _summarize_waiting(shift.waiting, now),
        "registered_to_shipped": _summarize_lead_time(shift.lead_time),
    }


def _count_rows(name: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{name: value, "count": count} for value, count in counts.items()]


def _hour_rows(shift: ShiftStatistics, times: ShiftTimes) -> list[dict[str, Any]]:
    starts = [from_ms(ms).astimezone() for ms in times.hour_starts_ms]
    names = [f"{start:%H:%M}" for start in starts]
    # When the clock is set back, the repeated hours show their offset.
    names = [name if names.count(name) == 1 else f"{name}{start:%z}" for name, start in zip(names, starts, strict=True)]
    return [
        {"hour": name, "from": start.isoformat(), "count": shift.hours.get(number, 0)}
        for number, (name, start) in enumerate(zip(names, starts, strict=True))
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


def report_rows(report: Record) -> list[Record]:
    """Return the report as rows of section, key and count."""
    rows = [("total", key, count) for key, count in report["totals"].items()]
    for section, name in SECTION_KEYS.items():
        rows += [(name, row[name], row["count"]) for row in report[section]]
    for section in ("waiting_now", "registered_to_shipped"):
        rows += [(section, key, value) for key, value in report[section].items() if _NUMERIC_KEY.search(key)]
    return [{"section": section, "key": key, "count": count} for section, key, count in rows]
