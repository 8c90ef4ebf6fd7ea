"""kill -9 at every commit, send and answer: nothing is lost, and nothing is sent twice without a word."""

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
    """No store yet: its making is part of what is killed."""


def prepare_three_signals(fork_runner: ForkRunner, cli: "CliEnvironment") -> None:
    """Two signals of one item, in order, and one of another."""
    for words in (packed_command(ITEM), packed_command(SECOND_ITEM), shipped_command(ITEM)):
        fork_runner.run_ok(cli, *words, *TIME_OPTION, "--queue-only")


@dataclass(frozen=True)
class CrashScenario:
    """What a run is to tell the service, and in how many posts where nothing goes wrong."""

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


def recover(fork_runner: ForkRunner, cli: "CliEnvironment", words: Sequence[str]) -> None:
    """What a person and cron do after a power cut: the command again, and later a flush."""
    fork_runner.run_ok(cli, *words)
    advance_time(cli.store)
    fork_runner.run_ok(cli, "outbox", "flush")


def check_promises(cli: "CliEnvironment", posts: list[dict[str, Any]], scene: CrashScenario, kill_point: str) -> None:
    """The promises, after all that."""
    bodies = [body for post in posts for body in post["body"].get("items", [post["body"]])]
    sent = [(body["type"], body["item"]) for body in bodies]
    kept = {(row["type"], row["item"]): row for row in signal_rows(cli.store)}
    assert sorted(kept) == sorted(scene.expected_signals) == sorted(set(sent)), kill_point
    assert len(signal_rows(cli.store)) == len(scene.expected_signals), f"accepted twice: {kill_point}"
    assert {row["state"] for row in kept.values()} == {"delivered"}, kill_point
    assert {body["datetime"] for body in bodies} == {WIRE_TIME}, kill_point
    assert len(posts) <= scene.expected_posts + 1, f"more than one copy: {kill_point}"
    assert all(kept[key]["maybe_duplicate"] for key in sent if sent.count(key) > 1), f"a silent copy: {kill_point}"
    for item in {item for _, item in sent}:
        kinds = [kind for kind, of in sent if of == item]
        assert kinds == sorted(kinds), f"out of order: {kill_point}"


@pytest.mark.parametrize("name", CRASH_SCENARIOS)
def test_a_power_cut_at_any_point_loses_nothing_and_doubles_nothing_unmarked(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, name: str
) -> None:
    scene = CRASH_SCENARIOS[name]
    scene.prepare(fork_runner, cli)
    places = []
    for point in count(1):
        sandbox.reset()
        there = second_machine(cli, str(point))
        if cli.store.exists():
            shutil.copytree(cli.store.parent, there.store.parent)
        ended = fork_runner.run(there, *scene.arguments, kill_point=point)
        if ended.code != -9:
            assert ended.code == 0, ended
            break
        places.append(ended.err.splitlines()[-1])
        recover(fork_runner, there, scene.arguments)
        posts = [entry for entry in sandbox.state.journal.list_entries() if entry["processed"]]
        check_promises(there, posts, scene, f"point {point}, {places[-1]}")
    kinds = ("before a commit", "after a commit", "before a send", "after an answer")
    assert set(places) == {f"killed {kind}" for kind in kinds}
    assert len(places) >= 12
