"""The keyboard of a Windows console, raw. Imported on Windows only; it has no signals but Ctrl-C."""

import importlib
import time
from types import TracebackType
from typing import Any, Self

from cpctl.packing.key_input import KeyEvent, Scan, ScanDecoder

_POLL_SECONDS = 0.004  # seconds between two looks; a console tells nobody when a key comes
_BACKSPACE = "\x7f"  # what terminals send for the backspace key; a console sends BS
_SPECIAL_KEY_PREFIXES = ("\x00", "\xe0")  # arrows and function keys come in two characters


class WindowsKeyboard:
    """The console's keys, one by one."""

    def __init__(self) -> None:
        self._console: Any = importlib.import_module("msvcrt")
        self._decoder = ScanDecoder()
        self._woken = False
        self._idle_seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def wake(self) -> None:
        """Have `read` return; may be called from any thread."""
        self._woken = True

    def suspend(self) -> None:
        """Windows has no Ctrl-Z."""

    def enter_raw_mode(self) -> None:
        """Reading by key is raw as it is."""

    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
        """Scans and events in the order they came; none when the time is up."""
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

    @property
    def partial_code(self) -> str:
        """What arrived without an end so far, when nothing came for a while."""
        return self._decoder.pending.decode("utf-8", "replace") if self._idle_seconds > 1 else ""
