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

from cpctl.packing.key_input import Event, Scan, Splitter

assert sys.platform != "win32"  # tells a type check for Windows that all below is never run there

_AT_ONCE = 65536


class PosixKeys:
    """Standard input as a terminal, raw between `__enter__` and `__exit__`. Signals become events."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._splitter = Splitter()
        self._events: list[Event] = []
        self._saved: list[Any] | None = None
        self._before: dict[int, Any] = {}
        self._idle = 0.0
        self._reader = self._writer = -1

    def __enter__(self) -> Self:
        import termios

        self._saved = termios.tcgetattr(self._fd)
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before[-1] = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number, event in _signals().items():
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:  # nohup is obeyed
                self._before[number] = signal.signal(number, self._noting(event))
        self.raw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()
        signal.set_wakeup_fd(self._before.pop(-1))
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def wake(self) -> None:
        """Have `read` return; may be called from any thread."""
        with suppress(OSError):
            os.write(self._writer, b"\0")

    def raw(self) -> None:
        """Take the terminal's own doing away. Not from the background, where that would stop us."""
        import termios

        if self._saved is None or not self._in_front():
            return
        mode = [*self._saved[:6], list(self._saved[6])]
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

        if self._saved is not None and self._in_front():
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)

    def suspend(self) -> None:
        """Stop as Ctrl-Z does, and go on when we are continued. The terminal is the shell's meanwhile."""
        self.restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._noting(Event.SUSPEND))
        self.raw()

    def read(self, timeout: float) -> list[Scan | Event]:
        """Scans and events in the order they came; none when the time is up."""
        started = time.monotonic()
        try:
            ready, _, _ = select.select([self._fd, self._reader], [], [], timeout)
        except OSError:
            return [Event.HANGUP]
        self._idle += time.monotonic() - started
        found: list[Scan | Event] = []
        if self._reader in ready:
            os.read(self._reader, _AT_ONCE)
            found.append(Event.NEWS)
        if self._fd in ready:
            try:
                data = os.read(self._fd, _AT_ONCE)
            except OSError:
                data = b""
            found += self._splitter.feed(data, self._idle) if data else [Event.HANGUP]
            self._idle = 0.0
        events, self._events = self._events, []
        return [*events, *found]

    @property
    def half(self) -> str:
        """What arrived without an end so far, when nothing came for a while."""
        return self._splitter.pending.decode("utf-8", "replace") if self._idle > 1 else ""

    def _in_front(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return False

    def _noting(self, event: Event) -> Callable[[int, Any], None]:
        def note(number: int, frame: Any) -> None:
            self._events.append(event)

        return note


def _signals() -> dict[int, Event]:
    return {
        signal.SIGINT: Event.INTERRUPT,
        signal.SIGTERM: Event.TERMINATE,
        signal.SIGHUP: Event.HANGUP,
        signal.SIGTSTP: Event.SUSPEND,
        signal.SIGCONT: Event.CONTINUED,
        signal.SIGWINCH: Event.RESIZED,
    }
