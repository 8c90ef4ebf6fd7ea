"""From what a keyboard sends to scans: split at the scanner's suffix, told apart from typing. Pure."""

from enum import Enum
from typing import NamedTuple

TYPING_GAP = 0.08  # seconds between two characters; a scanner is faster
_ENDS = b"\r\n\t"
_RUBOUT = 0x7F
_SUSPEND = b"\x1a"


class Scan(NamedTuple):
    """One code as it arrived; `suffix` is what ended it."""

    text: str
    typed: bool = False
    suffix: str = ""


class Event(Enum):
    """What happens to a terminal beside scans."""

    RESIZED = "resized"
    SUSPEND = "suspend"
    CONTINUED = "continued"
    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    HANGUP = "hangup"
    NEWS = "news"


class Splitter:
    """Collects bytes until CR, LF or TAB ends a code; every other byte is kept as it is."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self._typed = False

    def feed(self, data: bytes, gap: float) -> list[Scan | Event]:
        """The codes that these bytes complete; `gap` is how long nothing came before them."""
        found: list[Scan | Event] = []
        if not self.pending and data == _SUSPEND:
            return [Event.SUSPEND]
        if self.pending and gap > TYPING_GAP:
            self._typed = True
        for byte in data:
            if byte in _ENDS:
                if self.pending:
                    found.append(Scan(_text(bytes(self.pending)), self._typed, repr(chr(byte))[1:-1]))
                self.pending.clear()
                self._typed = False
            elif byte == _RUBOUT:
                self._typed = True
                del self.pending[-1:]
            else:
                self.pending.append(byte)
        return found


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
