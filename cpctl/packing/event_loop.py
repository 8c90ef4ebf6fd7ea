"""The loops of a bench: at a terminal with a screen, and over lines of standard input."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from queue import Empty
from types import TracebackType
from typing import Protocol, Self

from cpctl.packing.background_sender import Courier
from cpctl.packing.key_input import Event, Scan
from cpctl.packing.models import Level, Verdict
from cpctl.packing.screen import ENTER, LEAVE, Look, frame, verdict_line
from cpctl.packing.session import Session
from cpctl.packing.sound import Sound

TICK = 1.0  # seconds between two looks at clock and store when nothing happens
LEAVING = 5.0  # seconds in which a second Ctrl-C means it
CLOSED_KEYBOARD = "The scanner sends no Enter after a code; `cpctl signal scan --check` says what to set"


class Keys(Protocol):
    """A raw keyboard."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def read(self, timeout: float) -> list[Scan | Event]: ...
    def suspend(self) -> None: ...
    def raw(self) -> None: ...
    def wake(self) -> None: ...
    @property
    def half(self) -> str: ...


class End(Enum):
    """Why a loop ended."""

    SAID = "the STOP code, or the end of the input"
    INTERRUPTED = "Ctrl-C"
    TERMINATED = "SIGTERM"
    HUNG_UP = "the terminal is gone"


_ENDS = {Event.TERMINATE: End.TERMINATED, Event.HANGUP: End.HUNG_UP}


class Display(Protocol):
    """Where verdicts are shown."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...
    def verdict(self, verdict: Verdict) -> None: ...
    def tick(self) -> None: ...


class FullScreen:
    """The whole terminal."""

    def __init__(self, session: Session, write: Callable[[str], None], look: Callable[[], Look]) -> None:
        self._session = session
        self._write = write
        self._look = look

    def enter(self) -> None:
        """Take the screen, and draw it."""
        self._write(ENTER)
        self.tick()

    def leave(self) -> None:
        """Give the screen back."""
        self._write(LEAVE)

    def verdict(self, verdict: Verdict) -> None:
        """Draw what the session now shows."""
        self.tick()

    def tick(self) -> None:
        """Draw anew: clock, counts, fates."""
        self._write(frame(self._session.view(), self._look()))


class Lines:
    """A line per verdict: for pipes, and for terminals that cannot move their cursor."""

    def __init__(self, write: Callable[[str], None], shape: Callable[[Verdict], str] = verdict_line) -> None:
        self._write = write
        self._shape = shape

    def enter(self) -> None:
        """Nothing to take."""

    def leave(self) -> None:
        """Nothing to give back."""

    def verdict(self, verdict: Verdict) -> None:
        """Write its line."""
        self._write(self._shape(verdict) + "\n")

    def tick(self) -> None:
        """Lines do not change."""


class Loop:
    """One run at a bench."""

    def __init__(self, session: Session, courier: Courier, display: Display, sound: Sound) -> None:
        self._session = session
        self._courier = courier
        self._display = display
        self._sound = sound
        self._asked_at = -LEAVING

    def at_terminal(self, keys: Keys) -> End:
        """Read scans until the STOP code, Ctrl-C twice, or the terminal's end."""
        with keys:
            self._courier.wake_reader = keys.wake
            self._display.enter()
            try:
                return self._read(keys)
            except BrokenPipeError:
                raise
            except OSError:  # the terminal was taken away while we wrote to it
                return End.HUNG_UP
            finally:
                self._courier.wake_reader = lambda: None
                with suppress(OSError):
                    self._display.leave()

    def _read(self, keys: Keys) -> End:
        hinted = False
        while True:
            wait = self._sound.tick()
            found = keys.read(TICK if wait is None else min(wait, TICK))
            for each in found:
                if isinstance(each, Scan):
                    self._scan(each)
                    if self._session.bench.ended:
                        return End.SAID
                elif (end := self._event(each, keys)) is not None:
                    return end
            if not any(isinstance(each, Scan) for each in found) and self._sound.tick() is None:
                self._look_again()
            if keys.half and not hinted:
                self._session.bench.interrupt(CLOSED_KEYBOARD, "Answer with OK.")
            hinted = bool(keys.half)

    def _scan(self, scan: Scan) -> Verdict | None:
        verdict = self._session.scan(scan)
        if verdict is not None:
            self._tell(verdict)
            if verdict.level is Level.OK:
                self._courier.poke()
        self._alert()
        return verdict

    def _event(self, event: Event, keys: Keys) -> End | None:
        if event is Event.SUSPEND:
            self._display.leave()
            keys.suspend()
            self._display.enter()
        elif event is Event.CONTINUED:
            keys.raw()
            self._display.enter()
        elif event is Event.RESIZED:
            self._display.tick()
        elif event is Event.INTERRUPT:
            now = time.monotonic()
            if now - self._asked_at < LEAVING:
                return End.INTERRUPTED
            self._asked_at = now
            words = f"Leave? {self._session.waiting} waiting, they are safe"
            self._tell(Verdict(Level.STEP, words, "Press Ctrl-C again to leave."), shown=False)
        return _ENDS.get(event)

    def _look_again(self) -> None:
        while True:
            try:
                self._session.hear(self._courier.news.get_nowait())
            except Empty:
                break
        self._session.refresh()
        self._alert()
        self._display.tick()

    def _alert(self) -> None:
        if (verdict := self._session.next_alert()) is not None:
            self._tell(verdict)

    def _tell(self, verdict: Verdict, shown: bool = True) -> None:
        if not shown:
            self._session.show(verdict)
        self._display.verdict(self._session.verdict if not shown else verdict)
        self._sound.play(verdict.level)

    def over_lines(self, lines: Iterable[str]) -> bool:
        """A verdict per line until the end; whether something stayed stopped, or was refused."""
        self._display.enter()
        for line in lines:
            self._hear()
            if self._scan(Scan(line.rstrip("\r\n"))) is None and line.strip():
                # On a screen one scan that arrives twice is one; who writes lines waits for an answer to each.
                self._tell(Verdict(Level.DONE, "THE SAME SCAN AGAIN", code=line.strip()))
            if self._session.bench.ended:
                break
        self._hear()
        self._alert()
        self._session.refresh()
        return self._session.bench.question is not None or bool(self._session.bench.parcel)

    def _hear(self) -> None:
        while not self._courier.news.empty():
            self._session.hear(self._courier.news.get_nowait())
        self._session.refresh()
