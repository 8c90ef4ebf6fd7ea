"""One line per event, as text or JSON; written by a thread of its own, so that a slow reader delays no answer."""

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

LOG_FORMATS = ("text", "json")
# So many lines about requests that were refused in one second; more are counted.
REFUSALS_A_SECOND = 20
_LONGEST_QUEUE = 10_000


class Log:
    """Where lines go. `write` gets a line and whether it is a problem; it must mask keys."""

    def __init__(self, write: Callable[[str, bool], None], form: str) -> None:
        self._write = write
        self._json = form == "json"
        self._lines: queue.Queue[tuple[str, bool] | None] = queue.Queue(_LONGEST_QUEUE)
        self._lost = 0
        self._second, self._refusals = 0, 0
        self._thread = threading.Thread(target=self._run, name="webhooks-log", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 2.0) -> None:
        """Write what waits, as far as somebody reads it in that time."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def say(self, what: str, facts: Mapping[str, object], problem: bool = False) -> None:
        """Write one line: what happened, and the facts that are not None, with the time in UTC."""
        known = {name: value for name, value in facts.items() if value is not None and value != ""}
        line = self._line(what, known)
        try:
            self._lines.put_nowait((line, problem))
        except queue.Full:
            self._lost += 1

    def refused(self, what: str, facts: Mapping[str, object]) -> None:
        """The same for a request that was refused; a flood of them makes few lines."""
        second = int(time.monotonic())
        if second != self._second:
            skipped = self._refusals - REFUSALS_A_SECOND
            self._second, self._refusals = second, 0
            if skipped > 0:
                self.say(f"{skipped} more refused", {}, problem=True)
        self._refusals += 1
        if self._refusals <= REFUSALS_A_SECOND:
            self.say(what, facts, problem=True)

    def _line(self, what: str, facts: Mapping[str, object]) -> str:
        now = datetime.now(UTC)
        if self._json:
            return json.dumps({"time": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z", "what": what, **facts})
        words = " ".join(f"{name}={_quoted(str(value))}" for name, value in facts.items())
        return f"{now:%Y-%m-%d %H:%M:%S}Z {what} {words}".rstrip()

    def _run(self) -> None:
        while (entry := self._lines.get()) is not None:
            self._write(*entry)
            if self._lost:
                lost, self._lost = self._lost, 0
                self._write(self._line(f"{lost} lines of this log were lost: nobody read them", {}), True)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if not value or set(value) & set(' "=\\\n\t') else value
