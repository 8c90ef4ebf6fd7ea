"""Text that is safe to show: no character of a stranger's data steers a terminal."""

import codecs
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

# C0 and C1, DEL, line separators, and the marks that turn the direction of writing around.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHORT_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


class TerminalInfo(NamedTuple):
    """What is known of the stream that is written to; `width` is in columns, None where it is no terminal.

    `blocks` says that it shows Unicode's block characters.
    """

    is_tty: bool
    has_color: bool
    width: int | None = None
    has_blocks: bool = False


def escape_controls(text: str) -> str:
    """One line of harmless text: every control character is written out, as `\\t` or `\\x1b`."""
    return CONTROL_CHARACTERS.sub(_escape_character, text)


def escape_lines(text: str) -> str:
    """Like `escaped`, but line breaks stay."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))


def _escape_character(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def wants_color(choice: str, is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether a stream gets colour: the option first, then NO_COLOR, FORCE_COLOR and TERM."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if (forced := environment.get("FORCE_COLOR")) is not None and forced != "":
        return forced != "0"
    return is_terminal and environment.get("TERM") != "dumb"


# Every variable that output heeds, with what it does.
ENVIRONMENT_VARIABLES = {
    "NO_COLOR": "any value: no colour",
    "FORCE_COLOR": "any value but 0: colour, also where there is no terminal",
    "TERM": "dumb: no colour, and the bench writes line by line",
    "COLUMNS": "how wide tables on a terminal are",
    "LC_ALL, LC_CTYPE, LANG": "with UTF-8, charts are drawn with blocks",
}

# Terminals that have no blocks, or not the thin ones.
_TERMINALS_WITHOUT_BLOCKS = re.compile("dumb|unknown|ansi|linux|vt.*")


def can_show_blocks(is_terminal: bool, environment: Mapping[str, str], windows: bool) -> bool:
    """Whether block characters can be shown: by the encoding of the locale, and by what TERM names."""
    if not windows:
        locale = next((found for name in ("LC_ALL", "LC_CTYPE", "LANG") if (found := environment.get(name))), "")
        if "utf8" not in locale.lower().replace("-", ""):
            return False
        return not is_terminal or not _TERMINALS_WITHOUT_BLOCKS.fullmatch(environment.get("TERM") or "unknown")
    return True


# What stands in for our own signs where a terminal has none of them; each as wide as what it stands for.
_ASCII_SUBSTITUTES = {"█": "#", "─": "-", "·": ".", "…": ".", "→": ">", "×": "x", "–": "-", "—": "-"}
ENCODING_ERROR_HANDLER = "cpctl-stand-in"  # the name of a way to encode text


def _substitute(error: UnicodeError) -> tuple[str, int]:
    """Text in place of characters that an encoding lacks: our own signs in ASCII, all others as ?."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_ASCII_SUBSTITUTES.get(character, "?") for character in missing), error.end


codecs.register_error(ENCODING_ERROR_HANDLER, _substitute)


def format_cell(value: Any) -> str:
    """A value as one cell of a table: nothing is empty, truth is true or false, structures are JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)


def format_count(number: int, noun: str) -> str:
    """A number of things: `1 signal`, `2 signals`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
