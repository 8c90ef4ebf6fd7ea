"""The bench's screen: from a view to lines of text, readable from two metres. No library, no terminal; pure."""

import textwrap
from typing import NamedTuple

from cpctl.packing.models import Level, Line, Row, Verdict, View, local

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_LINE, _CLEAR_BELOW, _PLAIN, _BOLD, _REVERSE = (
    "\x1b[H",
    "\x1b[K",
    "\x1b[J",
    "\x1b[0m",
    "\x1b[1m",
    "\x1b[7m",
)
_COLORS = {
    Level.OK: "\x1b[30;42m",
    Level.DONE: "\x1b[30;46m",
    Level.CHECK: "\x1b[30;43m",
    Level.STOP: "\x1b[1;97;41m",
    Level.STEP: "",
}
_BIG = {
    "A": (" ### ", "#   #", "#####", "#   #", "#   #"),
    "B": ("#### ", "#   #", "#### ", "#   #", "#### "),
    "C": (" ####", "#    ", "#    ", "#    ", " ####"),
    "D": ("#### ", "#   #", "#   #", "#   #", "#### "),
    "E": ("#####", "#    ", "#### ", "#    ", "#####"),
    "H": ("#   #", "#   #", "#####", "#   #", "#   #"),
    "I": ("###", " # ", " # ", " # ", "###"),
    "K": ("#   #", "#  # ", "###  ", "#  # ", "#   #"),
    "L": ("#    ", "#    ", "#    ", "#    ", "#####"),
    "M": ("#   #", "## ##", "# # #", "#   #", "#   #"),
    "N": ("#   #", "##  #", "# # #", "#  ##", "#   #"),
    "O": (" ### ", "#   #", "#   #", "#   #", " ### "),
    "P": ("#### ", "#   #", "#### ", "#    ", "#    "),
    "S": (" ####", "#    ", " ### ", "    #", "#### "),
    "T": ("#####", "  #  ", "  #  ", "  #  ", "  #  "),
    "U": ("#   #", "#   #", "#   #", "#   #", " ### "),
}
_WORDS = {Level.OK: "OK", Level.DONE: "DONE", Level.CHECK: "CHECK", Level.STOP: "STOP"}
_SHORT = {Level.OK: "OK", Level.DONE: "DONE", Level.CHECK: "CHECK", Level.STOP: "STOP", Level.STEP: "·"}
_TALLEST_BIG = 20  # a screen of fewer lines has no room for large letters
FEET = "codes: UNDO  OK  NEXT  STOP  PAUSE  HELP            Ctrl-C leaves safely"


class Look(NamedTuple):
    """What a terminal can show."""

    columns: int = 80
    lines: int = 24
    color: bool = True


def big_word(view: View) -> str:
    """The word that is read from far away: the verdict, or what is wanted."""
    if view.paused:
        return "PAUSE"
    if view.verdict.level in _WORDS:
        return _WORDS[view.verdict.level]
    return "LABEL" if view.parcel else "ITEM"


def rendered(view: View, look: Look) -> list[str]:
    """The lines of the screen, at most as many as it has, without any escape codes."""
    return [text for _, text in _painted(view, look)]


def frame(view: View, look: Look) -> str:
    """What to write to the terminal: the whole screen, from its upper left corner."""
    pieces = [_HOME]
    for number, (paint, text) in enumerate(_painted(view, look)):
        padded = text.ljust(look.columns) if paint else text
        pieces.append("\r\n" if number else "")
        pieces.append(f"{paint}{padded}{_PLAIN}" if paint and look.color else text)
        pieces.append(_CLEAR_LINE if len(text) < look.columns and not (paint and look.color) else "")
    pieces.append(_CLEAR_BELOW)
    return "".join(pieces)


def _painted(view: View, look: Look) -> list[tuple[str, str]]:
    """Each line with its colour."""
    width = max(look.columns, 20)
    rule = ("", "─" * width)
    color = _COLORS[Level.CHECK if view.paused else view.verdict.level]
    top = [(_REVERSE, _status(view, width))]
    top += [(color, line) for line in _block(view, width, look.lines)]
    below = [rule, (_BOLD, f" NEXT: {view.expected}")]
    if view.parcel:
        below.append(("", f" on the table: {', '.join(view.parcel)}"))
    below.append(rule)
    room = look.lines - len(top) - len(below) - 1
    last = [f" {line}" for line in view.help] if view.help else [_row(row, width) for row in view.rows[: max(room, 0)]]
    filled = [("", line) for line in last][: max(room, 0)]
    filled += [("", "")] * (max(room, 0) - len(filled))
    lines = [*top, *below, *filled, ("", f" {FEET}")]
    return [(paint, _cut(text, look.columns)) for paint, text in lines[: look.lines]]


def _status(view: View, width: int) -> str:
    """Who and where on the left, as far as there is room; what counts on the right."""
    counts = [_line(view.line), f"waiting {view.waiting}", f"today {view.today}"]
    if view.refused:
        counts.append(f"REFUSED {view.refused}")
    right = "  ".join([*counts, f"{view.now.astimezone():%H:%M} "])
    who = " " + "  ".join(
        part for part in (view.environment.upper(), view.profile, view.station, view.operator) if part
    )
    room = max(width - len(right) - 2, 0)
    return f"{_cut(who, room).ljust(room)}  {right}"


def _line(line: Line) -> str:
    if line.stopped:
        return "SENDING STOPPED"
    if line.online is None:
        return "ready"
    if line.online:
        return "ONLINE"
    since = f" since {line.since.astimezone():%H:%M}" if line.since else ""
    return f"OFFLINE{since}"


def _block(view: View, width: int, lines: int) -> list[str]:
    verdict = view.verdict
    words = f"{verdict.words}" + (f" (repaired: {verdict.repaired})" if verdict.repaired else "")
    told = [f"   {line}" for line in textwrap.wrap(words, width - 6)[:2]]
    more = view.fate or verdict.more
    told += [f"   {line}" for line in textwrap.wrap(more, width - 6)[:2]] if more else []
    if lines < _TALLEST_BIG:
        return [f"   {big_word(view)}", *told]
    return ["", *_large(big_word(view)), "", *told, ""]


def _large(word: str) -> list[str]:
    """A word in letters five lines high, each sign two columns wide."""
    rows = ["  ".join(_BIG[letter][number] for letter in word if letter in _BIG) for number in range(5)]
    return ["   " + "".join("██" if sign == "#" else "  " for sign in row).rstrip() for row in rows]


def _row(row: Row, width: int) -> str:
    text = f" {local(row.at)} {_SHORT[row.level]:5} {row.text}"
    return f"{_cut(text, width - len(row.fate) - 2)}  {row.fate}" if row.fate else text


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def verdict_line(verdict: Verdict) -> str:
    """A verdict as one line for a pipe: its word, the code, and the words, between tabs."""
    more = f" {verdict.more}" if verdict.more else ""
    repaired = f" (repaired: {verdict.repaired})" if verdict.repaired else ""
    return "\t".join((verdict.level.upper(), verdict.code, f"{verdict.words}{repaired}.{more}"))
