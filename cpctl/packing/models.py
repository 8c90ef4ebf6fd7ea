"""The bench's verdicts, and everything that a screen shows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """The kind of a verdict. OK, DONE and STOP differ in word, color and sound."""

    STEP = "step"
    OK = "ok"
    DONE = "done"
    CHECK = "check"
    STOP = "stop"

    @property
    def sound(self) -> str:
        """The name of its sound, also the argument of a sound command."""
        return "stop" if self is Severity.CHECK else str(self)


SEVERITY_MEANINGS: dict[Severity, str] = {
    Severity.STEP: "noted; another scan has to follow",
    Severity.OK: "accepted: saved on this machine's disk",
    Severity.DONE: "accepted before; nothing new",
    Severity.CHECK: "not accepted yet: look, then decide",
    Severity.STOP: "not accepted, or no longer right; the bench waits for an answer",
}


class Verdict(NamedTuple):
    """The answer to one scan, or an alert."""

    severity: Severity
    message: str
    hint: str = ""
    code: str = ""
    time: datetime | None = None
    signal_ids: tuple[int, ...] = ()
    repaired_layout: str = ""  # the keyboard layout from which the code was repaired


class Question(NamedTuple):
    """A verdict that waits for the command OK or NEXT."""

    verdict: Verdict
    on_ok: Callable[[], Verdict]
    on_next: Callable[[], Verdict]
    allows_rescan: bool = False  # another label may be scanned instead of an answer


class ScanRow(NamedTuple):
    """One of the last scans."""

    time: datetime
    severity: Severity
    text: str
    signal_status: str = ""


class ConnectionStatus(NamedTuple):
    """The connection as the sender sees it."""

    is_online: bool | None = None  # None: nothing was tried yet
    since: datetime | None = None
    stop_reason: str = ""  # why the queue is paused, or why nothing can be sent


class ScreenView(NamedTuple):
    """Everything that the screen shows at one moment."""

    environment: str
    profile: str
    station: str
    operator: str
    connection: ConnectionStatus
    waiting_count: int
    refused_count: int
    today_count: int
    now: datetime
    verdict: Verdict
    signal_status: str
    next_step: str
    parcel: Sequence[str]
    rows: Sequence[ScanRow]
    help_lines: Sequence[str] = ()
    is_paused: bool = False


def format_clock_time(time: datetime) -> str:
    """A time of day in the local zone, as HH:MM:SS."""
    return f"{time.astimezone():%H:%M:%S}"
