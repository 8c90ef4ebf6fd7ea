"""kill -9 at every commit, post and response: nothing is lost, and every second copy is marked."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.outbox.store_access import (
    ITEM,
    SECOND_ITEM,
    ForkRunner,
    advance_time,
    packed_command,
    second_machine,
    shipped_command,
    signal_rows,
)

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment

TIME_OPTION = ("--at", "2026-01-20T13:00:00Z")
WIRE_TIME = "2026-01-20 13:00:00 GMT"
SignalKey = tuple[str, str]  # type and item
Prepare = Callable[[ForkRunner, "CliEnvironment"], None]


def prepare_nothing(fork_runner: ForkRunner, cli: "CliEnvironment") -> None:
    """No store yet: its creation is killed as well."""


def prepare_three_signals(fork_runner: ForkRunner, cli: "CliEnvironment") -> None:
    """Two signals of one item, in order, and one of another."""
    for arguments in (packed_command(ITEM), packed_command(SECOND_ITEM), shipped_command(ITEM)):
        fork_runner.run_ok(cli, *arguments, *TIME_OPTION, "--queue-only")


@dataclass(frozen=True)
class CrashScenario:
    """What a run is to send, and in how many posts if nothing goes wrong."""

    prepare: Prepare
    arguments: Sequence[str]
    expected_signals: Sequence[SignalKey]
    expected_posts: int


CRASH_SCENARIOS = {
    "one signal": CrashScenario(prepare_nothing, [*shipped_command(ITEM), *TIME_OPTION], [("ItemShipped", ITEM)], 1),
    "a bundle of two": CrashScenario(
        prepare_nothing,
        [*shipped_command(ITEM, SECOND_ITEM), *TIME_OPTION],
        [("ItemShipped", ITEM), ("ItemShipped", SECOND_ITEM)],
        1,
    ),
    "a flush over three": CrashScenario(
        prepare_three_signals,
        ["outbox", "flush"],
        [("ItemPacked", ITEM), ("ItemPacked", SECOND_ITEM), ("ItemShipped", ITEM)],
        2,
    ),
}


def recover(fork_runner: ForkRunner, cli: "CliEnvironment", arguments: Sequence[str]) -> None:
    """What a person and cron do after a power cut: repeat the command, and flush later."""
    fork_runner.run_ok(cli, *arguments)
    advance_time(cli.store)
    fork_runner.run_ok(cli, "outbox", "flush")


def check_promises(
    cli: "CliEnvironment", posts: list[dict[str, Any]], scenario: CrashScenario, kill_point: str
) -> None:
    """Check the promises after the recovery."""
    bodies = [body for post in posts for body in post["body"].get("items", [post["body"]])]
    sent = [(body["type"], body["item"]) for body in bodies]
    kept = {(row["type"], row["item"]): row for row in signal_rows(cli.store)}
    assert sorted(kept) == sorted(scenario.expected_signals) == sorted(set(sent)), kill_point
    assert len(signal_rows(cli.store)) == len(scenario.expected_signals), f"accepted twice: {kill_point}"
    assert {row["state"] for row in kept.values()} == {"delivered"}, kill_point
    assert {body["datetime"] for body in bodies} == {WIRE_TIME}, kill_point
    assert len(posts) <= scenario.expected_posts + 1, f"more than one copy: {kill_point}"
    assert all(kept[key]["maybe_duplicate"] for key in sent if sent.count(key) > 1), f"a silent copy: {kill_point}"
    for item in {item for _, item in sent}:
        types = [name for name, sent_item in sent if sent_item == item]
        assert types == sorted(types), f"out of order: {kill_point}"


@pytest.mark.parametrize("name", CRASH_SCENARIOS)
def test_a_power_cut_at_any_point_loses_nothing_and_marks_every_second_copy(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, name: str
) -> None:
    scenario = CRASH_SCENARIOS[name]
    scenario.prepare(fork_runner, cli)
    points = []
    for point in count(1):
        sandbox.reset()
        machine = second_machine(cli, str(point))
        if cli.store.exists():
            shutil.copytree(cli.store.parent, machine.store.parent)
        result = fork_runner.run(machine, *scenario.arguments, kill_point=point)
        if result.code != -9:
            assert result.code == 0, result
            break
        points.append(result.err.splitlines()[-1])
        recover(fork_runner, machine, scenario.arguments)
        posts = [entry for entry in sandbox.state.journal.list_entries() if entry["processed"]]
        check_promises(machine, posts, scenario, f"point {point}, {points[-1]}")
    kinds = ("before a commit", "after a commit", "before a send", "after an answer")
    assert set(points) == {f"killed {kind}" for kind in kinds}
    assert len(points) >= 12
