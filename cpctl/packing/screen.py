"""The bench's screen: from a view to lines of text, readable from two metres. No library, no terminal; pure."""

import textwrap
from typing import NamedTuple

from cpctl.packing.models import ConnectionStatus, ScanRow, ScreenView, Severity, Verdict, format_clock_time

ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_LINE, _CLEAR_BELOW, _RESET, _BOLD, _REVERSE = (
    "\x1b[H",
    "\x1b[K",
    "\x1b[J",
    "\x1b[0m",
    "\x1b[1m",
    "\x1b[7m",
)
_COLORS = {
    Severity.OK: "\x1b[30;42m",
    Severity.DONE: "\x1b[30;46m",
    Severity.CHECK: "\x1b[30;43m",
    Severity.STOP: "\x1b[1;97;41m",
    Severity.STEP: "",
}
_LARGE_LETTERS = {
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
_LARGE_WORDS = {Severity.OK: "OK", Severity.DONE: "DONE", Severity.CHECK: "CHECK", Severity.STOP: "STOP"}
_ROW_LABELS = {
    Severity.OK: "OK",
    Severity.DONE: "DONE",
    Severity.CHECK: "CHECK",
    Severity.STOP: "STOP",
    Severity.STEP: "·",
}
_MIN_LINES_FOR_LARGE = 20  # a screen of fewer lines has no room for large letters
FOOTER = "codes: UNDO  OK  NEXT  STOP  PAUSE  HELP            Ctrl-C leaves safely"


class ScreenStyle(NamedTuple):
    """What a terminal can show."""

    columns: int = 80
    lines: int = 24
    has_color: bool = True


def choose_large_word(view: ScreenView) -> str:
    """The word that is read from far away: the verdict, or what is wanted."""
    if view.is_paused:
        return "PAUSE"
    if view.verdict.severity in _LARGE_WORDS:
        return _LARGE_WORDS[view.verdict.severity]
    return "LABEL" if view.parcel else "ITEM"


def render_lines(view: ScreenView, style: ScreenStyle) -> list[str]:
    """The lines of the screen, at most as many as it has, without any escape codes."""
    return [text for _, text in _paint_lines(view, style)]


def render_frame(view: ScreenView, style: ScreenStyle) -> str:
    """What to write to the terminal: the whole screen, from its upper left corner."""
    pieces = [_HOME]
    for number, (paint, text) in enumerate(_paint_lines(view, style)):
        padded = text.ljust(style.columns) if paint else text
        pieces.append("\r\n" if number else "")
        pieces.append(f"{paint}{padded}{_RESET}" if paint and style.has_color else text)
        pieces.append(_CLEAR_LINE if len(text) < style.columns and not (paint and style.has_color) else "")
    pieces.append(_CLEAR_BELOW)
    return "".join(pieces)


def _paint_lines(view: ScreenView, style: ScreenStyle) -> list[tuple[str, str]]:
    """Each line with its colour."""
    width = max(style.columns, 20)
    rule = ("", "─" * width)
    color = _COLORS[Severity.CHECK if view.is_paused else view.verdict.severity]
    top = [(_REVERSE, _format_status(view, width))]
    top += [(color, line) for line in _format_verdict_block(view, width, style.lines)]
    below = [rule, (_BOLD, f" NEXT: {view.next_step}")]
    if view.parcel:
        below.append(("", f" on the table: {', '.join(view.parcel)}"))
    below.append(rule)
    room = style.lines - len(top) - len(below) - 1
    last = (
        [f" {line}" for line in view.help_lines]
        if view.help_lines
        else [_format_row(row, width) for row in view.rows[: max(room, 0)]]
    )
    filled = [("", line) for line in last][: max(room, 0)]
    filled += [("", "")] * (max(room, 0) - len(filled))
    lines = [*top, *below, *filled, ("", f" {FOOTER}")]
    return [(paint, _truncate(text, style.columns)) for paint, text in lines[: style.lines]]


def _format_status(view: ScreenView, width: int) -> str:
    """Who and where on the left, as far as there is room; what counts on the right."""
    counts = [_format_connection(view.connection), f"waiting {view.waiting_count}", f"today {view.today_count}"]
    if view.refused_count:
        counts.append(f"REFUSED {view.refused_count}")
    right = "  ".join([*counts, f"{view.now.astimezone():%H:%M} "])
    who = " " + "  ".join(
        part for part in (view.environment.upper(), view.profile, view.station, view.operator) if part
    )
    room = max(width - len(right) - 2, 0)
    return f"{_truncate(who, room).ljust(room)}  {right}"


def _format_connection(connection: ConnectionStatus) -> str:
    if connection.stop_reason:
        return "SENDING STOPPED"
    if connection.is_online is None:
        return "ready"
    if connection.is_online:
        return "ONLINE"
    since = f" since {connection.since.astimezone():%H:%M}" if connection.since else ""
    return f"OFFLINE{since}"


def _format_verdict_block(view: ScreenView, width: int, lines: int) -> list[str]:
    verdict = view.verdict
    words = f"{verdict.message}" + (f" (repaired: {verdict.repaired_layout})" if verdict.repaired_layout else "")
    told = [f"   {line}" for line in textwrap.wrap(words, width - 6)[:2]]
    more = view.signal_status or verdict.hint
    told += [f"   {line}" for line in textwrap.wrap(more, width - 6)[:2]] if more else []
    if lines < _MIN_LINES_FOR_LARGE:
        return [f"   {choose_large_word(view)}", *told]
    return ["", *_enlarge(choose_large_word(view)), "", *told, ""]


def _enlarge(word: str) -> list[str]:
    """A word in letters five lines high, each sign two columns wide."""
    rows = [
        "  ".join(_LARGE_LETTERS[letter][number] for letter in word if letter in _LARGE_LETTERS) for number in range(5)
    ]
    return ["   " + "".join("██" if sign == "#" else "  " for sign in row).rstrip() for row in rows]


def _format_row(row: ScanRow, width: int) -> str:
    text = f" {format_clock_time(row.time)} {_ROW_LABELS[row.severity]:5} {row.text}"
    return f"{_truncate(text, width - len(row.signal_status) - 2)}  {row.signal_status}" if row.signal_status else text


def _truncate(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def format_verdict(verdict: Verdict) -> str:
    """A verdict as one line for a pipe: its word, the code, and the words, between tabs."""
    more = f" {verdict.hint}" if verdict.hint else ""
    repaired = f" (repaired: {verdict.repaired_layout})" if verdict.repaired_layout else ""
    return "\t".join((verdict.severity.upper(), verdict.code, f"{verdict.message}{repaired}.{more}"))
