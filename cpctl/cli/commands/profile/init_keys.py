"""The source of each key of a new profile: from options, or from prompts."""

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.context import Context
from cpctl.cli.prompts import ask, ask_key, choose
from cpctl.config.changes import SettingValue
from cpctl.config.config_file import Configuration
from cpctl.config.keys import KEY_VARIABLES, SERVICES, Key, KeySource, key_source_from_environment
from cpctl.config.paths import expand_path, key_file_path
from cpctl.config.profiles import find_key_sources_in_file
from cpctl.errors import ConfigError, InvalidInput, suggest

KEY_SOURCE_LABELS = (
    "in its own file; type or paste the key now, it is not shown",
    "in an existing file",
    "in a password store: a command prints it, such as: pass show cpctl/{service}",
    "in the environment ({variable}), or to be set later",
)
TYPED_CHOICE, FILE_CHOICE, COMMAND_CHOICE, LATER_CHOICE = 1, 2, 3, 4


class KeyPlan(NamedTuple):
    """The planned source of a key: typed, file, command or later. A typed key has its value and the file for it.

    `text` is what the configuration gets: the name of the file, or the command.
    """

    service: str
    source: str
    text: str = ""
    key: Key | None = None
    file: Path | None = None

    def to_options(self) -> list[str]:
        """The equivalent options; a typed key is left for `profile set-key`."""
        if self.source in ("file", "command"):
            return [f"--{self.service}-key-{self.source}", self.text]
        return ["--later", self.service]

    def to_settings(self) -> dict[str, SettingValue]:
        """The section of the profile, or nothing for a later key."""
        if self.source == "later":
            return {}
        if self.source == "command":
            return {self.service: {"api_key_command": shlex.split(self.text)}}
        return {self.service: {"api_key_file": self.text}}


def plan_key_from_options(service: str, options: InitOptions) -> KeyPlan | None:
    """The key that options give, or None. Raises InvalidInput for two of them, ConfigError for an unusable file."""
    for name in options.later or ():
        if name not in SERVICES:
            raise InvalidInput(f'--later "{name}": there is no such service.', suggest(name, SERVICES))
    file = getattr(options, f"{service}_key_file")
    command = getattr(options, f"{service}_key_command")
    is_later = service in (options.later or ())
    given = [f"--{service}-key-file"] if file is not None else []
    given += [f"--{service}-key-command"] if command is not None else []
    given += [f"--later {service}"] if is_later else []
    if len(given) > 1:
        raise InvalidInput(f"The {service} key has {len(given)} sources: {', '.join(given)}.", "Keep one.")
    if command is not None:
        if problem := _check_command(command):
            raise InvalidInput(f"--{service}-key-command {problem}.")
        return KeyPlan(service, "command", command)
    if file is not None:
        return _plan_key_file(service, file, f"--{service}-key-file")
    return KeyPlan(service, "later") if is_later else None


def prompt_for_key(context: Context, config: Path, profile: str, service: str, existing: Configuration) -> KeyPlan:
    """Ask for the source of a key, and for the key itself if it is to be written."""
    labels = [label.format(service=service, variable=KEY_VARIABLES[service]) for label in KEY_SOURCE_LABELS]
    is_elsewhere = service == "webhooks" or key_source_from_environment(service, context.environment) is not None
    note = " (needed only to receive webhooks)" if service == "webhooks" else ""
    default = LATER_CHOICE if is_elsewhere else TYPED_CHOICE
    choice = choose(f"Where is the {service} key?{note}", labels, default)
    if choice == TYPED_CHOICE:
        file = _choose_key_file(config, profile, service, existing)
        return KeyPlan(service, "typed", file.name, ask_key(context, f"The {service} key"), file)
    if choice == FILE_CHOICE:
        name = ask(f"File of the {service} key", validate=lambda text: _check_file(service, text))
        return _plan_key_file(service, name, "The answer")
    if choice == COMMAND_CHOICE:
        return KeyPlan(service, "command", ask(f"Command that prints the {service} key", validate=_check_command))
    return KeyPlan(service, "later")


def _choose_key_file(config: Path, profile: str, service: str, existing: Configuration) -> Path:
    """A file for a key, beside the configuration; never an existing file that this profile does not name."""
    usual = key_file_path(config.parent, profile, service)
    known = find_key_sources_in_file(existing, profile).get(service) if profile in existing.profiles else None
    if known is not None and known.value == usual:
        return usual
    free, number = usual, 2
    while os.path.lexists(free):
        free = usual.with_name(f"{usual.stem}-{number}.key")
        number += 1
    return free


def _plan_key_file(service: str, name: str, label: str) -> KeyPlan:
    """The path becomes absolute: in the configuration, a relative one would be relative to its folder."""
    file = Path(os.path.abspath(expand_path(name)))  # noqa: PTH100 - `resolve` would replace a link by its target
    KeySource(service, "file", file, label).read()
    return KeyPlan(service, "file", str(file))


def _check_file(service: str, name: str) -> str:
    if not name:
        return "must be the name of a file"
    try:
        _plan_key_file(service, name, "cannot be used")
    except ConfigError as error:
        return f"{error.message} {error.hint}".strip().rstrip(".")
    return ""


def _check_command(text: str) -> str:
    try:
        arguments = shlex.split(text)
    except ValueError as error:
        return f'"{text}" is not a command: {str(error).lower()}'
    return "" if arguments else "must be a command, such as: pass show cpctl/signal"
