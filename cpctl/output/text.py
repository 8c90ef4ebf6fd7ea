"""Text for a terminal: escape codes, colors and widths; and no character of foreign data controls the terminal."""

import codecs
import os
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple, TextIO

RESET, BOLD, REVERSE = "\x1b[0m", "\x1b[1m", "\x1b[7m"
RED, GREEN, YELLOW = "\x1b[31m", "\x1b[32m", "\x1b[33m"
CURSOR_HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"

DEFAULT_WIDTH, MIN_WIDTH = 80, 40  # columns of running text
# C0 and C1, DEL, line separators, and the marks that reverse the direction of writing.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class TerminalInfo(NamedTuple):
    """What is known about the stream that is written to."""

    is_tty: bool
    has_color: bool
    width: int | None = None  # columns; None if it is not a terminal
    has_blocks: bool = False  # shows Unicode's block characters

    @property
    def text_width(self) -> int:
        """Columns of running text: one less than the terminal has, since some wrap a line that fills it."""
        return max((self.width or DEFAULT_WIDTH) - 1, MIN_WIDTH)

    def paint(self, text: str, color: str) -> str:
        """Return the text in a color, or as it is if the stream gets none."""
        return f"{color}{text}{RESET}" if color and self.has_color else text


def inspect_terminal(stream: TextIO | None, color: str, environment: Mapping[str, str]) -> TerminalInfo:
    """Find out what a stream can show; `color` is the option."""
    import shutil

    is_tty, is_windows = is_terminal(stream), os.name == "nt"
    width = shutil.get_terminal_size().columns if is_tty else None
    has_blocks = can_show_blocks(is_tty, environment, is_windows)
    return TerminalInfo(is_tty, wants_color(color, is_tty, environment), width, has_blocks)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is an open terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def escape_controls(text: str) -> str:
    """Escape every control character, as `\\t` or `\\x1b`; the result is one line."""
    return CONTROL_CHARACTERS.sub(_escape_character, text)


def escape_lines(text: str) -> str:
    """Like `escape_controls`, but keep line breaks."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))


def _escape_character(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def wants_color(choice: str, is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Decide whether a stream gets color: by the option, then NO_COLOR, FORCE_COLOR and TERM."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if forced := environment.get("FORCE_COLOR"):
        return forced != "0"
    return is_terminal and environment.get("TERM") != "dumb"


# Every environment variable that affects output.
ENVIRONMENT_VARIABLES = {
    "NO_COLOR": "any value: no color",
    "FORCE_COLOR": "any value except 0: color, also without a terminal",
    "TERM": "dumb: no color, and the bench writes line by line",
    "COLUMNS": "width of tables on a terminal",
    "LC_ALL, LC_CTYPE, LANG": "with UTF-8, charts are drawn with blocks",
}

# Terminals without block characters, or without the thin ones.
_TERMINALS_WITHOUT_BLOCKS = re.compile("dumb|unknown|ansi|linux|vt.*")


def can_show_blocks(is_terminal: bool, environment: Mapping[str, str], windows: bool) -> bool:
    """Decide whether block characters can be shown, by the encoding of the locale and by TERM."""
    if windows:
        return True
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    is_too_old = is_terminal and _TERMINALS_WITHOUT_BLOCKS.fullmatch(environment.get("TERM") or "unknown")
    return "utf8" in locale.lower().replace("-", "") and not is_too_old


# Replaces our own symbols where the encoding lacks them; each is as wide as the original.
_ASCII_SUBSTITUTES = {"█": "#", "─": "-", "·": ".", "…": ".", "→": ">", "×": "x", "–": "-", "—": "-"}
ENCODING_ERROR_HANDLER = "cpctl-stand-in"  # registered with codecs below


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_ASCII_SUBSTITUTES.get(character, "?") for character in missing), error.end


codecs.register_error(ENCODING_ERROR_HANDLER, _substitute)


def display_width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def truncate(text: str, max_width: int, ellipsis: str = "…") -> str:
    """Cut a text to this many columns; one that was cut ends with the ellipsis."""
    if display_width(text) <= max_width:
        return text
    room = max_width - len(ellipsis)
    kept = ""
    for character in text:
        room -= _character_width(character)
        if room < 0:
            break
        kept += character
    return kept + ellipsis


def format_cell(value: Any) -> str:
    """A value as one cell of a table: None is empty, booleans are true or false, lists and dicts are JSON."""
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
