"""Prompts at a terminal: repeated until the answer is valid; keys are not shown while they are typed."""

import getpass
import sys
import warnings
from collections.abc import Callable, Sequence

from cpctl.cli.context import Context
from cpctl.config.keys import Key, parse_key
from cpctl.errors import ConfigError, InvalidInput
from cpctl.masking import KEY_PATTERN
from cpctl.output.text import escape_lines

Validator = Callable[[str], str]


def ask(question: str, default: str = "", validate: Validator = lambda text: "") -> str:
    """Ask for one line. `validate` returns what is wrong with an answer, or "".

    Raises InvalidInput at the end of the input.
    """
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        text = _read_line(shown).strip() or default
        wrong = check_plain_text(text) or validate(text)
        if not wrong:
            return text
        _write_prompt(f'  "{text}" {wrong}.\n' if not KEY_PATTERN.search(text) else f"  This {wrong}.\n")


def choose(question: str, choices: Sequence[str], default: int) -> int:
    """Ask for one of several choices, counted from 1. Raises InvalidInput at the end of the input."""
    _write_prompt(f"{question}\n")
    for number, choice in enumerate(choices, 1):
        _write_prompt(f"  {number}  {choice}\n")
    valid = [str(number) for number in range(1, len(choices) + 1)]
    wrong = f"must be one of {', '.join(valid)}"
    return int(ask("Number", str(default), lambda text: "" if text in valid else wrong))


def ask_key(context: Context, question: str) -> Key:
    """Ask for a key without showing it; all output masks it from now on.

    Raises InvalidInput at the end of the input, or if the terminal cannot hide it.
    """
    while True:
        try:
            key = parse_key(_read_hidden(f"{question} (not shown): ").strip(), "This")
        except ConfigError as error:
            _write_prompt(f"  {error.message}\n")
            continue
        context.add_masked_key(key)
        return key


def check_plain_text(text: str) -> str:
    """What is wrong with an answer that is not secret, or ""."""
    if KEY_PATTERN.search(text):
        return "looks like a key, and keys are not asked for here"
    return "" if text.isprintable() else "holds a control character"


def _read_line(question: str) -> str:
    _write_prompt(question)
    line = sys.stdin.readline()
    if not line:
        raise InvalidInput("The question was not answered; nothing was changed.")
    return line.rstrip("\r\n")


def _write_prompt(text: str) -> None:
    """Write to standard error, where Python's `input` would write to standard output; --quiet does not hide it."""
    if sys.stderr is not None:
        sys.stderr.write(escape_lines(text))
        sys.stderr.flush()


def _read_hidden(question: str) -> str:
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
            return "é"  # refused like every character outside ASCII
