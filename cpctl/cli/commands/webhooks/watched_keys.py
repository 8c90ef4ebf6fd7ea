"""The accepted webhook keys, read again when their files change."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cpctl.cli.context import Context
from cpctl.config.keys import OLD_WEBHOOKS_SERVICE, Key, KeySource
from cpctl.config.profiles import Profile, load_profile
from cpctl.errors import ConfigError


class WatchedKeys:
    """The accepted keys: the webhook key, and the old one while it is being replaced.

    They are read again when the configuration or a key file changes, so that replacing a key needs no restart.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._profile = ""
        self._file_stamps: Mapping[Path, object] = {}
        self._keys: Sequence[str] = ()

    def current_key(self) -> str:
        return self._keys[0]

    def read_if_changed(self) -> Sequence[str] | None:
        """The keys, or None if they have not changed since they were last read. Raises ConfigError."""
        before = {file: _file_stamp(file) for file in self._file_stamps}
        if self._keys and before == self._file_stamps:
            return None
        profile = self._load()
        keys = [source.read() for source in _key_sources(profile)]
        for key in keys:
            self._context.add_masked_key(key)
            self._context.add_masked_key(_json_escaped(key))
        # Stamps from before the keys were read: a file that changed in between is read again the next time.
        self._file_stamps = {file: before.get(file, "never read") for file in _watched_files(profile)}
        values = [key.value for key in keys]
        if values == self._keys:
            return None
        self._keys = values
        return values

    def _load(self) -> Profile:
        options = self._context.options
        profile = load_profile(self._context.environment, options.config, options.profile, options.timeout)
        if self._profile and profile.name != self._profile:
            raise ConfigError(
                f'The default profile changed from "{self._profile}" to "{profile.name}".',
                "Restart the receiver with --profile.",
            )
        self._profile = profile.name
        return profile


def _key_sources(profile: Profile) -> list[KeySource]:
    old = profile.keys.get(OLD_WEBHOOKS_SERVICE)
    return [profile.key_source("webhooks"), *([old] if old else [])]


def _watched_files(profile: Profile) -> list[Path]:
    files = [source.value for source in _key_sources(profile) if isinstance(source.value, Path)]
    return [*files, *([profile.file] if profile.file else [])]


def _json_escaped(key: Key) -> Key:
    return Key(json.dumps(key.value)[1:-1])


def _file_stamp(file: Path) -> object:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
