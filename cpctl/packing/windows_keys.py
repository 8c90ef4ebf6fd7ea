"""The keyboard of a Windows console, raw. Imported on Windows only; it has no signals but Ctrl-C."""

import importlib
import time
from types import TracebackType
from typing import Any, Self

from cpctl.packing.key_input import Event, Scan, Splitter

_PAUSE = 0.004  # seconds between two looks; a console tells nobody when a key comes
_RUBOUT = "\x7f"  # what terminals send for the backspace key; a console sends BS
_PREFIXES = ("\x00", "\xe0")  # arrows and function keys come in two characters


class WindowsKeys:
    """The console's keys, one by one."""

    def __init__(self) -> None:
        self._console: Any = importlib.import_module("msvcrt")
        self._splitter = Splitter()
        self._woken = False
        self._idle = 0.0

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

    def raw(self) -> None:
        """Reading by key is raw as it is."""

    def read(self, timeout: float) -> list[Scan | Event]:
        """Scans and events in the order they came; none when the time is up."""
        try:
            return self._read(timeout)
        except KeyboardInterrupt:
            return [Event.INTERRUPT]

    def _read(self, timeout: float) -> list[Scan | Event]:
        started = time.monotonic()
        while not self._console.kbhit():
            if self._woken:
                self._woken = False
                return [Event.NEWS]
            if time.monotonic() - started > timeout:
                self._idle += timeout
                return []
            time.sleep(_PAUSE)
        gap, self._idle = self._idle + time.monotonic() - started, 0.0
        found: list[Scan | Event] = []
        while self._console.kbhit():
            key = self._console.getwch()
            if key in _PREFIXES:
                self._console.getwch()
            elif key == "\x03":
                found.append(Event.INTERRUPT)
            else:
                found += self._splitter.feed((_RUBOUT if key == "\b" else key).encode("utf-8", "replace"), gap)
            gap = 0.0
        return found

    @property
    def half(self) -> str:
        """What arrived without an end so far, when nothing came for a while."""
        return self._splitter.pending.decode("utf-8", "replace") if self._idle > 1 else ""
