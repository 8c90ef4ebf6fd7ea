"""Where each key of a new profile lives: as options say, or as a person answers."""

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from cpctl.cli.commands.profile.init_options import InitOptions
from cpctl.cli.context import Run
from cpctl.cli.prompts import ask, ask_key, choose
from cpctl.config.keys import ENV_NAMES, SERVICES, Key, KeySource, from_environment
from cpctl.config.paths import expanded, key_file
from cpctl.config.profiles import Configuration, keys_in_file
from cpctl.config.yaml_editor import Value
from cpctl.errors import ConfigError, InvalidInput, nearest

WAYS = (
    "in a file of its own; the key is typed or pasted now, and not shown",
    "in a file that exists",
    "in a password store: a command prints it, such as: pass show cpctl/{service}",
    "in the environment ({variable}), or later",
)
TYPED, FILE, COMMAND, LATER = 1, 2, 3, 4


class KeyPlan(NamedTuple):
    """Where a key is going to be. `way` is typed, file, command or later; a typed one has its key, and the file for it.

    `text` is what the configuration says: a file as it is named there, or the command.
    """

    service: str
    way: str
    text: str = ""
    key: Key | None = None
    file: Path | None = None

    def words(self) -> list[str]:
        """The options that say the same; a typed key is left for `profile set-key`."""
        if self.way == "file":
            return [f"--{self.service}-key-file", self.text]
        if self.way == "command":
            return [f"--{self.service}-key-command", self.text]
        return ["--later", self.service]


def values_of(plan: KeyPlan) -> dict[str, Value]:
    """What stands in the profile."""
    if plan.way == "later":
        return {}
    if plan.way == "command":
        return {plan.service: {"api_key_command": shlex.split(plan.text)}}
    return {plan.service: {"api_key_file": plan.text}}


def given_key(config: Path, service: str, options: InitOptions) -> KeyPlan | None:
    """The key that options name, or None. Raises InvalidInput for two of them, ConfigError for a file that fails."""
    for name in options.later or ():
        if name not in SERVICES:
            raise InvalidInput(f'--later "{name}" is no service.', nearest(name, SERVICES))
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
        return _of_file(service, named, f"--{service}-key-file")
    return KeyPlan(service, "later") if said else None


def ask_for_key(run: Run, config: Path, profile: str, service: str, existing: Configuration) -> KeyPlan:
    """Ask where a key lives, and for the key where it is to be written."""
    ways = [way.format(service=service, variable=ENV_NAMES[service]) for way in WAYS]
    elsewhere = service == "webhooks" or from_environment(service, run.environment) is not None
    only = " (needed only to receive webhooks)" if service == "webhooks" else ""
    way = choose(f"Where does the {service} key live?{only}", ways, LATER if elsewhere else TYPED)
    if way == TYPED:
        file = _own_file(config, profile, service, existing)
        return KeyPlan(service, "typed", file.name, ask_key(run, f"The {service} key"), file)
    if way == FILE:
        name = ask(f"File of the {service} key", check=lambda text: _check_file(service, text))
        return _of_file(service, name, "The answer")
    if way == COMMAND:
        return KeyPlan(service, "command", ask(f"Command that prints the {service} key", check=_check_command))
    return KeyPlan(service, "later")


def _own_file(config: Path, profile: str, service: str, existing: Configuration) -> Path:
    """A file for a key beside the configuration; never one that may hold a key of somebody else."""
    usual = key_file(config.parent, profile, service)
    known = keys_in_file(existing, profile).get(service) if profile in existing.profiles else None
    if known is not None and known.value == usual:
        return usual
    free, number = usual, 2
    while os.path.lexists(free):
        free = usual.with_name(f"{usual.stem}-{number}.key")
        number += 1
    return free


def _of_file(service: str, name: str, place: str) -> KeyPlan:
    """Absolute, because the configuration would look for it beside itself."""
    file = Path(os.path.abspath(expanded(name)))  # noqa: PTH100 - `resolve` would follow the link that was meant
    KeySource(service, "file", file, place).read()
    return KeyPlan(service, "file", str(file))


def _check_file(service: str, name: str) -> str:
    if not name:
        return "must be the name of a file"
    try:
        _of_file(service, name, "cannot be used")
    except ConfigError as error:
        return f"{error.message} {error.hint}".strip().rstrip(".")
    return ""


def _check_command(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        return f'"{text}" is not a command: {str(error).lower()}'
    return "" if words else "must be a command, such as: pass show cpctl/signal"
