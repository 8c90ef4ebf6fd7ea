"""Text that is safe to show, and when there is colour."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpctl.config.keys import Key, mask_keys
from cpctl.output.formats import FORMATS
from cpctl.output.text import TerminalInfo, escape_controls, escape_lines, format_cell, wants_color

TERMINAL = TerminalInfo(is_tty=True, has_color=False, width=200)
PIPE = TerminalInfo(is_tty=False, has_color=False)
CONTROL_CHARACTERS = [
    "\x1b",
    "\x07",
    "\x08",
    "\r",
    "\x7f",
    "\x80",
    "\x85",
    "\x9b",
    "\u2028",
    "\u200f",
    "\u202e",
    "\u2066",
]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=lambda each: f"{ord(each):04x}")
def test_no_format_lets_data_steer_a_terminal(name: str, character: str) -> None:
    text = f"a{character}[31mb"
    data = text if name == "value" else [{"field": text, "inner": {"deep": [text]}}]
    written = "".join(FORMATS[name][0](data, None, TERMINAL))
    assert character not in written
    assert "[31mb" in written, "the rest stays readable"


@pytest.mark.parametrize("name", ["json", "jsonl", "yaml"])
@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=lambda each: f"{ord(each):04x}")
def test_for_a_program_every_character_comes_back(name: str, character: str) -> None:
    import json

    import yaml

    data = {"field": f"a{character}b"}
    written = "".join(FORMATS[name][0](data, None, PIPE))
    assert (yaml.safe_load if name == "yaml" else json.loads)(written) == data


@given(st.text())
def test_escaped_text_is_one_line_of_printable_characters(text: str) -> None:
    shown = escape_controls(text)
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Zl", "Zp")]
    assert not [each for each in shown if unicodedata.bidirectional(each) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI")]
    assert escape_controls(shown) == shown
    assert escape_lines(text).count("\n") == text.count("\n")


def test_what_people_know_by_name_is_written_by_name() -> None:
    assert escape_controls("a\tb\nc\rd\x1b[0m\u202ee") == "a\\tb\\nc\\rd\\x1b[0m\\u202ee"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (True, "true"), (False, "false"), (0, "0"), ("0", "0"), ([1, "ü"], '[1, "ü"]'), ({}, "{}")],
)
def test_a_cell_shows_nothing_as_nothing_and_truth_as_a_word(value: object, shown: str) -> None:
    assert format_cell(value) == shown


@pytest.mark.parametrize(
    ("choice", "terminal", "environment", "wanted"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", True, {"FORCE_COLOR": "0"}, False),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", True, {"FORCE_COLOR": ""}, True),
        ("auto", True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", True, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("always", True, {"TERM": "dumb"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_goes_by_option_then_environment_then_stream(
    choice: str, terminal: bool, environment: dict[str, str], wanted: bool
) -> None:
    assert wants_color(choice, terminal, environment) is wanted


def test_a_key_hides_itself() -> None:
    key = Key("00112233445566778899aabbccddeeff")
    assert "0011" not in f"{key} {key!r} {[key]}"
    assert key.last_four == "…eeff"
    assert mask_keys(f"x {key.value} y", [key]) == "x *** y"
