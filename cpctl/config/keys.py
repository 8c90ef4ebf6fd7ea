"""Keys: from where they come, and how they are kept from being shown."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cpctl.config.paths import expand_path
from cpctl.errors import ConfigError
from cpctl.masking import MASK

# What each key is for.
KEY_USES = {
    "core": "orders, quotes, products, catalogs and titles",
    "signal": "what the production reports; always another key than core's",
    "webhooks": "what Cloudprinter reports: incoming webhooks must carry it",
}
SERVICES = tuple(KEY_USES)
# While the key of incoming webhooks is being replaced, the old one is accepted too.
OLD_WEBHOOKS_SERVICE = "old webhooks"
# Each of these variables also with _FILE.
KEY_VARIABLES = {
    "core": "CPCTL_CORE_KEY",
    "signal": "CPCTL_SIGNAL_KEY",
    "webhooks": "CPCTL_WEBHOOK_KEY",
    OLD_WEBHOOKS_SERVICE: "CPCTL_WEBHOOK_OLD_KEY",
}
COMMAND_TIMEOUT_SECONDS = 60.0
_MIN_LENGTH_TO_SHOW = 12
# Hiding a shorter one wherever it occurs would make nonsense of every message.
MIN_KEY_LENGTH = 8


class Key(NamedTuple):
    """An API key that does not show itself."""

    value: str

    @property
    def last_four(self) -> str:
        """Enough to tell two keys apart; nothing of a key so short that four characters give it away."""
        return f"…{self.value[-4:]}" if len(self.value) >= _MIN_LENGTH_TO_SHOW else MASK

    def __repr__(self) -> str:
        return f"Key({MASK})"


def mask_keys(text: str, keys: Iterable[Key]) -> str:
    """The text with every key in it replaced."""
    for key in sorted(keys, key=lambda key: -len(key.value)):  # one may begin as another does
        text = text.replace(key.value, MASK)
    return text


class KeySource(NamedTuple):
    """One way to a key. `place` names the setting or variable, for people."""

    service: str
    kind: str  # "value", "file" or "command"
    value: str | Path | tuple[str, ...]
    location: str

    def check(self) -> None:
        """Find out without running anything whether the key can be had. Raises ConfigError."""
        if self.kind != "command":
            self.read()

    def read(self) -> Key:
        """The key. Raises ConfigError naming the place and what to do."""
        if isinstance(self.value, Path):
            return parse_key(_read_key_file(self.value, self.location), self.location)
        if isinstance(self.value, tuple):
            return parse_key(_run_key_command(self.value, self.location), self.location)
        return parse_key(self.value, self.location)

    def describe(self) -> str:
        """The source as people read it; never the key."""
        if isinstance(self.value, Path):
            return f"{self.location} ({self.value})"
        if isinstance(self.value, tuple):
            return f"{self.location} ({' '.join(self.value)})"
        return self.location

    def __repr__(self) -> str:
        return f"KeySource({self.service}, {self.kind}, {self.location})"


def key_source_from_environment(service: str, environment: Mapping[str, str]) -> KeySource | None:
    """The key that the environment gives for a service, if any. Raises ConfigError where it gives two."""
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
    """Raise ConfigError where others than the owner can read a file that holds a key.

    What systemd hands over as credentials is guarded by its folder and has modes of its own.
    Windows has no such modes.
    """
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if os.name == "nt" or (credentials and file.resolve().is_relative_to(Path(credentials).resolve())):
        return
    mode = file.stat().st_mode
    if stat.S_ISDIR(mode) or stat.S_ISCHR(mode):
        return  # holds no key; to change the mode of /dev/null or of a folder would do harm
    mode &= 0o777
    if mode & 0o077:
        raise ConfigError(f"{file} can be read by others (its mode is {mode:04o}).", f"Type: chmod 600 {file}")


def _read_key_file(file: Path, place: str) -> str:
    try:
        refuse_readable_by_others(file)
        return file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{place}: the key file {file} cannot be read: {reason}.") from error


def _run_key_command(command: tuple[str, ...], place: str) -> str:
    """The first line a command prints; password stores put the secret there."""
    import subprocess  # costs more than all else here, and most keys need none

    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no answer in {COMMAND_TIMEOUT_SECONDS:.0f} s"
        raise ConfigError(f"{place}: `{' '.join(command)}` failed: {reason}.") from error
    if done.returncode != 0:
        raise ConfigError(
            f"{place}: `{' '.join(command)}` ended with status {done.returncode}.",
            "Run it by hand; its first line of output must be the key.",
        )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return lines[0].strip() if lines else ""


def parse_key(text: str, place: str) -> Key:
    """The text as a key. Raises ConfigError where it is none, naming the place and never the text."""
    if not text:
        raise ConfigError(f"{place}: the key is empty.")
    if len(text) < MIN_KEY_LENGTH:
        raise ConfigError(f"{place}: the key has only {len(text)} characters; it is cut off, or no key.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(f"{place}: the key holds a blank, a line break or a character no key has.")
    return Key(text)
