"""What a scanned code is, before anything is known of items and parcels. Pure."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

PREFIX = "CPCTL"
TEST = "CPCTLTEST"
TEST_SIGNS = "AQWZYM0123456789-"
SHORTEST_TRACKING = 6
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")  # ISO/IEC 15424: `]C1` before what a scanner read as GS1-128
_EDGES = "".join(map(chr, (*range(0x21), 0x7F)))
_INNER_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Command(StrEnum):
    """What the operator says by scanning a code of the sheet."""

    UNDO = "UNDO"
    OK = "OK"
    NEXT = "NEXT"
    STOP = "STOP"
    PAUSE = "PAUSE"
    HELP = "HELP"


# The words on the codes: only letters that lie on the same key on QWERTY, QWERTZ and AZERTY (so LOCK, not PAUSE).
WORDS: dict[Command, str] = {
    Command.UNDO: "UNDO",
    Command.OK: "OK",
    Command.NEXT: "NEXT",
    Command.STOP: "STOP",
    Command.PAUSE: "LOCK",
    Command.HELP: "HELP",
}
MEANINGS: dict[Command, str] = {
    Command.UNDO: "take the last scan back",
    Command.OK: "yes; I have read it; keep it, replace it",
    Command.NEXT: "no; keep the old; put the item aside",
    Command.STOP: "end the shift at this bench",
    Command.PAUSE: "lock the bench; a badge, or the same code again, unlocks it",
    Command.HELP: "show the commands, and what was refused",
}


class Code(NamedTuple):
    """A scan, cleaned: its text, and whether control characters stand inside it (a 2D code, or two codes in one)."""

    text: str
    control: bool = False


def clean(raw: str) -> Code:
    """Take away what scanners and labels put around a code; what stands inside is kept, whatever it is."""
    text = _AIM.sub("", raw.strip(_EDGES), count=1) if _AIM.match(raw.strip(_EDGES)) else raw.strip(_EDGES)
    text = text.strip(_EDGES)
    return Code(text, bool(_INNER_CONTROL.search(text)))


def command_of(text: str) -> Command | None:
    """The command a code says, in any case of letters."""
    upper = text.upper()
    for command, word in WORDS.items():
        if upper in (PREFIX + word, PREFIX + command):
            return command
    return None


def bare(text: str) -> tuple[str, str] | None:
    """For who types the bare word of a command: what is wrong with it, and the code that says it."""
    if (command := command_of(PREFIX + text)) is None:
        return None
    return f"{command} is said by its code", f"Scan {command} on the sheet, or type {PREFIX}{WORDS[command]}."


def is_test(text: str) -> bool:
    """Whether a code is the test code, however its letters arrived."""
    return text.upper().startswith(TEST)


# --- keyboard layouts -----------------------------------------------------------------------


class Layout(NamedTuple):
    """A keyboard that the computer believes in while the scanner types on a US one: what arrives, and what it means."""

    name: str
    back: dict[int, int]


def _layout(name: str, arrives: str, means: str) -> Layout:
    return Layout(name, str.maketrans(arrives, means))


LAYOUTS: tuple[Layout, ...] = (
    _layout("French (AZERTY)", "&é\"'(-è_çà)°aqzwAQZW,?", "1234567890-_qawzQAWZmM"),
    _layout("French (AZERTY, Mac)", "&é\"'(§è!çà)°aqzwAQZW,?", "1234567890-_qawzQAWZmM"),
    _layout("German (QWERTZ)", "zyZYß?", "yzYZ-_"),
)


def repaired(text: str, fits: Callable[[str], bool]) -> tuple[str, str] | None:
    """What a code was before a wrong keyboard layout, with the name of the layout.

    Only where the code as it is fits nothing, and exactly one reading of it fits.
    """
    if fits(text):
        return None
    found = {meant: layout.name for layout in LAYOUTS if (meant := text.translate(layout.back)) != text and fits(meant)}
    return next(iter(found.items())) if len(found) == 1 else None


class Reading(NamedTuple):
    """What the test code says of scanner and computer."""

    fine: bool
    words: str
    hint: str = ""


def read_test(text: str) -> Reading:
    """Compare the test code as it arrived with what is printed on the sheet."""
    arrived = text[len(TEST) :]
    if arrived == TEST_SIGNS and text.startswith(TEST):
        return Reading(True, "The keyboard layout is right.")
    if arrived.upper() == TEST_SIGNS:
        return Reading(True, "The layout is right; Caps Lock is on, or the scanner changes case.", "Switch it off.")
    for layout in LAYOUTS:
        if arrived.translate(layout.back).upper() == TEST_SIGNS:
            return Reading(
                False,
                f"The scanner types as on a US keyboard, and this computer reads {layout.name}.",
                "Set the scanner's country to that of the computer's keyboard. Until then cpctl repairs what it can.",
            )
    return Reading(
        False,
        f"The test code arrived as {text!r}; printed is {TEST + TEST_SIGNS!r}.",
        "Set the scanner to its defaults, its country to the keyboard's, and Caps Lock off.",
    )
