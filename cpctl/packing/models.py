"""What the bench says: verdicts, and all that a screen shows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How a verdict is meant. OK, DONE and STOP differ in word, colour and sound."""

    STEP = "step"
    OK = "ok"
    DONE = "done"
    CHECK = "check"
    STOP = "stop"


LEVEL_MEANINGS: dict[Level, str] = {
    Level.STEP: "noted; more has to follow",
    Level.OK: "accepted: on this machine's disk",
    Level.DONE: "was accepted before; nothing new",
    Level.CHECK: "not accepted yet: look, then decide",
    Level.STOP: "not accepted, or no longer right; holds the bench until it is answered",
}


SOUNDS: dict[Level, str] = {
    Level.STEP: "step",
    Level.OK: "ok",
    Level.DONE: "done",
    Level.CHECK: "stop",
    Level.STOP: "stop",
}


class Verdict(NamedTuple):
    """The answer to one scan, or news that interrupt."""

    level: Level
    words: str
    more: str = ""
    code: str = ""
    at: datetime | None = None
    ids: tuple[int, ...] = ()
    repaired: str = ""  # the keyboard layout from which the code was repaired


class Question(NamedTuple):
    """A verdict that waits for an answer. `yes` and `no` do what OK and NEXT decide."""

    verdict: Verdict
    yes: Callable[[], Verdict]
    no: Callable[[], Verdict]
    advice: bool = False  # another label may be scanned instead of an answer


class Row(NamedTuple):
    """One of the last scans."""

    at: datetime
    level: Level
    text: str
    fate: str = ""


class Line(NamedTuple):
    """The connection as the sender sees it."""

    online: bool | None = None  # None: nothing was tried yet
    since: datetime | None = None
    stopped: str = ""  # why the queue is paused, or why nothing can be sent


class View(NamedTuple):
    """All that the screen shows at one moment."""

    environment: str
    profile: str
    station: str
    operator: str
    line: Line
    waiting: int
    refused: int
    today: int
    now: datetime
    verdict: Verdict
    fate: str
    expected: str
    parcel: Sequence[str]
    rows: Sequence[Row]
    help: Sequence[str] = ()
    paused: bool = False


def local(at: datetime) -> str:
    """A time of the day, as the clock on the wall shows it."""
    return f"{at.astimezone():%H:%M:%S}"
