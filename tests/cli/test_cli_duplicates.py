"""The same thing said twice: no harm. Two things that contradict each other: nothing is sent."""

from collections.abc import Callable
from typing import Any

import pytest
from worlds import ITEM, ORDER, SECOND, THIRD, Result, World, shipped

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
Received = Callable[[], list[dict[str, Any]]]
JSON = ("-o", "json")


def states(result: Result) -> list[str]:
    return [row["state"] for row in result.data]


def test_the_same_signal_again_is_a_duplicate_and_is_not_sent(world: World, inside: Inside, received: Received) -> None:
    first = inside(world, *shipped(), *JSON)
    again = inside(world, *shipped(), *JSON)
    assert (first.code, states(first)) == (0, ["delivered"])
    assert (again.code, states(again)) == (0, ["duplicate"])
    assert again.data[0]["id"] == first.data[0]["id"]
    assert again.data[0]["message"] == "already accepted as signal 1 (delivered)"
    assert len(received()) == 1


def test_another_time_of_the_same_event_is_still_a_duplicate(world: World, inside: Inside, received: Received) -> None:
    inside(world, *shipped(), "--at", "2026-01-20T13:00:00Z")
    assert states(inside(world, *shipped(), *JSON)) == ["duplicate"]
    assert [body["datetime"] for body in received()] == ["2026-01-20 13:00:00 GMT"]


def test_another_tracking_code_is_a_conflict_that_names_both(world: World, inside: Inside, received: Received) -> None:
    inside(world, *shipped(tracking="FIRST"))
    result = inside(world, *shipped(tracking="OTHER"), *JSON)
    assert (result.code, states(result)) == (6, ["conflict"])
    assert "signal 1 (delivered) says tracking=FIRST" in result.err
    assert result.data[0]["fields"]["tracking"] == "OTHER"
    assert "tracking=OTHER" in result.err
    assert "repeat the command with --force" in result.err
    assert [body["tracking"] for body in received()] == ["FIRST"]
    assert len(inside(world, "signal", "history", *JSON).data) == 1


def test_a_conflict_can_be_forced(world: World, inside: Inside, received: Received) -> None:
    inside(world, *shipped(tracking="FIRST"))
    result = inside(world, *shipped(tracking="OTHER"), "--force", *JSON)
    assert (result.code, states(result)) == (0, ["delivered"])
    assert [body["tracking"] for body in received()] == ["FIRST", "OTHER"]
    again = inside(world, *shipped(tracking="OTHER"), "--force", *JSON)
    assert states(again) == ["duplicate"], "--force sends what contradicts, not what is said already"
    back = inside(world, *shipped(tracking="FIRST"), *JSON)
    assert (back.code, states(back)) == (6, ["conflict"])
    assert len(received()) == 2


@pytest.mark.parametrize(("kind", "version"), [("delay", "2.0"), ("error", "2.0"), ("error", "1.1")])
def test_a_delay_may_be_said_again_at_another_time(
    world: World, inside: Inside, received: Received, kind: str, version: str
) -> None:
    words = ["signal", kind, ITEM, "--order", ORDER, "--delay", "24", "--api-version", version, *JSON]
    assert states(inside(world, *words, "--at", "2026-01-20T13:00:00Z")) == ["delivered"]
    assert states(inside(world, *words, "--at", "2026-01-20T13:00:00+00:00")) == ["duplicate"]
    assert states(inside(world, *words, "--at", "2026-01-20T14:00:00Z")) == ["delivered"]
    assert states(inside(world, *words, "--at", "2026-01-20T14:00:00Z", "-f", "note=x")) == ["delivered"]
    assert len(received()) == 3


def test_different_types_of_one_item_never_contradict_each_other(
    world: World, inside: Inside, received: Received
) -> None:
    for kind in ("registered", "produce", "produced", "packed"):
        assert states(inside(world, "signal", kind, ITEM, "--order", ORDER, *JSON)) == ["delivered"]
    assert len(received()) == 4


def test_what_was_refused_can_be_said_again(world: World, sandbox: Sandbox, inside: Inside, received: Received) -> None:
    sandbox.add_fault(make_fault("status", times=1, status=400))
    assert states(inside(world, *shipped(tracking="TYPO"), *JSON)) == ["refused"]
    result = inside(world, *shipped(tracking="RIGHT"), *JSON)
    assert (result.code, states(result)) == (0, ["delivered"])
    assert [body["tracking"] for body in received()] == ["RIGHT"]


def test_one_conflict_among_several_items_leaves_the_others_delivered(
    world: World, inside: Inside, received: Received
) -> None:
    inside(world, *shipped(ITEM, "ONE"))
    words = ["signal", "shipped", ITEM, SECOND, THIRD, "--order", ORDER, "--tracking", "TWO"]
    result = inside(world, *words, *JSON)
    assert (result.code, states(result)) == (6, ["conflict", "delivered", "delivered"])
    assert [body["tracking"] for body in received()] == ["ONE", "TWO", "TWO"]
    again = inside(world, *words, *JSON)
    assert (again.code, states(again)) == (6, ["conflict", "duplicate", "duplicate"])


def test_a_repeat_that_insists_on_delivery_tries_what_waits(
    world: World, sandbox: Sandbox, inside: Inside, received: Received
) -> None:
    sandbox.add_fault(make_fault("status", status=503))
    first = inside(world, *shipped(), *JSON)
    assert (first.code, states(first)) == (0, ["queued"])
    assert inside(world, *shipped(), *JSON).code == 0, "responsibility is taken already"
    tried = len(sandbox.state.journal.list_entries())
    assert inside(world, *shipped(), "--require-delivery", *JSON).code == 75
    assert len(sandbox.state.journal.list_entries()) == tried + 1
    sandbox.clear_faults()
    done = inside(world, *shipped(), "--require-delivery", *JSON)
    assert (done.code, states(done)) == (0, ["duplicate"])
    assert len(received()) == 1
    assert inside(world, *shipped(), "--require-delivery", *JSON).code == 0
    assert len(received()) == 1, "delivered is delivered"


def test_queue_only_accepts_and_sends_nothing(world: World, inside: Inside, received: Received) -> None:
    result = inside(world, *shipped(), "--queue-only", *JSON)
    assert (result.code, states(result)) == (0, ["queued"])
    assert received() == []
    assert inside(world, "outbox", "flush").code == 0
    assert len(received()) == 1


def test_two_profiles_of_one_store_know_nothing_of_each_others_signals(
    world: World, inside: Inside, received: Received
) -> None:
    text = world.config.read_text(encoding="utf-8")
    world.configure(text + text.partition("\n")[2].replace("  sandbox:", "  second:"))
    assert states(inside(world, *shipped(), "-p", "sandbox", *JSON)) == ["delivered"]
    assert states(inside(world, *shipped(tracking="OTHER"), "-p", "second", *JSON)) == ["delivered"]
    assert len(received()) == 2
