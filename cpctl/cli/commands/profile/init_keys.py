"""Where each key of a new profile lives: as options say, or as a person answers."""

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.context import Context
from cpctl.cli.prompts import ask, ask_key, choose
from cpctl.config.keys import KEY_VARIABLES, SERVICES, Key, KeySource, key_source_from_environment
from cpctl.config.paths import expand_path, key_file_path
from cpctl.config.profiles import Configuration, find_key_sources_in_file
from cpctl.config.yaml_editor import SettingValue
from cpctl.errors import ConfigError, InvalidInput, suggest

KEY_SOURCE_LABELS = (
    "in a file of its own; the key is typed or pasted now, and not shown",
    "in a file that exists",
    "in a password store: a command prints it, such as: pass show cpctl/{service}",
    "in the environment ({variable}), or later",
)
TYPED_CHOICE, FILE_CHOICE, COMMAND_CHOICE, LATER_CHOICE = 1, 2, 3, 4


class KeyPlan(NamedTuple):
    """Where a key is going to be. `way` is typed, file, command or later; a typed one has its key, and the file for it.

    `text` is what the configuration says: a file as it is named there, or the command.
    """

    service: str
    source: str
    text: str = ""
    key: Key | None = None
    file: Path | None = None

    def to_options(self) -> list[str]:
        """The options that say the same; a typed key is left for `profile set-key`."""
        if self.source == "file":
            return [f"--{self.service}-key-file", self.text]
        if self.source == "command":
            return [f"--{self.service}-key-command", self.text]
        return ["--later", self.service]


def build_key_settings(plan: KeyPlan) -> dict[str, SettingValue]:
    """What stands in the profile."""
    if plan.source == "later":
        return {}
    if plan.source == "command":
        return {plan.service: {"api_key_command": shlex.split(plan.text)}}
    return {plan.service: {"api_key_file": plan.text}}


def plan_key_from_options(config: Path, service: str, options: InitOptions) -> KeyPlan | None:
    """The key that options name, or None. Raises InvalidInput for two of them, ConfigError for a file that fails."""
    for name in options.later or ():
        if name not in SERVICES:
            raise InvalidInput(f'--later "{name}" is no service.', suggest(name, SERVICES))
    named = getattr(options, f"{service}_key_file")
    command = getattr(options, f"{service}_key_command")
    ways = [
        f"--{service}-key-file" if named is not None else "",
        f"--{service}-key-command" if command is not None else "",
        f"--later {service}" if service in (options.later or ()) else "",
    ]
    said = [way for way in ways if way]
    if len(said) > 1:
        raise InvalidInput(f"The {service} key is said to be in {len(said)} places: {', '.join(said)}.", "Keep one.")
    if command is not None:
        if wrong := _check_command(command):
            raise InvalidInput(f"--{service}-key-command {wrong}.")
        return KeyPlan(service, "command", command)
    if named is not None:
        return _plan_key_file(service, named, f"--{service}-key-file")
    return KeyPlan(service, "later") if said else None


def prompt_for_key(context: Context, config: Path, profile: str, service: str, existing: Configuration) -> KeyPlan:
    """Ask where a key lives, and for the key where it is to be written."""
    ways = [way.format(service=service, variable=KEY_VARIABLES[service]) for way in KEY_SOURCE_LABELS]
    elsewhere = service == "webhooks" or key_source_from_environment(service, context.environment) is not None
    only = " (needed only to receive webhooks)" if service == "webhooks" else ""
    way = choose(f"Where does the {service} key live?{only}", ways, LATER_CHOICE if elsewhere else TYPED_CHOICE)
    if way == TYPED_CHOICE:
        file = _choose_key_file(config, profile, service, existing)
        return KeyPlan(service, "typed", file.name, ask_key(context, f"The {service} key"), file)
    if way == FILE_CHOICE:
        name = ask(f"File of the {service} key", validate=lambda text: _check_file(service, text))
        return _plan_key_file(service, name, "The answer")
    if way == COMMAND_CHOICE:
        return KeyPlan(service, "command", ask(f"Command that prints the {service} key", validate=_check_command))
    return KeyPlan(service, "later")


def _choose_key_file(config: Path, profile: str, service: str, existing: Configuration) -> Path:
    """A file for a key beside the configuration; never one that may hold a key of somebody else."""
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
    """Absolute, because the configuration would look for it beside itself."""
    file = Path(os.path.abspath(expand_path(name)))  # noqa: PTH100 - `resolve` would follow the link that was meant
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
        words = shlex.split(text)
    except ValueError as error:
        return f'"{text}" is not a command: {str(error).lower()}'
    return "" if words else "must be a command, such as: pass show cpctl/signal"
