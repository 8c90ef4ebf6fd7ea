"""Choosing from lists that the service gives whole."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cpctl.cli.time_args import parse_since
from cpctl.errors import InvalidInput, suggest
from cpctl.reference_data.order_states import ORDER_STATES, order_state_number

Record = Mapping[str, Any]


def filter_by_text(text: str, records: list[Record]) -> list[Record]:
    """The records in which a text occurs, whatever its case; all of them for no text."""
    wanted = text.strip().casefold()
    if not wanted:
        return records
    return [each for each in records if any(wanted in str(value).casefold() for value in each.values())]


def filter_by_state(names: Sequence[str] | None, records: list[Record]) -> list[Record]:
    """The orders in one of these states, given as number or code. Raises InvalidInput naming the nearest."""
    if not names:
        return records
    wanted = {parse_order_state(name) for name in names}
    return [each for each in records if order_state_number(each.get("state", each.get("state_code"))) in wanted]


def parse_order_state(name: str, extra_names: Sequence[str] = ()) -> int:
    """The number of an order state, given as number, code, or code without `order_state_`.

    Raises InvalidInput naming the nearest; `also` are further words the caller takes.
    """
    number = order_state_number(name) or order_state_number(f"order_state_{name}")
    if number is None or number not in ORDER_STATES:
        known = [*extra_names, *(row.code.removeprefix("order_state_") for row in ORDER_STATES.values())]
        raise InvalidInput(
            f'There is no order state "{name}".', f"{suggest(name, known)} `cpctl orders states` lists them."
        )
    return number


def filter_by_time(since: str | None, until: str | None, now: datetime, records: list[Record]) -> list[Record]:
    """The orders of a time, by their `order_date`. CloudCore gives it without a zone; it is taken as UTC."""
    if not since and not until:
        return records
    after = parse_since(since, "--since", now) if since else datetime.min.replace(tzinfo=UTC)
    before = parse_since(until, "--until", now) if until else datetime.max.replace(tzinfo=UTC)
    return [each for each in records if (at := parse_order_time(each)) is not None and after <= at <= before]


def parse_order_time(record: Record) -> datetime | None:
    """When an order was placed; None where the service does not say."""
    try:
        at = datetime.fromisoformat(str(record.get("order_date", "")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def select_newest(limit: int, records: list[Record], sort_key: Callable[[Record], Any]) -> list[Record]:
    """At most so many of the newest, in the order they had; all for 0."""
    if not limit:
        return records
    records = list(records)  # a long list tells its length only when it is read
    if len(records) <= limit:
        return records
    kept = sorted(range(len(records)), key=lambda number: (sort_key(records[number]), number))[-limit:]
    return [records[number] for number in sorted(kept)]
