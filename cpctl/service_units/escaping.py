"""Text as systemd and cron read it.

systemd: systemd.syntax(7) on quoting, systemd.unit(5) on `%`, systemd.service(5) on `$`.
cron: crontab(5); an unescaped `%` ends the command, and crons differ in what two backslashes are.
"""

import re
import shlex
import unicodedata

from cpctl.errors import InvalidInput

_UNQUOTED_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# Controls, line and paragraph separators, and bytes that are no text.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})


def reject_control_characters(label: str, text: str) -> None:
    """Raise InvalidInput for a text with a line break or another control character: it would begin a line of its own.

    `what` names it, as in "the profile's name".
    """
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text):
        shown = text.encode("unicode_escape", "surrogatepass").decode("ascii")
        raise InvalidInput(
            f'{label} "{shown}" holds a line break or a control character; no unit and no cron line can hold that.',
            "Give it another name.",
        )


def escape_percent(text: str) -> str:
    """The text for a setting that is taken as it stands, such as a path after `LoadCredential=name:`."""
    return text.replace("%", "%%")


def quote_word(text: str) -> str:
    """The text as one word of a setting that is split into words."""
    whole = escape_percent(text)
    if _UNQUOTED_WORD.fullmatch(whole):
        return whole
    return '"' + whole.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render_exec_start(program: str, *words: str) -> str:
    """A command for `ExecStart=`. In words, but not in the path of the program, systemd looks for variables."""
    return " ".join([quote_word(program), *(quote_word(word.replace("$", "$$")) for word in words)])


def quote_cron_word(text: str) -> str:
    """The text as one word of a command in a crontab, which the shell of cron reads."""
    return escape_cron_command(shlex.quote(text))


def escape_cron_command(command: str) -> str:
    """A shell command as it must stand in a crontab. Raises InvalidInput for what crons read differently."""
    if "\\" in command:
        raise InvalidInput(
            f"A cron line cannot hold a backslash, and one stands in: {command}",
            "Use another name or path, or `cpctl service print` without --cron.",
        )
    return command.replace("%", "\\%")
