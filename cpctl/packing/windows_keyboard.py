"""The raw keyboard of a Windows console. Imported on Windows only; it has no signals except Ctrl-C."""

import importlib
import time
from typing import Any

from cpctl.packing.key_input import Keyboard, KeyEvent, Scan

_POLL_SECONDS = 0.004  # a console cannot wait for a key and a wake-up at the same time
_BACKSPACE = "\x7f"  # what terminals send for the backspace key; a console sends BS
_SPECIAL_KEY_PREFIXES = ("\x00", "\xe0")  # arrows and function keys come as two characters


class WindowsKeyboard(Keyboard):
    """The console's keys, one by one. Reading them is raw already."""

    def __init__(self) -> None:
        super().__init__()
        self._console: Any = importlib.import_module("msvcrt")
        self._woken = False

    def wake(self) -> None:
        self._woken = True

    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
        try:
            return self._read(timeout_seconds)
        except KeyboardInterrupt:
            return [KeyEvent.INTERRUPT]

    def _read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
        started = time.monotonic()
        while not self._console.kbhit():
            if self._woken:
                self._woken = False
                return [KeyEvent.WAKE]
            if time.monotonic() - started > timeout_seconds:
                self._idle_seconds += timeout_seconds
                return []
            time.sleep(_POLL_SECONDS)
        gap, self._idle_seconds = self._idle_seconds + time.monotonic() - started, 0.0
        found: list[Scan | KeyEvent] = []
        while self._console.kbhit():
            key = self._console.getwch()
            if key in _SPECIAL_KEY_PREFIXES:
                self._console.getwch()
            elif key == "\x03":
                found.append(KeyEvent.INTERRUPT)
            else:
                found += self._decoder.feed((_BACKSPACE if key == "\b" else key).encode("utf-8", "replace"), gap)
            gap = 0.0
        return found
