"""Writing the unit files to a folder."""

from collections.abc import Callable

import pytest

from harness.cli_environment import CliEnvironment, CliResult
from harness.unit_files import print_units, verify_units

Invoke = Callable[..., CliResult]


def test_written_files_equal_the_printed_ones_and_are_readable_by_all(cli: CliEnvironment) -> None:
    done = cli.run("service", "print", "outbox", "--timer", "--write", "units/new")
    assert (done.code, done.out) == (0, ""), done.err
    folder = cli.folder / "units" / "new"
    assert all(f"units/new/{file.name}" in done.err for file in folder.iterdir())
    units = print_units(cli, "outbox", "--timer")
    assert {file.name: file.read_text() for file in folder.iterdir()} == {unit.name: unit.content for unit in units}
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}
    assert verify_units(folder, units) == ""


def test_the_result_names_the_files(cli: CliEnvironment) -> None:
    rows = cli.run_json("service", "print", "outbox", "--write", "units")
    assert [row["file"] for row in rows] == ["units/cpctl-outbox.service"]


def test_an_existing_file_is_not_overwritten_and_no_other_is_written(cli: CliEnvironment, invoke: Invoke) -> None:
    folder = cli.folder / "units"
    folder.mkdir()
    (folder / "cpctl-outbox.timer").write_text("mine")
    done = invoke(cli, "service", "print", "outbox", "--timer", "--write", "units")
    assert (done.code, done.out) == (2, "")
    assert "units/cpctl-outbox.timer already exists" in done.err and "--force" in done.err
    assert [file.name for file in folder.iterdir()] == ["cpctl-outbox.timer"]
    assert (folder / "cpctl-outbox.timer").read_text() == "mine"
    assert invoke(cli, "service", "print", "outbox", "--timer", "--write", "units", "--force").code == 0
    assert "[Timer]" in (folder / "cpctl-outbox.timer").read_text()


def test_a_dry_run_writes_nothing(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "outbox", "--write", "units", "--dry-run")
    assert (done.code, done.out) == (0, "")
    assert "Dry run: would write units/cpctl-outbox.service." in done.err
    assert not (cli.folder / "units").exists()


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_folder_that_cannot_be_created_is_named(cli: CliEnvironment, invoke: Invoke, place: str) -> None:
    (cli.folder / "taken").write_text("a file")
    done = invoke(cli, "service", "print", "outbox", "--write", place)
    assert (done.code, done.out) == (2, "")
    assert place in done.err


def test_a_file_that_cannot_be_replaced_leaves_no_draft_behind(cli: CliEnvironment, invoke: Invoke) -> None:
    (cli.folder / "units" / "cpctl-outbox.timer").mkdir(parents=True)
    done = invoke(cli, "service", "print", "outbox", "--timer", "--write", "units", "--force")
    assert (done.code, done.out) == (2, "")
    assert [file.name for file in (cli.folder / "units").iterdir()] == ["cpctl-outbox.timer"]


def test_printing_writes_no_files(cli: CliEnvironment, invoke: Invoke) -> None:
    before = sorted(cli.folder.rglob("*"))
    assert invoke(cli, "service", "print", "outbox").code == 0
    assert sorted(cli.folder.rglob("*")) == before
