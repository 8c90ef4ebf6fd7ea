"""What a scanned code is before the store is asked: commands, keyboard layouts, and the rules of the shop. No I/O."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from cpctl.packing.models import Severity, Verdict
from cpctl.signals.carriers import RecognizedTracking, TrackingValidity, is_isbn, recognize_tracking
from cpctl.signals.signal_types import SignalType

COMMAND_PREFIX = "CPCTL"
TEST_PREFIX = "CPCTLTEST"
TEST_CHARACTERS = "AQWZYM0123456789-"
MIN_TRACKING_LENGTH = 6
DEFAULT_ITEM_PATTERN = re.compile(r"[0-9]{12}")
# The types that a bench can report: those that need nothing but codes.
SCANNABLE_TYPES = ("registered", "produce", "produced", "packed", "shipped")
_AIM_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")  # ISO/IEC 15424: `]C1` before a code read as GS1-128
_EDGE_CHARACTERS = "".join(map(chr, (*range(0x21), 0x7F)))
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BenchCommand(StrEnum):
    """A command that the operator scans from the sheet."""

    UNDO = "UNDO"
    OK = "OK"
    NEXT = "NEXT"
    END = "END"
    PAUSE = "PAUSE"
    HELP = "HELP"


COMMAND_MEANINGS: dict[BenchCommand, str] = {
    BenchCommand.UNDO: "undo the last scan",
    BenchCommand.OK: "yes; I have read it; keep it, replace it",
    BenchCommand.NEXT: "no; keep the old one; put the item aside",
    BenchCommand.END: "end the shift at this bench",
    BenchCommand.PAUSE: "lock the bench; a badge, or the same code again, unlocks it",
    BenchCommand.HELP: "show the commands, and what was refused",
}
# What the barcodes hold after the prefix. Their letters are on the same key on QWERTY, QWERTZ and AZERTY, so that a
# command works before the keyboard layout is right. PAUSE has an A; its code is LOCK.
COMMAND_CODES = {command: str(command) for command in BenchCommand} | {BenchCommand.PAUSE: "LOCK"}
# Also accepted: codes on sheets that were printed by earlier versions, and PAUSE typed by hand.
_COMMAND_ALIASES = {"STOP": BenchCommand.END, "PAUSE": BenchCommand.PAUSE}
_COMMANDS_BY_CODE = {code: command for command, code in COMMAND_CODES.items()} | _COMMAND_ALIASES


class ScannedCode(NamedTuple):
    """A cleaned scan: its text, and whether it contains control characters (a 2D code, or two codes in one)."""

    text: str
    has_control: bool = False


def clean_scan(raw: str) -> ScannedCode:
    """Remove what scanners and labels put around a code; keep everything inside it."""
    text = raw.strip(_EDGE_CHARACTERS)
    if identifier := _AIM_IDENTIFIER.match(text):
        text = text[identifier.end() :].strip(_EDGE_CHARACTERS)
    return ScannedCode(text, bool(_CONTROL_CHARACTERS.search(text)))


def parse_command(text: str) -> BenchCommand | None:
    """Return the command of a code, ignoring case."""
    upper = text.upper()
    return _COMMANDS_BY_CODE.get(upper.removeprefix(COMMAND_PREFIX)) if upper.startswith(COMMAND_PREFIX) else None


def explain_bare_command(text: str) -> Verdict | None:
    """Return the verdict on a command typed without its prefix; None if it is not one."""
    if (command := parse_command(COMMAND_PREFIX + text)) is None:
        return None
    hint = f"Scan {command} on the sheet, or type {COMMAND_PREFIX + COMMAND_CODES[command]}."
    return Verdict(Severity.CHECK, f"{text.upper()} is not a command code", hint)


# --- the test code and keyboard layouts -----------------------------------------------------


class KeyboardLayout(NamedTuple):
    """A layout that the computer is set to while the scanner types on a US keyboard."""

    name: str
    to_us_layout: dict[int, int]


KEYBOARD_LAYOUTS = (
    KeyboardLayout("French (AZERTY)", str.maketrans("&é\"'(-è_çà)°aqzwAQZW,?", "1234567890-_qawzQAWZmM")),
    KeyboardLayout("French (AZERTY, Mac)", str.maketrans("&é\"'(§è!çà)°aqzwAQZW,?", "1234567890-_qawzQAWZmM")),
    KeyboardLayout("German (QWERTZ)", str.maketrans("zyZYß?", "yzYZ-_")),
)


def repair_layout(text: str, is_valid: Callable[[str], bool]) -> tuple[str, str] | None:
    """Return a code before a wrong keyboard layout, and the layout; None unless exactly one makes it valid."""
    if is_valid(text):
        return None
    readings = {text.translate(layout.to_us_layout): layout.name for layout in KEYBOARD_LAYOUTS}
    valid = [(repaired, name) for repaired, name in readings.items() if is_valid(repaired)]
    return valid[0] if len(valid) == 1 else None


def check_test_code(text: str) -> Verdict | None:
    """Compare the test code as it arrived with what is printed on the sheet; None if it is another code."""
    if not text.upper().startswith(TEST_PREFIX):
        return None
    arrived = text[len(TEST_PREFIX) :]
    if arrived == TEST_CHARACTERS and text.startswith(TEST_PREFIX):
        return Verdict(Severity.STEP, "The keyboard layout is right.")
    if arrived.upper() == TEST_CHARACTERS:
        message = "The keyboard layout is right, but Caps Lock is on or the scanner changes case."
        return Verdict(Severity.STEP, message, "Switch it off.")
    message = f"The test code arrived as {text!r}, but {TEST_PREFIX + TEST_CHARACTERS!r} is printed on the sheet."
    hint = "Reset the scanner to its defaults, set its country to the keyboard's, and switch Caps Lock off."
    for layout in KEYBOARD_LAYOUTS:
        if arrived.translate(layout.to_us_layout).upper() == TEST_CHARACTERS:
            message = f"The scanner types as on a US keyboard, but this computer is set to {layout.name}."
            hint = "Set the scanner's country to that of the computer's keyboard. Until then cpctl repairs what it can."
    return Verdict(Severity.CHECK, message, hint)


# --- the rules of the shop -------------------------------------------------------------------


class ShopRules(NamedTuple):
    """The settings of one run of a bench."""

    signal_type: SignalType
    api_version: str
    station: str = ""
    environment: str = ""
    carriers: tuple[str, ...] = ()
    carrier_options: Mapping[str, str] = {}
    shipping_option: str = ""
    item_pattern: re.Pattern[str] | None = None
    order_rule: Callable[[str], str | None] | None = None
    badge_prefix: str = ""
    order: str = ""  # given for the run
    hold_seconds: float = 0.0

    @property
    def needs_label(self) -> bool:
        """Whether an item needs a second scan: the label of its parcel."""
        return "tracking" in self.signal_type.required[self.api_version]

    @property
    def needs_shipping_option(self) -> bool:
        return "shipping_option" in self.signal_type.required[self.api_version]

    def is_id(self, text: str) -> bool:
        """Whether a code has the form of an item's or an order's id."""
        return (self.item_pattern or DEFAULT_ITEM_PATTERN).fullmatch(text) is not None

    def is_order(self, text: str) -> bool:
        """Whether a code matches the group `order` of `item_pattern`, or `order_of_item` maps it to itself."""
        match = (self.item_pattern or DEFAULT_ITEM_PATTERN).fullmatch(text)
        return match is not None and (bool(match.groupdict().get("order")) or self.find_order(text) == text)

    def find_order(self, item: str) -> str | None:
        """Return the order of an item by the profile's rule, or None."""
        return self.order_rule(item) if self.order_rule else None

    def parse_badge(self, text: str) -> str:
        """Return the name on a badge, or "" if the code is not a badge."""
        prefix = self.badge_prefix
        return text[len(prefix) :].strip() if prefix and text.upper().startswith(prefix.upper()) else ""

    def recognize_label(self, text: str) -> RecognizedTracking:
        """Compare a tracking code with the formats of the shop's carriers."""
        return recognize_tracking(text, self.carriers)

    def is_label(self, text: str) -> bool:
        """Return whether a code is a valid label of one of the shop's carriers."""
        return self.recognize_label(text).validity is TrackingValidity.VALID

    def repair(self, code: ScannedCode, allow_labels: bool) -> tuple[ScannedCode, str]:
        """Return a code as it was before a wrong keyboard layout, and the name of the layout, or the code and ""."""

        def is_valid(text: str) -> bool:
            return (
                self.is_id(text)
                or is_isbn(text)
                or bool(self.parse_badge(text))
                or (allow_labels and self.is_label(text))
            )

        if code.has_control or (repaired := repair_layout(code.text, is_valid)) is None:
            return code, ""
        return ScannedCode(repaired[0]), repaired[1]
