"""Code for Windows, as far as it can run on other systems."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cpctl.packing.key_input import KeyEvent, Scan, WindowsKeyboard
from cpctl.packing.sound import _split_command
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM, CliEnvironment

# Names that Windows refuses or changes.
INVALID_FILE_NAME = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)


class FakeMsvcrt(ModuleType):
    """A module msvcrt with a keyboard only: pressed keys wait to be read."""

    def __init__(self, pressed: str) -> None:
        super().__init__("msvcrt")
        self._pressed = list(pressed)

    def kbhit(self) -> bool:
        return bool(self._pressed)

    def getwch(self) -> str:
        return self._pressed.pop(0)


@pytest.fixture
def windows_keys(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], WindowsKeyboard]:
    def make(pressed: str) -> WindowsKeyboard:
        monkeypatch.setitem(sys.modules, "msvcrt", FakeMsvcrt(pressed))
        return WindowsKeyboard()

    return make


@pytest.mark.parametrize(
    ("pressed", "read"),
    [
        ("123\r", [Scan("123", False, "\\r")]),
        ("1\r2\t", [Scan("1", False, "\\r"), Scan("2", False, "\\t")]),
        ("Größe\r", [Scan("Größe", False, "\\r")]),
        ("\x1d42\r", [Scan("\x1d42", False, "\\r")]),
        ("12\b3\r", [Scan("13", True, "\\r")]),
        ("\x00;1\xe0H2\r", [Scan("12", False, "\\r")]),
        ("1\x032\r", [KeyEvent.INTERRUPT, Scan("12", False, "\\r")]),
        ("", []),
    ],
    ids=repr,
)
def test_keys_of_a_windows_console_become_scans(
    windows_keys: Callable[[str], WindowsKeyboard], pressed: str, read: list[Any]
) -> None:
    with windows_keys(pressed) as keys:
        assert keys.read(0.01) == read


def test_a_waiting_keyboard_can_be_woken(windows_keys: Callable[[str], WindowsKeyboard]) -> None:
    with windows_keys("") as keys:
        keys.wake()
        assert keys.read(60) == [KeyEvent.WAKE]


@pytest.mark.parametrize(
    ("typed", "windows", "words"),
    [
        (r'"C:\Program Files\bell.exe" /q', True, [r"C:\Program Files\bell.exe", "/q"]),
        (r"C:\bell.exe", True, [r"C:\bell.exe"]),
        ("aplay -q 'two words'", False, ["aplay", "-q", "two words"]),
    ],
)
def test_a_sound_command_may_contain_paths_of_its_system(typed: str, windows: bool, words: list[str]) -> None:
    assert _split_command(typed, windows) == words


def test_no_file_name_is_invalid_on_windows(cli: CliEnvironment) -> None:
    """Every file that cpctl names: the store, a damaged store, hot folders, exports, pages."""
    inbox = cli.folder / "inbox"
    inbox.mkdir()
    (inbox / "good.csv").write_text(f"type,order,item\npacked,{ORDER},{ITEM}\n", encoding="utf-8")
    (inbox / "bad.csv").write_text(f"type,order,item\npackt,{ORDER},{SECOND_ITEM}\n", encoding="utf-8")
    assert cli.run("signal", "watch", str(inbox), "--once", "--settle", "0s").code == 6
    assert cli.run("signal", "report", "--html", "page.html").code == 0
    assert cli.run("outbox", "export", "waiting.jsonl").code == 0
    cli.store.write_bytes(b"no database at all, but long enough to look like one" * 100)
    assert "THE STORE WAS DAMAGED" in cli.run("signal", "history").err
    names = [each.relative_to(cli.folder).parts for each in cli.folder.rglob("*")]
    assert len(names) >= 12, names
    assert [name for parts in names for name in parts if INVALID_FILE_NAME.search(name)] == []
    assert any("corrupt" in parts[-1] for parts in names)


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "~$orders.xlsx", ".DS_Store", "a.csv~", "A.PART"])
def test_a_hot_folder_ignores_files_that_systems_create(cli: CliEnvironment, tmp_path: Path, name: str) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / name).write_text("no signals", encoding="utf-8")
    assert cli.run("signal", "watch", str(inbox), "--once", "--settle", "0s").code == 0
    assert (inbox / name).exists()
