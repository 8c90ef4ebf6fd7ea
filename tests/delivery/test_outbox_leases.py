"""Several processes at one store: none sends what another is sending, and none waits for the dead."""

import signal
from collections import Counter
from subprocess import Popen
from typing import TYPE_CHECKING, Any

import pytest
from shop import (
    ITEM,
    ORDER,
    SECOND,
    Forks,
    change,
    configuration,
    eventually,
    packed,
    pass_time,
    rows,
    select,
    shipped,
    states,
)

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from worlds import World


def finished(process: "Popen[str]") -> tuple[int, str, str]:
    """Wait for a process, and say how it ended."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def killed_in_mid_send(world: "World", sandbox: Sandbox, *words: str) -> None:
    """Start a command, and kill it when the service has its request and has not answered yet."""
    before = len(sandbox.state.journal.list_entries())
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = world.start(*words)
    journal = sandbox.state.journal
    eventually(
        lambda: any(entry["landed"] for entry in journal.list_entries()[before:]), "the request is in the journal"
    )
    process.kill()
    assert finished(process)[0] == -9


def test_several_flushes_at_once_send_nothing_twice_and_keep_the_order_of_each_item(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    sandbox.reset(orders=10, items=3)
    for number in range(10):
        order = f"{12345678 + number}0000"
        items = [f"{12345678 + number}000{n}" for n in (1, 2, 3)]
        forks.ok(world, *packed(*items, order=order), "--queue-only")
        forks.ok(world, *shipped(*items, order=order), "--queue-only")
    sandbox.add_fault(make_fault("latency", seconds=0.05))  # so that they meet
    for code, out, err in [finished(each) for each in [world.start("outbox", "flush") for _ in range(4)]]:
        assert (code, out, err) == (0, "", "")
    forks.ok(world, "outbox", "flush")
    told = Counter((body["item"], body["type"]) for body in received())
    assert len(told) == 60
    assert set(told.values()) == {1}
    kinds: dict[str, list[str]] = {}
    for body in received():
        kinds.setdefault(body["item"], []).append(body["type"])
    assert set(map(tuple, kinds.values())) == {("ItemPacked", "ItemShipped")}
    assert {(row["state"], row["maybe_duplicate"]) for row in rows(world.store)} == {("delivered", 0)}


@pytest.mark.parametrize("words", [packed(ITEM), packed(ITEM, SECOND), ["outbox", "flush"]], ids=lambda w: " ".join(w))
def test_one_killed_in_mid_send_is_followed_by_another_after_its_lease_and_marked(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any, words: list[str]
) -> None:
    if words[0] == "outbox":
        forks.ok(world, *packed(ITEM), "--queue-only")
    killed_in_mid_send(world, sandbox, *words)
    number = len(rows(world.store))
    assert states(world.store) == ["queued"] * number
    assert forks.run(world, "outbox", "flush", "--require-delivery").code == 75, "its lease is still valid"
    assert len(received()) == number
    pass_time(world.store)
    forks.ok(world, "outbox", "flush")
    assert [(row["state"], row["maybe_duplicate"], row["attempts"]) for row in rows(world.store)] == [
        ("delivered", 1, 2)
    ] * number
    assert len(received()) == 2 * number


def test_a_signal_that_is_being_sent_can_be_neither_held_nor_dropped(
    world: "World", sandbox: Sandbox, forks: Forks
) -> None:
    killed_in_mid_send(world, sandbox, *packed())
    for words in (["hold", "1"], ["drop", "1", "--yes"], ["retry", "1"], ["release", "1"]):
        ended = forks.run(world, "outbox", *words)
        assert ended.code == 6
        assert "is being sent right now" in ended.err
    assert states(world.store) == ["queued"]


def test_what_comes_later_of_an_item_waits_while_the_earlier_is_being_sent(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    killed_in_mid_send(world, sandbox, *packed())
    forks.ok(world, *shipped())
    assert states(world.store) == ["queued", "queued"]
    forks.ok(world, *shipped(SECOND))
    assert [body["type"] for body in received()] == ["ItemPacked", "ItemShipped"]
    pass_time(world.store)
    forks.ok(world, "outbox", "flush")
    kinds = [body["type"] for body in received() if body["item"] == ITEM]
    assert kinds == ["ItemPacked", "ItemPacked", "ItemShipped"]


def test_a_lease_of_a_clock_that_was_set_back_since_holds_nobody_up(world: "World", forks: Forks) -> None:
    forks.ok(world, *packed(), "--queue-only")
    change(world.store, "UPDATE signals SET lease = 'x', lease_until = next_at + 86400000")
    forks.ok(world, "outbox", "flush")
    assert states(world.store) == ["delivered"]


def test_ctrl_c_in_mid_send_says_that_the_signal_is_safe_and_doubtful(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    sandbox.add_fault(make_fault("latency", seconds=60, times=1))
    process = world.start(*packed())
    eventually(lambda: bool(received()), "the request is in the journal")
    process.send_signal(signal.SIGINT)
    code, out, err = finished(process)
    assert (code, out) == (130, "")
    assert "what was accepted is safe" in err
    (row,) = rows(world.store)
    assert (row["state"], row["maybe_duplicate"], row["lease"]) == ("queued", 1, None)
    forks.ok(world, "outbox", "flush")
    assert states(world.store) == ["delivered"]


def test_a_watching_outbox_delivers_what_is_added_later_and_stops_when_it_is_told(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    forks.ok(world, *packed(), "--queue-only")
    process = world.start("outbox", "flush", "--watch")
    eventually(lambda: len(received()) == 1, "what waited is sent")
    forks.ok(world, *packed(SECOND), "--queue-only")
    eventually(lambda: states(world.store) == ["delivered", "delivered"], "what came later is delivered")
    process.terminate()
    code, out, err = finished(process)
    assert (code, out) == (143, "")
    assert f"delivered ItemPacked {ORDER} {SECOND} (signal 2)" in err
    assert err.endswith("cpctl: Terminated.\n")
    assert select(world.store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def test_the_first_users_of_a_store_may_come_together(world: "World", received: Any) -> None:
    items = [f"12345678000{n}" for n in (1, 2, 3)]
    for code, _, err in [finished(each) for each in [world.start(*packed(item)) for item in items]]:
        assert (code, err) == (0, "")
    assert sorted(body["item"] for body in received()) == items
    assert states(world.store) == ["delivered"] * 3


def test_another_address_does_not_meet_the_signals_of_this_profile_unless_told(world: "World", forks: Forks) -> None:
    world.configure(configuration("http://127.0.0.1:9"))
    ended = forks.ok(world, *packed())
    assert "is not reached: Connection refused" in ended.err
    assert states(world.store) == ["queued"]
