"""The terminal or pipe of a bench: its keyboard, its lines of input, and where verdicts are written."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping

from cpctl.output.text import ENCODING_ERROR_HANDLER, is_terminal, wants_color
from cpctl.packing.key_input import Keyboard, Scan, ScanDecoder
from cpctl.packing.models import Verdict
from cpctl.packing.screen import ENTER_SCREEN, LEAVE_SCREEN, ScreenStyle, render_frame
from cpctl.packing.session import BenchSession

Write = Callable[[str], None]


class Display:
    """Where verdicts are shown."""

    def enter(self) -> None:
        """Take over the terminal."""

    def leave(self) -> None:
        """Give the terminal back."""

    def show_verdict(self, verdict: Verdict) -> None:
        """Show a new verdict."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Show the clock, counts and signal states as they are now."""


class FullScreenDisplay(Display):
    """The whole terminal."""

    def __init__(self, session: BenchSession, write: Write, get_style: Callable[[], ScreenStyle]) -> None:
        self._session = session
        self._write = write
        self._get_style = get_style

    def enter(self) -> None:
        self._write(ENTER_SCREEN)
        self.refresh()

    def leave(self) -> None:
        self._write(LEAVE_SCREEN)

    def show_verdict(self, verdict: Verdict) -> None:
        self.refresh()

    def refresh(self) -> None:
        self._write(render_frame(self._session.build_view(), self._get_style()))


class LineDisplay(Display):
    """One line per verdict: for pipes, and for terminals that cannot move their cursor."""

    def __init__(self, write: Write, format_line: Callable[[Verdict], str]) -> None:
        self._write = write
        self._format_line = format_line

    def show_verdict(self, verdict: Verdict) -> None:
        self._write(self._format_line(verdict) + "\n")


def make_display(
    session: BenchSession,
    write: Write,
    format_line: Callable[[Verdict], str],
    color: str,
    environment: Mapping[str, str],
) -> Display:
    """The whole screen if standard output is a terminal that can show it, else lines."""
    if not is_terminal(sys.stdout) or environment.get("TERM") == "dumb":
        return LineDisplay(write, format_line)
    has_color = wants_color(color, True, environment)

    def get_style() -> ScreenStyle:
        size = os.get_terminal_size(sys.stdout.fileno())
        return ScreenStyle(size.columns or 80, size.lines or 24, has_color)

    return FullScreenDisplay(session, write, get_style)


def make_writer() -> Write:
    """A function that writes to standard output at once, without a buffer."""
    if sys.platform == "win32" and is_terminal(sys.stdout):
        return _write_to_console
    fd, encoding = sys.stdout.fileno(), sys.stdout.encoding

    def write(text: str) -> None:
        data = text.encode(encoding, ENCODING_ERROR_HANDLER)
        while data:
            data = data[os.write(fd, data) :]

    return write


def make_bell(write: Write) -> Write:
    """The writer, if it can ring a terminal's bell; else one that does nothing."""
    return write if is_terminal(sys.stdout) else lambda text: None


def _write_to_console(text: str) -> None:
    """Write text: a Windows console would decode bytes with its own code page."""
    sys.stdout.write(text)
    sys.stdout.flush()


def open_keyboard() -> Keyboard:
    """The raw keyboard of this system."""
    if sys.platform == "win32":
        from cpctl.packing.windows_keyboard import WindowsKeyboard

        return WindowsKeyboard()
    else:  # noqa: RET505 - a type check for Windows skips only code in a branch
        from cpctl.packing.posix_keyboard import PosixKeyboard

        return PosixKeyboard(sys.stdin.fileno())


def read_lines() -> Iterator[str]:
    """Lines of standard input, ended by LF, CR or TAB, each as soon as it arrives."""
    decoder = ScanDecoder()
    is_open = True
    while is_open:
        data = os.read(sys.stdin.fileno(), 65536)
        is_open = bool(data)
        yield from (scan.text for scan in decoder.feed(data or b"\n", 0.0) if isinstance(scan, Scan))
