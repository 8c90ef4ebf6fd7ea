"""The keyboard of a terminal, raw: no line editing, no flow control, and no control character but Ctrl-C does a thing.

Line editors eat or die of what barcodes hold: FS kills, XOFF freezes, GS and EOT vanish.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from cpctl.packing.key_input import KeyEvent, Scan, ScanDecoder

assert sys.platform != "win32"  # tells a type check for Windows that all below is never run there

_READ_SIZE_BYTES = 65536


class PosixKeyboard:
    """Standard input as a terminal, raw between `__enter__` and `__exit__`. Signals become events."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._decoder = ScanDecoder()
        self._events: list[KeyEvent] = []
        self._saved_mode: list[Any] | None = None
        self._previous_handlers: dict[int, Any] = {}
        self._idle_seconds = 0.0
        self._wake_reader = self._wake_writer = -1

    def __enter__(self) -> Self:
        import termios

        self._saved_mode = termios.tcgetattr(self._fd)
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        self._previous_handlers[-1] = signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number, event in _signal_events().items():
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:  # nohup is obeyed
                self._previous_handlers[number] = signal.signal(number, self._make_handler(event))
        self.enter_raw_mode()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()
        signal.set_wakeup_fd(self._previous_handlers.pop(-1))
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def wake(self) -> None:
        """Have `read` return; may be called from any thread."""
        with suppress(OSError):
            os.write(self._wake_writer, b"\0")

    def enter_raw_mode(self) -> None:
        """Take the terminal's own doing away. Not from the background, where that would stop us."""
        import termios

        if self._saved_mode is None or not self._is_in_foreground():
            return
        mode = [*self._saved_mode[:6], list(self._saved_mode[6])]
        mode[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        mode[3] |= termios.ISIG
        nothing = os.fpathconf(self._fd, "PC_VDISABLE")
        for name in (termios.VQUIT, termios.VSUSP):
            mode[6][name] = bytes([nothing])
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        with suppress(OSError, termios.error):
            termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)

    def restore(self) -> None:
        """Give the terminal back as it was found."""
        import termios

        if self._saved_mode is not None and self._is_in_foreground():
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved_mode)

    def suspend(self) -> None:
        """Stop as Ctrl-Z does, and go on when we are continued. The terminal is the shell's meanwhile."""
        self.restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._make_handler(KeyEvent.SUSPEND))
        self.enter_raw_mode()

    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
        """Scans and events in the order they came; none when the time is up."""
        started = time.monotonic()
        try:
            ready, _, _ = select.select([self._fd, self._wake_reader], [], [], timeout_seconds)
        except OSError:
            return [KeyEvent.HANGUP]
        self._idle_seconds += time.monotonic() - started
        found: list[Scan | KeyEvent] = []
        if self._wake_reader in ready:
            os.read(self._wake_reader, _READ_SIZE_BYTES)
            found.append(KeyEvent.WAKE)
        if self._fd in ready:
            try:
                data = os.read(self._fd, _READ_SIZE_BYTES)
            except OSError:
                data = b""
            found += self._decoder.feed(data, self._idle_seconds) if data else [KeyEvent.HANGUP]
            self._idle_seconds = 0.0
        events, self._events = self._events, []
        return [*events, *found]

    @property
    def partial_code(self) -> str:
        """What arrived without an end so far, when nothing came for a while."""
        return self._decoder.pending.decode("utf-8", "replace") if self._idle_seconds > 1 else ""

    def _is_in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False

    def _make_handler(self, event: KeyEvent) -> Callable[[int, Any], None]:
        def note(number: int, frame: Any) -> None:
            self._events.append(event)

        return note


def _signal_events() -> dict[int, KeyEvent]:
    return {
        signal.SIGINT: KeyEvent.INTERRUPT,
        signal.SIGTERM: KeyEvent.TERMINATE,
        signal.SIGHUP: KeyEvent.HANGUP,
        signal.SIGTSTP: KeyEvent.SUSPEND,
        signal.SIGCONT: KeyEvent.CONTINUED,
        signal.SIGWINCH: KeyEvent.RESIZED,
    }
