"""Codes before items are known: cleaning, commands, keyboard layouts, splitting."""

import pytest

from cpctl.packing.key_input import KeyEvent, Scan, ScanDecoder
from cpctl.packing.models import Severity
from cpctl.packing.scanned_codes import (
    COMMAND_CODES,
    COMMAND_PREFIX,
    KEYBOARD_LAYOUTS,
    TEST_CHARACTERS,
    TEST_PREFIX,
    BenchCommand,
    check_test_code,
    clean_scan,
    parse_command,
    repair_layout,
)


@pytest.mark.parametrize(
    ("raw", "text", "control"),
    [
        ("  123 \r", "123", False),
        ("]C1123", "123", False),
        ("]C1\x1d00340434161094015902", "00340434161094015902", False),
        ("[)>\x1e01\x1d96\x1e\x04", "[)>\x1e01\x1d96", True),
        ("\x1d", "", False),
        ("a\x1cb", "a\x1cb", True),
    ],
)
def test_cleaning_removes_only_what_surrounds_a_code(raw: str, text: str, control: bool) -> None:
    assert clean_scan(raw) == (text, control)


@pytest.mark.parametrize("command", BenchCommand)
def test_commands_ignore_case(command: BenchCommand) -> None:
    for code in (COMMAND_PREFIX + COMMAND_CODES[command], COMMAND_PREFIX + command):
        assert parse_command(code) is parse_command(code.lower()) is parse_command(code.swapcase()) is command


def test_the_stop_code_of_sheets_printed_earlier_still_ends_the_shift() -> None:
    assert parse_command("CPCTLSTOP") is parse_command("cpctlstop") is BenchCommand.END


def test_command_codes_are_the_same_in_every_keyboard_layout() -> None:
    for word in COMMAND_CODES.values():
        for layout in KEYBOARD_LAYOUTS:
            code = COMMAND_PREFIX + word
            assert (
                code.translate(layout.to_us_layout) == code
                and code.lower().translate(layout.to_us_layout) == code.lower()
            )
        assert not set(COMMAND_PREFIX + word) & set("AQWZYM0123456789")


@pytest.mark.parametrize(
    ("arrived", "is_ok", "message"),
    [
        (TEST_PREFIX + TEST_CHARACTERS, True, "layout is right"),
        ((TEST_PREFIX + TEST_CHARACTERS).swapcase(), True, "Caps Lock"),
        (TEST_PREFIX + "QAZWY?à&é\"'(-è_ç)", False, "French (AZERTY)"),
        (TEST_PREFIX + "QAZWY?à&é\"'(§è!ç)", False, "French (AZERTY, Mac)"),
        (TEST_PREFIX + "AQWYZM0123456789ß", False, "German"),
        (TEST_PREFIX + "AQ", False, "arrived as"),
    ],
)
def test_the_test_code_shows_what_is_wrong(arrived: str, is_ok: bool, message: str) -> None:
    verdict = check_test_code(arrived)
    assert verdict is not None and message in verdict.message
    assert verdict.severity is (Severity.STEP if is_ok else Severity.CHECK)


def test_other_codes_are_not_the_test_code() -> None:
    assert check_test_code("1Z5R89390357567127") is check_test_code("CPCTLOK") is None


def test_a_repair_needs_exactly_one_valid_reading() -> None:
    assert repair_layout("1Y5", lambda text: text == "1Z5") == ("1Z5", "German (QWERTZ)")
    assert repair_layout("1Y5", lambda text: True) is None
    assert repair_layout("zy", lambda text: text in ("yz", "wy")) is None
    assert repair_layout("abc", lambda text: False) is None


def scanned_texts(decoder: ScanDecoder, data: bytes, gap: float = 0.0) -> list[str]:
    return [each.text for each in decoder.feed(data, gap) if isinstance(each, Scan)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"abc\r", ["abc"]),
        (b"abc\r\n", ["abc"]),
        (b"abc\t", ["abc"]),
        (b"a\x1db\ra\x1cb\n\x13x\x12\x17\r", ["a\x1db", "a\x1cb", "\x13x\x12\x17"]),
        (b"[)>\x1e01\x1d96\x1e\x04\r", ["[)>\x1e01\x1d96\x1e\x04"]),
        ("é&\r".encode(), ["é&"]),
        ("é&\r".encode("latin-1"), ["é&"]),
        (b"ab\x7fc\r", ["ac"]),
        (b"\r\n\r\n", []),
    ],
)
def test_bytes_become_scans_and_none_is_lost(data: bytes, found: list[str]) -> None:
    whole = ScanDecoder()
    assert scanned_texts(whole, data) == found
    bytewise = ScanDecoder()
    assert [text for byte in data for text in scanned_texts(bytewise, bytes([byte]))] == found


def test_slow_characters_are_taken_for_typing() -> None:
    decoder = ScanDecoder()
    assert decoder.feed(b"12", 5.0) == []
    assert decoder.feed(b"3\r", 0.2) == [Scan("123", True, "\\r")]
    assert decoder.feed(b"45\r", 9.0) == [Scan("45", False, "\\r")]


def test_ctrl_z_alone_suspends_and_within_a_code_is_a_character() -> None:
    decoder = ScanDecoder()
    assert decoder.feed(b"\x1a", 1.0) == [KeyEvent.SUSPEND]
    assert scanned_texts(decoder, b"a\x1ab\r") == ["a\x1ab"]
