"""What can be typed: commands, their options, and of which kind each value is. No typer, no I/O."""

from collections.abc import Mapping
from typing import NamedTuple

FLAG = "-"  # stands for a kind where an option takes no value
FREE_TEXT = "free"  # a value of which nothing is known beforehand
KIND_SEPARATOR = "+"  # between kinds of which a value can be any

# Kinds that a shell completes by its own means.
FILES, FOLDERS, COMMANDS, COMMAND_LINE = "files", "folders", "commands", "command-line"
# The states of the country that `--country` names; the words of each stand under this and the country's code.
COUNTRY_STATES = "country-states"
SHELL_COMPLETED_KINDS = (FILES, FOLDERS, COMMANDS, COMMAND_LINE, COUNTRY_STATES)


class Candidate(NamedTuple):
    """A word that can be typed, with a sentence about it."""

    text: str
    description: str = ""


class OptionNode(NamedTuple):
    """An option: all its names, of which kind its value is (FLAG for none), and whether it may be given again."""

    names: tuple[str, ...]
    kind: str
    is_repeatable: bool
    help: str


class ArgumentNode(NamedTuple):
    """A word without a name: of which kind it is, and whether any number of them may follow."""

    kind: str
    is_repeatable: bool


class CommandNode(NamedTuple):
    """One command or group (`path` is "" for cpctl itself): what may follow it."""

    path: str
    subcommands: tuple[Candidate, ...]
    options: tuple[OptionNode, ...]
    arguments: tuple[ArgumentNode, ...]


class CommandTree(NamedTuple):
    """All of it: options of every command, the commands, and the words of the kinds that do not change."""

    shared_options: tuple[OptionNode, ...]
    commands: tuple[CommandNode, ...]
    candidates: Mapping[str, tuple[Candidate, ...]]
