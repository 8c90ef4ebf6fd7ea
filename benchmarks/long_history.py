"""The cost of a long history: commands on a store of a million signals, compared to an empty store."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paired_timing import Command, table_row, time_in_turn
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.store.store import Store

ORDER = "123456780000"
# Three years of a print shop: 250,000 items, each registered, produced, packed and shipped.
INSERT_HISTORY = """
    INSERT INTO signals (uid, profile, version, type, order_id, item, fields, event_at, accepted_at, state, attempts,
                         next_attempt_at, settled_at, http_status, last_run, operator, station, carrier)
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :rows),
    facts AS (
        SELECT n, CASE n % 4 WHEN 0 THEN 'ItemRegistered' WHEN 1 THEN 'ItemProduced' WHEN 2 THEN 'ItemPacked'
                             ELSE 'ItemShipped' END AS type,
               printf('%08d0000', n / 8) AS order_id, printf('%08d%04d', n / 8, n / 4 % 2 + 1) AS item,
               1700000000000 + n * 94608 AS at
        FROM numbers
    )
    SELECT lower(hex(randomblob(16))), 'bench', '2.0', type, order_id, item,
           json_object('order', order_id, 'item', item), at, at, 'delivered', 1, at, at + 900, 200,
           lower(hex(randomblob(16))), 'operator ' || (n % 7), 'bench ' || (n % 3), 'gls'
    FROM facts
"""


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=40, help="pairs per row")
    arguments.add_argument("--rows", type=int, default=1_000_000, help="signals in the long history")
    given = arguments.parse_args()
    print("| command | long history | empty store | ratio | half of the pairs | aim |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, Sandbox(items=999) as sandbox:
        long, empty = (_write_config(Path(name) / folder, sandbox) for folder in ("long", "empty"))
        _fill_store(long.parent / "cpctl.db", given.rows)
        first_item = 1
        environment = {"PATH": os.environ["PATH"], "HOME": name}
        for command, lines, aim in BENCHMARKS:
            pair = time_in_turn(
                _command_factory(long, lines, first_item),
                _command_factory(empty, lines, first_item + 1),
                given.runs,
                environment,
            )
            first_item += 2 * given.runs + 4
            print(table_row(f"`{command}`, {given.rows:,} signals before it", pair, aim), flush=True)


SHIPPED_COMMAND = f"signal shipped ITEM --order {ORDER} --tracking 1A2B3C4D5E6F"
# Each with its command lines, and the largest acceptable ratio.
BENCHMARKS = (
    ("cpctl signal shipped", (SHIPPED_COMMAND,), 1.2),
    ("cpctl signal shipped --queue-only; cpctl outbox flush", (f"{SHIPPED_COMMAND} --queue-only", "outbox flush"), 1.2),
    ("cpctl outbox check", ("outbox check",), 1.2),
    ("cpctl outbox list", ("outbox list",), 1.2),
    ("cpctl signal report --date 2025-06-01", ("signal report --date 2025-06-01",), 1.2),
)


def _write_config(folder: Path, sandbox: Sandbox) -> Path:
    folder.mkdir(mode=0o700)
    config = folder / "config.yaml"
    config.touch(mode=0o600)
    config.write_text(
        f"profiles:\n  bench:\n    base_url: {sandbox.base_url}\n    store: {folder / 'cpctl.db'}\n"
        f"    shipping_option: GLS\n    signal: {{api_key: {API_KEYS['signal']}}}\n",
        encoding="utf-8",
    )
    return config


def _fill_store(path: Path, rows: int) -> None:
    store = Store(path, print)
    store.write(lambda transaction: transaction.execute(INSERT_HISTORY, rows=rows))
    store.close()


def _command_factory(config: Path, lines: Sequence[str], first_item: int) -> Command:
    """The command of a run. Each run reports a different item, so that none is a duplicate."""
    program = Path(sys.executable).with_name("cpctl")
    script = " && ".join(f"{program} --quiet --config {config} {line}" for line in lines)
    return lambda number: ["sh", "-c", script.replace("ITEM", f"12345678{(number + 2) * 2 + first_item:04d}")]


if __name__ == "__main__":
    main()
