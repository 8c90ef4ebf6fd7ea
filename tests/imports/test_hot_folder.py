"""The hot folder: which files are imported, when, and where they are moved."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.imports.hot_folder import HotFolder
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, CliResult, sandbox_configuration
from harness.outbox.csv_files import CSV_HEADER, ITEMS, ORDER, all_items_csv, read_rows, shipped_row, signal_states

Invoke = Callable[..., CliResult]
ReceivedSignals = Callable[[], list[dict[str, Any]]]
WATCH_ONCE = ("signal", "watch", "in", "--once", "--settle", "0s")


@pytest.fixture
def hot_folder(cli: CliEnvironment) -> Path:
    """A hot folder."""
    folder = cli.folder / "in"
    folder.mkdir()
    return folder


def file_names_without_timestamps(folder: Path) -> list[str]:
    """The names of the files in a folder, without the times that they begin with."""
    found = (each.name for each in folder.iterdir() if not each.name.startswith(".") and each.is_file())
    return sorted(name.partition("-")[2] or name for name in found)


def test_a_file_is_imported_and_moved_to_done_with_its_results(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, received_signals: ReceivedSignals
) -> None:
    (hot_folder / "bench2.csv").write_text(all_items_csv(), encoding="utf-8")
    result = invoke(cli, *WATCH_ONCE)
    assert (result.code, result.out, len(received_signals())) == (0, "", 6), result.err
    assert "bench2.csv: 6 rows: 6 delivered → done/" in result.err
    assert file_names_without_timestamps(hot_folder / "done") == ["bench2.csv", "bench2.result.csv"]
    assert (
        file_names_without_timestamps(hot_folder),
        file_names_without_timestamps(hot_folder / "busy"),
        file_names_without_timestamps(hot_folder / "error"),
    ) == ([], [], [])
    rows = read_rows(next((hot_folder / "done").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert [row["cpctl_state"] for row in rows] == ["delivered"] * 6


def test_a_file_with_a_wrong_row_goes_to_error_with_a_result_for_each_row(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, received_signals: ReceivedSignals
) -> None:
    (hot_folder / "a.csv").write_text(CSV_HEADER + shipped_row(ITEMS[0]) + shipped_row(ITEMS[1], ""), encoding="utf-8")
    result = invoke(cli, *WATCH_ONCE)
    assert (result.code, received_signals()) == (6, [])
    assert file_names_without_timestamps(hot_folder / "error") == ["a.csv", "a.result.csv"]
    rows = read_rows(next((hot_folder / "error").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert [row["cpctl_state"] for row in rows] == ["unaccepted", "invalid"]
    assert "tracking is missing" in rows[1]["cpctl_message"]


def test_an_unreadable_file_goes_to_error_and_does_not_stop_the_others(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, received_signals: ReceivedSignals
) -> None:
    (hot_folder / "a.csv").write_bytes(b'type,order,item\npacked,"')
    (hot_folder / "b.csv").write_text(all_items_csv(), encoding="utf-8")
    assert invoke(cli, *WATCH_ONCE).code == 6
    assert (file_names_without_timestamps(hot_folder / "error"), len(received_signals())) == (["a.csv"], 6)
    assert file_names_without_timestamps(hot_folder / "done") == ["b.csv", "b.result.csv"]


@pytest.mark.parametrize(
    "name", ["a.csv.tmp", "a.csv.part", "a.csv.crdownload", "a.csv~", ".a.csv", "A.CSV.TMP", "a.filepart"]
)
def test_files_with_names_of_unfinished_files_are_ignored(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, name: str
) -> None:
    (hot_folder / name).write_text(all_items_csv(), encoding="utf-8")
    assert invoke(cli, *WATCH_ONCE).code == 0
    assert (hot_folder / name).exists()
    assert signal_states(cli.store) == []


def test_an_empty_file_is_ignored(invoke: Invoke, cli: CliEnvironment, hot_folder: Path) -> None:
    (hot_folder / "a.csv").touch()
    assert invoke(cli, *WATCH_ONCE).code == 0
    assert file_names_without_timestamps(hot_folder) == ["a.csv"]


def test_a_file_that_changes_between_two_scans_is_not_complete(hot_folder: Path) -> None:
    folder = HotFolder(hot_folder, 0.0)
    file = hot_folder / "a.csv"
    file.write_text(CSV_HEADER, encoding="utf-8")
    assert folder.find_complete() == []
    file.write_text(CSV_HEADER + shipped_row(ITEMS[0]), encoding="utf-8")
    assert folder.find_complete() == []
    os.utime(file, (1_000_000_000, 1_000_000_000))  # replaced by an older one of the same size
    assert folder.find_complete() == []
    assert folder.find_complete() == [file]


def test_a_file_is_not_complete_until_it_has_settled(hot_folder: Path) -> None:
    folder = HotFolder(hot_folder, 3600.0)
    (hot_folder / "a.csv").write_text(all_items_csv(), encoding="utf-8")
    assert [folder.find_complete() for _ in range(3)] == [[], [], []]


def test_the_oldest_file_is_taken_first(hot_folder: Path) -> None:
    folder = HotFolder(hot_folder, 0.0)
    for name, moment in (("a.csv", 1_000_000_300), ("b.csv", 1_000_000_100), ("c.csv", 1_000_000_200)):
        (hot_folder / name).write_text(all_items_csv(), encoding="utf-8")
        os.utime(hot_folder / name, (moment, moment))
    folder.find_complete()
    assert [each.name for each in folder.find_complete()] == ["b.csv", "c.csv", "a.csv"]


def test_a_file_locked_by_another_program_is_not_taken(invoke: Invoke, cli: CliEnvironment, hot_folder: Path) -> None:
    file = hot_folder / "a.csv"
    file.write_text(all_items_csv(), encoding="utf-8")
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert invoke(cli, *WATCH_ONCE).code == 0
        assert file_names_without_timestamps(hot_folder) == ["a.csv"]
    assert invoke(cli, *WATCH_ONCE).code == 0
    assert file_names_without_timestamps(hot_folder) == []


def test_files_of_the_same_name_are_both_kept(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, received_signals: ReceivedSignals
) -> None:
    for tracking in ("T1", "T1", "T2"):
        (hot_folder / "a.csv").write_text(CSV_HEADER + shipped_row(ITEMS[0], tracking), encoding="utf-8")
        invoke(cli, *WATCH_ONCE)
    done = [each.name for each in (hot_folder / "done").glob("*.csv") if "result" not in each.name]
    assert len(done) == 2
    assert file_names_without_timestamps(hot_folder / "error")[-2:] == ["a.csv", "a.result.csv"]  # T2 contradicts T1
    assert len(received_signals()) == 1


def test_an_interrupted_file_is_imported_again(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, received_signals: ReceivedSignals
) -> None:
    (hot_folder / "busy").mkdir()
    (hot_folder / "busy" / "a.csv").write_text(all_items_csv(), encoding="utf-8")
    assert invoke(cli, *WATCH_ONCE).code == 0
    assert (len(received_signals()), file_names_without_timestamps(hot_folder / "busy")) == (6, [])


def test_files_are_imported_while_the_service_is_down(invoke: Invoke, cli: CliEnvironment, hot_folder: Path) -> None:
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    (hot_folder / "a.csv").write_text(all_items_csv(), encoding="utf-8")
    assert invoke(cli, *WATCH_ONCE).code == 0
    assert file_names_without_timestamps(hot_folder / "done") == ["a.csv", "a.result.csv"]
    assert signal_states(cli.store) == ["queued"] * 6


def test_a_file_stays_in_busy_if_the_store_cannot_be_written(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, received_signals: ReceivedSignals
) -> None:
    cli.store.mkdir(parents=True)
    (hot_folder / "a.csv").write_text(all_items_csv(), encoding="utf-8")
    assert invoke(cli, *WATCH_ONCE).code == 7
    assert file_names_without_timestamps(hot_folder / "busy") == ["a.csv"]
    cli.store.rmdir()
    assert invoke(cli, *WATCH_ONCE).code == 0
    assert len(received_signals()) == 6


def test_json_files_are_imported_and_logged_as_json_lines(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path
) -> None:
    (hot_folder / "a.json").write_text(
        json.dumps([{"type": "packed", "order": ORDER, "item": ITEMS[0]}]), encoding="utf-8"
    )
    result = invoke(cli, *WATCH_ONCE, "-o", "json")
    entry = json.loads(result.out)
    assert (entry["file"], entry["rows"], entry["states"]) == ("a.json", 1, {"delivered": 1})
    assert (hot_folder / entry["moved_to"]).exists()
    rows = read_rows(next((hot_folder / "done").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert rows[0]["item"] == ITEMS[0]


def test_a_second_watch_of_one_folder_is_rejected(invoke: Invoke, cli: CliEnvironment, hot_folder: Path) -> None:
    (hot_folder / "busy").mkdir()
    with (hot_folder / "busy" / ".cpctl.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = invoke(cli, *WATCH_ONCE)
    assert result.code == 2
    assert "Another cpctl is watching in." in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("signal", "watch", "nowhere", "--once"), "There is no folder nowhere"),
        ((*WATCH_ONCE, "--interval", "soon"), '--interval "soon"'),
    ],
)
def test_a_missing_folder_or_invalid_interval_is_an_error(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = invoke(cli, *arguments)
    assert result.code == 2
    assert message in result.err


def test_a_missing_key_is_reported_before_a_file_is_touched(
    invoke: Invoke, cli: CliEnvironment, hot_folder: Path
) -> None:
    cli.configure("profiles:\n  s: {base_url: https://example.com}\n")
    (hot_folder / "a.csv").write_text(all_items_csv(), encoding="utf-8")
    assert invoke(cli, *WATCH_ONCE).code == 3
    assert file_names_without_timestamps(hot_folder) == ["a.csv"]
