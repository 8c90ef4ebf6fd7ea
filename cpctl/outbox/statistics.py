"""The numbers of a shift: signals accepted in a span of time, by state, person and place, and how long items took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.outbox.models import OPEN_STATES, WAITING_STATES, State, sql_list
from cpctl.store.store import Row, Store, Transaction

HOUR_MS = 3_600_000


class ShiftFilter(NamedTuple):
    """Which signals to count: those of a profile accepted from `start_ms` until before `end_ms`.

    Hours are counted from `first_hour_ms`. Station and operator are None for all, "" for signals that name none.
    """

    profile: str
    start_ms: int
    end_ms: int
    first_hour_ms: int
    station: str | None = None
    operator: str | None = None


class WaitingSummary(NamedTuple):
    """The signals that wait now, whenever they were accepted, and the oldest of them."""

    number: int = 0
    oldest_accepted_ms: int | None = None
    oldest_id: int | None = None
    oldest_order: str = ""
    oldest_item: str = ""


class LeadTime(NamedTuple):
    """How long items took from registered to shipped, by the times of the events; None if there are no items.

    `unregistered_count` are the shipped items without an earlier registration in this store.
    """

    item_count: int = 0
    unregistered_count: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    slowest_ms: int | None = None
    slowest_order: str = ""
    slowest_item: str = ""


class ShiftStatistics(NamedTuple):
    """A shift in numbers. `states` counts every accepted signal, the others leave out those dropped since."""

    states: Mapping[str, int] = {}
    types: Mapping[str, int] = {}
    hours: Mapping[int, int] = {}
    operators: Mapping[str, int] = {}
    stations: Mapping[str, int] = {}
    carriers: Mapping[str, int] = {}  # of shipped items only
    audit_events: Mapping[str, int] = {}
    waiting: WaitingSummary = WaitingSummary()
    lead_time: LeadTime = LeadTime()

    @property
    def accepted_count(self) -> int:
        """All signals of the shift."""
        return sum(self.states.values())


# `+profile` keeps SQLite from an index that begins with the profile, with which it would read the whole history.
_TIME_CONDITION = "accepted_at >= :start_ms AND accepted_at < :end_ms AND +profile = :profile"
_ORIGIN_CONDITION = " AND (:station IS NULL OR station = :station) AND (:operator IS NULL OR operator = :operator)"
_COUNTS_SQL = f"""
    SELECT type, state, operator, station, carrier, count(*) AS number,
           (accepted_at - :first_hour_ms) / {HOUR_MS} AS hour
    FROM signals WHERE {_TIME_CONDITION}{_ORIGIN_CONDITION} GROUP BY type, state, operator, station, carrier, hour
"""
_AUDIT_EVENTS_SQL = f"""
    SELECT kind, count(*) AS number FROM audit_events
    WHERE profile = :profile AND occurred_at >= :start_ms AND occurred_at < :end_ms{_ORIGIN_CONDITION} GROUP BY kind
"""
_WAITING_SQL = f"""
    SELECT count(*) AS number, min(accepted_at) AS oldest_accepted_ms, id AS oldest_id,
           coalesce(order_id, '') AS oldest_order, coalesce(item, '') AS oldest_item
    FROM signals INDEXED BY signals_open
    WHERE profile = :profile AND state IN ({sql_list(OPEN_STATES)}) AND state IN ({sql_list(WAITING_STATES)})
          {_ORIGIN_CONDITION}
"""
# An item that was shipped twice counts once, from its first time in the span. The outer query keeps the rows of the
# ranks that are shown: the two around the median, the 90th percentile, the slowest; and the last, for the counts.
_LEAD_TIME_SQL = f"""
    WITH shipped AS (
        SELECT order_id, item, min(event_at) AS at FROM signals
        WHERE {_TIME_CONDITION}{_ORIGIN_CONDITION} AND type = 'ItemShipped' AND state <> 'dropped'
        GROUP BY order_id, item
    ), timed AS (
        SELECT s.order_id, s.item, s.at - min(r.event_at) AS duration FROM shipped AS s
        LEFT JOIN signals AS r
               ON r.profile = :profile AND r.order_id = s.order_id AND r.item IN (s.item, '')
              AND r.type IN ('ItemRegistered', 'OrderRegistered') AND r.state <> 'dropped' AND r.event_at <= s.at
        GROUP BY s.order_id, s.item
    ), ranked AS (
        SELECT order_id, item, duration, count(*) OVER () AS shipped, count(duration) OVER () AS items,
               row_number() OVER (ORDER BY duration IS NULL, duration, order_id, item) AS rank
        FROM timed
    )
    SELECT * FROM ranked
    WHERE rank IN ((items + 1) / 2, (items + 2) / 2, (items * 9 + 9) / 10, items, shipped) ORDER BY rank
"""


def compute_shift_statistics(store: Store, shift_filter: ShiftFilter) -> ShiftStatistics:
    """Count a shift in one unchanging view of the store. A store that does not exist is empty. Raises StoreError.

    The cost depends on the signals in the span, not on the length of the history.
    """
    if not store.path.exists():
        return ShiftStatistics()
    return store.read(lambda transaction: _compute_statistics(transaction, shift_filter))


def _compute_statistics(transaction: Transaction, shift_filter: ShiftFilter) -> ShiftStatistics:
    values = shift_filter._asdict()
    rows = transaction.fetch_all(_COUNTS_SQL, **values)
    kept = [row for row in rows if row["state"] != State.DROPPED]
    return ShiftStatistics(
        states=_count_by("state", rows),
        types=_count_by("type", kept),
        hours=_count_by("hour", kept),
        operators=_count_by("operator", kept),
        stations=_count_by("station", kept),
        carriers=_count_by("carrier", [row for row in kept if row["type"] == "ItemShipped"]),
        audit_events={row["kind"]: row["number"] for row in transaction.fetch_all(_AUDIT_EVENTS_SQL, **values)},
        waiting=WaitingSummary(**transaction.fetch_all(_WAITING_SQL, **values)[0]),
        lead_time=_summarize_lead_times(transaction.fetch_all(_LEAD_TIME_SQL, **values)),
    )


def _count_by(column: str, rows: Sequence[Row]) -> dict[Any, int]:
    counts: Counter[Any] = Counter()
    for row in rows:
        counts[row[column]] += row["number"]
    return dict(sorted(counts.items(), key=lambda count: (-count[1], count[0])))


def _summarize_lead_times(rows: Sequence[Row]) -> LeadTime:
    if not rows:
        return LeadTime()
    items, shipped = rows[0]["items"], rows[0]["shipped"]
    if not items:
        return LeadTime(unregistered_count=shipped)
    by_rank = {row["rank"]: row for row in rows}
    median = (by_rank[(items + 1) // 2]["duration"] + by_rank[(items + 2) // 2]["duration"]) // 2
    p90 = by_rank[(items * 9 + 9) // 10]["duration"]
    slowest = by_rank[items]
    return LeadTime(items, shipped - items, median, p90, slowest["duration"], slowest["order_id"], slowest["item"])
