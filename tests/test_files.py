"""Private files are written completely or not at all, and streams are never replaced by files."""

import os
import stat
from pathlib import Path

import pytest

from cpctl.errors import InvalidInput
from cpctl.files import private_file, write_private


def test_a_new_file_is_private_and_leaves_no_draft(tmp_path: Path) -> None:
    write_private(tmp_path / "a", "é\n")
    write_private(tmp_path / "b", b"\xff")
    assert [(tmp_path / name).read_bytes() for name in ("a", "b")] == ["é\n".encode(), b"\xff"]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b"]


def test_the_old_file_stays_if_writing_fails(tmp_path: Path) -> None:
    write_private(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError), private_file(tmp_path / "a") as written:
        written.write("new")
        raise ZeroDivisionError
    assert (tmp_path / "a").read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_private(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text(encoding="utf-8") == "old"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
def test_a_device_is_written_to_and_not_replaced() -> None:
    with pytest.raises(InvalidInput, match="/dev/full cannot be written: No space left on device"):
        write_private(Path("/dev/full"), "x" * 10_000)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)  # noqa: PTH116


@pytest.mark.parametrize("name", ["", "."])
def test_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is not the name of a file"):
        write_private(tmp_path / name, "x")
