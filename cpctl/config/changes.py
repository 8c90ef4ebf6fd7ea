"""Changing the configuration file: one change at a time, completely or not at all, and only to a valid file."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cpctl.config.config_file import Configuration, config_file_exists, parse_configuration, read_config_text
from cpctl.config.profiles import check_profile
from cpctl.errors import ConfigError, InvalidInput
from cpctl.files import write_private

FOLDER_MODE = 0o700
EditText = Callable[[Configuration, str], str]


def change_configuration(file: Path, profile: str, edit: EditText) -> Configuration:
    """Replace the file's text by what `edit` returns for its configuration and text.

    `profile` is the only profile that may differ afterwards. A link is followed. Raises ConfigError; then the file
    is unchanged.
    """
    create_private_folder(file.parent)
    target = file.resolve()
    with _lock_folder(target.parent):
        old = _read_if_exists(target)
        before = parse_configuration(old, file)
        new = edit(before, old)
        after = parse_configuration(new, file)
        _refuse_other_changes(before, after, profile)
        # An editor does not take the lock, and some file systems have none.
        if _read_if_exists(target) != old:
            raise ConfigError(f"Another program changed {file} at the same time.", "Repeat the command.")
        if new != old:
            write_config_or_key(target, new)
    return after


def read_configuration_file(file: Path) -> Configuration:
    """The configuration in a file, or an empty one if it does not exist. Raises ConfigError."""
    return parse_configuration(_read_if_exists(file), file)


def create_private_folder(folder: Path) -> None:
    """Create a folder for private files, unless it exists. Raises ConfigError."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Cannot create the folder {folder}: {error.strerror}.", "Name another file with --config or CPCTL_CONFIG."
        ) from error


def write_config_or_key(file: Path, content: str | bytes) -> None:
    """Write a configuration or a key. Raises ConfigError; then the file is unchanged."""
    if file.exists() and not os.access(file, os.W_OK):  # replacing it would work, and undo what somebody meant
        raise ConfigError(f"{file} cannot be written: it is read-only.", "Nothing was changed.")
    try:
        write_private(file, content)
    except InvalidInput as error:
        raise ConfigError(error.message, "Nothing was changed.") from error


def _read_if_exists(file: Path) -> str:
    return read_config_text(file) if config_file_exists(file) else ""


def _refuse_other_changes(before: Configuration, after: Configuration, profile: str) -> None:
    """Anchors and aliases can carry a change of one profile to others."""
    for name, node in before.profiles.items():
        if name != profile and (name not in after.profiles or after.profiles[name].to_plain() != node.to_plain()):
            raise ConfigError(
                f'{before.file}: the change would also affect the profile "{name}"; nothing was changed.',
                "Change the file with an editor, then check it with `cpctl profile check`.",
            )
    if profile in after.profiles:
        check_profile(after, profile)


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Keep other changes away: of two at the same time, one would overwrite the other.

    The folder itself is locked, so that no lock file is left behind. Windows and file systems that cannot lock
    folders go without; change_configuration compares the text again before it writes.
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
