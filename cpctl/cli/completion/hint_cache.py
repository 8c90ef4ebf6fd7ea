"""The completion cache: references that earlier commands have shown, and the profiles, for the next Tab.

A line per reference: its kind, its text and a description, separated by tabs, newest first. One file per profile
of one configuration, and one for the profiles of the latest configuration; all readable by their owner only.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cpctl.config.paths import find_cache_folder, find_config_file

PROFILES_FILE = "profiles.txt"
MAX_PER_KIND = 2000
MAX_LENGTH = 128  # characters; no reference is longer
MAX_DESCRIPTION_LENGTH = 60
_SAFE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class CachedCandidate(NamedTuple):
    """A text that can be completed, its kind, and a description."""

    kind: str
    text: str
    description: str = ""


class CachedProfile(NamedTuple):
    """What completion needs of a profile: "default" if it is the default one, and its `store:` as written."""

    is_default: str
    store: str


def cache_path(folder: Path, profile: str, config: Path) -> Path:
    """The cache file of a profile: the same name in another configuration is another profile."""
    import zlib

    safe = "".join(char if char in _SAFE_CHARACTERS else f"%{ord(char):x}" for char in profile)
    return folder / f"{safe}-{zlib.crc32(os.fsencode(config.absolute())):08x}.tsv"


def read_cache(file: Path) -> list[CachedCandidate]:
    """The cached candidates; none without a file. Raises OSError."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    rows = (line.split("\t") for line in text.split("\n"))
    return [CachedCandidate(*row) for row in rows if len(row) == len(CachedCandidate._fields)]


def write_cache(file: Path, candidates: Iterable[CachedCandidate]) -> None:
    """Replace the file by these words, MAX_PER_KIND of each kind. Raises OSError, InvalidInput."""
    from cpctl.files import write_private  # a Tab only reads

    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    lines = []
    for each in candidates:
        counts[each.kind] = counts.get(each.kind, 0) + 1
        if counts[each.kind] <= MAX_PER_KIND:
            lines.append("\t".join(each) + "\n")
    write_private(file, "".join(lines))


def read_profiles(config: str | None, environment: Mapping[str, str]) -> dict[str, CachedProfile]:
    """The profiles of the configuration; from the cache if the file has not changed, because parsing it takes longer
    than the rest of a Tab. Raises ConfigError.
    """
    file, _ = find_config_file(config, environment)
    stamp, cache = "", Path()
    with suppress(Exception):
        status = file.stat()  # before it is read: after a later change the cached profiles are not used
        stamp = f"{file.absolute()}\t{status.st_mtime_ns}\t{status.st_ctime_ns}\t{status.st_size}"
        cache = find_cache_folder(environment) / PROFILES_FILE
        first, *rows = cache.read_text(encoding="utf-8").split("\n")
        if first == stamp:
            return {name: CachedProfile(*row) for name, *row in (row.split("\t") for row in rows)}
    from cpctl.config.profiles import read_configuration

    found = {}
    if configuration := read_configuration(config, environment):
        for name, node in configuration.profiles.items():
            store = node.as_mapping(name).get("store")
            is_default = "default" if name == configuration.default else ""
            found[name] = CachedProfile(is_default, (store and store.as_text("store")) or "")
    texts = ["\t".join((name, *row)) for name, row in found.items()]
    if found and all(text.replace("\t", "", 2).isprintable() for text in texts):
        with suppress(Exception):
            from cpctl.files import write_private

            cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(cache, "\n".join([stamp, *texts]))
    return found


def is_completable(text: object) -> bool:
    """Whether a text can be offered: one short printable line that is not all dashes and spaces."""
    return isinstance(text, str) and 0 < len(text) <= MAX_LENGTH and text.isprintable() and text.strip("- ") != ""


def format_description(text: object) -> str:
    """A text as one short printable line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text or "")[:400]).split())
    return line if len(line) <= MAX_DESCRIPTION_LENGTH else f"{line[: MAX_DESCRIPTION_LENGTH - 1]}…"
