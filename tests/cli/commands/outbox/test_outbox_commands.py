"""`cpctl outbox`: list waiting signals, and change them by hand."""

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
def queued_cli(cli: "CliEnvironment", fork_runner: ForkRunner) -> "CliEnvironment":
    """Three queued signals: 1 and 3 of one item, 2 of another."""
    for arguments in (packed_command(ITEM), packed_command(SECOND_ITEM), shipped_command(ITEM)):
        fork_runner.run_ok(cli, *arguments, "--queue-only")
    return cli


# --- list and show --------------------------------------------------------------------------------


def test_list_shows_what_is_not_delivered_oldest_first(queued_cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    fork_runner.run_ok(queued_cli, "outbox", "hold", "2")
    found = fork_runner.run_ok(queued_cli, "outbox", "list", "-o", "json").data
    assert [(one["id"], one["state"]) for one in found] == [("1", "queued"), ("2", "held"), ("3", "queued")]
    assert [
        one["id"] for one in fork_runner.run_ok(queued_cli, "outbox", "list", "--state", "held", "-o", "json").data
    ] == ["2"]
    assert [
        one["id"] for one in fork_runner.run_ok(queued_cli, "outbox", "list", "--limit", "2", "-o", "json").data
    ] == ["2", "3"]
    assert 'Did you mean "held"' in fork_runner.run(queued_cli, "outbox", "list", "--state", "hold").err


def test_list_of_an_empty_outbox_is_an_empty_array(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    assert fork_runner.run_ok(cli, "outbox", "list", "-o", "json").data == []
    assert fork_runner.run_ok(cli, "outbox", "list").err == "The outbox is empty.\n"


def test_list_mentions_signals_that_wait_in_another_profile(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    queued_cli.configure(queued_cli.config.read_text().replace("  sandbox:", "  second:"))
    result = fork_runner.run_ok(queued_cli, "outbox", "list", "-o", "json")
    assert result.data == []
    assert '3 more wait in the profile "sandbox": --profile sandbox shows them.' in result.err


def test_show_prints_one_signal_or_several(queued_cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    one = fork_runner.run_ok(queued_cli, "outbox", "show", "3", "-o", "json").data
    assert (one["id"], one["type"], one["fields"]["tracking"]) == ("3", "ItemShipped", "1A2B3C4D5E6F")
    several = fork_runner.run_ok(queued_cli, "outbox", "show", "3", "1", "-o", "json").data
    assert [each["id"] for each in several] == ["3", "1"]


@pytest.mark.parametrize("command", ["show", "retry", "hold", "release", "drop"])
def test_an_unknown_or_invalid_id_changes_nothing(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner, command: str
) -> None:
    yes = ["--yes"] if command == "drop" else []
    before = signal_rows(queued_cli.store)
    unknown = fork_runner.run(queued_cli, "outbox", command, "1", "99", *yes)
    assert (unknown.code, unknown.out) == (9, "")
    assert "There is no signal 99 in this store." in unknown.err
    for text in ("x", "1.0", "٣", "0x1", "9" * 19, "1 2"):
        wrong = fork_runner.run(queued_cli, "outbox", command, text, *yes)
        assert (wrong.code, wrong.out) == (2, ""), text
        assert "is not the id of a signal" in wrong.err
    assert signal_rows(queued_cli.store) == before


@pytest.mark.parametrize("command", ["retry", "release"])
def test_all_and_ids_exclude_each_other(queued_cli: "CliEnvironment", fork_runner: ForkRunner, command: str) -> None:
    result = fork_runner.run(queued_cli, "outbox", command, "1", "--all")
    assert result.code == 2
    assert "Give either ids or --all, not both." in result.err


def test_retry_without_ids_is_refused(queued_cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    assert fork_runner.run(queued_cli, "outbox", "retry").code == 2


# --- change -------------------------------------------------------------------------------


def test_a_held_signal_holds_back_the_later_signals_of_its_item(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(queued_cli, "outbox", "hold", "1")
    fork_runner.run_ok(queued_cli, "outbox", "flush")
    assert [body["item"] for body in received_signals()] == [SECOND_ITEM]
    result = fork_runner.run_ok(queued_cli, *packed_command(THIRD_ITEM))
    assert result.err == ""
    assert signal_states(queued_cli.store) == ["held", "delivered", "queued", "delivered"]
    fork_runner.run_ok(queued_cli, "outbox", "release", "1")
    fork_runner.run_ok(queued_cli, "outbox", "flush")
    assert [body["type"] for body in received_signals() if body["item"] == ITEM] == ["ItemPacked", "ItemShipped"]


def test_the_end_of_a_pause_does_not_release_signals_held_by_hand(
    queued_cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    fork_runner.run_ok(queued_cli, "outbox", "hold", "2")
    fork_runner.run_ok(queued_cli, "outbox", "release")
    fork_runner.run_ok(queued_cli, "outbox", "flush")
    assert signal_states(queued_cli.store) == ["delivered", "held", "delivered"]
    fork_runner.run_ok(queued_cli, "outbox", "release", "--all")
    fork_runner.run_ok(queued_cli, "outbox", "flush")
    assert signal_states(queued_cli.store) == ["delivered"] * 3


def test_a_dropped_signal_is_never_sent_and_stays_in_the_history(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    fork_runner.run_ok(queued_cli, "outbox", "drop", "1", "--yes")
    fork_runner.run_ok(queued_cli, "outbox", "flush")
    assert sorted(body["type"] for body in received_signals()) == ["ItemPacked", "ItemShipped"]
    history = fork_runner.run_ok(queued_cli, "signal", "history", "-o", "json").data
    assert [one["state"] for one in history] == ["dropped", "delivered", "delivered"]
    assert fork_runner.run(queued_cli, "outbox", "drop", "2", "--yes").code == 6, "a delivered signal cannot be dropped"


def test_drop_without_a_terminal_needs_yes(queued_cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    result = fork_runner.run(queued_cli, "outbox", "drop", "1")
    assert (result.code, result.out) == (2, "")
    assert f"Never send 1 (ItemPacked {ITEM})" in result.err
    assert "Add --yes" in result.err
    assert signal_states(queued_cli.store) == ["queued"] * 3


def test_several_ids_are_changed_together_or_not_at_all(queued_cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    fork_runner.run_ok(queued_cli, "outbox", "drop", "3", "--yes")
    result = fork_runner.run(queued_cli, "outbox", "hold", "1", "2", "3")
    assert result.code == 6
    assert "Signal 3 is dropped; it cannot be held. Nothing was changed." in result.err
    assert signal_states(queued_cli.store) == ["queued", "queued", "dropped"]


def test_a_refused_signal_is_sent_again_only_after_retry(
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
    "arguments",
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
    queued_cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, arguments: list[str]
) -> None:
    fork_runner.run_ok(queued_cli, "outbox", "hold", "2")
    before = signal_rows(queued_cli.store), select_rows(queued_cli.store, "SELECT * FROM queues")
    result = fork_runner.run_ok(queued_cli, "outbox", *arguments, "--dry-run")
    assert (
        signal_rows(queued_cli.store),
        select_rows(queued_cli.store, "SELECT * FROM queues"),
    ) == before
    assert sandbox.state.journal.list_entries() == []
    assert "sandbox-signal-key" not in result.out + result.err


# --- export and import ---------------------------------------------------------------------


def test_exported_and_held_signals_are_delivered_once_by_the_other_machine(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any
) -> None:
    file = str(queued_cli.folder / "waiting.jsonl")
    result = fork_runner.run_ok(queued_cli, "outbox", "export", file, "--hold")
    assert result.err == "3 exported; held here.\n"
    other = second_machine(queued_cli, "other")
    assert fork_runner.run_ok(other, "outbox", "import", file, "-o", "json").data["imported"] == 3
    assert fork_runner.run_ok(other, "outbox", "import", file, "-o", "json").data == {
        "imported": 0,
        "known": 3,
        "unreadable": None,
    }
    for machine in (queued_cli, other, queued_cli, other):
        fork_runner.run_ok(machine, "outbox", "flush")
    assert (signal_states(queued_cli.store), signal_states(other.store)) == (["held"] * 3, ["delivered"] * 3)
    assert len(received_signals()) == 3
    assert [row["event_at"] for row in signal_rows(other.store)] == [
        row["event_at"] for row in signal_rows(queued_cli.store)
    ]


def test_an_export_to_standard_output_can_be_imported_from_standard_input(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    result = fork_runner.run_ok(queued_cli, "outbox", "export")
    assert [json.loads(line)["type"] for line in result.out.splitlines()] == ["ItemPacked", "ItemPacked", "ItemShipped"]
    assert "they are still sent from here, too" in result.err
    result = second_machine(queued_cli, "there").run("outbox", "import", "-", "-o", "json", input=result.out)
    assert result.data["imported"] == 3


def test_a_signal_tried_before_its_export_is_marked_as_maybe_duplicate(
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


def test_a_pause_is_not_exported_with_its_signals(
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
    ("changes", "message"),
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
def test_an_invalid_import_names_the_line_and_imports_nothing(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner, changes: str | dict[str, object], message: str
) -> None:
    lines = fork_runner.run_ok(queued_cli, "outbox", "export").out.splitlines()
    lines[1] = changes if isinstance(changes, str) else json.dumps(json.loads(lines[1]) | changes)
    file = queued_cli.folder / "junk.jsonl"
    file.write_text("\n".join(lines))
    other = second_machine(queued_cli, "other")
    result = fork_runner.run(other, "outbox", "import", str(file))
    assert (result.code, result.out) == (2, ""), result
    assert f"{file}, line 2: {message}" in result.err
    assert "Nothing was imported." in result.err
    assert fork_runner.run_ok(other, "outbox", "list", "-o", "json").data == []


def test_a_missing_or_binary_import_file_is_refused(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    (cli.folder / "picture").write_bytes(b"\x89PNG\r\n\xff\xfe")
    assert "No such file" in fork_runner.run(cli, "outbox", "import", "nothing").err
    result = fork_runner.run(cli, "outbox", "import", "picture")
    assert (result.code, result.out) == (2, "")
    assert "neither an export of an outbox nor a store" in result.err


# --- duplicates and conflicts --------------------------------------------------------------


def test_the_same_signal_again_is_a_duplicate_and_other_content_a_conflict(
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


def test_a_delay_may_be_reported_twice(cli: "CliEnvironment", fork_runner: ForkRunner, received_signals: Any) -> None:
    for at in ("2026-01-20T13:00:00Z", "2026-01-20T14:00:00Z", "2026-01-20T14:00:00Z"):
        fork_runner.run_ok(cli, "signal", "delay", ITEM, "--order", "123456780000", "--cause", "late", "--at", at)
    assert [body["datetime"] for body in received_signals()] == ["2026-01-20 13:00:00 GMT", "2026-01-20 14:00:00 GMT"]


# --- monitoring -----------------------------------------------------------------------------


def test_check_is_ok_for_an_empty_outbox_and_creates_no_store(cli: "CliEnvironment", fork_runner: ForkRunner) -> None:
    result = fork_runner.run_ok(cli, "outbox", "check")
    assert result.out.startswith("CPCTL OK - nothing waits | waiting=0 refused=0")
    assert not cli.store.exists()


@pytest.mark.parametrize(
    ("age", "code", "level"), [(0, 0, "OK"), (20 * 60_000, 1, "WARNING"), (2 * HOUR_MS, 2, "CRITICAL")]
)
def test_check_depends_on_the_age_of_the_oldest_signal(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner, age: int, code: int, level: str
) -> None:
    advance_time(queued_cli.store, age)
    result = fork_runner.run(queued_cli, "outbox", "check")
    assert result.code == code
    assert result.out.startswith(f"CPCTL {level} - 3 waiting, the oldest for ")
    assert len(result.out.splitlines()) == 1
    assert result.err == ""


def test_check_is_critical_for_refused_signals_and_a_paused_queue(
    cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner
) -> None:
    sandbox.add_fault(make_fault("status", status=400, times=1))
    fork_runner.run(cli, *packed_command())
    result = fork_runner.run(cli, "outbox", "check")
    assert (result.code, "1 refused or expired" in result.out) == (2, True)
    fork_runner.run_ok(cli, "outbox", "drop", "1", "--yes")
    sandbox.add_fault(make_fault("status", status=401, times=1))
    fork_runner.run(cli, *packed_command())
    result = fork_runner.run(cli, "outbox", "check", "-o", "json")
    assert (result.code, result.data["verdict"]) == (2, "CRITICAL")
    assert "the queue is paused" in result.data["reason"]


def test_check_reports_unknown_options_and_unreadable_stores(
    queued_cli: "CliEnvironment", fork_runner: ForkRunner
) -> None:
    result = fork_runner.run(queued_cli, "outbox", "check", "--warn", "soon")
    assert (result.code, result.out.startswith("CPCTL UNKNOWN - ")) == (3, True)
    execute_sql(queued_cli.store, "PRAGMA user_version = 99")
    result = fork_runner.run(queued_cli, "outbox", "check")
    assert (result.code, result.out.startswith("CPCTL CRITICAL - no signal can be accepted: ")) == (2, True)
    assert "made by a newer cpctl" in result.out


def test_a_signal_that_fails_for_seven_days_expires_with_an_error(
    queued_cli: "CliEnvironment", sandbox: Sandbox, fork_runner: ForkRunner, received_signals: Any
) -> None:
    advance_time(queued_cli.store, 7 * DAY_MS + HOUR_MS)
    sandbox.add_fault(make_fault("status", status=500))
    result = fork_runner.run(queued_cli, "outbox", "flush")
    assert result.code == 75
    assert "signals expired: the service failed (500)" in result.err
    assert fork_runner.run(queued_cli, "outbox", "check").code == 2
    sandbox.clear_faults()
    fork_runner.run_ok(queued_cli, "outbox", "retry", "--all")
    fork_runner.run_ok(queued_cli, "outbox", "flush")
    assert signal_states(queued_cli.store) == ["delivered"] * 3
    assert len(received_signals()) == 3
