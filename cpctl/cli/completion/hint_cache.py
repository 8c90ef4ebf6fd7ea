"""Words that earlier commands have shown, kept in a small file for the next Tab. Everything here is best effort.

A line per word: its kind, the word, and a sentence, parted by tabs. The newest stand first. One file per profile
of one configuration, readable by its owner alone.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MOST = 2000  # words of one kind
LONGEST = 128  # characters of a word; a longer one is no reference
LONGEST_SENTENCE = 60
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class Remembered(NamedTuple):
    """A word that was shown, of which kind it is, and a sentence about it."""

    kind: str
    word: str
    sentence: str = ""


def file_of(folder: Path, profile: str, config: Path) -> Path:
    """Where the words of a profile are kept: the same name in another configuration is another profile."""
    import zlib

    safe = "".join(each if each in _PLAIN else f"%{ord(each):x}" for each in profile)
    return folder / f"{safe}-{zlib.crc32(os.fsencode(config.absolute())):08x}.tsv"


def read(file: Path) -> list[Remembered]:
    """What is remembered. Nothing where there is no such file. Raises OSError."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    rows = (line.split("\t") for line in text.split("\n"))
    return [Remembered(*row) for row in rows if len(row) == len(Remembered._fields)]


def write(file: Path, words: Iterable[Remembered]) -> None:
    """Keep these words instead of those before, MOST of each kind; or the old file stays, whole. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    lines = []
    for each in words:
        counts[each.kind] = counts.get(each.kind, 0) + 1
        if counts[each.kind] <= MOST:
            lines.append("\t".join(each) + "\n")
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
            written.writelines(lines)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def is_word(text: object) -> bool:
    """Whether a text can be offered: one line, nothing in it that a terminal acts on, and no option."""
    return isinstance(text, str) and 0 < len(text) <= LONGEST and text.isprintable() and text.strip("- ") != ""


def sentence(text: object) -> str:
    """A text as it can stand beside a word."""
    line = " ".join("".join(each if each.isprintable() else " " for each in str(text or "")[:400]).split())
    return line if len(line) <= LONGEST_SENTENCE else f"{line[: LONGEST_SENTENCE - 1]}…"
