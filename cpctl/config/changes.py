"""Changing the configuration file: one change at a time, all of it or none, and only to what is right."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cpctl.config.profiles import Configuration, check_profile, checked_configuration, is_there
from cpctl.config.yaml_reader import Node, content_of, parse_document
from cpctl.errors import ConfigError

FOLDER_MODE = 0o700
Write = Callable[[Path, str], None]
Change = Callable[[Configuration, str], str]


def change_configuration(file: Path, profile: str, change: Change, write: Write) -> Configuration:
    """Hand the file's configuration and text to `change`, and put what it returns in the file's place.

    `profile` is the only one that may differ afterwards. `write` puts a text into a file at once
    or not at all. A link is followed. Raises ConfigError: then the file is as it was.
    """
    make_folder(file.parent)
    real = file.resolve()
    with _alone(real.parent):
        old = content_of(real, "utf-8") if is_there(real) else ""
        before = checked_configuration(parse_document(old.removeprefix("\ufeff"), file))
        new = change(before, old)
        after = checked_configuration(parse_document(new.removeprefix("\ufeff"), file))
        _insist_on_others(before, after, profile)
        if (content_of(real, "utf-8") if is_there(real) else "") != old:  # an editor, or where folders lock nobody out
            raise ConfigError(f"{file} was changed by another program meanwhile.", "Repeat the command.")
        if new != old:
            write(real, new)
    return after


def current(file: Path) -> Configuration:
    """The configuration in a file, or an empty one where there is none yet. Raises ConfigError."""
    text = content_of(file) if is_there(file) else ""
    return checked_configuration(parse_document(text, file))


def make_folder(folder: Path) -> None:
    """Make a folder for private files, unless it is there. Raises ConfigError."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Name another file with --config or CPCTL_CONFIG."
        ) from error


def _insist_on_others(before: Configuration, after: Configuration, profile: str) -> None:
    """A file may tie profiles together in ways that a change to one carries to the others."""
    for name, node in before.profiles.items():
        if name != profile and (name not in after.profiles or _plain(after.profiles[name]) != _plain(node)):
            raise ConfigError(
                f'{before.file}: the change would reach the profile "{name}", too; nothing was changed.',
                "Change the file with an editor; `cpctl profile check` looks it over.",
            )
    if profile in after.profiles:
        check_profile(after, profile)


def _plain(node: Node) -> object:
    if isinstance(node.value, list):
        return [_plain(each) for each in node.value]
    if isinstance(node.value, str) or node.value is None:
        return node.value
    return {name: _plain(each) for name, each in node.value.items()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
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
