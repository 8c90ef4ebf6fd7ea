"""`cpctl signal scan --check`: test scanner, suffix, keyboard layout and sound with the test code."""

import sys
import time

from cpctl.cli.context import Context
from cpctl.errors import InvalidInput
from cpctl.output.text import is_terminal
from cpctl.packing.key_input import Keyboard, KeyEvent, Scan
from cpctl.packing.models import Severity
from cpctl.packing.scanned_codes import TEST_CHARACTERS, TEST_PREFIX, check_test_code, is_test_code
from cpctl.packing.sound import Sound
from cpctl.packing.terminal import make_bell, make_writer, open_keyboard, read_lines

SCANNER_CHECK_SECONDS = 60.0
SUFFIX_NAMES = {"\\r": "Enter (CR)", "\\n": "Line Feed", "\\t": "Tab"}
_READ_SECONDS = 0.25
_PAUSE_SECONDS = 0.4  # between two sounds


def check_scanner(context: Context, sound_choice: str) -> None:
    """Read one scan of the test code and play the sounds; report what to set."""
    sound = Sound(sound_choice, make_bell(make_writer()))
    prompt = f"Scan the test code of the sheet ({TEST_PREFIX}{TEST_CHARACTERS}; `cpctl signal sheet` prints it)."
    if is_terminal(sys.stdin):
        with open_keyboard() as keyboard:
            context.output.note(prompt)
            problems = _find_problems(context, *_read_first_scan(keyboard))
            for severity in (Severity.OK, Severity.DONE, Severity.STOP):
                context.output.note(f"Sound: {severity}")
                sound.play(severity)
                while (wait_seconds := sound.ring_due_bells()) is not None:
                    keyboard.read(wait_seconds)
                keyboard.read(_PAUSE_SECONDS)
    else:
        context.output.note(prompt)
        text = next(read_lines(), "")
        problems = _find_problems(context, Scan(text) if text else None, "")
        sound.play(Severity.OK)
    if problems:
        raise InvalidInput(" ".join(problems), "Fix it, and check again.")
    context.output.note("Scanner, suffix and layout are right. One bell is OK, two are DONE, five are STOP.")


def _read_first_scan(keyboard: Keyboard) -> tuple[Scan | None, str]:
    """The first scan; or what arrived without a suffix."""
    deadline = time.monotonic() + SCANNER_CHECK_SECONDS
    while time.monotonic() < deadline:
        for scan_or_event in keyboard.read(_READ_SECONDS):
            if isinstance(scan_or_event, Scan):
                return scan_or_event, ""
            if scan_or_event in (KeyEvent.INTERRUPT, KeyEvent.TERMINATE, KeyEvent.HANGUP):
                raise KeyboardInterrupt
        if keyboard.partial_code:
            return None, keyboard.partial_code
    return None, ""


def _find_problems(context: Context, scan: Scan | None, partial_code: str) -> list[str]:
    text = scan.text if scan else partial_code
    if not text:
        return ["Nothing was scanned."]
    problems = []
    if scan is None:
        problems.append("The scanner sends nothing after a code: set its suffix to Enter (CR).")
    elif scan.suffix:
        context.output.note(f"Suffix: {SUFFIX_NAMES.get(scan.suffix, scan.suffix)}.")
    if not is_test_code(text):
        return [*problems, f"The scan was {text!r}, not the test code."]
    if scan is not None and scan.is_typed:
        problems.append("The characters arrive as slowly as typed ones: set the scanner's delay between them to 0.")
    result = check_test_code(text)
    message = f"{result.message} {result.hint}".strip()
    if result.is_ok:
        context.output.note(message)
    else:
        problems.append(message)
    return problems
