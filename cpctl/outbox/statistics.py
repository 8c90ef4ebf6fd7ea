"""The numbers of a shift: what was accepted in a span of time, by whom and where, and what became of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cpctl.outbox.models import WAITING, State
from cpctl.store.store import Row, Store, Transaction

HOUR_MS = 3_600_000


class Span(NamedTuple):
    """Of what the numbers are: the signals of a profile accepted from `start` until before `end` (ms).

    Hours are counted from `first_hour` on. Station and operator are None for all of them, "" for
    signals that name none.
    """

    profile: str
    start: int
    end: int
    first_hour: int
    station: str | None = None
    operator: str | None = None


class Waiting(NamedTuple):
    """What waits now, whenever it was accepted, and the oldest of it."""

    number: int = 0
    since: int | None = None
    id: int | None = None
    order: str = ""
    item: str = ""


class Lead(NamedTuple):
    """How long items took from registered to shipped, by the times at which it happened; None for no item.

    `unknown` are the shipped items of which no earlier registration is in this store.
    """

    items: int = 0
    unknown: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    slowest_ms: int | None = None
    order: str = ""
    item: str = ""


class Shift(NamedTuple):
    """A shift in numbers. `states` counts all that was accepted, the others what was not dropped since."""

    states: Mapping[str, int] = {}
    types: Mapping[str, int] = {}
    hours: Mapping[int, int] = {}
    operators: Mapping[str, int] = {}
    stations: Mapping[str, int] = {}
    carriers: Mapping[str, int] = {}  # of shipped items alone
    moments: Mapping[str, int] = {}
    waiting: Waiting = Waiting()
    lead: Lead = Lead()

    @property
    def accepted(self) -> int:
        """All signals of the shift."""
        return sum(self.states.values())


def shift_of(store: Store, span: Span) -> Shift:
    """Count a shift, all of it at one moment. A store that does not exist is empty, and is not made. Raises StoreError.

    Costs what the span holds, however long the history is.
    """
    if not store.path.exists():
        return Shift()
    return store.read(lambda work: _shift(work, span))


# `+profile`: SQLite would take any index that begins with the profile, and read the whole history.
_SPAN = "accepted_at >= :start AND accepted_at < :end AND +profile = :profile"
_WHOSE = " AND (:station IS NULL OR station = :station) AND (:operator IS NULL OR operator = :operator)"

_COUNTS = f"""
    SELECT type, state, operator, station, carrier, (accepted_at - :first_hour) / :hour AS hour, count(*) AS number
    FROM signals WHERE {_SPAN}{_WHOSE} GROUP BY 1, 2, 3, 4, 5, 6
"""
_MOMENTS = f"""
    SELECT kind, count(*) AS number FROM moments
    WHERE profile = :profile AND at >= :start AND at < :end{_WHOSE} GROUP BY kind
"""
# The index of open signals serves a query that has the whole list of open states.
_WAITING = f"""
    SELECT count(*) AS number, min(accepted_at) AS since, id, order_id, item FROM signals INDEXED BY signals_open
    WHERE profile = :profile AND state IN ('queued', 'held', 'refused', 'expired')
      AND state IN ({", ".join(repr(str(state)) for state in WAITING)}){_WHOSE}
"""
# An item that was shipped twice counts once, from its first time in the span.
_LEAD = f"""
    WITH shipped AS (
        SELECT order_id, item, min(event_at) AS at FROM signals
        WHERE {_SPAN}{_WHOSE} AND type = 'ItemShipped' AND state <> 'dropped' GROUP BY order_id, item
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


def _shift(work: Transaction, span: Span) -> Shift:
    whose = {"profile": span.profile, "station": span.station, "operator": span.operator}
    when = {"start": span.start, "end": span.end}
    rows = work.rows(_COUNTS, **whose, **when, first_hour=span.first_hour, hour=HOUR_MS)
    standing = [row for row in rows if row["state"] != State.DROPPED]
    hours: Counter[int] = Counter()
    for row in standing:
        hours[row["hour"]] += row["number"]
    return Shift(
        states=_by("state", rows),
        types=_by("type", standing),
        hours=hours,
        operators=_by("operator", standing),
        stations=_by("station", standing),
        carriers=_by("carrier", [row for row in standing if row["type"] == "ItemShipped"]),
        moments={row["kind"]: row["number"] for row in work.rows(_MOMENTS, **whose, **when)},
        waiting=_waiting(work.one(_WAITING, **whose)),
        lead=_lead(work.rows(_LEAD, **whose, **when)),
    )


def _by(name: str, rows: Sequence[Row]) -> dict[str, int]:
    """Counts by one column, the largest first."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[name]] += row["number"]
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _waiting(row: Row | None) -> Waiting:
    if row is None or not row["number"]:
        return Waiting()
    return Waiting(row["number"], row["since"], row["id"], row["order_id"], row["item"])


def _lead(rows: Sequence[Row]) -> Lead:
    if not rows:
        return Lead()
    items, shipped = rows[0]["items"], rows[0]["shipped"]
    if not items:
        return Lead(unknown=shipped)
    at = {row["place"]: row for row in rows}
    middle = (at[(items + 1) // 2]["took"] + at[(items + 2) // 2]["took"]) // 2
    slowest = at[items]
    tenth = at[(items * 9 + 9) // 10]["took"]
    return Lead(items, shipped - items, middle, tenth, slowest["took"], slowest["order_id"], slowest["item"])
