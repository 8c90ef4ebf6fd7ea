"""A long JSON array, read piece by piece: a hundred thousand orders need not be objects all at once."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cpctl.errors import TemporaryError

# Below this, reading at once is as fast and simpler.
LONG_LIST_MIN_BYTES = 1_000_000  # bytes
CHUNK_CHARS = 65_536  # characters
END_CHUNKS = 4  # pieces that count as its beginning, or as its end
# Where one element may end and the next begin. It may also stand inside a text or a nested list:
# then what is before it is no JSON, and a later one is tried.
_ELEMENT_SEPARATOR = re.compile(r"\}[ \t\r\n]*(,)[ \t\r\n]*\{")


class LongList:
    """The elements of a JSON array of objects, made when they are asked for; may be read again and again."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[Any]:
        """The elements in their order. Raises TemporaryError where the text is no JSON array after all."""
        for _, elements in self.chunks():
            yield from elements

    def chunks(self) -> Iterator[tuple[str, list[Any]]]:
        """Some elements at a time, as they were written (without brackets) and as values. Raises TemporaryError."""
        text = self._text
        begin, end = text.index("[") + 1, text.rindex("]")
        while begin < end:
            begin, piece, elements = self._read_chunk(begin, end)
            yield piece, elements

    def first_and_last(self) -> list[Any]:
        """Some hundred elements of its beginning and of its end: the newest are there, whichever way it is sorted."""
        first: list[Any] = []
        for number, (_, elements) in enumerate(self.chunks()):
            first += elements
            if number == END_CHUNKS - 1:
                break
        begin, end = self._text.index("[") + 1, self._text.rindex("]")
        for place in _ELEMENT_SEPARATOR.finditer(self._text, max(begin, end - END_CHUNKS * CHUNK_CHARS), end):
            try:
                return first + list(json.loads(f"[{self._text[place.end() - 1 : end]}]"))
            except (ValueError, RecursionError):
                continue  # it stood inside an element
        return first

    def _read_chunk(self, begin: int, end: int) -> tuple[int, str, list[Any]]:
        """The elements from a place on, about PIECE characters of them, and where the next begin."""
        at = begin + CHUNK_CHARS
        while True:
            found = _ELEMENT_SEPARATOR.search(self._text, at, end) if at < end else None
            stop = found.start(1) if found else end
            piece = self._text[begin:stop]
            try:
                return stop + 1, piece, json.loads(f"[{piece}]")
            except (ValueError, RecursionError) as error:
                if found is None:
                    raise TemporaryError(f"The answer is not JSON: {error}.") from error
                at = found.end() - 1


def parse_long_list(body: bytes) -> LongList | None:
    """The body as a long list, or None where it is short or no array."""
    if (
        len(body) < LONG_LIST_MIN_BYTES
        or not body[:64].lstrip().startswith(b"[")
        or not body[-64:].rstrip().endswith(b"]")
    ):
        return None
    return LongList(body.decode("utf-8"))
