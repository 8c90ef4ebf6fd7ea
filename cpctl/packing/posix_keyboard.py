"""The raw keyboard of a POSIX terminal: no line editing, no flow control, and no control key except Ctrl-C.

A terminal's line discipline acts on bytes that 2D codes contain: FS kills the program, XOFF freezes the screen, and GS
and EOT disappear from the input.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from cpctl.packing.key_input import Keyboard, KeyEvent, Scan

assert sys.platform != "win32"  # tells a type check for Windows that nothing below runs there

_READ_SIZE_BYTES = 65536
_SIGNAL_EVENTS = {
    signal.SIGINT: KeyEvent.INTERRUPT,
    signal.SIGTERM: KeyEvent.TERMINATE,
    signal.SIGHUP: KeyEvent.HANGUP,
    signal.SIGTSTP: KeyEvent.SUSPEND,
    signal.SIGCONT: KeyEvent.CONTINUED,
    signal.SIGWINCH: KeyEvent.RESIZED,
}


class PosixKeyboard(Keyboard):
    """Standard input as a terminal, raw between `__enter__` and `__exit__`. Signals become events."""

    def __init__(self, fd: int = 0) -> None:
        super().__init__()
        self._fd = fd
        self._events: list[KeyEvent] = []
        self._saved_mode: list[Any] | None = None
        self._previous_handlers: dict[int, Any] = {}
        self._previous_wakeup_fd = self._wake_reader = self._wake_writer = -1

    def __enter__(self) -> Self:
        import termios

        self._saved_mode = termios.tcgetattr(self._fd)
        self._wake_reader, self._wake_writer = os.pipe()
        # A full pipe wakes the reader just as well; a writer that blocks would hang the sender's thread.
        os.set_blocking(self._wake_writer, False)
        # Signal handlers run between bytecodes, so a signal alone does not end select(). A byte in the pipe does.
        self._previous_wakeup_fd = signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number, event in _SIGNAL_EVENTS.items():
            # nohup sets SIGHUP to be ignored; the bench then runs on without its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._previous_handlers[number] = signal.signal(number, self._make_handler(event))
        self.enter_raw_mode()
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()
        signal.set_wakeup_fd(self._previous_wakeup_fd)
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def wake(self) -> None:
        with suppress(OSError):
            os.write(self._wake_writer, b"\0")

    def enter_raw_mode(self) -> None:
        import termios

        # From the background, tcsetattr() would stop this process with SIGTTOU.
        if self._saved_mode is None or not self._is_in_foreground():
            return
        mode = [*self._saved_mode[:6], list(self._saved_mode[6])]
        mode[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        # ISIG stays on for Ctrl-C. Quit (FS) and suspend (SUB) are turned off, because codes contain these bytes.
        mode[3] |= termios.ISIG
        disabled = bytes([os.fpathconf(self._fd, "PC_VDISABLE")])
        mode[6][termios.VQUIT] = mode[6][termios.VSUSP] = disabled
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        with suppress(OSError, termios.error):
            termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)

    def suspend(self) -> None:
        self._restore()
        # The default action has to stop this thread before our own handler is set again.
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._make_handler(KeyEvent.SUSPEND))
        self.enter_raw_mode()

    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
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

    def _restore(self) -> None:
        import termios

        if self._saved_mode is not None and self._is_in_foreground():
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved_mode)

    def _is_in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False

    def _make_handler(self, event: KeyEvent) -> Callable[[int, Any], None]:
        return lambda number, frame: self._events.append(event)
