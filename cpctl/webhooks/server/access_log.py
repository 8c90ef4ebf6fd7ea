"""One line per event, as text or JSON; written by a thread of its own, so that a slow reader delays no answer."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

T = TypeVar("T")
LOG_FORMATS = ("text", "json")
# So many lines about requests that were refused in one second; more are counted.
REFUSALS_A_SECOND = 20
# Lines are gathered for so long: waking a thread for each would cost more than writing it.
_GATHER_SECONDS = 0.05
_LONGEST_QUEUE = 10_000
# Characters of a value; a sender that says more fills no disk.
_LONGEST_VALUE = 300


class Log:
    """Where lines go. `write` gets one line or several, and whether they are problems; it must mask keys."""

    def __init__(self, write: Callable[[str, bool], None], form: str) -> None:
        self._write = write
        self._json = form == "json"
        self._lines: deque[tuple[str, bool]] = deque()
        self._lost = 0
        self._second, self._refusals = 0, 0
        self._counting = threading.Lock()
        self._news, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks-log", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 2.0) -> bool:
        """Write what waits, as far as somebody reads it in that time; whether all was written."""
        self._stopping.set()
        self._news.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def say(self, what: str, facts: Mapping[str, object], problem: bool = False) -> None:
        """Write one line: what happened, and the facts that are not None, with the time in UTC."""
        if len(self._lines) >= _LONGEST_QUEUE:
            self._lost += 1
            return
        self._lines.append((self._line(what, facts), problem))
        if not self._news.is_set():
            self._news.set()

    def refused(self, what: str, facts: Mapping[str, object]) -> None:
        """The same for a request that was refused; a flood of them makes few lines."""
        self._say_skipped(int(time.monotonic()))
        with self._counting:
            self._refusals += 1
            skipped = self._refusals > REFUSALS_A_SECOND
        if not skipped:
            self.say(what, facts, problem=True)

    def _say_skipped(self, second: int | None) -> None:
        """When a second has gone by (None: at the end), say how many refusals of it were not told."""
        with self._counting:
            if second == self._second:
                return
            skipped = self._refusals - REFUSALS_A_SECOND
            self._second, self._refusals = second or 0, 0
        if skipped > 0:
            self.say("more refused", {"count": skipped}, problem=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            # While refusals are skipped, also by the clock: their number is said though nothing more comes.
            self._news.wait(1.0 if self._refusals > REFUSALS_A_SECOND else None)
            self._stopping.wait(_GATHER_SECONDS)
            self._news.clear()
            self._say_skipped(int(time.monotonic()))
            self._write_all()
        self._say_skipped(None)
        self._write_all()

    def _write_all(self) -> None:
        """Write what waits, many lines at once: each call keeps the answers waiting for Python's lock."""
        waiting = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._lost:
            lost, self._lost = self._lost, 0
            waiting.append((self._line(f"{lost} lines of this log were lost: nobody read them", {}), True))
        for problem, lines in groupby(waiting, key=itemgetter(1)):
            self._write("\n".join(line for line, _ in lines), problem)

    def _line(self, what: str, facts: Mapping[str, object]) -> str:
        now = datetime.now(UTC)
        if self._json:
            known = {name: _cut(value) for name, value in facts.items() if value is not None and value != ""}
            return json.dumps({"time": now.isoformat(timespec="milliseconds"), "what": what, **known})
        texts = [(name, str(value)) for name, value in facts.items() if value is not None and value != ""]
        all_texts = "".join([text for _, text in texts])
        if len(all_texts) > _LONGEST_VALUE or not _PLAIN(all_texts):
            texts = [(name, _quoted(_cut(text))) for name, text in texts]
        words = " ".join([f"{name}={text}" for name, text in texts])
        return f"{now.isoformat(' ', 'milliseconds')} {what} {words}".rstrip()


def _cut(value: T) -> T | str:
    return f"{value[:_LONGEST_VALUE]}…" if isinstance(value, str) and len(value) > _LONGEST_VALUE else value


_PLAIN = re.compile(r"[\w.:/+@-]+").fullmatch


def _quoted(value: str) -> str:
    return value if _PLAIN(value) else json.dumps(value, ensure_ascii=False)
