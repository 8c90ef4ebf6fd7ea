"""From bytes of a keyboard to scans: split at the scanner's suffix, and distinguished from typing."""

from enum import Enum
from types import TracebackType
from typing import NamedTuple, Self

TYPING_GAP_SECONDS = 0.08  # between two characters; a scanner is faster
PARTIAL_CODE_SECONDS = 1.0  # after this time without a suffix, the scanner is taken to send none
_SUFFIXES = b"\r\n\t"
_BACKSPACE = 0x7F
_CTRL_Z = b"\x1a"


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
                    found.append(Scan(_decode(bytes(self.pending)), self._is_typed, repr(chr(byte))[1:-1]))
                self.pending.clear()
                self._is_typed = False
            elif byte == _BACKSPACE:
                self._is_typed = True
                del self.pending[-1:]
            else:
                self.pending.append(byte)
        return found


def _decode(data: bytes) -> str:
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Return the terminal to the state in which it was found."""

    def read(self, timeout_seconds: float) -> list[Scan | KeyEvent]:
        """Return scans and events in the order they came; none after the timeout."""
        raise NotImplementedError

    def wake(self) -> None:
        """Make `read` return. May be called from any thread."""
        raise NotImplementedError

    def suspend(self) -> None:
        """Stop this process as Ctrl-Z does, where the system can."""

    def enter_raw_mode(self) -> None:
        """Turn off line editing, where the system does any."""

    @property
    def partial_code(self) -> str:
        """What arrived without a suffix, once nothing more has come for a while."""
        is_late = self._idle_seconds > PARTIAL_CODE_SECONDS
        return self._decoder.pending.decode("utf-8", "replace") if is_late else ""
