"""The keys that incoming webhooks may carry, read again when their files change."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cpctl.cli.context import Context
from cpctl.config.keys import OLD_WEBHOOKS_SERVICE, Key, KeySource
from cpctl.config.profiles import Profile, load_profile
from cpctl.errors import ConfigError


class WatchedKeys:
    """The keys that are accepted: the webhook key, and the old one while it is being replaced.

    Read again when the configuration or a key file has changed, so that keys are replaced without a stop.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._profile = ""
        self._file_stamps: Mapping[Path, object] = {}
        self._keys: Sequence[str] = ()

    def current_key(self) -> str:
        """The webhook key as it was last read."""
        return self._keys[0]

    def read_if_changed(self) -> Sequence[str] | None:
        """The keys, or None where they are as they were when they were last read. Raises ConfigError."""
        before = {file: _file_stamp(file) for file in self._file_stamps}
        if self._keys and before == self._file_stamps:
            return None
        profile = self._load()
        keys = [source.read() for source in _key_sources(profile)]
        for form in (form for key in keys for form in (key, _json_escaped(key))):
            self._context.add_masked_key(form)
        # Looked at before they were read: a file that changed in between is read again the next time.
        self._file_stamps = {file: before.get(file, "not looked at") for file in _watched_files(profile)}
        values = [key.value for key in keys]
        if values == self._keys:
            return None
        self._keys = values
        return values

    def _load(self) -> Profile:
        run = self._context
        profile = load_profile(run.environment, run.options.config, run.options.profile, run.options.timeout)
        if self._profile and profile.name != self._profile:
            raise ConfigError(
                f'The profile would be "{profile.name}" now, and no longer "{self._profile}".',
                "Start the receiver again, and name its profile with --profile.",
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
    """The key as it stands in a line of JSON."""
    return Key(json.dumps(key.value)[1:-1])


def _file_stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
