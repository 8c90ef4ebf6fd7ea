"""Changing the configuration file: one change at a time, all of it or none, and only to what is right."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cpctl.config.profiles import Configuration, check_profile, config_file_exists, parse_configuration
from cpctl.config.yaml_reader import Node, parse_yaml, read_config_text
from cpctl.errors import ConfigError

FOLDER_MODE = 0o700
WriteText = Callable[[Path, str], None]
EditText = Callable[[Configuration, str], str]


def change_configuration(file: Path, profile: str, change: EditText, write: WriteText) -> Configuration:
    """Hand the file's configuration and text to `change`, and put what it returns in the file's place.

    `profile` is the only one that may differ afterwards. `write` puts a text into a file at once
    or not at all. A link is followed. Raises ConfigError: then the file is as it was.
    """
    create_private_folder(file.parent)
    real = file.resolve()
    with _lock_folder(real.parent):
        old = read_config_text(real, "utf-8") if config_file_exists(real) else ""
        before = parse_configuration(parse_yaml(old.removeprefix("\ufeff"), file))
        new = change(before, old)
        after = parse_configuration(parse_yaml(new.removeprefix("\ufeff"), file))
        _refuse_other_changes(before, after, profile)
        if (
            read_config_text(real, "utf-8") if config_file_exists(real) else ""
        ) != old:  # an editor, or where folders lock nobody out
            raise ConfigError(f"{file} was changed by another program meanwhile.", "Repeat the command.")
        if new != old:
            write(real, new)
    return after


def read_configuration_file(file: Path) -> Configuration:
    """The configuration in a file, or an empty one where there is none yet. Raises ConfigError."""
    text = read_config_text(file) if config_file_exists(file) else ""
    return parse_configuration(parse_yaml(text, file))


def create_private_folder(folder: Path) -> None:
    """Make a folder for private files, unless it is there. Raises ConfigError."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Name another file with --config or CPCTL_CONFIG."
        ) from error


def _refuse_other_changes(before: Configuration, after: Configuration, profile: str) -> None:
    """A file may tie profiles together in ways that a change to one carries to the others."""
    for name, node in before.profiles.items():
        if name != profile and (name not in after.profiles or _plain_value(after.profiles[name]) != _plain_value(node)):
            raise ConfigError(
                f'{before.file}: the change would reach the profile "{name}", too; nothing was changed.',
                "Change the file with an editor; `cpctl profile check` looks it over.",
            )
    if profile in after.profiles:
        check_profile(after, profile)


def _plain_value(node: Node) -> object:
    if isinstance(node.value, list):
        return [_plain_value(each) for each in node.value]
    if isinstance(node.value, str) or node.value is None:
        return node.value
    return {name: _plain_value(each) for name, each in node.value.items()}


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Keep other changes away: two at once would each write what the other has not seen.

    The folder itself is locked, so that no file for it is left behind; Windows and file systems
    that lock no folders go without.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
