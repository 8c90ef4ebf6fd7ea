"""API keys: their sources, and masking them in everything that is shown."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cpctl.config.paths import expand_path
from cpctl.errors import ConfigError
from cpctl.masking import MASK

KEY_USES = {
    "core": "orders, quotes, products, catalogs and titles",
    "signal": "signals from production; never the same key as core",
    "webhooks": "incoming webhooks from Cloudprinter must carry it",
}
SERVICES = tuple(KEY_USES)
UNVERIFIED_KEY_NOTES = {
    "signal": "not checked: every call with this key reports something. The first signal shows whether it is valid",
    "webhooks": "not checked: the service sends this key, cpctl never does",
}
# While the key of incoming webhooks is being replaced, the old one is accepted too.
OLD_WEBHOOKS_SERVICE = "old webhooks"
# For each of these there is also a variable with _FILE, for the name of a key file.
KEY_VARIABLES = {
    "core": "CPCTL_CORE_KEY",
    "signal": "CPCTL_SIGNAL_KEY",
    "webhooks": "CPCTL_WEBHOOK_KEY",
    OLD_WEBHOOKS_SERVICE: "CPCTL_WEBHOOK_OLD_KEY",
}
COMMAND_TIMEOUT_SECONDS = 60.0
_MIN_LENGTH_TO_SHOW = 12
# Masking a shorter one wherever it occurs would garble messages.
MIN_KEY_LENGTH = 8


class Key(NamedTuple):
    """An API key whose repr does not show it."""

    value: str

    @property
    def last_four(self) -> str:
        """The last four characters, to tell two keys apart; MASK for a short key, which they would give away."""
        return f"…{self.value[-4:]}" if len(self.value) >= _MIN_LENGTH_TO_SHOW else MASK

    def __repr__(self) -> str:
        return f"Key({MASK})"


def mask_keys(text: str, keys: Iterable[Key]) -> str:
    """The text with every key in it masked."""
    for key in sorted(keys, key=lambda key: -len(key.value)):  # one key may be the beginning of another
        text = text.replace(key.value, MASK)
    return text


class KeySource(NamedTuple):
    """A source of a key. `location` names the setting or variable, for people."""

    service: str
    kind: str  # "value", "file" or "command"
    value: str | Path | tuple[str, ...]
    location: str

    def check(self) -> None:
        """Check that the key can be read, but run no command. Raises ConfigError."""
        if self.kind != "command":
            self.read()

    def read(self) -> Key:
        """The key. Raises ConfigError naming the source."""
        if isinstance(self.value, Path):
            return parse_key(_read_key_file(self.value, self.location), self.location)
        if isinstance(self.value, tuple):
            return parse_key(_run_key_command(self.value, self.location), self.location)
        return parse_key(self.value, self.location)

    def describe(self) -> str:
        """The source as people read it, without the key."""
        shown = " ".join(self.value) if isinstance(self.value, tuple) else self.value
        return self.location if self.kind == "value" else f"{self.location} ({shown})"

    def __repr__(self) -> str:
        return f"KeySource({self.service}, {self.kind}, {self.location})"


def key_source_from_environment(service: str, environment: Mapping[str, str]) -> KeySource | None:
    """The source of a service's key in the environment, if any. Raises ConfigError if there are two."""
    name = KEY_VARIABLES[service]
    value, file = environment.get(name), environment.get(f"{name}_FILE")
    if value and file:
        raise ConfigError(f"Both {name} and {name}_FILE are set.", "Unset one of them.")
    if value:
        return KeySource(service, "value", value, name)
    if file:
        return KeySource(service, "file", expand_path(file), f"{name}_FILE")
    return None


def refuse_readable_by_others(file: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Raise ConfigError if others than the owner can read a file with a key.

    systemd protects the files of its credentials by their folder, and sets other modes. Windows has no such modes.
    """
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if os.name == "nt" or (credentials and file.resolve().is_relative_to(Path(credentials).resolve())):
        return
    mode = file.stat().st_mode
    if stat.S_ISDIR(mode) or stat.S_ISCHR(mode):
        return  # never advise a chmod of /dev/null or of a folder
    mode &= 0o777
    if mode & 0o077:
        raise ConfigError(f"{file} can be read by others (its mode is {mode:04o}).", f"Type: chmod 600 {file}")


def _read_key_file(file: Path, location: str) -> str:
    try:
        refuse_readable_by_others(file)
        return file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{location}: the key file {file} cannot be read: {reason}.") from error


def _run_key_command(command: tuple[str, ...], location: str) -> str:
    """The first line that a command prints, which is where password stores put the secret."""
    import subprocess  # slow to import, and most keys need no command

    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        timeout = f"it did not end within {COMMAND_TIMEOUT_SECONDS:.0f} s"
        reason = error.strerror if isinstance(error, OSError) else timeout
        raise ConfigError(f"{location}: `{' '.join(command)}` failed: {reason}.") from error
    if done.returncode != 0:
        raise ConfigError(
            f"{location}: `{' '.join(command)}` failed with exit status {done.returncode}.",
            "Run it by hand; the first line of its output must be the key.",
        )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return lines[0].strip() if lines else ""


def parse_key(text: str, location: str) -> Key:
    """The text as a key. Raises ConfigError naming the location and never the text."""
    if not text:
        raise ConfigError(f"{location}: the key is empty.")
    if len(text) < MIN_KEY_LENGTH:
        raise ConfigError(f"{location}: the key has only {len(text)} characters; it is truncated or not a key.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(
            f"{location}: the key contains a space, a line break or a character that is not allowed in a key."
        )
    return Key(text)
