"""Text that is safe to show, and when there is color."""

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
@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=lambda character: f"{ord(character):04x}")
def test_no_format_lets_data_control_a_terminal(name: str, character: str) -> None:
    text = f"a{character}[31mb"
    data = text if name == "value" else [{"field": text, "inner": {"deep": [text]}}]
    written = "".join(FORMATS[name][0](data, None, TERMINAL))
    assert character not in written
    assert "[31mb" in written, "the rest stays readable"


@pytest.mark.parametrize("name", ["json", "jsonl", "yaml"])
@pytest.mark.parametrize("character", CONTROL_CHARACTERS, ids=lambda character: f"{ord(character):04x}")
def test_a_program_gets_every_character_unchanged(name: str, character: str) -> None:
    import json

    import yaml

    data = {"field": f"a{character}b"}
    written = "".join(FORMATS[name][0](data, None, PIPE))
    assert (yaml.safe_load if name == "yaml" else json.loads)(written) == data


@given(st.text())
def test_escaped_text_is_one_line_of_printable_characters(text: str) -> None:
    shown = escape_controls(text)
    assert not [character for character in shown if unicodedata.category(character) in ("Cc", "Zl", "Zp")]
    assert not [
        character
        for character in shown
        if unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI")
    ]
    assert escape_controls(shown) == shown
    assert escape_lines(text).count("\n") == text.count("\n")


def test_common_control_characters_are_escaped_by_name() -> None:
    assert escape_controls("a\tb\nc\rd\x1b[0m\u202ee") == "a\\tb\\nc\\rd\\x1b[0m\\u202ee"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (True, "true"), (False, "false"), (0, "0"), ("0", "0"), ([1, "ü"], '[1, "ü"]'), ({}, "{}")],
)
def test_cells_show_none_booleans_and_structures(value: object, shown: str) -> None:
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
def test_color_depends_on_option_then_environment_then_stream(
    choice: str, terminal: bool, environment: dict[str, str], wanted: bool
) -> None:
    assert wants_color(choice, terminal, environment) is wanted


def test_a_key_never_shows_its_value() -> None:
    key = Key("00112233445566778899aabbccddeeff")
    assert "0011" not in f"{key} {key!r} {[key]}"
    assert key.last_four == "…eeff"
    assert mask_keys(f"x {key.value} y", [key]) == "x *** y"
