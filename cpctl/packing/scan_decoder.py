"""What a scanned code is, before anything is known of items and parcels. Pure."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

COMMAND_PREFIX = "CPCTL"
TEST_PREFIX = "CPCTLTEST"
TEST_CHARACTERS = "AQWZYM0123456789-"
MIN_TRACKING_LENGTH = 6
_AIM_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")  # ISO/IEC 15424: `]C1` before what a scanner read as GS1-128
_EDGE_CHARACTERS = "".join(map(chr, (*range(0x21), 0x7F)))
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BenchCommand(StrEnum):
    """What the operator says by scanning a code of the sheet."""

    UNDO = "UNDO"
    OK = "OK"
    NEXT = "NEXT"
    STOP = "STOP"
    PAUSE = "PAUSE"
    HELP = "HELP"


# The words on the codes: only letters that lie on the same key on QWERTY, QWERTZ and AZERTY (so LOCK, not PAUSE).
COMMAND_CODES: dict[BenchCommand, str] = {
    BenchCommand.UNDO: "UNDO",
    BenchCommand.OK: "OK",
    BenchCommand.NEXT: "NEXT",
    BenchCommand.STOP: "STOP",
    BenchCommand.PAUSE: "LOCK",
    BenchCommand.HELP: "HELP",
}
COMMAND_MEANINGS: dict[BenchCommand, str] = {
    BenchCommand.UNDO: "take the last scan back",
    BenchCommand.OK: "yes; I have read it; keep it, replace it",
    BenchCommand.NEXT: "no; keep the old; put the item aside",
    BenchCommand.STOP: "end the shift at this bench",
    BenchCommand.PAUSE: "lock the bench; a badge, or the same code again, unlocks it",
    BenchCommand.HELP: "show the commands, and what was refused",
}


class ScannedCode(NamedTuple):
    """A scan, cleaned: its text, and whether control characters stand inside it (a 2D code, or two codes in one)."""

    text: str
    has_control: bool = False


def clean_scan(raw: str) -> ScannedCode:
    """Take away what scanners and labels put around a code; what stands inside is kept, whatever it is."""
    text = (
        _AIM_IDENTIFIER.sub("", raw.strip(_EDGE_CHARACTERS), count=1)
        if _AIM_IDENTIFIER.match(raw.strip(_EDGE_CHARACTERS))
        else raw.strip(_EDGE_CHARACTERS)
    )
    text = text.strip(_EDGE_CHARACTERS)
    return ScannedCode(text, bool(_CONTROL_CHARACTERS.search(text)))


def parse_command(text: str) -> BenchCommand | None:
    """The command a code says, in any case of letters."""
    upper = text.upper()
    for command, word in COMMAND_CODES.items():
        if upper in (COMMAND_PREFIX + word, COMMAND_PREFIX + command):
            return command
    return None


def explain_bare_command(text: str) -> tuple[str, str] | None:
    """For who types the bare word of a command: what is wrong with it, and the code that says it."""
    if (command := parse_command(COMMAND_PREFIX + text)) is None:
        return None
    return (
        f"{command} is said by its code",
        f"Scan {command} on the sheet, or type {COMMAND_PREFIX}{COMMAND_CODES[command]}.",
    )


def is_test_code(text: str) -> bool:
    """Whether a code is the test code, however its letters arrived."""
    return text.upper().startswith(TEST_PREFIX)


# --- keyboard layouts -----------------------------------------------------------------------


class KeyboardLayout(NamedTuple):
    """A keyboard that the computer believes in while the scanner types on a US one: what arrives, and what it means."""

    name: str
    to_us_layout: dict[int, int]


def _make_layout(name: str, arrives: str, means: str) -> KeyboardLayout:
    return KeyboardLayout(name, str.maketrans(arrives, means))


KEYBOARD_LAYOUTS: tuple[KeyboardLayout, ...] = (
    _make_layout("French (AZERTY)", "&é\"'(-è_çà)°aqzwAQZW,?", "1234567890-_qawzQAWZmM"),
    _make_layout("French (AZERTY, Mac)", "&é\"'(§è!çà)°aqzwAQZW,?", "1234567890-_qawzQAWZmM"),
    _make_layout("German (QWERTZ)", "zyZYß?", "yzYZ-_"),
)


def repair_layout(text: str, is_valid: Callable[[str], bool]) -> tuple[str, str] | None:
    """What a code was before a wrong keyboard layout, with the name of the layout.

    Only where the code as it is fits nothing, and exactly one reading of it fits.
    """
    if is_valid(text):
        return None
    found = {
        meant: layout.name
        for layout in KEYBOARD_LAYOUTS
        if (meant := text.translate(layout.to_us_layout)) != text and is_valid(meant)
    }
    return next(iter(found.items())) if len(found) == 1 else None


class ScannerTestResult(NamedTuple):
    """What the test code says of scanner and computer."""

    is_ok: bool
    message: str
    hint: str = ""


def check_test_code(text: str) -> ScannerTestResult:
    """Compare the test code as it arrived with what is printed on the sheet."""
    arrived = text[len(TEST_PREFIX) :]
    if arrived == TEST_CHARACTERS and text.startswith(TEST_PREFIX):
        return ScannerTestResult(True, "The keyboard layout is right.")
    if arrived.upper() == TEST_CHARACTERS:
        return ScannerTestResult(
            True, "The layout is right; Caps Lock is on, or the scanner changes case.", "Switch it off."
        )
    for layout in KEYBOARD_LAYOUTS:
        if arrived.translate(layout.to_us_layout).upper() == TEST_CHARACTERS:
            return ScannerTestResult(
                False,
                f"The scanner types as on a US keyboard, and this computer reads {layout.name}.",
                "Set the scanner's country to that of the computer's keyboard. Until then cpctl repairs what it can.",
            )
    return ScannerTestResult(
        False,
        f"The test code arrived as {text!r}; printed is {TEST_PREFIX + TEST_CHARACTERS!r}.",
        "Set the scanner to its defaults, its country to the keyboard's, and Caps Lock off.",
    )
