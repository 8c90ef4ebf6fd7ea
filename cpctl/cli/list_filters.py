"""Filters for lists that the service returns whole."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cpctl.cli.time_args import parse_since
from cpctl.errors import InvalidInput, suggest
from cpctl.reference_data.order_states import ORDER_STATES, order_state_number

Record = Mapping[str, Any]


def filter_by_text(text: str, records: list[Record]) -> list[Record]:
    """The records that contain a text, in any case; all records for an empty text."""
    wanted = text.strip().casefold()
    if not wanted:
        return records
    return [record for record in records if any(wanted in str(value).casefold() for value in record.values())]


def filter_by_state(names: Sequence[str] | None, records: list[Record]) -> list[Record]:
    """The orders in one of these states, given as numbers or codes. Raises InvalidInput."""
    if not names:
        return records
    wanted = {parse_order_state(name) for name in names}
    return [row for row in records if order_state_number(row.get("state", row.get("state_code"))) in wanted]


def parse_order_state(name: str, extra_names: Sequence[str] = ()) -> int:
    """The number of an order state, given as number, code, or code without `order_state_`.

    Raises InvalidInput with the closest of these names and `extra_names`.
    """
    number = order_state_number(name) or order_state_number(f"order_state_{name}")
    if number is None or number not in ORDER_STATES:
        known = [*extra_names, *(row.code.removeprefix("order_state_") for row in ORDER_STATES.values())]
        raise InvalidInput(
            f'There is no order state "{name}".', f"{suggest(name, known)} `cpctl orders states` lists them."
        )
    return number


def filter_by_time(since: str | None, until: str | None, now: datetime, records: list[Record]) -> list[Record]:
    """The orders of a period, by their `order_date`."""
    if not since and not until:
        return records
    after = parse_since(since, "--since", now) if since else datetime.min.replace(tzinfo=UTC)
    before = parse_since(until, "--until", now) if until else datetime.max.replace(tzinfo=UTC)
    return [row for row in records if (time := parse_order_time(row)) is not None and after <= time <= before]


def parse_order_time(record: Record) -> datetime | None:
    """The time of an order, None if it has none. CloudCore writes it without a zone; it is read as UTC."""
    try:
        time = datetime.fromisoformat(str(record.get("order_date", "")))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def select_newest(limit: int, records: list[Record], sort_key: Callable[[Record], Any]) -> list[Record]:
    """The newest `limit` records in their present order; all records for 0."""
    if not limit or len(records) <= limit:
        return records
    kept = sorted(range(len(records)), key=lambda number: (sort_key(records[number]), number))[-limit:]
    return [records[number] for number in sorted(kept)]
