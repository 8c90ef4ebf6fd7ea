"""Shared by the tests of delivery: command lines, access to the rows of a store, and time that passes in it."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment

ORDER, OTHER_ORDER = "123456780000", "123456790000"
ITEM, SECOND_ITEM, THIRD_ITEM = "123456780001", "123456780002", "123456780003"
HOUR_MS = 3_600_000  # ms, as the store counts
DAY_MS = 24 * HOUR_MS
Body = dict[str, Any]


def shipped_command(*items: str, tracking: str = "1A2B3C4D5E6F", order: str = ORDER) -> list[str]:
    """The command line that reports items as shipped; by default one item."""
    return ["signal", "shipped", *(items or (ITEM,)), "--order", order, "--tracking", tracking]


def packed_command(*items: str, order: str = ORDER) -> list[str]:
    """The command line that reports items as packed; by default one item."""
    return ["signal", "packed", *(items or (ITEM,)), "--order", order]


def signal_rows(store: Path) -> list[dict[str, Any]]:
    """All signals of a store in the order of acceptance."""
    return select_rows(store, "SELECT * FROM signals ORDER BY id")


def select_rows(store: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of a store, read without cpctl."""
    with closing(sqlite3.connect(store, isolation_level=None)) as opened:
        opened.row_factory = sqlite3.Row
        return [dict(row) for row in opened.execute(sql)]


def execute_sql(store: Path, sql: str) -> None:
    """Change a store without cpctl."""
    select_rows(store, sql)


def advance_time(store: Path, ms: int = 2 * HOUR_MS) -> None:
    """Let time pass: every time in the store moves back by this much."""
    columns = ("accepted_at", "next_attempt_at", "not_before", "last_attempt_at", "lease_until")
    execute_sql(store, "UPDATE signals SET " + ", ".join(f"{name} = max({name} - {ms}, 0)" for name in columns))
    execute_sql(store, f"UPDATE queues SET paused_at = paused_at - {ms}")


def signal_states(store: Path) -> list[str]:
    """The state of every signal, oldest first."""
    return [row["state"] for row in signal_rows(store)]


def wait_until(condition: Callable[[], bool], description: str, seconds: float = 20) -> None:
    """Poll until a condition holds, if there is no event to wait for."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {description}"
        pause.wait(0.005)


def sandbox_configuration(base_url: str) -> str:
    """A configuration with one profile, "sandbox", for a base URL."""
    return (
        f"profiles:\n  sandbox:\n    base_url: {base_url}\n    shipping_option: GLS\n"
        "    core: {api_key: sandbox-core-key}\n    signal: {api_key: sandbox-signal-key}\n"
    )


def second_machine(cli: "CliEnvironment", name: str) -> "CliEnvironment":
    """Another machine with the same configuration and its own store."""
    folder = cli.folder / name
    folder.mkdir()
    return type(cli)(folder, {**cli.environment, "CPCTL_DATA_DIR": str(folder / "data"), "HOME": str(folder)})


@dataclass(frozen=True)
class CompletedRun:
    """A completed run of cpctl; the code of one that killed itself is -9."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output, parsed as JSON."""
        return json.loads(self.out)


class ForkRunner:
    """Runs cpctl, each time in a process forked from one that has all modules loaded."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, cli: "CliEnvironment", *arguments: str, kill_point: int = 0, env: Mapping[str, str] | None = None
    ) -> CompletedRun:
        """Run one command line; with `kill_point` it kills itself at that point (see `kill_points`)."""
        assert self._process.stdin and self._process.stdout
        job = {
            "argv": arguments,
            "env": cli.process_environment(**(env or {})),
            "cwd": str(cli.folder),
            "die_at": kill_point,
        }
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the forking process has ended"
        return CompletedRun(**json.loads(answer))

    def run_ok(self, cli: "CliEnvironment", *arguments: str) -> CompletedRun:
        """Run one command line and require exit status 0."""
        result = self.run(cli, *arguments)
        assert result.code == 0, result
        return result


@contextmanager
def start_fork_runner() -> Iterator[ForkRunner]:
    """A fork runner, until the end of the block."""
    tests = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kill_points.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)]), "HOME": "/nonexistent"},
    ) as process:
        yield ForkRunner(process)
        assert process.stdin
        process.stdin.close()
