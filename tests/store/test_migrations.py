"""Stores and exports of every earlier version: migrated on first use, imported, and delivered; every row is kept."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cpctl.errors import StoreError
from cpctl.store import store as store_module
from cpctl.store.migrations import MIGRATIONS
from cpctl.store.store import Store
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM, CliEnvironment
from harness.outbox.store_access import select_rows

ACCEPTED_AT_MS = 1_768_910_400_000  # 2026-01-20 12:00 UTC
FIELDS = json.dumps({"order": ORDER, "item": ITEM, "tracking": "00123", "shipping_option": "GLS"})

# Rows for the tables of each step, as the version that ended with this step wrote them.
ROWS_BY_STEP = (
    f"""
    INSERT INTO signals (uid, profile, version, type, order_id, item, fields, event_at, accepted_at, state, held_by,
        attempts, next_at, not_before, last_attempt_at, http_status, message)
    VALUES ('u1', 'sandbox', '2.0', 'ItemShipped', '{ORDER}', '{ITEM}', '{FIELDS}', {ACCEPTED_AT_MS},
        {ACCEPTED_AT_MS}, 'held', 'user', 3, {ACCEPTED_AT_MS} + 5000, 0, {ACCEPTED_AT_MS} + 60, 503, 'busy');
    INSERT INTO queues (profile, outages) VALUES ('sandbox', 2);
    """,
    f"""
    UPDATE signals SET operator = 'Ana', station = 'bench-1', carrier = 'DHL';
    INSERT INTO moments (at, profile, kind, type, order_id, item, operator, station, words)
    VALUES ({ACCEPTED_AT_MS}, 'sandbox', 'conflict', 'ItemShipped', '{ORDER}', '{ITEM}', 'Ana', 'bench-1', 'GLS');
    INSERT INTO benches VALUES ('sandbox', 'bench-1', '[["{SECOND_ITEM}", "{ORDER}", ""]]', {ACCEPTED_AT_MS});
    """,
    "",
    f"""
    INSERT INTO events (profile, digest, type, order_id, item, order_reference, item_reference, event_at, stage,
        said_at, payload, received_at, last_at, times)
    VALUES ('sandbox', 'd1', 'ItemPacked', '{ORDER}', '{ITEM}', 'r', 'r-1', {ACCEPTED_AT_MS}, 4, {ACCEPTED_AT_MS},
        '{{"type": "ItemPacked"}}', {ACCEPTED_AT_MS}, {ACCEPTED_AT_MS} + 9000, 3);
    INSERT INTO latest_events (profile, order_id, item, order_reference, item_reference, event, type, event_at, stage,
        digest, payload)
    VALUES ('sandbox', '{ORDER}', '{ITEM}', 'r', 'r-1', 1, 'ItemPacked', {ACCEPTED_AT_MS}, 4, 'd1', '{{}}');
    INSERT INTO handovers (profile, target, event, attempts, next_at, last_at, message)
    VALUES ('sandbox', 'exec crm', 1, 2, {ACCEPTED_AT_MS} + 15000, {ACCEPTED_AT_MS} + 50, 'no answer');
    INSERT INTO handovers (profile, target, event, state, next_at, message)
    VALUES ('sandbox', 'exec old', 1, 'done', 0, 'given up'), ('sandbox', 'exec odd', 1, 'failed', 0, 'given up');
    INSERT INTO known_orders VALUES ('sandbox', 'r', {ACCEPTED_AT_MS});
    INSERT INTO receivers VALUES ('sandbox', {ACCEPTED_AT_MS});
    """,
    "",
)


def make_old_store(path: Path, schema_version: int) -> None:
    """Create a store as the version that ended with this step left it."""
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for schema, rows in zip(MIGRATIONS[:schema_version], ROWS_BY_STEP[:schema_version], strict=True):
            connection.executescript(schema + rows)
        connection.execute(f"PRAGMA user_version = {schema_version}")
        connection.execute("PRAGMA journal_mode = WAL")
    path.chmod(0o600)


def count_rows(path: Path) -> list[int]:
    """The number of rows of every table, largest first: a renamed table has the same number."""
    tables = [row["name"] for row in select_rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    numbers = [select_rows(path, f"SELECT count(*) AS number FROM {name}")[0]["number"] for name in tables]
    return sorted(number for number in numbers if number)


@pytest.mark.parametrize("schema_version", range(1, len(ROWS_BY_STEP) + 1))
def test_a_filled_store_of_an_earlier_version_is_migrated_with_every_row(
    cli: CliEnvironment, schema_version: int
) -> None:
    make_old_store(cli.store, schema_version)
    before = count_rows(cli.store)
    (signal,) = cli.run_json("signal", "history")
    assert (signal["item"], signal["state"], signal["attempts"], signal["http_status"]) == (ITEM, "held", 3, 503)
    assert select_rows(cli.store, "PRAGMA user_version") == [{"user_version": len(MIGRATIONS)}]
    assert select_rows(cli.store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert count_rows(cli.store) == before


def test_renamed_tables_and_columns_keep_their_values(cli: CliEnvironment) -> None:
    make_old_store(cli.store, 4)
    (event,) = cli.run_json("webhooks", "list")
    assert (event["item"], event["type"]) == (ITEM, "ItemPacked")
    (stored,) = select_rows(cli.store, "SELECT occurred_at, received_count, last_received_at FROM events")
    assert list(stored.values()) == [ACCEPTED_AT_MS, 3, ACCEPTED_AT_MS + 9000]
    crm, odd, old = select_rows(cli.store, "SELECT * FROM deliveries ORDER BY target")
    assert (crm["target"], crm["attempts"], crm["state"]) == ("exec crm", 2, "waiting")
    assert (crm["next_attempt_at"], crm["last_attempt_at"]) == (ACCEPTED_AT_MS + 15_000, ACCEPTED_AT_MS + 50)
    assert (old["message"], odd["message"]) == ("target dropped", "given up"), "only what cpctl wrote is renamed"
    (audit,) = select_rows(cli.store, "SELECT occurred_at, kind, details FROM audit_events")
    assert list(audit.values()) == [ACCEPTED_AT_MS, "conflict", "GLS"]
    (parcel,) = select_rows(cli.store, "SELECT station, items, saved_at FROM open_parcels")
    assert list(parcel.values()) == ["bench-1", f'[["{SECOND_ITEM}", "{ORDER}", ""]]', ACCEPTED_AT_MS]
    (signal,) = select_rows(cli.store, "SELECT next_attempt_at, tracking FROM signals")
    assert signal == {"next_attempt_at": ACCEPTED_AT_MS + 5000, "tracking": "00123"}


def test_a_signal_that_an_earlier_version_accepted_is_delivered(cli: CliEnvironment) -> None:
    make_old_store(cli.store, 4)
    cli.run_json("outbox", "release", "1")
    cli.run_json("outbox", "flush")
    assert [row["state"] for row in cli.run_json("signal", "history")] == ["delivered"]


def test_a_migrated_store_has_the_schema_of_a_new_one(tmp_path: Path) -> None:
    new, migrated = tmp_path / "new.db", tmp_path / "old.db"
    make_old_store(migrated, 4)
    for path in (new, migrated):
        store = Store(path, print)
        store.read(lambda transaction: None)
        store.close()
    sql = "SELECT name, tbl_name FROM sqlite_schema ORDER BY name"
    assert select_rows(migrated, sql) == select_rows(new, sql)
    for table in select_rows(new, "SELECT name FROM sqlite_schema WHERE type = 'table'"):
        columns = f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table['name']}')"
        assert select_rows(migrated, columns) == select_rows(new, columns)


def test_a_failure_in_a_later_step_undoes_the_earlier_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpctl.db"
    make_old_store(path, 4)
    schema, rows = select_rows(path, "SELECT sql FROM sqlite_schema"), select_rows(path, "SELECT * FROM handovers")
    monkeypatch.setattr(store_module, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE deliveries (id)"))
    with pytest.raises(StoreError, match="already exists"):
        Store(path, print).read(lambda transaction: None)
    assert (select_rows(path, "SELECT sql FROM sqlite_schema"), select_rows(path, "SELECT * FROM handovers")) == (
        schema,
        rows,
    )
    assert select_rows(path, "PRAGMA user_version") == [{"user_version": 4}]


# --- import ---------------------------------------------------------------------------------


@pytest.mark.parametrize("schema_version", range(1, len(ROWS_BY_STEP) + 1))
def test_a_store_file_of_an_earlier_version_is_imported_and_left_unchanged(
    cli: CliEnvironment, schema_version: int
) -> None:
    old = cli.folder / "old.db"
    make_old_store(old, schema_version)
    before = old.read_bytes()
    assert cli.run_json("outbox", "import", str(old)) == {"imported": 1, "known": 0, "unreadable": None}
    assert old.read_bytes() == before
    (signal,) = cli.run_json("outbox", "list")
    assert (signal["item"], signal["state"], signal["held_by"], signal["uid"]) == (ITEM, "held", "user", "u1")
    assert signal["operator"] == ("" if schema_version == 1 else "Ana")


# A line that cpctl exported before the columns of its store were renamed.
OLD_EXPORT = {
    "uid": "u2",
    "profile": "sandbox",
    "version": "2.0",
    "type": "ItemShipped",
    "order_id": ORDER,
    "item": ITEM,
    "fields": FIELDS,
    "event_at": ACCEPTED_AT_MS,
    "accepted_at": ACCEPTED_AT_MS,
    "state": "queued",
    "held_by": "",
    "attempts": 1,
    "maybe_duplicate": 0,
    "operator": "Ana",
    "station": "bench-1",
    "carrier": "DHL",
}


def test_an_export_of_an_earlier_version_is_imported_and_exported_unchanged(cli: CliEnvironment) -> None:
    file = cli.folder / "waiting.jsonl"
    file.write_text(json.dumps(OLD_EXPORT) + "\n", encoding="utf-8")
    assert cli.run_json("outbox", "import", str(file)) == {"imported": 1, "known": 0, "unreadable": None}
    exported = json.loads(cli.run("outbox", "export").out)
    # The counter of attempts is kept; that the other machine tried it once makes a second copy possible.
    assert exported == {**OLD_EXPORT, "maybe_duplicate": 1}
    assert list(exported) == list(OLD_EXPORT)
