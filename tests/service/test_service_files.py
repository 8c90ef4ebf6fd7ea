"""Writing the unit files to a folder."""

from collections.abc import Callable

import pytest
from service_world import complaints, printed
from worlds import Result, World

Inside = Callable[..., Result]


def test_the_files_are_those_that_are_printed_and_can_be_read_by_all(world: World) -> None:
    done = world.run("service", "print", "outbox", "--timer", "--write", "units/new")
    assert (done.code, done.out) == (0, ""), done.err
    folder = world.folder / "units" / "new"
    assert all(f"units/new/{file.name}" in done.err for file in folder.iterdir())
    units = printed(world, "outbox", "--timer")
    assert {file.name: file.read_text() for file in folder.iterdir()} == {unit.name: unit.content for unit in units}
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}
    assert complaints(folder, units) == ""


def test_the_files_are_named_in_the_result(world: World) -> None:
    rows = world.json("service", "print", "outbox", "--write", "units")
    assert [row["file"] for row in rows] == ["units/cpctl-outbox.service"]


def test_a_file_that_is_there_is_not_overwritten_and_no_other_is_written(world: World, inside: Inside) -> None:
    folder = world.folder / "units"
    folder.mkdir()
    (folder / "cpctl-outbox.timer").write_text("mine")
    done = inside(world, "service", "print", "outbox", "--timer", "--write", "units")
    assert (done.code, done.out) == (2, "")
    assert "units/cpctl-outbox.timer is there already" in done.err and "--force" in done.err
    assert [file.name for file in folder.iterdir()] == ["cpctl-outbox.timer"]
    assert (folder / "cpctl-outbox.timer").read_text() == "mine"
    assert inside(world, "service", "print", "outbox", "--timer", "--write", "units", "--force").code == 0
    assert "[Timer]" in (folder / "cpctl-outbox.timer").read_text()


def test_a_dry_run_writes_nothing(world: World, inside: Inside) -> None:
    done = inside(world, "service", "print", "outbox", "--write", "units", "--dry-run")
    assert (done.code, done.out) == (0, "")
    assert "Dry run: would write units/cpctl-outbox.service." in done.err
    assert not (world.folder / "units").exists()


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_folder_that_cannot_be_made_is_named(world: World, inside: Inside, place: str) -> None:
    (world.folder / "taken").write_text("a file")
    done = inside(world, "service", "print", "outbox", "--write", place)
    assert (done.code, done.out) == (2, "")
    assert place in done.err


def test_a_file_that_cannot_take_its_place_leaves_no_draft_behind(world: World, inside: Inside) -> None:
    (world.folder / "units" / "cpctl-outbox.timer").mkdir(parents=True)
    done = inside(world, "service", "print", "outbox", "--timer", "--write", "units", "--force")
    assert (done.code, done.out) == (2, "")
    assert [file.name for file in (world.folder / "units").iterdir()] == ["cpctl-outbox.timer"]


def test_printing_leaves_nothing_behind(world: World, inside: Inside) -> None:
    before = sorted(world.folder.rglob("*"))
    assert inside(world, "service", "print", "outbox").code == 0
    assert sorted(world.folder.rglob("*")) == before
