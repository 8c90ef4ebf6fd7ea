"""The command tree as completion sees it: commands, options, and the kind of each value."""

from collections.abc import Mapping
from typing import NamedTuple

FLAG = "-"  # the kind of an option that takes no value
FREE_TEXT = "free"  # a value that only the user knows
KIND_SEPARATOR = "+"  # between kinds, where a value can be of any of them

# Kinds that the shell itself completes.
FILES, FOLDERS, COMMANDS, COMMAND_LINE = "files", "folders", "commands", "command-line"
# The states of the country that `--country` names; the script looks them up under `states-` and its code.
COUNTRY_STATES = "country-states"
SHELL_COMPLETED_KINDS = (FILES, FOLDERS, COMMANDS, COMMAND_LINE, COUNTRY_STATES)


class Candidate(NamedTuple):
    """A word that can be typed, and its description."""

    text: str
    description: str = ""


class OptionNode(NamedTuple):
    """An option: all its names, the kind of its value, and whether it may be repeated."""

    names: tuple[str, ...]
    kind: str
    is_repeatable: bool
    help: str


class ArgumentNode(NamedTuple):
    """An argument: its kind, and whether it may be repeated."""

    kind: str
    is_repeatable: bool


class CommandNode(NamedTuple):
    """A command or group (`path` is "" for cpctl itself), and what may follow it."""

    path: str
    subcommands: tuple[Candidate, ...]
    options: tuple[OptionNode, ...]
    arguments: tuple[ArgumentNode, ...]


class CommandTree(NamedTuple):
    """The options of every command, all commands, and the words of each static kind."""

    shared_options: tuple[OptionNode, ...]
    commands: tuple[CommandNode, ...]
    candidates: Mapping[str, tuple[Candidate, ...]]
