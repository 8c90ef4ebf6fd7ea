"""From what a keyboard sends to scans: split at the scanner's suffix, told apart from typing. Pure."""

from enum import Enum
from typing import NamedTuple

TYPING_GAP_SECONDS = 0.08  # seconds between two characters; a scanner is faster
_SUFFIXES = b"\r\n\t"
_BACKSPACE = 0x7F
_CTRL_Z = b"\x1a"


class Scan(NamedTuple):
    """One code as it arrived; `suffix` is what ended it."""

    text: str
    is_typed: bool = False
    suffix: str = ""


class KeyEvent(Enum):
    """What happens to a terminal beside scans."""

    RESIZED = "resized"
    SUSPEND = "suspend"
    CONTINUED = "continued"
    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    HANGUP = "hangup"
    WAKE = "news"


class ScanDecoder:
    """Collects bytes until CR, LF or TAB ends a code; every other byte is kept as it is."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self._is_typed = False

    def feed(self, data: bytes, gap_seconds: float) -> list[Scan | KeyEvent]:
        """The codes that these bytes complete; `gap` is how long nothing came before them."""
        found: list[Scan | KeyEvent] = []
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
