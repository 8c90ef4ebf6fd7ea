"""`cpctl outbox`: looking at what waits, and deciding about it by hand."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from shop import (
    DAY,
    HOUR,
    ITEM,
    SECOND,
    THIRD,
    Forks,
    change,
    neighbour,
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


@pytest.fixture
def waiting(world: "World", forks: Forks) -> "World":
    """Three signals wait: 1 and 3 of one item, 2 of another."""
    for words in (packed(ITEM), packed(SECOND), shipped(ITEM)):
        forks.ok(world, *words, "--queue-only")
    return world


# --- looking --------------------------------------------------------------------------------


def test_list_shows_what_is_not_delivered_oldest_first(waiting: "World", forks: Forks) -> None:
    forks.ok(waiting, "outbox", "hold", "2")
    found = forks.ok(waiting, "outbox", "list", "-o", "json").data
    assert [(one["id"], one["state"]) for one in found] == [("1", "queued"), ("2", "held"), ("3", "queued")]
    assert [one["id"] for one in forks.ok(waiting, "outbox", "list", "--state", "held", "-o", "json").data] == ["2"]
    assert [one["id"] for one in forks.ok(waiting, "outbox", "list", "--limit", "2", "-o", "json").data] == ["2", "3"]
    assert 'Did you mean "held"' in forks.run(waiting, "outbox", "list", "--state", "hold").err


def test_list_of_an_empty_outbox_is_an_empty_array(world: "World", forks: Forks) -> None:
    assert forks.ok(world, "outbox", "list", "-o", "json").data == []
    assert forks.ok(world, "outbox", "list").err == "The outbox is empty.\n"


def test_list_tells_of_signals_that_wait_in_another_profile(waiting: "World", forks: Forks) -> None:
    waiting.configure(waiting.config.read_text().replace("  sandbox:", "  second:"))
    ended = forks.ok(waiting, "outbox", "list", "-o", "json")
    assert ended.data == []
    assert 'In the profile "sandbox" 3 more wait: --profile sandbox shows them.' in ended.err


def test_show_tells_all_of_one_signal_or_of_several(waiting: "World", forks: Forks) -> None:
    one = forks.ok(waiting, "outbox", "show", "3", "-o", "json").data
    assert (one["id"], one["type"], one["fields"]["tracking"]) == ("3", "ItemShipped", "1A2B3C4D5E6F")
    several = forks.ok(waiting, "outbox", "show", "3", "1", "-o", "json").data
    assert [each["id"] for each in several] == ["3", "1"]


@pytest.mark.parametrize("command", ["show", "retry", "hold", "release", "drop"])
def test_an_id_that_does_not_exist_or_is_none_changes_nothing(waiting: "World", forks: Forks, command: str) -> None:
    yes = ["--yes"] if command == "drop" else []
    before = rows(waiting.store)
    unknown = forks.run(waiting, "outbox", command, "1", "99", *yes)
    assert (unknown.code, unknown.out) == (9, "")
    assert "There is no signal 99 in this store." in unknown.err
    for text in ("x", "1.0", "٣", "0x1", "9" * 19, "1 2"):
        wrong = forks.run(waiting, "outbox", command, text, *yes)
        assert (wrong.code, wrong.out) == (2, ""), text
        assert "is not the id of a signal" in wrong.err
    assert rows(waiting.store) == before


@pytest.mark.parametrize("command", ["retry", "release"])
def test_all_and_ids_exclude_each_other(waiting: "World", forks: Forks, command: str) -> None:
    ended = forks.run(waiting, "outbox", command, "1", "--all")
    assert ended.code == 2
    assert "Name ids or say --all, not both." in ended.err


def test_retry_of_nothing_is_refused(waiting: "World", forks: Forks) -> None:
    assert forks.run(waiting, "outbox", "retry").code == 2


# --- deciding -------------------------------------------------------------------------------


def test_a_held_signal_keeps_back_what_comes_later_of_its_item(waiting: "World", forks: Forks, received: Any) -> None:
    forks.ok(waiting, "outbox", "hold", "1")
    forks.ok(waiting, "outbox", "flush")
    assert [body["item"] for body in received()] == [SECOND]
    ended = forks.ok(waiting, *packed(THIRD))
    assert ended.err == ""
    assert states(waiting.store) == ["held", "delivered", "queued", "delivered"]
    forks.ok(waiting, "outbox", "release", "1")
    forks.ok(waiting, "outbox", "flush")
    assert [body["type"] for body in received() if body["item"] == ITEM] == ["ItemPacked", "ItemShipped"]


def test_the_end_of_a_pause_does_not_release_what_a_person_holds(
    waiting: "World", sandbox: Sandbox, forks: Forks
) -> None:
    forks.ok(waiting, "outbox", "hold", "2")
    forks.ok(waiting, "outbox", "release")
    forks.ok(waiting, "outbox", "flush")
    assert states(waiting.store) == ["delivered", "held", "delivered"]
    forks.ok(waiting, "outbox", "release", "--all")
    forks.ok(waiting, "outbox", "flush")
    assert states(waiting.store) == ["delivered"] * 3


def test_a_dropped_signal_is_never_sent_and_stays_in_the_history(waiting: "World", forks: Forks, received: Any) -> None:
    forks.ok(waiting, "outbox", "drop", "1", "--yes")
    forks.ok(waiting, "outbox", "flush")
    assert sorted(body["type"] for body in received()) == ["ItemPacked", "ItemShipped"]
    history = forks.ok(waiting, "signal", "history", "-o", "json").data
    assert [one["state"] for one in history] == ["dropped", "delivered", "delivered"]
    assert forks.run(waiting, "outbox", "drop", "2", "--yes").code == 6, "delivered is delivered"


def test_drop_asks_nobody_where_nobody_is(waiting: "World", forks: Forks) -> None:
    ended = forks.run(waiting, "outbox", "drop", "1")
    assert (ended.code, ended.out) == (2, "")
    assert f"Never send 1 (ItemPacked {ITEM})" in ended.err
    assert "Add --yes" in ended.err
    assert states(waiting.store) == ["queued"] * 3


def test_several_ids_change_together_or_not_at_all(waiting: "World", forks: Forks) -> None:
    forks.ok(waiting, "outbox", "drop", "3", "--yes")
    ended = forks.run(waiting, "outbox", "hold", "1", "2", "3")
    assert ended.code == 6
    assert "Signal 3 is dropped; it cannot be held. Nothing was changed." in ended.err
    assert states(waiting.store) == ["queued", "queued", "dropped"]


def test_a_refused_signal_goes_again_only_when_it_is_asked_for(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=422, times=1))
    assert forks.run(world, *packed()).code == 5
    forks.ok(world, "outbox", "flush")
    forks.ok(world, "outbox", "release", "--all")
    forks.ok(world, "outbox", "flush")
    assert received() == []
    assert forks.ok(world, "outbox", "retry", "1", "-o", "json").data[0]["state"] == "queued"
    forks.ok(world, "outbox", "flush")
    assert len(received()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["flush"],
        ["hold", "1"],
        ["release"],
        ["release", "2"],
        ["release", "--all"],
        ["retry", "--all"],
        ["drop", "1"],
        ["export", "--hold"],
    ],
    ids=" ".join,
)
def test_a_dry_run_changes_nothing_and_sends_nothing(
    waiting: "World", sandbox: Sandbox, forks: Forks, words: list[str]
) -> None:
    forks.ok(waiting, "outbox", "hold", "2")
    before = rows(waiting.store), select(waiting.store, "SELECT * FROM queues")
    ended = forks.ok(waiting, "outbox", *words, "--dry-run")
    assert (rows(waiting.store), select(waiting.store, "SELECT * FROM queues")) == before
    assert sandbox.state.journal.list_entries() == []
    assert "sandbox-signal-key" not in ended.out + ended.err


# --- to another machine ---------------------------------------------------------------------


def test_what_is_exported_and_held_is_delivered_once_by_the_other_machine(
    waiting: "World", forks: Forks, received: Any
) -> None:
    file = str(waiting.folder / "waiting.jsonl")
    ended = forks.ok(waiting, "outbox", "export", file, "--hold")
    assert ended.err == "3 exported; held here.\n"
    other = neighbour(waiting, "other")
    assert forks.ok(other, "outbox", "import", file, "-o", "json").data["imported"] == 3
    assert forks.ok(other, "outbox", "import", file, "-o", "json").data == {
        "imported": 0,
        "known": 3,
        "unreadable": None,
    }
    for world in (waiting, other, waiting, other):
        forks.ok(world, "outbox", "flush")
    assert (states(waiting.store), states(other.store)) == (["held"] * 3, ["delivered"] * 3)
    assert len(received()) == 3
    assert [row["event_at"] for row in rows(other.store)] == [row["event_at"] for row in rows(waiting.store)]


def test_an_export_goes_to_standard_output_and_comes_in_again_at_home(waiting: "World", forks: Forks) -> None:
    ended = forks.ok(waiting, "outbox", "export")
    assert [json.loads(line)["type"] for line in ended.out.splitlines()] == ["ItemPacked", "ItemPacked", "ItemShipped"]
    assert "they are still sent from here, too" in ended.err
    there = neighbour(waiting, "there").run("outbox", "import", "-", "-o", "json", input=ended.out)
    assert there.data["imported"] == 3


def test_what_was_tried_before_it_was_exported_may_be_a_second_copy(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    sandbox.add_fault(make_fault("reset-after", times=1))
    forks.ok(world, *packed())
    other = neighbour(world, "other")
    forks.ok(world, "outbox", "export", str(world.folder / "out"), "--hold")
    forks.ok(other, "outbox", "import", str(world.folder / "out"))
    forks.ok(other, "outbox", "flush")
    assert len(received()) == 2
    assert [row["maybe_duplicate"] for row in rows(other.store)] == [1]


def test_what_a_paused_queue_held_moves_in_the_store_that_takes_it_over(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    assert forks.run(world, *packed()).code == 4
    other = neighbour(world, "other")
    forks.ok(world, "outbox", "export", str(world.folder / "out"), "--hold")
    forks.ok(other, "outbox", "import", str(world.folder / "out"))
    forks.ok(other, "outbox", "flush")
    assert (states(other.store), len(received())) == (["delivered"], 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ('{"uid": 1}', "not a line of `cpctl outbox export`"),
        ("nonsense", "not JSON"),
        pytest.param("[" * 100_000, "not JSON", id="deep"),
        ("[]", "not a line of `cpctl outbox export`"),
        ({"type": "ItemLost"}, "not a signal that could be sent"),
        ({"version": "3.0"}, "not a signal that could be sent"),
        ({"state": "duplicate"}, "not a signal that could be sent"),
        ({"fields": "{"}, "not a signal that could be sent"),
        ({"fields": '{"order": 1}'}, "not a signal that could be sent"),
        ({"event_at": "yesterday"}, "not a signal that could be sent"),
        ({"event_at": 10**18}, "not a signal that could be sent"),
        ({"uid": None}, "not a signal that could be sent"),
        ({"item": "000"}, "not a signal that could be sent"),
    ],
    ids=str,
)
def test_an_import_of_junk_names_the_line_and_takes_nothing(
    waiting: "World", forks: Forks, changes: str | dict[str, object], words: str
) -> None:
    lines = forks.ok(waiting, "outbox", "export").out.splitlines()
    lines[1] = changes if isinstance(changes, str) else json.dumps(json.loads(lines[1]) | changes)
    file = waiting.folder / "junk.jsonl"
    file.write_text("\n".join(lines))
    other = neighbour(waiting, "other")
    ended = forks.run(other, "outbox", "import", str(file))
    assert (ended.code, ended.out) == (2, ""), ended
    assert f"{file}, line 2: {words}" in ended.err
    assert "Nothing was imported." in ended.err
    assert forks.ok(other, "outbox", "list", "-o", "json").data == []


def test_an_import_of_a_file_that_is_not_there_or_a_picture_is_refused(world: "World", forks: Forks) -> None:
    (world.folder / "picture").write_bytes(b"\x89PNG\r\n\xff\xfe")
    assert "No such file" in forks.run(world, "outbox", "import", "nothing").err
    ended = forks.run(world, "outbox", "import", "picture")
    assert (ended.code, ended.out) == (2, "")
    assert "neither an export of an outbox nor a store" in ended.err


# --- a repeat, a contradiction --------------------------------------------------------------


def test_the_same_again_is_a_duplicate_and_other_words_a_conflict(world: "World", forks: Forks, received: Any) -> None:
    forks.ok(world, *shipped())
    again = forks.ok(world, *shipped(), "-o", "json")
    assert [(one["state"], one["id"]) for one in again.data] == [("duplicate", "1")]
    other = forks.run(world, *shipped(tracking="OTHER"))
    assert other.code == 6
    assert "signal 1 (delivered) says tracking=1A2B3C4D5E6F" in other.err
    forks.ok(world, *shipped(tracking="OTHER"), "--force")
    assert [body["tracking"] for body in received()] == ["1A2B3C4D5E6F", "OTHER"]


def test_a_delay_may_be_told_twice(world: "World", forks: Forks, received: Any) -> None:
    for at in ("2026-01-20T13:00:00Z", "2026-01-20T14:00:00Z", "2026-01-20T14:00:00Z"):
        forks.ok(world, "signal", "delay", ITEM, "--order", "123456780000", "--cause", "late", "--at", at)
    assert [body["datetime"] for body in received()] == ["2026-01-20 13:00:00 GMT", "2026-01-20 14:00:00 GMT"]


# --- monitoring -----------------------------------------------------------------------------


def test_check_is_ok_for_an_empty_outbox_and_makes_no_store(world: "World", forks: Forks) -> None:
    ended = forks.ok(world, "outbox", "check")
    assert ended.out.startswith("CPCTL OK - nothing waits | waiting=0 refused=0")
    assert not world.store.exists()


@pytest.mark.parametrize(
    ("age", "code", "word"), [(0, 0, "OK"), (20 * 60_000, 1, "WARNING"), (2 * HOUR, 2, "CRITICAL")]
)
def test_check_goes_by_the_age_of_the_oldest(waiting: "World", forks: Forks, age: int, code: int, word: str) -> None:
    pass_time(waiting.store, age)
    ended = forks.run(waiting, "outbox", "check")
    assert ended.code == code
    assert ended.out.startswith(f"CPCTL {word} - 3 waiting, the oldest for ")
    assert len(ended.out.splitlines()) == 1
    assert ended.err == ""


def test_check_is_critical_for_what_is_refused_or_paused(world: "World", sandbox: Sandbox, forks: Forks) -> None:
    sandbox.add_fault(make_fault("status", status=400, times=1))
    forks.run(world, *packed())
    ended = forks.run(world, "outbox", "check")
    assert (ended.code, "1 refused or expired" in ended.out) == (2, True)
    forks.ok(world, "outbox", "drop", "1", "--yes")
    sandbox.add_fault(make_fault("status", status=401, times=1))
    forks.run(world, *packed())
    ended = forks.run(world, "outbox", "check", "-o", "json")
    assert (ended.code, ended.data["verdict"]) == (2, "CRITICAL")
    assert "the queue is paused" in ended.data["reason"]


def test_check_does_not_know_where_it_cannot_look(waiting: "World", forks: Forks) -> None:
    ended = forks.run(waiting, "outbox", "check", "--warn", "soon")
    assert (ended.code, ended.out.startswith("CPCTL UNKNOWN - ")) == (3, True)
    change(waiting.store, "PRAGMA user_version = 99")
    ended = forks.run(waiting, "outbox", "check")
    assert (ended.code, ended.out.startswith("CPCTL CRITICAL - no signal can be accepted: ")) == (2, True)
    assert "made by a newer cpctl" in ended.out


def test_what_waits_for_seven_days_expires_loudly(
    waiting: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    pass_time(waiting.store, 7 * DAY + HOUR)
    sandbox.add_fault(make_fault("status", status=500))
    ended = forks.run(waiting, "outbox", "flush")
    assert ended.code == 75
    assert "signals expired: the service failed (500)" in ended.err
    assert forks.run(waiting, "outbox", "check").code == 2
    sandbox.clear_faults()
    forks.ok(waiting, "outbox", "retry", "--all")
    forks.ok(waiting, "outbox", "flush")
    assert states(waiting.store) == ["delivered"] * 3
    assert len(received()) == 3
