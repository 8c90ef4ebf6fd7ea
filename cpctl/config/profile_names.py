"""A quick look at a configuration file: which profiles there are, and which is the default. For completion alone.

Reading YAML takes longer than all else that a Tab costs, and nearly every configuration is written plainly. What is
written in any other way is left to the parser: then there is no glance. Nothing is checked here.
"""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cpctl.config.paths import find_config_file, find_default_store

_PLAIN_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_.-")


class ProfileSummary(NamedTuple):
    """The default and the names of the profiles, and of those the ones whose settings may name a store."""

    default: str | None
    profiles: tuple[str, ...]
    with_store: frozenset[str]


def find_store_without_yaml(
    environment: Mapping[str, str], config: str | None, profile: str | None
) -> tuple[str, Path] | None:
    """The profile in force and its store, where a glance can tell. Raises OSError, ConfigError."""
    if "CPCTL_STORE" in environment:
        return None
    file, _ = find_config_file(config, environment)
    seen = summarize_profiles(file.read_text(encoding="utf-8-sig"))
    if seen is None:
        return None
    only = seen.profiles[0] if len(seen.profiles) == 1 else None
    name = profile or environment.get("CPCTL_PROFILE") or seen.default or only
    if name is None or name not in seen.profiles or name in seen.with_store:
        return None
    return name, find_default_store(environment)[0]


def summarize_profiles(text: str) -> ProfileSummary | None:
    """What the text of a configuration says, or None where it is not written plainly."""
    if not text.isascii() or "\t" in text or "<<" in text:
        return None
    default: str | None = None
    profiles: list[str] = []
    with_store: set[str] = set()
    top, depth = "", 0
    for line in text.replace("\r\n", "\n").split("\n"):
        plain = line.lstrip(" ")
        indent = len(line) - len(plain)
        if not plain or plain.startswith("#"):
            continue
        if indent == 0:
            top, value = _split_plain_pair(plain)
            if top == "default_profile" and value and default is None:
                default = value
            elif top != "profiles" or value or profiles:
                return None
        elif top != "profiles":
            return None
        elif indent == (depth := depth or indent):
            name, value = _split_plain_pair(plain)
            if not name or value or name in profiles:
                return None
            profiles.append(name)
        elif indent < depth or not profiles:
            return None
        elif "store" in plain:
            with_store.add(profiles[-1])
    if default is not None and default not in profiles:
        return None
    return ProfileSummary(default, tuple(profiles), frozenset(with_store))


def _split_plain_pair(text: str) -> tuple[str, str]:
    """Name and value of a line such as `name: value`; no name where either is written otherwise."""
    name, colon, value = text.partition(":")
    value = value.partition(" #")[0].strip()
    if not colon or not name[:1].isalpha() or not {*name, *value} <= _PLAIN_CHARACTERS or value.lower() == "null":
        return "", ""
    return (name, value) if text[len(name) + 1 :][:1] in ("", " ") else ("", "")
