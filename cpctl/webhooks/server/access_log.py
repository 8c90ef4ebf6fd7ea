"""The access log: one line per request, as text or JSON, written by a thread so that a slow reader delays nothing."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

LOG_FORMATS = ("text", "json")
# Refused requests beyond this are counted, not logged.
MAX_REFUSALS_PER_SECOND = 20
# Lines are collected for this long: waking the thread for each one would cost more than writing it.
_BATCH_SECONDS = 0.05
_MAX_QUEUED_LINES = 10_000
# Characters of a value, so that no sender can fill the disk.
_MAX_VALUE_LENGTH = 300


class AccessLog:
    """Queues lines for `write`, which gets one or more lines and whether they are problems. `write` must mask keys."""

    def __init__(self, write: Callable[[str, bool], None], log_format: str) -> None:
        self._write = write
        self._is_json = log_format == "json"
        self._lines: deque[tuple[str, bool]] = deque()
        self._lost_lines = 0
        self._current_second, self._refusals = 0, 0
        self._refusals_lock = threading.Lock()
        self._lines_added, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks-log", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 2.0) -> bool:
        """Write the queued lines; returns whether all were written within the timeout."""
        self._stopping.set()
        self._lines_added.set()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def write(self, message: str, fields: Mapping[str, object], is_problem: bool = False) -> None:
        """Queue one line: the time in UTC, the message, and the fields that are neither None nor empty."""
        if len(self._lines) >= _MAX_QUEUED_LINES:
            self._lost_lines += 1
            return
        self._lines.append((self._format_line(message, fields), is_problem))
        if not self._lines_added.is_set():
            self._lines_added.set()

    def write_refusal(self, message: str, fields: Mapping[str, object]) -> None:
        """Queue a line about a refused request; of many in one second, only the first are logged."""
        self._write_skipped_count(int(time.monotonic()))
        with self._refusals_lock:
            self._refusals += 1
            skipped = self._refusals > MAX_REFUSALS_PER_SECOND
        if not skipped:
            self.write(message, fields, is_problem=True)

    def _write_skipped_count(self, second: int | None) -> None:
        with self._refusals_lock:
            if second == self._current_second:
                return
            skipped = self._refusals - MAX_REFUSALS_PER_SECOND
            self._current_second, self._refusals = second or 0, 0
        if skipped > 0:
            self.write("more refused", {"count": skipped}, is_problem=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            # While refusals are skipped, wake up without new lines too: their count must be logged.
            self._lines_added.wait(1.0 if self._refusals > MAX_REFUSALS_PER_SECOND else None)
            self._stopping.wait(_BATCH_SECONDS)
            self._lines_added.clear()
            self._write_skipped_count(int(time.monotonic()))
            self._write_queued()
        self._write_skipped_count(None)
        self._write_queued()

    def _write_queued(self) -> None:
        """Write many lines per call: each call holds the GIL, which the responses need."""
        queued = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._lost_lines:
            lost, self._lost_lines = self._lost_lines, 0
            queued.append((self._format_line(f"{lost} log lines were lost: the reader was too slow", {}), True))
        for is_problem, lines in groupby(queued, key=itemgetter(1)):
            self._write("\n".join(line for line, _ in lines), is_problem)

    def _format_line(self, message: str, fields: Mapping[str, object]) -> str:
        now = datetime.now(UTC)
        values = {name: _truncate(value) for name, value in fields.items() if value is not None and value != ""}
        if self._is_json:
            return json.dumps({"time": now.isoformat(timespec="milliseconds"), "message": message, **values})
        pairs = " ".join([f"{name}={_quote_if_needed(str(value))}" for name, value in values.items()])
        return f"{now.isoformat(' ', 'milliseconds')} {message} {pairs}".rstrip()


def _truncate(value: object) -> object:
    return f"{value[:_MAX_VALUE_LENGTH]}…" if isinstance(value, str) and len(value) > _MAX_VALUE_LENGTH else value


_match_unquoted = re.compile(r"[\w.:/+@-]+").fullmatch


def _quote_if_needed(value: str) -> str:
    return value if _match_unquoted(value) else json.dumps(value, ensure_ascii=False)
