"""Questions at a terminal: asked again until the answer can be used; keys are not shown while they are typed."""

import getpass
import sys
import warnings
from collections.abc import Callable, Sequence

from cpctl.cli.context import Run
from cpctl.config.keys import Key, checked_key
from cpctl.config.yaml_reader import LIKE_A_KEY
from cpctl.errors import ConfigError, InvalidInput
from cpctl.output.text import escaped_lines

Check = Callable[[str], str]


def ask(question: str, default: str = "", check: Check = lambda text: "") -> str:
    """One line from the person at the terminal. `check` says what is wrong with an answer, or "".

    Raises InvalidInput where the answers end.
    """
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        text = _line(shown).strip() or default
        wrong = check_visible(text) or check(text)
        if not wrong:
            return text
        _say(f'  "{text}" {wrong}.\n' if not LIKE_A_KEY.search(text) else f"  This {wrong}.\n")


def choose(question: str, ways: Sequence[str], default: int) -> int:
    """Which of several ways, counted from 1. Raises InvalidInput where the answers end."""
    _say(f"{question}\n")
    for number, way in enumerate(ways, 1):
        _say(f"  {number}  {way}\n")
    valid = [str(number) for number in range(1, len(ways) + 1)]
    wrong = f"must be one of {', '.join(valid)}"
    return int(ask("Number", str(default), lambda text: "" if text in valid else wrong))


def ask_key(run: Run, question: str) -> Key:
    """A key, typed or pasted without being shown; from now on it is hidden wherever it would show.

    Raises InvalidInput where the answers end, or where the terminal cannot hide it.
    """
    while True:
        try:
            key = checked_key(_hidden(f"{question} (not shown): ").strip(), "This")
        except ConfigError as error:
            _say(f"  {error.message}\n")
            continue
        run.hide_from_now_on(key)
        return key


def check_visible(text: str) -> str:
    """What is wrong with an answer that everybody may see, or ""."""
    if LIKE_A_KEY.search(text):
        return "looks like a key, and keys are not asked for here"
    return "" if text.isprintable() else "holds a control character"


def _line(question: str) -> str:
    _say(question)
    line = sys.stdin.readline()
    if not line:
        raise InvalidInput("The question was not answered; nothing was changed.")
    return line.rstrip("\r\n")


def _say(text: str) -> None:
    """Questions are talk, which Python's own `input` would write among the data; no --quiet hides them."""
    if sys.stderr is not None:
        sys.stderr.write(escaped_lines(text))
        sys.stderr.flush()


def _hidden(question: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except EOFError:
            raise InvalidInput("The key was not typed; nothing was changed.") from None
        except getpass.GetPassWarning as error:
            raise InvalidInput(
                "This terminal would show the key; nothing was changed.",
                "Give it from a file: `cpctl profile set-key SERVICE - < FILE`.",
            ) from error
        except UnicodeDecodeError:
            return "é"  # no key has such a character, and none is shown
