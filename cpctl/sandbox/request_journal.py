"""The journal of all API requests: request, response, and whether the request was processed."""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_ENTRIES = 10_000


@dataclass
class JournalEntry:
    """One request to the API. Status is None until a response was sent."""

    number: int
    time: str  # ISO 8601, UTC
    method: str
    path: str
    body: object
    raw_bytes: int | None  # the length of a body that is not JSON; its text is not stored
    fault: str | None = None
    status: int | None = None
    processed: bool = False

    def as_json(self) -> dict[str, object]:
        """The entry as `GET /_sandbox/requests` returns it."""
        entry: dict[str, object] = {
            "n": self.number,
            "time": self.time,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "fault": self.fault,
            "processed": self.processed,
            "body": self.body,
        }
        return entry if self.raw_bytes is None else {**entry, "raw_bytes": self.raw_bytes}


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
            entry = JournalEntry(self._count, now, method, path, body, raw_bytes, fault)
            self._entries.append(entry)
            return entry

    def list_entries(self) -> list[dict[str, object]]:
        with self._lock:
            return [entry.as_json() for entry in self._entries]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._count = 0
