"""The loops of a bench: at a terminal with a screen, and over lines of standard input."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from queue import Empty
from types import TracebackType
from typing import Protocol, Self

from cpctl.packing.background_sender import BackgroundSender
from cpctl.packing.key_input import KeyEvent, Scan
from cpctl.packing.models import Severity, Verdict
from cpctl.packing.screen import ENTER_SCREEN, LEAVE_SCREEN, ScreenStyle, format_verdict, render_frame
from cpctl.packing.session import BenchSession
from cpctl.packing.sound import Sound

TICK_SECONDS = 1.0  # seconds between two looks at clock and store when nothing happens
LEAVE_CONFIRM_SECONDS = 5.0  # seconds in which a second Ctrl-C means it
MISSING_SUFFIX = "The scanner sends no Enter after a code; `cpctl signal scan --check` says what to set"


class Keyboard(Protocol):
    """A raw keyboard."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]: ...
    def suspend(self) -> None: ...
    def enter_raw_mode(self) -> None: ...
    def wake(self) -> None: ...
    @property
    def partial_code(self) -> str: ...


class EndReason(Enum):
    """Why a loop ended."""

    FINISHED = "the STOP code, or the end of the input"
    INTERRUPTED = "Ctrl-C"
    TERMINATED = "SIGTERM"
    HUNG_UP = "the terminal is gone"


_END_REASONS = {KeyEvent.TERMINATE: EndReason.TERMINATED, KeyEvent.HANGUP: EndReason.HUNG_UP}


class Display(Protocol):
    """Where verdicts are shown."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...
    def show_verdict(self, verdict: Verdict) -> None: ...
    def refresh(self) -> None: ...


class FullScreenDisplay:
    """The whole terminal."""

    def __init__(
        self, session: BenchSession, write: Callable[[str], None], get_style: Callable[[], ScreenStyle]
    ) -> None:
        self._session = session
        self._write = write
        self._get_style = get_style

    def enter(self) -> None:
        """Take the screen, and draw it."""
        self._write(ENTER_SCREEN)
        self.refresh()

    def leave(self) -> None:
        """Give the screen back."""
        self._write(LEAVE_SCREEN)

    def show_verdict(self, verdict: Verdict) -> None:
        """Draw what the session now shows."""
        self.refresh()

    def refresh(self) -> None:
        """Draw anew: clock, counts, fates."""
        self._write(render_frame(self._session.build_view(), self._get_style()))


class LineDisplay:
    """A line per verdict: for pipes, and for terminals that cannot move their cursor."""

    def __init__(self, write: Callable[[str], None], format_line: Callable[[Verdict], str] = format_verdict) -> None:
        self._write = write
        self._format_line = format_line

    def enter(self) -> None:
        """Nothing to take."""

    def leave(self) -> None:
        """Nothing to give back."""

    def show_verdict(self, verdict: Verdict) -> None:
        """Write its line."""
        self._write(self._format_line(verdict) + "\n")

    def refresh(self) -> None:
        """Lines do not change."""


class BenchLoop:
    """One run at a bench."""

    def __init__(self, session: BenchSession, sender: BackgroundSender, display: Display, sound: Sound) -> None:
        self._session = session
        self._sender = sender
        self._display = display
        self._sound = sound
        self._interrupted_at = -LEAVE_CONFIRM_SECONDS

    def run_at_terminal(self, keyboard: Keyboard) -> EndReason:
        """Read scans until the STOP code, Ctrl-C twice, or the terminal's end."""
        with keyboard:
            self._sender.on_notice = keyboard.wake
            self._display.enter()
            try:
                return self._read_keyboard(keyboard)
            except BrokenPipeError:
                raise
            except OSError:  # the terminal was taken away while we wrote to it
                return EndReason.HUNG_UP
            finally:
                self._sender.on_notice = lambda: None
                with suppress(OSError):
                    self._display.leave()

    def _read_keyboard(self, keyboard: Keyboard) -> EndReason:
        hinted = False
        while True:
            wait = self._sound.ring_due_bells()
            found = keyboard.read(TICK_SECONDS if wait is None else min(wait, TICK_SECONDS))
            for each in found:
                if isinstance(each, Scan):
                    self._scan(each)
                    if self._session.bench.is_ended:
                        return EndReason.FINISHED
                elif (end := self._apply_event(each, keyboard)) is not None:
                    return end
            if not any(isinstance(each, Scan) for each in found) and self._sound.ring_due_bells() is None:
                self._refresh()
            if keyboard.partial_code and not hinted:
                self._session.bench.interrupt(MISSING_SUFFIX, "Answer with OK.")
            hinted = bool(keyboard.partial_code)

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
            words = f"Leave? {self._session.waiting_count} waiting, they are safe"
            self._announce(Verdict(Severity.STEP, words, "Press Ctrl-C again to leave."), is_shown=False)
        return _END_REASONS.get(event)

    def _refresh(self) -> None:
        while True:
            try:
                self._session.receive(self._sender.notices.get_nowait())
            except Empty:
                break
        self._session.refresh()
        self._show_alert()
        self._display.refresh()

    def _show_alert(self) -> None:
        if (verdict := self._session.pop_alert()) is not None:
            self._announce(verdict)

    def _announce(self, verdict: Verdict, is_shown: bool = True) -> None:
        if not is_shown:
            self._session.show(verdict)
        self._display.show_verdict(self._session.verdict if not is_shown else verdict)
        self._sound.play(verdict.severity)

    def run_over_lines(self, lines: Iterable[str]) -> bool:
        """A verdict per line until the end; whether something stayed stopped, or was refused."""
        self._display.enter()
        for line in lines:
            self._receive_notices()
            if self._scan(Scan(line.rstrip("\r\n"))) is None and line.strip():
                # On a screen one scan that arrives twice is one; who writes lines waits for an answer to each.
                self._announce(Verdict(Severity.DONE, "THE SAME SCAN AGAIN", code=line.strip()))
            if self._session.bench.is_ended:
                break
        self._receive_notices()
        self._show_alert()
        self._session.refresh()
        return self._session.bench.question is not None or bool(self._session.bench.parcel)

    def _receive_notices(self) -> None:
        while not self._sender.notices.empty():
            self._session.receive(self._sender.notices.get_nowait())
        self._session.refresh()
