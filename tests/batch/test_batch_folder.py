"""The hot folder: which files are taken, when, and where they are put."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batch_files import HEAD, ITEMS, ORDER, read_rows, shipped_row, six, states_of
from worlds import NOBODY, Result, World, configuration

from cpctl.cli.commands.signal.watch import HotFolder

Inside = Callable[..., Result]
Received = Callable[[], list[dict[str, Any]]]
ONCE = ("signal", "watch", "in", "--once", "--settle", "0s")


@pytest.fixture
def inbox(world: World) -> Path:
    """A hot folder."""
    folder = world.folder / "in"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    """What lies in a folder, without the times that names begin with."""
    found = (each.name for each in folder.iterdir() if not each.name.startswith(".") and each.is_file())
    return sorted(name.partition("-")[2] or name for name in found)


def test_a_file_is_worked_through_and_put_away_with_its_results(
    inside: Inside, world: World, inbox: Path, received: Received
) -> None:
    (inbox / "bench2.csv").write_text(six(), encoding="utf-8")
    result = inside(world, *ONCE)
    assert (result.code, result.out, len(received())) == (0, "", 6), result.err
    assert "bench2.csv: 6 rows: 6 delivered → done/" in result.err
    assert names(inbox / "done") == ["bench2.csv", "bench2.result.csv"]
    assert (names(inbox), names(inbox / "busy"), names(inbox / "error")) == ([], [], [])
    rows = read_rows(next((inbox / "done").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert [row["cpctl_state"] for row in rows] == ["delivered"] * 6


def test_a_file_with_a_wrong_row_goes_to_error_with_words_for_each_row(
    inside: Inside, world: World, inbox: Path, received: Received
) -> None:
    (inbox / "a.csv").write_text(HEAD + shipped_row(ITEMS[0]) + shipped_row(ITEMS[1], ""), encoding="utf-8")
    result = inside(world, *ONCE)
    assert (result.code, received()) == (6, [])
    assert names(inbox / "error") == ["a.csv", "a.result.csv"]
    rows = read_rows(next((inbox / "error").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert [row["cpctl_state"] for row in rows] == ["unaccepted", "invalid"]
    assert "tracking is missing" in rows[1]["cpctl_message"]


def test_a_file_that_is_no_table_goes_to_error_and_stops_no_other(
    inside: Inside, world: World, inbox: Path, received: Received
) -> None:
    (inbox / "a.csv").write_bytes(b'type,order,item\npacked,"')
    (inbox / "b.csv").write_text(six(), encoding="utf-8")
    assert inside(world, *ONCE).code == 6
    assert (names(inbox / "error"), len(received())) == (["a.csv"], 6)
    assert names(inbox / "done") == ["b.csv", "b.result.csv"]


@pytest.mark.parametrize(
    "name", ["a.csv.tmp", "a.csv.part", "a.csv.crdownload", "a.csv~", ".a.csv", "A.CSV.TMP", "a.filepart"]
)
def test_a_file_that_is_still_being_written_is_known_by_its_name(
    inside: Inside, world: World, inbox: Path, name: str
) -> None:
    (inbox / name).write_text(six(), encoding="utf-8")
    assert inside(world, *ONCE).code == 0
    assert (inbox / name).exists()
    assert states_of(world.store) == []


def test_an_empty_file_is_one_that_is_about_to_be_written(inside: Inside, world: World, inbox: Path) -> None:
    (inbox / "a.csv").touch()
    assert inside(world, *ONCE).code == 0
    assert names(inbox) == ["a.csv"]


def test_a_file_that_changes_between_two_looks_is_left(inbox: Path) -> None:
    folder = HotFolder(inbox, 0.0)
    file = inbox / "a.csv"
    file.write_text(HEAD, encoding="utf-8")
    assert folder.find_complete() == []
    file.write_text(HEAD + shipped_row(ITEMS[0]), encoding="utf-8")
    assert folder.find_complete() == []
    os.utime(file, (1_000_000_000, 1_000_000_000))  # replaced by an older one of the same size
    assert folder.find_complete() == []
    assert folder.find_complete() == [file]


def test_a_file_is_left_until_it_has_settled(inbox: Path) -> None:
    folder = HotFolder(inbox, 3600.0)
    (inbox / "a.csv").write_text(six(), encoding="utf-8")
    assert [folder.find_complete() for _ in range(3)] == [[], [], []]


def test_files_are_taken_oldest_first(inbox: Path) -> None:
    folder = HotFolder(inbox, 0.0)
    for name, moment in (("a.csv", 1_000_000_300), ("b.csv", 1_000_000_100), ("c.csv", 1_000_000_200)):
        (inbox / name).write_text(six(), encoding="utf-8")
        os.utime(inbox / name, (moment, moment))
    folder.find_complete()
    assert [each.name for each in folder.find_complete()] == ["b.csv", "c.csv", "a.csv"]


def test_a_file_that_another_program_has_locked_is_left(inside: Inside, world: World, inbox: Path) -> None:
    file = inbox / "a.csv"
    file.write_text(six(), encoding="utf-8")
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert inside(world, *ONCE).code == 0
        assert names(inbox) == ["a.csv"]
    assert inside(world, *ONCE).code == 0
    assert names(inbox) == []


def test_the_same_name_twice_keeps_both_files(inside: Inside, world: World, inbox: Path, received: Received) -> None:
    for tracking in ("T1", "T1", "T2"):
        (inbox / "a.csv").write_text(HEAD + shipped_row(ITEMS[0], tracking), encoding="utf-8")
        inside(world, *ONCE)
    done = [each.name for each in (inbox / "done").glob("*.csv") if "result" not in each.name]
    assert len(done) == 2
    assert names(inbox / "error")[-2:] == ["a.csv", "a.result.csv"]  # T2 contradicts T1
    assert len(received()) == 1


def test_what_lies_in_busy_is_taken_up_again(inside: Inside, world: World, inbox: Path, received: Received) -> None:
    (inbox / "busy").mkdir()
    (inbox / "busy" / "a.csv").write_text(six(), encoding="utf-8")
    assert inside(world, *ONCE).code == 0
    assert (len(received()), names(inbox / "busy")) == (6, [])


def test_a_service_that_is_down_keeps_no_file_waiting(inside: Inside, world: World, inbox: Path) -> None:
    world.configure(configuration(NOBODY))
    (inbox / "a.csv").write_text(six(), encoding="utf-8")
    assert inside(world, *ONCE).code == 0
    assert names(inbox / "done") == ["a.csv", "a.result.csv"]
    assert states_of(world.store) == ["queued"] * 6


def test_a_store_that_cannot_be_written_leaves_the_file_to_be_taken_up_again(
    inside: Inside, world: World, inbox: Path, received: Received
) -> None:
    world.store.mkdir(parents=True)
    (inbox / "a.csv").write_text(six(), encoding="utf-8")
    assert inside(world, *ONCE).code == 7
    assert names(inbox / "busy") == ["a.csv"]
    world.store.rmdir()
    assert inside(world, *ONCE).code == 0
    assert len(received()) == 6


def test_files_may_be_json_and_are_told_as_json_lines(inside: Inside, world: World, inbox: Path) -> None:
    (inbox / "a.json").write_text(json.dumps([{"type": "packed", "order": ORDER, "item": ITEMS[0]}]), encoding="utf-8")
    result = inside(world, *ONCE, "-o", "json")
    told = json.loads(result.out)
    assert (told["file"], told["rows"], told["states"]) == ("a.json", 1, {"delivered": 1})
    assert (inbox / told["moved_to"]).exists()
    rows = read_rows(next((inbox / "done").glob("*.result.csv")).read_text(encoding="utf-8"))
    assert rows[0]["item"] == ITEMS[0]


def test_a_second_watch_of_one_folder_is_refused(inside: Inside, world: World, inbox: Path) -> None:
    (inbox / "busy").mkdir()
    with (inbox / "busy" / ".cpctl.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = inside(world, *ONCE)
    assert result.code == 2
    assert "Another cpctl works on in already" in result.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("signal", "watch", "nowhere", "--once"), "There is no folder nowhere"),
        ((*ONCE, "--interval", "soon"), '--interval "soon"'),
    ],
)
def test_a_folder_or_a_span_that_cannot_be_is_told(
    inside: Inside, world: World, inbox: Path, words: tuple[str, ...], told: str
) -> None:
    result = inside(world, *words)
    assert result.code == 2
    assert told in result.err


def test_a_missing_key_is_told_before_a_file_is_touched(inside: Inside, world: World, inbox: Path) -> None:
    world.configure("profiles:\n  s: {base_url: https://example.com}\n")
    (inbox / "a.csv").write_text(six(), encoding="utf-8")
    assert inside(world, *ONCE).code == 3
    assert names(inbox) == ["a.csv"]
