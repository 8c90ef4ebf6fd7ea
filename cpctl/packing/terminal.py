"""A bench at its terminal or pipe: where scans come from, where verdicts are shown, and the loops between them."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum

from cpctl.output.text import ENCODING_ERROR_HANDLER, is_terminal, wants_color
from cpctl.packing.background_sender import BackgroundSender
from cpctl.packing.key_input import Keyboard, KeyEvent, Scan, ScanDecoder, WindowsKeyboard
from cpctl.packing.models import Severity, Verdict
from cpctl.packing.screen import ENTER_SCREEN, LEAVE_SCREEN, ScreenStyle, render_frame
from cpctl.packing.session import BenchSession
from cpctl.packing.sound import Sound

TICK_SECONDS = 1.0  # between two refreshes while nothing happens
LEAVE_CONFIRM_SECONDS = 5.0  # a second Ctrl-C within this time leaves
MISSING_SUFFIX = "The scanner sends no Enter after a code; `cpctl signal scan --check` shows what to set"

Write = Callable[[str], None]


class Display:
    """Where verdicts are shown: one line each, for pipes, and for terminals that cannot move their cursor."""

    def __init__(self, write: Write, format_line: Callable[[Verdict], str]) -> None:
        self._write = write
        self._format_line = format_line

    def enter(self) -> None:
        """Take over the terminal."""

    def leave(self) -> None:
        """Give the terminal back."""

    def show_verdict(self, verdict: Verdict) -> None:
        """Show a new verdict."""
        self._write(self._format_line(verdict) + "\n")

    def refresh(self) -> None:
        """Show the clock, counts and signal states as they are now."""


class FullScreenDisplay(Display):
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


def make_display(
    session: BenchSession,
    write: Write,
    format_line: Callable[[Verdict], str],
    color: str,
    environment: Mapping[str, str],
) -> Display:
    """The whole screen if standard output is a terminal that can show it, else lines."""
    if not is_terminal(sys.stdout) or environment.get("TERM") == "dumb":
        return Display(write, format_line)
    has_color = wants_color(color, True, environment)

    def get_style() -> ScreenStyle:
        size = os.get_terminal_size(sys.stdout.fileno())
        return ScreenStyle(size.columns or 80, size.lines or 24, has_color)

    return FullScreenDisplay(session, write, get_style)


def make_writer() -> Write:
    """A function that writes to standard output at once, without a buffer."""
    is_console = sys.platform == "win32" and is_terminal(sys.stdout)

    def write(text: str) -> None:
        if is_console:  # it would decode bytes with its own code page
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        data = text.encode(sys.stdout.encoding, ENCODING_ERROR_HANDLER)
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]

    return write


def make_bell(write: Write) -> Write:
    """The writer, if it can ring a terminal's bell; else one that does nothing."""
    return write if is_terminal(sys.stdout) else lambda text: None


def open_keyboard() -> Keyboard:
    """The raw keyboard of this system."""
    if sys.platform == "win32":
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


# --- loops ----------------------------------------------------------------------------------


class EndReason(Enum):
    FINISHED = "the END code, or the end of the input"
    INTERRUPTED = "Ctrl-C"
    TERMINATED = "SIGTERM"
    HUNG_UP = "the terminal was closed"


class BenchLoop:
    """One run at a bench."""

    def __init__(self, session: BenchSession, sender: BackgroundSender, display: Display, sound: Sound) -> None:
        self._session = session
        self._sender = sender
        self._display = display
        self._sound = sound
        self._interrupted_at = -LEAVE_CONFIRM_SECONDS

    def run_at_terminal(self, keyboard: Keyboard) -> EndReason:
        """Read scans until the END code, a second Ctrl-C, or the end of the terminal."""
        with keyboard:
            self._sender.on_notice = keyboard.wake
            self._display.enter()
            try:
                return self._read_keyboard(keyboard)
            except BrokenPipeError:
                raise
            except OSError:  # the terminal was closed while we wrote to it
                return EndReason.HUNG_UP
            finally:
                # Before the keyboard closes its pipe, which `wake` writes to.
                self._sender.on_notice = lambda: None
                with suppress(OSError):
                    self._display.leave()

    def _read_keyboard(self, keyboard: Keyboard) -> EndReason:
        was_partial = False
        while True:
            bell_seconds = self._sound.ring_due_bells()
            found = keyboard.read(TICK_SECONDS if bell_seconds is None else min(bell_seconds, TICK_SECONDS))
            for scan_or_event in found:
                if isinstance(scan_or_event, Scan):
                    self._scan(scan_or_event)
                    if self._session.bench.is_ended:
                        return EndReason.FINISHED
                elif (end := self._apply_event(scan_or_event, keyboard)) is not None:
                    return end
            # Scans come first: the store is read only when none waits for its verdict, and no bell is due.
            if not any(isinstance(entry, Scan) for entry in found) and self._sound.ring_due_bells() is None:
                self._refresh()
            if keyboard.partial_code and not was_partial:
                self._session.bench.interrupt(MISSING_SUFFIX, "Scan OK.")
            was_partial = bool(keyboard.partial_code)

    def _scan(self, scan: Scan) -> Verdict | None:
        verdict = self._session.scan(scan)
        if verdict is not None:
            self._announce(verdict)
            if verdict.severity is Severity.OK:
                self._sender.wake()
        self._show_alert()
        return verdict

    def _apply_event(self, event: KeyEvent, keyboard: Keyboard) -> EndReason | None:
        if event is KeyEvent.SUSPEND:
            self._display.leave()
            keyboard.suspend()
            self._display.enter()
        elif event is KeyEvent.CONTINUED:
            keyboard.enter_raw_mode()
            self._display.enter()
        elif event is KeyEvent.RESIZED:
            self._display.refresh()
        elif event is KeyEvent.INTERRUPT:
            now = time.monotonic()
            if now - self._interrupted_at < LEAVE_CONFIRM_SECONDS:
                return EndReason.INTERRUPTED
            self._interrupted_at = now
            message = f"Leave? {self._session.waiting_count} waiting, they are saved"
            self._session.show(Verdict(Severity.STEP, message, "Press Ctrl-C again to leave."))
            self._announce(self._session.verdict)
        return {KeyEvent.TERMINATE: EndReason.TERMINATED, KeyEvent.HANGUP: EndReason.HUNG_UP}.get(event)

    def _refresh(self) -> None:
        self._receive_notices()
        self._show_alert()
        self._display.refresh()

    def _receive_notices(self) -> None:
        while not self._sender.notices.empty():
            self._session.receive(self._sender.notices.get_nowait())
        self._session.refresh()

    def _show_alert(self) -> None:
        if (verdict := self._session.pop_alert()) is not None:
            self._announce(verdict)

    def _announce(self, verdict: Verdict) -> None:
        self._display.show_verdict(verdict)
        self._sound.play(verdict.severity)

    def run_over_lines(self, lines: Iterable[str]) -> bool:
        """Write a verdict per line; return whether a question, or an item without a label, is left at the end."""
        self._display.enter()
        for line in lines:
            self._receive_notices()
            if self._scan(Scan(line.rstrip("\r\n"))) is None and line.strip():
                # On a screen, a scan that arrives twice is one; a program that writes lines waits for each answer.
                self._announce(Verdict(Severity.DONE, "THE SAME SCAN AGAIN", code=line.strip()))
            if self._session.bench.is_ended:
                break
        self._receive_notices()
        self._show_alert()
        self._session.refresh()
        return self._session.bench.question is not None or bool(self._session.bench.parcel)
