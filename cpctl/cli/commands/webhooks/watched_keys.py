"""The keys that incoming webhooks may carry, read again when their files change."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cpctl.cli.context import Run
from cpctl.config.keys import OLD_WEBHOOKS, Key, KeySource
from cpctl.config.profiles import Profile, load_profile
from cpctl.errors import ConfigError


class WatchedKeys:
    """The keys that are accepted: the webhook key, and the old one while it is being replaced.

    Read again when the configuration or a key file has changed, so that keys are replaced without a stop.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._profile = ""
        self._seen: Mapping[Path, object] = {}
        self._keys: Sequence[str] = ()

    def current(self) -> str:
        """The webhook key as it was last read."""
        return self._keys[0]

    def read(self) -> Sequence[str] | None:
        """The keys, or None where they are as they were when they were last read. Raises ConfigError."""
        before = {file: _stamp(file) for file in self._seen}
        if self._keys and before == self._seen:
            return None
        profile = self._load()
        keys = [source.read() for source in _sources(profile)]
        for form in (form for key in keys for form in (key, _as_in_json(key))):
            self._run.hide_from_now_on(form)
        # Looked at before they were read: a file that changed in between is read again the next time.
        self._seen = {file: before.get(file, "not looked at") for file in _files_of(profile)}
        values = [key.value for key in keys]
        if values == self._keys:
            return None
        self._keys = values
        return values

    def _load(self) -> Profile:
        run = self._run
        profile = load_profile(run.environment, run.options.config, run.options.profile, run.options.timeout)
        if self._profile and profile.name != self._profile:
            raise ConfigError(
                f'The profile would be "{profile.name}" now, and no longer "{self._profile}".',
                "Start the receiver again, and name its profile with --profile.",
            )
        self._profile = profile.name
        return profile


def _sources(profile: Profile) -> list[KeySource]:
    old = profile.keys.get(OLD_WEBHOOKS)
    return [profile.key("webhooks"), *([old] if old else [])]


def _files_of(profile: Profile) -> list[Path]:
    files = [source.value for source in _sources(profile) if isinstance(source.value, Path)]
    return [*files, *([profile.file] if profile.file else [])]


def _as_in_json(key: Key) -> Key:
    """The key as it stands in a line of JSON."""
    return Key(json.dumps(key.value)[1:-1])


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
