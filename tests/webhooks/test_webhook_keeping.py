"""`webhooks export` and `prune`; and the orders that `orders add` notes for the receiver."""

import json
import re
import stat
import time
from collections.abc import Callable
from typing import Any

import pexpect
import pytest
from call_examples import an_order
from cli.cli_terminal import on_terminal
from shelf_filling import DAY, event, fill, filled, life
from worlds import SECOND, SECONDS, Result, World

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.store.store import Store
from cpctl.webhooks.events.event_store import EventSearch, find_events, is_known_order

Inside = Callable[..., Result]
NOW = int(time.time() * 1000)
OLD = ("webhooks", "prune", "--older-than", "90d")


@pytest.fixture
def store(world: World) -> Store:
    """A store with an old life of an item that every target has, one that "exec crm" has not got, and a new one."""
    made = filled(world.store, life(), now=NOW - 100 * DAY)
    fill(made, life(SECOND), ["exec crm", "forward http://127.0.0.1:9/in"], NOW - 95 * DAY)
    fill(made, life("new"), ["exec crm"], NOW - 10 * DAY)
    return made


def left(store: Store) -> int:
    return len(find_events(store, EventSearch("sandbox")))


# --- export ----------------------------------------------------------------------------------


def test_an_export_is_one_line_an_event_in_the_order_of_arrival(world: World, inside: Inside) -> None:
    filled(world.store, list(reversed([event(note=n) for n in range(1100)])))
    result = inside(world, "webhooks", "export")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert (result.code, result.err) == (0, "1100 exported.\n")
    assert [line["fields"]["note"] for line in lines] == list(range(1099, -1, -1))
    assert lines[:2] == inside(world, "webhooks", "show", "1", "2", "-o", "json").data
    assert inside(world, "webhooks", "export", "-", "--type", "ItemShipped").out == ""


def test_an_export_to_a_file_is_private_and_replaces_the_old_one_whole(
    world: World, inside: Inside, store: Store
) -> None:
    file = world.folder / "events.jsonl"
    file.write_text("old\n")
    result = inside(world, "webhooks", "export", "events.jsonl", "--item", "new", "--type", "ItemPacked")
    assert (result.code, result.out, result.err) == (0, "", "1 exported.\n")
    assert [json.loads(line)["item"] for line in file.read_text().splitlines()] == ["new"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    refused = inside(world, "webhooks", "export", "missing/events.jsonl")
    assert (refused.code, "missing/events.jsonl cannot be written" in refused.err) == (2, True)


def test_a_dry_run_of_an_export_counts_and_writes_nothing(world: World, inside: Inside, store: Store) -> None:
    result = inside(world, "webhooks", "export", "events.jsonl", "--dry-run", "--undelivered")
    assert (result.code, result.out) == (0, "")
    assert result.err == "Dry run: nothing was written; 10 would be exported.\n"
    assert not (world.folder / "events.jsonl").exists()


def test_at_a_terminal_an_export_tells_how_far_it_is(world: World) -> None:
    filled(world.store, [event(note=n) for n in range(700)])
    seen = on_terminal(world, "webhooks", "export", "x.jsonl", stream="stderr")
    assert "\r\x1b[K500 exported" in seen.raw
    assert seen.screen == ["700 exported."]


def test_without_a_store_nothing_is_exported_and_none_is_made(world: World, inside: Inside) -> None:
    result = inside(world, "webhooks", "export")
    assert (result.code, result.out, result.err) == (0, "", "0 exported.\n")
    assert not world.store.exists()


# --- prune -----------------------------------------------------------------------------------


def test_pruning_deletes_what_is_old_and_says_what_stays_and_why(world: World, inside: Inside, store: Store) -> None:
    result = inside(world, *OLD, "--yes", "-o", "json")
    told = result.data
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.pop("before"))
    assert (result.code, told) == (0, {"pruned": 5, "kept_for_targets": 5, "given_up": 0})
    assert "5 deleted." in result.err
    assert "5 events of that age stay" in result.err
    assert '"exec crm", "forward http://127.0.0.1:9/in"' in result.err
    assert left(store) == 10
    again = inside(world, *OLD, "-o", "json")
    assert (again.code, again.data["pruned"]) == (0, 0), "where nothing would go, nobody is asked"


def test_a_target_that_is_no_more_is_given_up_and_then_holds_nothing(
    world: World, inside: Inside, store: Store
) -> None:
    for name, gone, stays, number in (("http://127.0.0.1:9/in", 5, 5, 5), ("exec crm", 5, 0, 10)):
        dry = inside(world, *OLD, "--give-up", name, "--dry-run", "-o", "json").data
        result = inside(world, *OLD, "--give-up", name, "--yes", "-o", "json").data
        assert (result["pruned"], result["kept_for_targets"], result["given_up"]) == (gone, stays, number)
        assert (dry["would_prune"], dry["pruned"], dry["given_up"]) == (gone, 0, 0)
    assert left(store) == 5
    unknown = inside(world, *OLD, "--give-up", "exec crm", "--yes")
    assert (unknown.code, "Every target has got all." in unknown.err) == (2, True)


def test_the_name_of_a_target_that_is_wrong_is_refused_with_the_nearest(
    world: World, inside: Inside, store: Store
) -> None:
    result = inside(world, *OLD, "--give-up", "exec crn", "--yes")
    assert (result.code, left(store)) == (2, 15)
    assert 'Did you mean "exec crm"?' in result.err


def test_nothing_is_deleted_without_a_yes(world: World, inside: Inside, store: Store) -> None:
    result = inside(world, *OLD)
    assert (result.code, result.out, left(store)) == (2, "", 15)
    assert "Nobody can be asked here." in result.err
    assert "5 events" in result.err
    assert "Add --yes" in result.err
    dry = inside(world, *OLD, "--dry-run", "-o", "json")
    assert (dry.code, dry.data["would_prune"], left(store)) == (0, 5, 15)
    assert "Dry run: nothing was deleted. Would go: 5 events." in dry.err


@pytest.mark.parametrize(("answer", "code", "number"), [("n", 2, 15), ("y", 0, 10)])
def test_at_a_terminal_the_question_names_number_time_and_profile(
    world: World, store: Store, answer: str, code: int, number: int
) -> None:
    command, *arguments = world.command(*OLD)
    child = pexpect.spawn(
        command, arguments, env={"TERM": "dumb", **world.env()}, encoding="utf-8", timeout=SECONDS, dimensions=(24, 200)
    )
    child.expect(r'Delete what was received before 20\d\d-.* of profile "sandbox" \(sandbox\): 5 events\? \[y/N\]: ')
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, left(store)) == (code, number)


@pytest.mark.parametrize("span", ["7d", "0d", "1", "191h"])
def test_what_the_service_may_still_repeat_is_never_pruned(
    world: World, inside: Inside, store: Store, span: str
) -> None:
    result = inside(world, "webhooks", "prune", "--older-than", span, "--yes")
    assert (result.code, left(store)) == (2, 15)
    assert "keep events for 8d or more" in result.err
    assert inside(world, "webhooks", "prune", "--older-than", "8d", "--yes").code == 0


def test_a_span_that_is_none_is_refused(world: World, inside: Inside, store: Store) -> None:
    result = inside(world, "webhooks", "prune", "--older-than", "long ago")
    assert (result.code, "is not a span of time" in result.err) == (2, True)


def test_without_a_store_there_is_nothing_to_prune(world: World, inside: Inside) -> None:
    result = inside(world, *OLD)
    assert (result.code, "Nothing is that old" in result.err) == (0, True)
    assert not world.store.exists()


# --- orders that are ours --------------------------------------------------------------------


def knows(world: World, reference: str) -> bool:
    if not world.store.exists():
        return False
    store = Store(world.store, print)
    asked = event(order="999", order_reference=reference)
    known = store.read(lambda work: is_known_order(work, "sandbox", asked))
    store.close()
    return known


@pytest.fixture
def document(world: World) -> Callable[[str], str]:
    """A document with an order of that reference."""

    def write(reference: str) -> str:
        (world.folder / "order.json").write_text(json.dumps(an_order(reference)))
        return "order.json"

    return write


def test_an_order_that_is_added_is_known_to_the_receiver(
    world: World, inside: Inside, document: Callable[[str], str]
) -> None:
    assert inside(world, "orders", "add", document("a")).code == 0
    assert (knows(world, "a"), knows(world, "b")) == (True, False)


def test_an_order_that_exists_already_is_known_as_well(
    world: World, inside: Inside, document: Callable[[str], str]
) -> None:
    inside(world, "orders", "add", document("a"))
    world.store.unlink()
    assert inside(world, "orders", "add", document("a")).code == 6
    assert knows(world, "a")


def test_an_order_whose_answer_was_lost_is_known(
    world: World, inside: Inside, sandbox: Sandbox, document: Callable[[str], str]
) -> None:
    sandbox.add_fault(make_fault("reset-after", "/cloudcore/1.0/orders/add", 1))
    assert inside(world, "orders", "add", document("a")).code == 0
    assert knows(world, "a")


def test_an_order_that_may_have_been_created_is_known_so_that_nothing_of_it_is_turned_away(
    world: World, inside: Inside, sandbox: Sandbox, document: Callable[[str], str]
) -> None:
    sandbox.add_fault(make_fault("reset-after", "/cloudcore/1.0/orders/", 0))
    assert inside(world, "orders", "add", document("a")).code == 75
    assert knows(world, "a")


@pytest.mark.parametrize("words", [["--dry-run"], ["--check"]], ids=str)
def test_an_order_that_is_not_sent_is_not_known(
    world: World, inside: Inside, document: Callable[[str], str], words: list[str]
) -> None:
    assert inside(world, "orders", "add", document("a"), *words).code == 0
    assert not knows(world, "a")
    assert not world.store.exists()


def test_a_store_that_fails_is_a_warning_and_the_order_is_created_all_the_same(
    world: World, inside: Inside, document: Callable[[str], str]
) -> None:
    blocked = world.folder / "file"
    blocked.write_text("")
    result: Any = inside(world, "orders", "add", document("a"), "-o", "json", CPCTL_STORE=str(blocked / "cpctl.db"))
    assert (result.code, result.data) == (0, {"order": "a"})
    assert 'The order "a" is created.' in result.err
    assert "Warning: The store" in result.err
    assert "will not know this order" in result.err
