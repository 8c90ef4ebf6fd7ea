"""Filters for lists that the service returns whole."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cpctl.cli.time_args import parse_since
from cpctl.errors import InvalidInput, suggest
from cpctl.reference_data.order_states import ORDER_STATES, order_state_number

Record = Mapping[str, Any]
Period = tuple[datetime, datetime]


def filter_by_text(text: str, records: list[Record]) -> list[Record]:
    """The records that contain a text in any value, in any case."""
    wanted = text.strip().casefold()
    if not wanted:
        return records
    return [record for record in records if any(wanted in str(value).casefold() for value in record.values())]


def parse_order_state(name: str, extra_names: Sequence[str] = ()) -> int:
    """The number of an order state, given as number, code, or code without `order_state_`.

    Raises InvalidInput with a suggestion; `extra_names` are other names that the caller accepts.
    """
    number = order_state_number(name) or order_state_number(f"order_state_{name}")
    if number is None or number not in ORDER_STATES:
        known = [*extra_names, *(row.code.removeprefix("order_state_") for row in ORDER_STATES.values())]
        raise InvalidInput(
            f'There is no order state "{name}".', f"{suggest(name, known)} `cpctl orders states` lists them."
        )
    return number


def filter_by_state(states: Collection[int], records: list[Record]) -> list[Record]:
    """The orders in one of these states; all orders if there are none."""
    if not states:
        return records
    return [record for record in records if order_state_number(record.get("state", record.get("state_code"))) in states]


def parse_period(since: str | None, until: str | None, now: datetime) -> Period | None:
    """The period from --since to --until; None if both are missing. Raises InvalidInput."""
    if not since and not until:
        return None
    start = parse_since(since, "--since", now) if since else datetime.min.replace(tzinfo=UTC)
    end = parse_since(until, "--until", now) if until else datetime.max.replace(tzinfo=UTC)
    return start, end


def filter_by_period(period: Period | None, records: list[Record]) -> list[Record]:
    """The orders placed in a period; all orders if it is None."""
    if period is None:
        return records
    start, end = period
    return [record for record in records if (at := parse_order_time(record)) is not None and start <= at <= end]


def parse_order_time(record: Record, field: str = "order_date") -> datetime | None:
    """A time of a record, taken as UTC if it has no time zone; None where it is missing or invalid."""
    try:
        at = datetime.fromisoformat(str(record.get(field, "")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def select_newest(limit: int, records: list[Record], sort_key: Callable[[Record], Any]) -> list[Record]:
    """The `limit` newest records in their original order; all records for 0."""
    if not limit or len(records) <= limit:
        return records
    newest = sorted(range(len(records)), key=lambda n: (sort_key(records[n]), n))[-limit:]
    return [records[n] for n in sorted(newest)]
