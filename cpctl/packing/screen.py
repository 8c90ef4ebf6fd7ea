"""The bench's screen: from a view to lines of text, readable from two meters. No terminal, no I/O."""

import json
import textwrap
from typing import NamedTuple

from cpctl.output.text import BOLD, CLEAR_BELOW, CLEAR_LINE, CURSOR_HOME, RESET, REVERSE, display_width, truncate
from cpctl.packing.models import ConnectionStatus, ScanRow, ScreenView, Severity, Verdict, format_clock_time

# The alternate screen and the cursor: entered without a cursor, left with one.
ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
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
_MIN_LINES_FOR_LARGE = 20  # a screen with fewer lines has no room for large letters
FOOTER = "codes: UNDO  OK  NEXT  END  PAUSE  HELP             Ctrl-C leaves safely"


class ScreenStyle(NamedTuple):
    """What a terminal can show."""

    columns: int = 80
    lines: int = 24
    has_color: bool = True


def choose_large_word(view: ScreenView) -> str:
    """The word that is read from far away: the verdict, or what to scan."""
    if view.is_paused:
        return "PAUSE"
    if view.verdict.severity is not Severity.STEP:
        return view.verdict.severity.upper()
    return "LABEL" if view.parcel else "ITEM"


def render_lines(view: ScreenView, style: ScreenStyle) -> list[str]:
    """The lines of the screen without escape codes, at most as many as it has."""
    return [text for _, text in _paint_lines(view, style)]


def render_frame(view: ScreenView, style: ScreenStyle) -> str:
    """What to write to the terminal: the whole screen, from its upper left corner."""
    parts = [CURSOR_HOME]
    for number, (color, text) in enumerate(_paint_lines(view, style)):
        parts.append("\r\n" if number else "")
        padding = " " * (style.columns - display_width(text)) if color else ""
        if color and style.has_color:
            parts.append(f"{color}{text}{padding}{RESET}")
        else:
            # A full line must not be cleared: the cursor is still on its last character.
            parts.append(text + (CLEAR_LINE if display_width(text) < style.columns else ""))
    parts.append(CLEAR_BELOW)
    return "".join(parts)


def _paint_lines(view: ScreenView, style: ScreenStyle) -> list[tuple[str, str]]:
    width = max(style.columns, 20)
    rule = ("", "─" * width)
    color = _COLORS[Severity.CHECK if view.is_paused else view.verdict.severity]
    lines = [(REVERSE, _format_status(view, width))]
    lines += [(color, line) for line in _format_verdict_block(view, width, style.lines)]
    lines += [rule, (BOLD, f" NEXT STEP: {view.next_step}")]
    if view.parcel:
        lines.append(("", f" on the table: {', '.join(view.parcel)}"))
    lines.append(rule)
    room = max(style.lines - len(lines) - 1, 0)
    below = [f" {line}" for line in view.help_lines] or [_format_row(row, width) for row in view.rows[:room]]
    lines += [("", line) for line in below[:room]]
    lines += [("", "")] * (room - len(below)) + [("", f" {FOOTER}")]
    return [(color, truncate(text, style.columns)) for color, text in lines[: style.lines]]


def _format_status(view: ScreenView, width: int) -> str:
    """Place and operator on the left, as far as there is room; connection and counts on the right."""
    counts = [_format_connection(view.connection), f"waiting {view.waiting_count}", f"today {view.today_count}"]
    if view.refused_count:
        counts.append(f"REFUSED {view.refused_count}")
    right = "  ".join([*counts, f"{view.now.astimezone():%H:%M} "])
    names = (view.environment.upper(), view.profile, view.station, view.operator)
    room = max(width - display_width(right) - 2, 0)
    left = truncate(" " + "  ".join(name for name in names if name), room) if room else ""
    return f"{left}{' ' * (room - display_width(left))}  {right}"


def _format_connection(connection: ConnectionStatus) -> str:
    if connection.stop_reason:
        return "SENDING STOPPED"
    if connection.is_online is None:
        return "ready"
    if connection.is_online:
        return "ONLINE"
    since = f" since {connection.since.astimezone():%H:%M}" if connection.since else ""
    return f"OFFLINE{since}"


def _format_verdict_block(view: ScreenView, width: int, line_count: int) -> list[str]:
    paragraphs = (_format_message(view.verdict), view.signal_status or view.verdict.hint)
    texts = [f"   {line}" for text in paragraphs for line in textwrap.wrap(text, width - 6)[:2]]
    if line_count < _MIN_LINES_FOR_LARGE:
        return [f"   {choose_large_word(view)}", *texts]
    return ["", *_enlarge(choose_large_word(view)), "", *texts, ""]


def _enlarge(word: str) -> list[str]:
    """A word in letters five lines high; each `#` is two columns wide."""
    rows = ["  ".join(_LARGE_LETTERS[letter][number] for letter in word) for number in range(5)]
    return ["   " + "".join("██" if character == "#" else "  " for character in row).rstrip() for row in rows]


def _format_row(row: ScanRow, width: int) -> str:
    label = "·" if row.severity is Severity.STEP else row.severity.upper()
    text = f" {format_clock_time(row.time)} {label:5} {row.text}"
    if not row.signal_status:
        return text
    return f"{truncate(text, width - display_width(row.signal_status) - 2)}  {row.signal_status}"


def _format_message(verdict: Verdict) -> str:
    return verdict.message + (f" (repaired: {verdict.repaired_layout})" if verdict.repaired_layout else "")


def format_verdict(verdict: Verdict) -> str:
    """A verdict as one line for a pipe: word, code and sentences, separated by tabs."""
    hint = f" {verdict.hint}" if verdict.hint else ""
    return f"{verdict.severity.upper()}\t{verdict.code}\t{_format_message(verdict)}.{hint}"


def verdict_to_json(verdict: Verdict) -> str:
    """A verdict as one line of JSON."""
    fields = {
        "verdict": verdict.severity,
        "code": verdict.code,
        "message": verdict.message,
        "hint": verdict.hint,
        "ids": [str(signal_id) for signal_id in verdict.signal_ids],
        "repaired_layout": verdict.repaired_layout or None,
    }
    return json.dumps(fields, ensure_ascii=False)
