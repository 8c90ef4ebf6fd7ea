"""Escaping for systemd units and crontab lines.

systemd: systemd.syntax(7) for quoting, systemd.unit(5) for `%`, systemd.service(5) for `$`.
cron: crontab(5); an unescaped `%` ends the command, and crons differ in how they read two backslashes.
"""

import re
import shlex
import unicodedata

from cpctl.errors import InvalidInput

_UNQUOTED_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# Control characters, line and paragraph separators, and undecodable bytes.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})


def reject_control_characters(text: str) -> None:
    """Raise InvalidInput for a text with a line break or another control character: it could add a line."""
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text):
        shown = text.encode("unicode_escape", "surrogatepass").decode("ascii")
        raise InvalidInput(
            f'Units and cron lines cannot contain a line break or another control character: "{shown}"',
            "Use another name or path.",
        )


def escape_percent(text: str) -> str:
    """Escape a text for a setting that is not split into words, such as the path after `LoadCredential=name:`."""
    return text.replace("%", "%%")


def quote_word(text: str) -> str:
    """Quote a text as one word of a setting that is split into words."""
    escaped = escape_percent(text)
    if _UNQUOTED_WORD.fullmatch(escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def render_exec_start(program: str, *words: str) -> str:
    """A command for `ExecStart=`. systemd expands variables in its words, but not in the path of the program."""
    return " ".join([quote_word(program), *(quote_word(word.replace("$", "$$")) for word in words)])


def quote_cron_word(text: str) -> str:
    """Quote a text as one word of a command in a crontab, which a shell runs."""
    return escape_cron_command(shlex.quote(text))


def escape_cron_command(command: str) -> str:
    """Escape a shell command for a crontab. Raises InvalidInput for a backslash, which crons read differently."""
    if "\\" in command:
        raise InvalidInput(
            f"A cron line cannot contain a backslash: {command}",
            "Use another name or path, or `cpctl service print` without --cron.",
        )
    return command.replace("%", "\\%")
