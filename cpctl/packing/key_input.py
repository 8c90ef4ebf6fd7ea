"""From bytes of a keyboard to scans: split at the scanner's suffix, and distinguished from typing."""

import importlib
import time
from enum import Enum
from typing import Any, NamedTuple, Self

TYPING_GAP_SECONDS = 0.08  # between two characters; a scanner is faster
PARTIAL_CODE_SECONDS = 1.0  # after this time without a suffix, the scanner is taken to send none
_SUFFIXES = b"\r\n\t"
_BACKSPACE = 0x7F
_CTRL_Z = b"\x1a"
_CONSOLE_POLL_SECONDS = 0.004  # a Windows console cannot wait for a key and a wake-up at the same time
_SPECIAL_KEY_PREFIXES = ("\x00", "\xe0")  # arrows and function keys come as two characters


class Scan(NamedTuple):
    """One code as it arrived, and the suffix that ended it."""

    text: str
    is_typed: bool = False
    suffix: str = ""


class KeyEvent(Enum):
    """What happens to a terminal besides scans."""

    RESIZED = "resized"
    SUSPEND = "suspend"
    CONTINUED = "continued"
    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    HANGUP = "hangup"
    WAKE = "wake"


class ScanDecoder:
    """Collects bytes until CR, LF or TAB ends a code; keeps every other byte unchanged."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self._is_typed = False

    def feed(self, data: bytes, gap_seconds: float) -> list[Scan | KeyEvent]:
        """Return the codes that these bytes complete; nothing came for `gap_seconds` before them."""
        found: list[Scan | KeyEvent] = []
        # Some 2D codes contain this byte: only alone, outside a code, is it the key.
        if not self.pending and data == _CTRL_Z:
            return [KeyEvent.SUSPEND]
        if self.pending and gap_seconds > TYPING_GAP_SECONDS:
            self._is_typed = True
        for byte in data:
            if byte in _SUFFIXES:
                if self.pending:
                    found.append(Scan(_decode(self.pending), self._is_typed, repr(chr(byte))[1:-1]))
                self.pending.clear()
                self._is_typed = False
            elif byte == _BACKSPACE:
                self._is_typed = True
                del self.pending[-1:]
            else:
                self.pending.append(byte)
        return found


def _decode(data: bytearray) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Keyboard:
    """A raw keyboard. Each system overrides what it needs."""

    def __init__(self) -> None:
        self._decoder = ScanDecoder()
        self._idle_seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Return the terminal to the state in which it was found."""

    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
        """Return scans and events in the order they came; none after the timeout."""
        raise NotImplementedError

    def wake(self) -> None:
        """Make `read` return. May be called from any thread."""
        raise NotImplementedError

    def suspend(self) -> None:
        """Stop this process as Ctrl-Z does, if the system can."""

    def enter_raw_mode(self) -> None:
        """Turn off line editing, if the system does any."""

    @property
    def partial_code(self) -> str:
        """What arrived without a suffix, once nothing more has come for a while."""
        is_late = self._idle_seconds > PARTIAL_CODE_SECONDS
        return self._decoder.pending.decode("utf-8", "replace") if is_late else ""


class WindowsKeyboard(Keyboard):
    """The keys of a Windows console, one by one: reading them is raw already. The only signal is Ctrl-C."""

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
            time.sleep(_CONSOLE_POLL_SECONDS)
        gap, self._idle_seconds = self._idle_seconds + time.monotonic() - started, 0.0
        found: list[Scan | KeyEvent] = []
        while self._console.kbhit():
            key = self._console.getwch()
            if key in _SPECIAL_KEY_PREFIXES:
                self._console.getwch()
            elif key == "\x03":
                found.append(KeyEvent.INTERRUPT)
            else:
                found += self._decoder.feed(key.replace("\b", chr(_BACKSPACE)).encode("utf-8", "replace"), gap)
            gap = 0.0
        return found
