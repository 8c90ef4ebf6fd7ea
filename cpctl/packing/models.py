"""What the bench says: verdicts, and all that a screen shows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How a verdict is meant. OK, DONE and STOP differ in word, colour and sound."""

    STEP = "step"
    OK = "ok"
    DONE = "done"
    CHECK = "check"
    STOP = "stop"


SEVERITY_MEANINGS: dict[Severity, str] = {
    Severity.STEP: "noted; more has to follow",
    Severity.OK: "accepted: on this machine's disk",
    Severity.DONE: "was accepted before; nothing new",
    Severity.CHECK: "not accepted yet: look, then decide",
    Severity.STOP: "not accepted, or no longer right; holds the bench until it is answered",
}


SOUNDS: dict[Severity, str] = {
    Severity.STEP: "step",
    Severity.OK: "ok",
    Severity.DONE: "done",
    Severity.CHECK: "stop",
    Severity.STOP: "stop",
}


class Verdict(NamedTuple):
    """The answer to one scan, or news that interrupt."""

    severity: Severity
    message: str
    hint: str = ""
    code: str = ""
    time: datetime | None = None
    signal_ids: tuple[int, ...] = ()
    repaired_layout: str = ""  # the keyboard layout from which the code was repaired


class Question(NamedTuple):
    """A verdict that waits for an answer. `yes` and `no` do what OK and NEXT decide."""

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
    """All that the screen shows at one moment."""

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
    """A time of the day, as the clock on the wall shows it."""
    return f"{time.astimezone():%H:%M:%S}"
