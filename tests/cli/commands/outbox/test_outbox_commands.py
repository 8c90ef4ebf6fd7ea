"""`cpctl outbox`: looking at what waits, and deciding about it by hand."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.outbox.store_access import (
    DAY_MS,
    HOUR_MS,
    ITEM,
    SECOND_ITEM,
    THIRD_ITEM,
    ForkRunner,
    advance_time,
    execute_sql,
    packed_command,
    second_machine,
    select_rows,
    shipped_command,
    signal_rows,
    signal_states,
)

if TYPE_CHECKING:
    from harness.cli_environment import CliEnvironment


@pytest.fixture
def three_queued_signals(cli: "CliEnvironment", fork_runner: ForkRunner) -> "CliEnvironment":
    """Three signals wait: 1 and 3 of one item, 2 of another."""
    for words in (packed_command(ITEM), packed_command(SECOND_ITEM), shipped_command(ITEM)):
        fork_runner.run_ok(cli, *words, "--queue-only")
    return cli


# --- looking --------------------------------------------------------------------------------


def test_list_shows_what_is_not_delivered_oldest_first(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(three_queued_signals, "outbox", "hold", "2")
    found = fork_runner.run_ok(three_queued_signals, "outbox", "list", "-o", "json").data
    assert [(one["id"], one["state"]) for one in found] == [("1", "queued"), ("2", "held"), ("3", "queued")]
    assert [
        one["id"]
        for one in fork_runner.run_ok(three_queued_signals, "outbox", "list", "--state", "held", "-o", "json").data
    ] == ["2"]
    assert [
        one["id"]
        for one in fork_runner.run_ok(three_queued_signals, "outbox", "list", "--limit", "2", "-o", "json").data
    ] == ["2", "3"]
    assert 'Did you mean "held"' in fork_runner.run(three_queued_signals, "outbox", "list", "--state", "hold").err


def test_list_of_an_empty_outbox_is_an_empty_array(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    assert fork_runner.run_ok(cli, "outbox", "list", "-o", "json").data == []
    assert fork_runner.run_ok(cli, "outbox", "list").err == "The outbox is empty.\n"


def test_list_tells_of_signals_that_wait_in_another_profile(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    three_queued_signals.configure(three_queued_signals.config.read_text().replace("  sandbox:", "  second:"))
    ended = fork_runner.run_ok(three_queued_signals, "outbox", "list", "-o", "json")
    assert ended.data == []
    assert '3 more wait in the profile "sandbox": --profile sandbox shows them.' in ended.err


def test_show_tells_all_of_one_signal_or_of_several(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    one = fork_runner.run_ok(three_queued_signals, "outbox", "show", "3", "-o", "json").data
    assert (one["id"], one["type"], one["fields"]["tracking"]) == ("3", "ItemShipped", "1A2B3C4D5E6F")
    several = fork_runner.run_ok(three_queued_signals, "outbox", "show", "3", "1", "-o", "json").data
    assert [each["id"] for each in several] == ["3", "1"]


@pytest.mark.parametrize("command", ["show", "retry", "hold", "release", "drop"])
def test_an_id_that_does_not_exist_or_is_none_changes_nothing(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, command: str
) -> None:
    yes = ["--yes"] if command == "drop" else []
    before = signal_rows(three_queued_signals.store)
    unknown = fork_runner.run(three_queued_signals, "outbox", command, "1", "99", *yes)
    assert (unknown.code, unknown.out) == (9, "")
    assert "There is no signal 99 in this store." in unknown.err
    for text in ("x", "1.0", "٣", "0x1", "9" * 19, "1 2"):
        wrong = fork_runner.run(three_queued_signals, "outbox", command, text, *yes)
        assert (wrong.code, wrong.out) == (2, ""), text
        assert "is not the id of a signal" in wrong.err
    assert signal_rows(three_queued_signals.store) == before


@pytest.mark.parametrize("command", ["retry", "release"])
def test_all_and_ids_exclude_each_other(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, command: str
) -> None:
    ended = fork_runner.run(three_queued_signals, "outbox", command, "1", "--all")
    assert ended.code == 2
    assert "Give either ids or --all, not both." in ended.err


def test_retry_of_nothing_is_refused(three_queued_signals: "CliEnvironment", fork_runner: ForkRunner) -> None:
    assert fork_runner.run(three_queued_signals, "outbox", "retry").code == 2


# --- deciding -------------------------------------------------------------------------------


def test_a_held_signal_keeps_back_what_comes_later_of_its_item(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(three_queued_signals, "outbox", "hold", "1")
    fork_runner.run_ok(three_queued_signals, "outbox", "flush")
    assert [body["item"] for body in received_signals()] == [SECOND_ITEM]
    ended = fork_runner.run_ok(three_queued_signals, *packed_command(THIRD_ITEM))
    assert ended.err == ""
    assert signal_states(three_queued_signals.store) == ["held", "delivered", "queued", "delivered"]
    fork_runner.run_ok(three_queued_signals, "outbox", "release", "1")
    fork_runner.run_ok(three_queued_signals, "outbox", "flush")
    assert [body["type"] for body in received_signals() if body["item"] == ITEM] == ["ItemPacked", "ItemShipped"]


def test_the_end_of_a_pause_does_not_release_what_a_person_holds(
    three_queued_signals: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(three_queued_signals, "outbox", "hold", "2")
    fork_runner.run_ok(three_queued_signals, "outbox", "release")
    fork_runner.run_ok(three_queued_signals, "outbox", "flush")
    assert signal_states(three_queued_signals.store) == ["delivered", "held", "delivered"]
    fork_runner.run_ok(three_queued_signals, "outbox", "release", "--all")
    fork_runner.run_ok(three_queued_signals, "outbox", "flush")
    assert signal_states(three_queued_signals.store) == ["delivered"] * 3


def test_a_dropped_signal_is_never_sent_and_stays_in_the_history(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(three_queued_signals, "outbox", "drop", "1", "--yes")
    fork_runner.run_ok(three_queued_signals, "outbox", "flush")
    assert sorted(body["type"] for body in received_signals()) == ["ItemPacked", "ItemShipped"]
    history = fork_runner.run_ok(three_queued_signals, "signal", "history", "-o", "json").data
    assert [one["state"] for one in history] == ["dropped", "delivered", "delivered"]
    assert fork_runner.run(three_queued_signals, "outbox", "drop", "2", "--yes").code == 6, "delivered is delivered"


def test_drop_asks_nobody_where_nobody_is(three_queued_signals: "CliEnvironment", fork_runner: ForkRunner) -> None:
    ended = fork_runner.run(three_queued_signals, "outbox", "drop", "1")
    assert (ended.code, ended.out) == (2, "")
    assert f"Never send 1 (ItemPacked {ITEM})" in ended.err
    assert "Add --yes" in ended.err
    assert signal_states(three_queued_signals.store) == ["queued"] * 3


def test_several_ids_change_together_or_not_at_all(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(three_queued_signals, "outbox", "drop", "3", "--yes")
    ended = fork_runner.run(three_queued_signals, "outbox", "hold", "1", "2", "3")
    assert ended.code == 6
    assert "Signal 3 is dropped; it cannot be held. Nothing was changed." in ended.err
    assert signal_states(three_queued_signals.store) == ["queued", "queued", "dropped"]


def test_a_refused_signal_goes_again_only_when_it_is_asked_for(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=422, times=1))
    assert fork_runner.run(cli, *packed_command()).code == 5
    fork_runner.run_ok(cli, "outbox", "flush")
    fork_runner.run_ok(cli, "outbox", "release", "--all")
    fork_runner.run_ok(cli, "outbox", "flush")
    assert received_signals() == []
    assert fork_runner.run_ok(cli, "outbox", "retry", "1", "-o", "json").data[0]["state"] == "queued"
    fork_runner.run_ok(cli, "outbox", "flush")
    assert len(received_signals()) == 1


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
    three_queued_signals: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, words: list[str]
) -> None:
    fork_runner.run_ok(three_queued_signals, "outbox", "hold", "2")
    before = signal_rows(three_queued_signals.store), select_rows(three_queued_signals.store, "SELECT * FROM queues")
    ended = fork_runner.run_ok(three_queued_signals, "outbox", *words, "--dry-run")
    assert (
        signal_rows(three_queued_signals.store),
        select_rows(three_queued_signals.store, "SELECT * FROM queues"),
    ) == before
    assert sandbox.state.journal.list_entries() == []
    assert "sandbox-signal-key" not in ended.out + ended.err


# --- to another machine ---------------------------------------------------------------------


def test_what_is_exported_and_held_is_delivered_once_by_the_other_machine(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    file = str(three_queued_signals.folder / "waiting.jsonl")
    ended = fork_runner.run_ok(three_queued_signals, "outbox", "export", file, "--hold")
    assert ended.err == "3 exported; held here.\n"
    other = second_machine(three_queued_signals, "other")
    assert fork_runner.run_ok(other, "outbox", "import", file, "-o", "json").data["imported"] == 3
    assert fork_runner.run_ok(other, "outbox", "import", file, "-o", "json").data == {
        "imported": 0,
        "known": 3,
        "unreadable": None,
    }
    for world in (three_queued_signals, other, three_queued_signals, other):
        fork_runner.run_ok(world, "outbox", "flush")
    assert (signal_states(three_queued_signals.store), signal_states(other.store)) == (["held"] * 3, ["delivered"] * 3)
    assert len(received_signals()) == 3
    assert [row["event_at"] for row in signal_rows(other.store)] == [
        row["event_at"] for row in signal_rows(three_queued_signals.store)
    ]


def test_an_export_goes_to_standard_output_and_comes_in_again_at_home(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    ended = fork_runner.run_ok(three_queued_signals, "outbox", "export")
    assert [json.loads(line)["type"] for line in ended.out.splitlines()] == ["ItemPacked", "ItemPacked", "ItemShipped"]
    assert "they are still sent from here, too" in ended.err
    there = second_machine(three_queued_signals, "there").run("outbox", "import", "-", "-o", "json", input=ended.out)
    assert there.data["imported"] == 3


def test_what_was_tried_before_it_was_exported_may_be_a_second_copy(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("reset-after", times=1))
    fork_runner.run_ok(cli, *packed_command())
    other = second_machine(cli, "other")
    fork_runner.run_ok(cli, "outbox", "export", str(cli.folder / "out"), "--hold")
    fork_runner.run_ok(other, "outbox", "import", str(cli.folder / "out"))
    fork_runner.run_ok(other, "outbox", "flush")
    assert len(received_signals()) == 2
    assert [row["maybe_duplicate"] for row in signal_rows(other.store)] == [1]


def test_what_a_paused_queue_held_moves_in_the_store_that_takes_it_over(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    assert fork_runner.run(cli, *packed_command()).code == 4
    other = second_machine(cli, "other")
    fork_runner.run_ok(cli, "outbox", "export", str(cli.folder / "out"), "--hold")
    fork_runner.run_ok(other, "outbox", "import", str(cli.folder / "out"))
    fork_runner.run_ok(other, "outbox", "flush")
    assert (signal_states(other.store), len(received_signals())) == (["delivered"], 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ('{"uid": 1}', "not a line of `cpctl outbox export`"),
        ("nonsense", "not JSON"),
        pytest.param("[" * 100_000, "not JSON", id="deep"),
        ("[]", "not a line of `cpctl outbox export`"),
        ({"type": "ItemLost"}, "not a signal that can be sent"),
        ({"version": "3.0"}, "not a signal that can be sent"),
        ({"state": "duplicate"}, "not a signal that can be sent"),
        ({"fields": "{"}, "not a signal that can be sent"),
        ({"fields": '{"order": 1}'}, "not a signal that can be sent"),
        ({"event_at": "yesterday"}, "not a signal that can be sent"),
        ({"event_at": 10**18}, "not a signal that can be sent"),
        ({"uid": None}, "not a signal that can be sent"),
        ({"item": "000"}, "not a signal that can be sent"),
    ],
    ids=str,
)
def test_an_import_of_junk_names_the_line_and_takes_nothing(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, changes: str | dict[str, object], words: str
) -> None:
    lines = fork_runner.run_ok(three_queued_signals, "outbox", "export").out.splitlines()
    lines[1] = changes if isinstance(changes, str) else json.dumps(json.loads(lines[1]) | changes)
    file = three_queued_signals.folder / "junk.jsonl"
    file.write_text("\n".join(lines))
    other = second_machine(three_queued_signals, "other")
    ended = fork_runner.run(other, "outbox", "import", str(file))
    assert (ended.code, ended.out) == (2, ""), ended
    assert f"{file}, line 2: {words}" in ended.err
    assert "Nothing was imported." in ended.err
    assert fork_runner.run_ok(other, "outbox", "list", "-o", "json").data == []


def test_an_import_of_a_file_that_is_not_there_or_a_picture_is_refused(
    cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    (cli.folder / "picture").write_bytes(b"\x89PNG\r\n\xff\xfe")
    assert "No such file" in fork_runner.run(cli, "outbox", "import", "nothing").err
    ended = fork_runner.run(cli, "outbox", "import", "picture")
    assert (ended.code, ended.out) == (2, "")
    assert "neither an export of an outbox nor a store" in ended.err


# --- a repeat, a contradiction --------------------------------------------------------------


def test_the_same_again_is_a_duplicate_and_other_words_a_conflict(
    cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(cli, *shipped_command())
    again = fork_runner.run_ok(cli, *shipped_command(), "-o", "json")
    assert [(one["state"], one["id"]) for one in again.data] == [("duplicate", "1")]
    other = fork_runner.run(cli, *shipped_command(tracking="OTHER"))
    assert other.code == 6
    assert "signal 1 (delivered) says tracking=1A2B3C4D5E6F" in other.err
    fork_runner.run_ok(cli, *shipped_command(tracking="OTHER"), "--force")
    assert [body["tracking"] for body in received_signals()] == ["1A2B3C4D5E6F", "OTHER"]


def test_a_delay_may_be_told_twice(cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any) -> None:
    for at in ("2026-01-20T13:00:00Z", "2026-01-20T14:00:00Z", "2026-01-20T14:00:00Z"):
        fork_runner.run_ok(cli, "signal", "delay", ITEM, "--order", "123456780000", "--cause", "late", "--at", at)
    assert [body["datetime"] for body in received_signals()] == ["2026-01-20 13:00:00 GMT", "2026-01-20 14:00:00 GMT"]


# --- monitoring -----------------------------------------------------------------------------


def test_check_is_ok_for_an_empty_outbox_and_makes_no_store(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    ended = fork_runner.run_ok(cli, "outbox", "check")
    assert ended.out.startswith("CPCTL OK - nothing waits | waiting=0 refused=0")
    assert not cli.store.exists()


@pytest.mark.parametrize(
    ("age", "code", "word"), [(0, 0, "OK"), (20 * 60_000, 1, "WARNING"), (2 * HOUR_MS, 2, "CRITICAL")]
)
def test_check_goes_by_the_age_of_the_oldest(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner, age: int, code: int, word: str
) -> None:
    advance_time(three_queued_signals.store, age)
    ended = fork_runner.run(three_queued_signals, "outbox", "check")
    assert ended.code == code
    assert ended.out.startswith(f"CPCTL {word} - 3 waiting, the oldest for ")
    assert len(ended.out.splitlines()) == 1
    assert ended.err == ""


def test_check_is_critical_for_what_is_refused_or_paused(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.add_fault(make_fault("status", status=400, times=1))
    fork_runner.run(cli, *packed_command())
    ended = fork_runner.run(cli, "outbox", "check")
    assert (ended.code, "1 refused or expired" in ended.out) == (2, True)
    fork_runner.run_ok(cli, "outbox", "drop", "1", "--yes")
    sandbox.add_fault(make_fault("status", status=401, times=1))
    fork_runner.run(cli, *packed_command())
    ended = fork_runner.run(cli, "outbox", "check", "-o", "json")
    assert (ended.code, ended.data["verdict"]) == (2, "CRITICAL")
    assert "the queue is paused" in ended.data["reason"]


def test_check_does_not_know_where_it_cannot_look(
    three_queued_signals: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    ended = fork_runner.run(three_queued_signals, "outbox", "check", "--warn", "soon")
    assert (ended.code, ended.out.startswith("CPCTL UNKNOWN - ")) == (3, True)
    execute_sql(three_queued_signals.store, "PRAGMA user_version = 99")
    ended = fork_runner.run(three_queued_signals, "outbox", "check")
    assert (ended.code, ended.out.startswith("CPCTL CRITICAL - no signal can be accepted: ")) == (2, True)
    assert "made by a newer cpctl" in ended.out


def test_what_waits_for_seven_days_expires_loudly(
    three_queued_signals: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    advance_time(three_queued_signals.store, 7 * DAY_MS + HOUR_MS)
    sandbox.add_fault(make_fault("status", status=500))
    ended = fork_runner.run(three_queued_signals, "outbox", "flush")
    assert ended.code == 75
    assert "signals expired: the service failed (500)" in ended.err
    assert fork_runner.run(three_queued_signals, "outbox", "check").code == 2
    sandbox.clear_faults()
    fork_runner.run_ok(three_queued_signals, "outbox", "retry", "--all")
    fork_runner.run_ok(three_queued_signals, "outbox", "flush")
    assert signal_states(three_queued_signals.store) == ["delivered"] * 3
    assert len(received_signals()) == 3
