"""A shift as people see it: facts and charts, on a terminal and on paper."""

from collections.abc import Sequence
from datetime import datetime

from cpctl.cli.commands.signal.shift_data import SECTION_KEYS
from cpctl.outbox.models import WAITING_STATES, State
from cpctl.output.bar_chart import Bar, Chart, ChartReport, format_report
from cpctl.output.text import TerminalInfo
from cpctl.output.views import Record

_CHART_HEADINGS = {
    "hours": "Signals by hour",
    "types": "Signals by type",
    "operators": "Signals by operator",
    "stations": "Signals by station",
    "carriers": "Shipped by carrier",
}
_FACTS_SHOWN_AT_ZERO = ("accepted", State.DELIVERED, State.REFUSED, "conflicts", "overrides", "undone")


def format_charts(report: Record, terminal: TerminalInfo) -> str:
    """Return a report as charts for a terminal."""
    return format_report(build_charts(report), terminal)


def build_charts(report: Record) -> ChartReport:
    """Return the title, facts and charts of a report."""
    start, end = datetime.fromisoformat(report["from"]), datetime.fromisoformat(report["to"])
    hours = f"{(end - start).total_seconds() / 3600:.2f}".rstrip("0").rstrip(".")
    subtitle = [f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({hours} h)", f"profile {report['profile']}"]
    subtitle += [f"{name} {report[name] or '(none)'}" for name in ("station", "operator") if report[name] is not None]
    charts = [
        Chart(
            heading,
            [Bar(row[SECTION_KEYS[section]] or "(none)", row["count"]) for row in report[section]],
            section == "hours",
        )
        for section, heading in _CHART_HEADINGS.items()
    ]
    return ChartReport(f"Shift of {report['date']}", " · ".join(subtitle), _list_facts(report), charts)


def _list_facts(report: Record) -> Sequence[tuple[str, str]]:
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
