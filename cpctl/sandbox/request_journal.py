"""The journal of all API requests: request, response, and whether it was processed; and the masking of API keys."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from cpctl.masking import MASK

MAX_ENTRIES = 10_000
# Deeper than any document of the API. Anything below is masked whole, so that nesting cannot exhaust the stack.
_MAX_DEPTH = 40
# A shorter text sent as a key is not a real key, and masking it everywhere would garble the body.
_MIN_KEY_LENGTH = 8


@dataclass
class JournalEntry:
    """One request to the API. Status is None until a response was sent."""

    n: int
    time: str  # ISO 8601, UTC
    method: str
    path: str
    status: int | None
    fault: str | None
    processed: bool
    body: object
    raw_bytes: int | None  # the length of a body that is not JSON; its text is not stored

    def as_json(self) -> dict[str, object]:
        """The entry as `GET /_sandbox/requests` returns it."""
        return {name: value for name, value in vars(self).items() if name != "raw_bytes" or value is not None}


class Journal:
    """The most recent requests, oldest first, with all keys masked."""

    def __init__(
        self, lock: AbstractContextManager[bool], mask_keys: Callable[[object], object], max_entries: int = MAX_ENTRIES
    ) -> None:
        self._lock, self._mask_keys = lock, mask_keys
        self._entries: deque[JournalEntry] = deque(maxlen=max_entries)
        self._count = 0

    def add_entry(self, method: str, path: str, body: object, raw_bytes: int | None, fault: str | None) -> JournalEntry:
        with self._lock:
            self._count += 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            path, body = str(self._mask_keys(path)), self._mask_keys(body)
            entry = JournalEntry(self._count, now, method, path, None, fault, False, body, raw_bytes)
            self._entries.append(entry)
            return entry

    def list_entries(self) -> list[dict[str, object]]:
        with self._lock:
            return [entry.as_json() for entry in self._entries]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._count = 0


def mask_keys(value: object, keys: Iterable[str]) -> object:
    """A copy without these keys, without the values of fields named `apikey`, and without repeats of those."""
    return _mask_value(value, sorted({*keys, *_find_keys(value, 0)}, key=len, reverse=True), 0)


def _mask_value(value: object, keys: list[str], depth: int) -> object:
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, str):
        return _mask_text(value, keys)
    if isinstance(value, Mapping):
        return {
            _mask_text(name, keys): MASK if _is_key_name(name) else _mask_value(inner, keys, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_mask_value(inner, keys, depth + 1) for inner in value]
    return value


def _mask_text(text: str, keys: list[str]) -> str:
    for key in keys:
        text = text.replace(key, MASK)
    return text


def _is_key_name(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") == "apikey"


def _find_keys(value: object, depth: int) -> Iterator[str]:
    """Texts sent as a key. A key that is wrong here may be valid elsewhere."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _find_keys(inner, depth + 1)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if _is_key_name(name) and isinstance(inner, str) and len(inner) >= _MIN_KEY_LENGTH:
                yield inner
            yield from _find_keys(inner, depth + 1)
