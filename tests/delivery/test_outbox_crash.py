"""kill -9 at every commit, send and answer: nothing is lost, and nothing is sent twice without a word."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from shop import ITEM, SECOND, Forks, neighbour, packed, pass_time, rows, shipped

from cpctl.sandbox.server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from worlds import World

AT = ("--at", "2026-01-20T13:00:00Z")
WIRE_AT = "2026-01-20 13:00:00 GMT"
Key = tuple[str, str]  # type and item
Prepare = Callable[[Forks, "World"], None]


def nothing(forks: Forks, world: "World") -> None:
    """No store yet: its making is part of what is killed."""


def three_waiting(forks: Forks, world: "World") -> None:
    """Two signals of one item, in order, and one of another."""
    for words in (packed(ITEM), packed(SECOND), shipped(ITEM)):
        forks.ok(world, *words, *AT, "--queue-only")


@dataclass(frozen=True)
class Scene:
    """What a run is to tell the service, and in how many posts where nothing goes wrong."""

    prepare: Prepare
    words: Sequence[str]
    told: Sequence[Key]
    posts: int


SCENES = {
    "one signal": Scene(nothing, [*shipped(ITEM), *AT], [("ItemShipped", ITEM)], 1),
    "a bundle of two": Scene(
        nothing, [*shipped(ITEM, SECOND), *AT], [("ItemShipped", ITEM), ("ItemShipped", SECOND)], 1
    ),
    "a flush over three": Scene(
        three_waiting,
        ["outbox", "flush"],
        [("ItemPacked", ITEM), ("ItemPacked", SECOND), ("ItemShipped", ITEM)],
        2,
    ),
}


def restart(forks: Forks, world: "World", words: Sequence[str]) -> None:
    """What a person and cron do after a power cut: the command again, and later a flush."""
    forks.ok(world, *words)
    pass_time(world.store)
    forks.ok(world, "outbox", "flush")


def check(world: "World", posts: list[dict[str, Any]], scene: Scene, where: str) -> None:
    """The promises, after all that."""
    bodies = [body for post in posts for body in post["body"].get("items", [post["body"]])]
    sent = [(body["type"], body["item"]) for body in bodies]
    kept = {(row["type"], row["item"]): row for row in rows(world.store)}
    assert sorted(kept) == sorted(scene.told) == sorted(set(sent)), where
    assert len(rows(world.store)) == len(scene.told), f"accepted twice: {where}"
    assert {row["state"] for row in kept.values()} == {"delivered"}, where
    assert {body["datetime"] for body in bodies} == {WIRE_AT}, where
    assert len(posts) <= scene.posts + 1, f"more than one copy: {where}"
    assert all(kept[key]["maybe_duplicate"] for key in sent if sent.count(key) > 1), f"a silent copy: {where}"
    for item in {item for _, item in sent}:
        kinds = [kind for kind, of in sent if of == item]
        assert kinds == sorted(kinds), f"out of order: {where}"


@pytest.mark.parametrize("name", SCENES)
def test_a_power_cut_at_any_point_loses_nothing_and_doubles_nothing_unmarked(
    world: "World", sandbox: Sandbox, forks: Forks, name: str
) -> None:
    scene = SCENES[name]
    scene.prepare(forks, world)
    places = []
    for point in count(1):
        sandbox.reset()
        there = neighbour(world, str(point))
        if world.store.exists():
            shutil.copytree(world.store.parent, there.store.parent)
        ended = forks.run(there, *scene.words, die_at=point)
        if ended.code != -9:
            assert ended.code == 0, ended
            break
        places.append(ended.err.splitlines()[-1])
        restart(forks, there, scene.words)
        posts = [entry for entry in sandbox.state.journal.list_entries() if entry["landed"]]
        check(there, posts, scene, f"point {point}, {places[-1]}")
    kinds = ("before a commit", "after a commit", "before a send", "after an answer")
    assert set(places) == {f"killed {kind}" for kind in kinds}
    assert len(places) >= 12
