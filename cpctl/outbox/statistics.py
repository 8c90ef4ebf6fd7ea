"""The numbers of a shift: what was accepted in a span of time, by whom and where, and what became of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cpctl.outbox.models import WAITING_STATES, State
from cpctl.store.store import Row, Store, Transaction

HOUR_MS = 3_600_000


class ShiftFilter(NamedTuple):
    """Of what the numbers are: the signals of a profile accepted from `start` until before `end` (ms).

    Hours are counted from `first_hour` on. Station and operator are None for all of them, "" for
    signals that name none.
    """

    profile: str
    start_ms: int
    end_ms: int
    first_hour_ms: int
    station: str | None = None
    operator: str | None = None


class WaitingSummary(NamedTuple):
    """What waits now, whenever it was accepted, and the oldest of it."""

    number: int = 0
    oldest_accepted_ms: int | None = None
    oldest_id: int | None = None
    oldest_order: str = ""
    oldest_item: str = ""


class LeadTime(NamedTuple):
    """How long items took from registered to shipped, by the times at which it happened; None for no item.

    `unknown` are the shipped items of which no earlier registration is in this store.
    """

    item_count: int = 0
    unregistered_count: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    slowest_ms: int | None = None
    slowest_order: str = ""
    slowest_item: str = ""


class ShiftStatistics(NamedTuple):
    """A shift in numbers. `states` counts all that was accepted, the others what was not dropped since."""

    states: Mapping[str, int] = {}
    types: Mapping[str, int] = {}
    hours: Mapping[int, int] = {}
    operators: Mapping[str, int] = {}
    stations: Mapping[str, int] = {}
    carriers: Mapping[str, int] = {}  # of shipped items alone
    audit_events: Mapping[str, int] = {}
    waiting: WaitingSummary = WaitingSummary()
    lead_time: LeadTime = LeadTime()

    @property
    def accepted_count(self) -> int:
        """All signals of the shift."""
        return sum(self.states.values())


def compute_shift_statistics(store: Store, shift_filter: ShiftFilter) -> ShiftStatistics:
    """Count a shift, all of it at one moment. A store that does not exist is empty, and is not made. Raises StoreError.

    Costs what the span holds, however long the history is.
    """
    if not store.path.exists():
        return ShiftStatistics()
    return store.read(lambda work: _compute_statistics(work, shift_filter))


# `+profile`: SQLite would take any index that begins with the profile, and read the whole history.
_TIME_CONDITION = "accepted_at >= :start AND accepted_at < :end AND +profile = :profile"
_STATION_CONDITION = " AND (:station IS NULL OR station = :station) AND (:operator IS NULL OR operator = :operator)"

_COUNTS_SQL = f"""
    SELECT type, state, operator, station, carrier, (accepted_at - :first_hour) / :hour AS hour, count(*) AS number
    FROM signals WHERE {_TIME_CONDITION}{_STATION_CONDITION} GROUP BY 1, 2, 3, 4, 5, 6
"""
_AUDIT_EVENTS_SQL = f"""
    SELECT kind, count(*) AS number FROM audit_events
    WHERE profile = :profile AND occurred_at >= :start AND occurred_at < :end{_STATION_CONDITION} GROUP BY kind
"""
# The index of open signals serves a query that has the whole list of open states.
_WAITING_SQL = f"""
    SELECT count(*) AS number, min(accepted_at) AS since, id, order_id, item FROM signals INDEXED BY signals_open
    WHERE profile = :profile AND state IN ('queued', 'held', 'refused', 'expired')
      AND state IN ({", ".join(repr(str(state)) for state in WAITING_STATES)}){_STATION_CONDITION}
"""
# An item that was shipped twice counts once, from its first time in the span.
_LEAD_TIME_SQL = f"""
    WITH shipped AS (
        SELECT order_id, item, min(event_at) AS at FROM signals
        WHERE {_TIME_CONDITION}{_STATION_CONDITION} AND type = 'ItemShipped' AND state <> 'dropped' GROUP BY order_id, item
    ), timed AS (
        SELECT s.order_id, s.item, s.at - min(r.event_at) AS took FROM shipped AS s
        LEFT JOIN signals AS r
               ON r.profile = :profile AND r.order_id = s.order_id AND r.item IN (s.item, '')
              AND r.type IN ('ItemRegistered', 'OrderRegistered') AND r.state <> 'dropped' AND r.event_at <= s.at
        GROUP BY s.order_id, s.item
    ), ranked AS (
        SELECT order_id, item, took, count(*) OVER () AS shipped, count(took) OVER () AS items,
               row_number() OVER (ORDER BY took IS NULL, took, order_id, item) AS place
        FROM timed
    )
    SELECT * FROM ranked
    WHERE place IN ((items + 1) / 2, (items + 2) / 2, (items * 9 + 9) / 10, items, shipped) ORDER BY place
"""


def _compute_statistics(transaction: Transaction, shift_filter: ShiftFilter) -> ShiftStatistics:
    whose = {"profile": shift_filter.profile, "station": shift_filter.station, "operator": shift_filter.operator}
    when = {"start": shift_filter.start_ms, "end": shift_filter.end_ms}
    rows = transaction.fetch_all(_COUNTS_SQL, **whose, **when, first_hour=shift_filter.first_hour_ms, hour=HOUR_MS)
    standing = [row for row in rows if row["state"] != State.DROPPED]
    hours: Counter[int] = Counter()
    for row in standing:
        hours[row["hour"]] += row["number"]
    return ShiftStatistics(
        states=_count_by("state", rows),
        types=_count_by("type", standing),
        hours=hours,
        operators=_count_by("operator", standing),
        stations=_count_by("station", standing),
        carriers=_count_by("carrier", [row for row in standing if row["type"] == "ItemShipped"]),
        audit_events={row["kind"]: row["number"] for row in transaction.fetch_all(_AUDIT_EVENTS_SQL, **whose, **when)},
        waiting=_summarize_waiting(transaction.fetch_one(_WAITING_SQL, **whose)),
        lead_time=_compute_lead_time(transaction.fetch_all(_LEAD_TIME_SQL, **whose, **when)),
    )


def _count_by(column: str, rows: Sequence[Row]) -> dict[str, int]:
    """Counts by one column, the largest first."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[column]] += row["number"]
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _summarize_waiting(row: Row | None) -> WaitingSummary:
    if row is None or not row["number"]:
        return WaitingSummary()
    return WaitingSummary(row["number"], row["since"], row["id"], row["order_id"], row["item"])


def _compute_lead_time(rows: Sequence[Row]) -> LeadTime:
    if not rows:
        return LeadTime()
    items, shipped = rows[0]["items"], rows[0]["shipped"]
    if not items:
        return LeadTime(unregistered_count=shipped)
    at = {row["place"]: row for row in rows}
    middle = (at[(items + 1) // 2]["took"] + at[(items + 2) // 2]["took"]) // 2
    slowest = at[items]
    tenth = at[(items * 9 + 9) // 10]["took"]
    return LeadTime(items, shipped - items, middle, tenth, slowest["took"], slowest["order_id"], slowest["item"])
