"""Open signals out of a store into a file, and into a store from such a file or from another store file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.errors import InvalidInput
from cpctl.outbox.models import OPEN_STATES, STORED_STATES, Origin, State, sql_list
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.store.store import Store, Transaction, salvage_rows

SQLITE_MAGIC = b"SQLite format 3\x00"
_MAX_TIMESTAMP_MS = 253_402_300_800_000  # the year 10000
_NOTHING_IMPORTED = "Nothing was imported."

# The fields of a line. Files go from one version of cpctl to another: these names never change.
_FIELDS = "uid profile version type order_id item fields event_at accepted_at state held_by attempts maybe_duplicate"
_INTEGERS = ("event_at", "accepted_at", "attempts", "maybe_duplicate")
_FIELD_TYPES: dict[str, type] = dict.fromkeys((*_FIELDS.split(), *Origin._fields), str) | dict.fromkeys(_INTEGERS, int)


def export_signals(store: Store, profile: str) -> Iterator[str]:
    """The open signals of a profile as lines of JSON, with everything that another store needs."""
    sql = f"SELECT * FROM signals WHERE profile = :profile AND state IN ({sql_list(OPEN_STATES)}) ORDER BY id"
    for row in store.read(lambda transaction: transaction.fetch_all(sql, profile=profile)):
        yield json.dumps({name: row[name] for name in _FIELD_TYPES})


class ImportResult(NamedTuple):
    """How many signals were imported, how many the store had already, and what could not be read (or "")."""

    imported_count: int
    known_count: int
    damage: str = ""


def import_signals(outbox: Outbox, source: str, content: bytes) -> ImportResult:
    """Take over signals from an export, or from another store file as far as it can be read.

    All of a file or none of it; a signal that this store has already stays as it is.
    Raises InvalidInput naming the line, StoreError.
    """
    if not content.startswith(SQLITE_MAGIC):
        return _insert_records(outbox, list(_parse_lines(source, content)), "")
    if source == "-":
        raise InvalidInput("A store cannot be read from standard input.", "Name its file.")
    # In the order of the table, without an index: in a damaged file the indexes may be what is damaged.
    sql = f"SELECT * FROM signals NOT INDEXED WHERE state IN ({sql_list(OPEN_STATES)})"
    rows, damage = salvage_rows(Path(source), sql)
    # A store of the first version has no columns for the origin.
    records = [{**dict.fromkeys(Origin._fields, ""), **dict(row)} for row in rows]
    valid = [record for record in records if _is_valid_record(record)]
    if not damage and len(valid) < len(records):
        damage = f"{len(records) - len(valid)} damaged"
    return _insert_records(outbox, valid, damage)


def _insert_records(outbox: Outbox, records: Iterable[Mapping[str, Any]], damage: str) -> ImportResult:
    def work(transaction: Transaction) -> ImportResult:
        imported = known = 0
        for record in records:
            if transaction.fetch_one("SELECT 1 FROM signals WHERE uid = :uid", uid=record["uid"]):
                known += 1
                continue
            values = {name: record[name] for name in _FIELD_TYPES}
            # The other store may have posted it; if it is posted again, it must be marked.
            may_be_sent = record["attempts"] and record["state"] == State.QUEUED
            values["maybe_duplicate"] = bool(record["maybe_duplicate"] or may_be_sent)
            if record["held_by"] == "answer":  # by the pause of the other store's queue; ours has its own
                values |= {"state": State.QUEUED, "held_by": ""}
            transaction.insert("signals", **values, next_attempt_at=record["accepted_at"], not_before=0)
            imported += 1
        return ImportResult(imported, known, damage)

    return outbox.store.write(work)


def _parse_lines(source: str, content: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{source} is neither an export of an outbox nor a store.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        location = f"{source}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{location}: not JSON ({error}).", _NOTHING_IMPORTED) from error
        if not isinstance(record, dict) or record.keys() != _FIELD_TYPES.keys():
            raise InvalidInput(f"{location}: not a line of `cpctl outbox export`.", _NOTHING_IMPORTED)
        if not _is_valid_record(record):
            raise InvalidInput(f"{location}: not a signal that can be sent.", _NOTHING_IMPORTED)
        yield record


def _is_valid_record(record: Mapping[str, Any]) -> bool:
    """Whether every value is possible: an impossible one would break every query that reads it."""
    for name, wanted in _FIELD_TYPES.items():
        if not isinstance(record[name], wanted) or (wanted is int and not 0 <= record[name] < _MAX_TIMESTAMP_MS):
            return False
    try:
        fields = json.loads(record["fields"])
    except (ValueError, RecursionError):
        return False
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        return False
    return (
        record["type"] in SIGNAL_TYPES
        and record["version"] in SIGNAL_TYPES[record["type"]].required
        and (fields.get("order"), fields.get("item", "")) == (record["order_id"], record["item"])
        and record["state"] in STORED_STATES
    )
