"""A shift at a bench: the state machine with its last scans, its counts and its news. What a screen or a pipe shows."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.errors import NotFound, StoreError
from cpctl.outbox.models import Entry, State
from cpctl.outbox.outbox import Clock, Outbox, utc_now
from cpctl.outbox.queries import depth
from cpctl.packing.bench_store import fate_words
from cpctl.packing.controller import Bench
from cpctl.packing.key_input import Scan
from cpctl.packing.models import Level, Line, Row, Verdict, View
from cpctl.packing.scan_decoder import MEANINGS

KEPT_ROWS = 60


class _Shown(NamedTuple):
    verdict: Verdict
    at: datetime


class Session:
    """Everything between two ends of a run: scans in, verdicts and views out."""

    def __init__(self, bench: Bench, outbox: Outbox, environment: str, clock: Clock = utc_now) -> None:
        self.bench = bench
        self.line = Line()
        self.verdict = Verdict(Level.STEP, "Good day", at=clock())
        self._outbox = outbox
        self._environment = environment
        self._clock = clock
        self._shown: deque[_Shown] = deque(maxlen=KEPT_ROWS)
        self._fates: dict[int, Entry] = {}
        self._waiting = self._refused = self._before = 0
        self._day = ""

    def begin(self) -> None:
        """Look at the store once, so that nothing that can be known late is. Raises StoreError."""
        left = self.bench.recover()
        self.refresh()
        if left is not None:
            self.show(left)
        elif self._refused:
            self.show(Verdict(Level.STEP, f"{self._refused} refused and not mended", "HELP shows them."))

    def scan(self, scan: Scan) -> Verdict | None:
        """The verdict on a scan, noted as the last one; None where there is none."""
        verdict = self.bench.scan(scan.text, scan.typed)
        if verdict is not None:
            self.show(verdict)
        return verdict

    def show(self, verdict: Verdict) -> None:
        """Make this the verdict that stands large on the screen."""
        at = verdict.at or self._clock()
        self.verdict = verdict._replace(at=at)
        self._shown.appendleft(_Shown(self.verdict, at))
        self._waiting += len(verdict.ids) if verdict.level is Level.OK else 0

    def hear(self, news: "Line | Entry | str") -> None:
        """Take news of the courier in."""
        if isinstance(news, Line):
            self.line = news
        elif isinstance(news, Entry):
            self.bench.interrupt_for(news)
        elif not news.isdecimal():
            self.bench.interrupt(news, "Call somebody. Answer with OK.")

    def next_alert(self) -> Verdict | None:
        """News that now hold the bench; already shown."""
        verdict = self.bench.next_alert()
        if verdict is not None:
            self.show(verdict)
        return verdict

    def refresh(self) -> None:
        """Look again at what waits and what became of the last scans; a store that fails is told by the next scan."""
        try:
            self.bench.settle()
            found = depth(self._outbox.store, self._outbox.profile)
            self._waiting = found.waiting
            self._refused = found.counts.get(State.REFUSED, 0) + found.counts.get(State.EXPIRED, 0)
            ids = [key for shown in self._shown for key in shown.verdict.ids]
            self._fates = {entry.id: entry for entry in self._outbox.entries(ids[:KEPT_ROWS])}
            day = f"{self._clock().astimezone():%Y-%m-%d}"
            if day != self._day:
                self._begin_day(day)
        except (NotFound, StoreError):
            pass

    @property
    def waiting(self) -> int:
        """Accepted and not delivered."""
        return self._waiting

    @property
    def refused(self) -> int:
        """Refused or expired, and not mended."""
        return self._refused

    @property
    def today(self) -> int:
        """Accepted at this bench since midnight, without what was taken back."""
        return self._before + self._net

    @property
    def _net(self) -> int:
        return self.bench.reports.accepted - self.bench.reports.taken_back

    def _begin_day(self, day: str) -> None:
        midnight = self._clock().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        self._before = self.bench.memory.count(self.bench.rules.kind.name, midnight) - self._net
        self._day = day

    def view(self) -> View:
        """All that the screen shows now."""
        bench, now = self.bench, self._clock()
        return View(
            self._environment,
            self._outbox.profile,
            bench.rules.station,
            bench.operator,
            self.line,
            self._waiting,
            self._refused,
            self.today,
            now,
            self.verdict,
            self._fate(self.verdict, now),
            bench.expected(),
            [f"{piece.item} (order {piece.order})" for piece in bench.parcel],
            [
                Row(each.at, each.verdict.level, each.verdict.words, self._fate(each.verdict, now))
                for each in self._shown
            ],
            self._help() if bench.help else (),
            bench.paused,
        )

    def _fate(self, verdict: Verdict, now: datetime) -> str:
        words = [fate_words(self._fates[key], now) for key in verdict.ids if key in self._fates]
        return next((word for word in words if word.startswith("REFUSED")), words[0] if words else "")

    def _help(self) -> Sequence[str]:
        lines = [f"{command:6} {meaning}" for command, meaning in MEANINGS.items()]
        if self.line.stopped:
            lines.append(f"Sending is stopped: {self.line.stopped}. What is accepted is safe here.")
        try:
            refused = self.bench.memory.given_up()
        except StoreError:
            refused = []
        lines += [f"{entry.state}: item {entry.signal.item}: {entry.message}" for entry in refused[-8:]]
        if self.bench.unknown:
            lines.append(f"Unknown codes: {', '.join(self.bench.unknown[-5:])}")
        return lines

    def summary(self) -> str:
        """The shift in a line."""
        reports = self.bench.reports
        parts = [f"{self.today} today", f"{self._waiting} waiting", f"{self._refused} refused"]
        parts += [f"{reports.overrides} overrides"] if reports.overrides else []
        parts += [f"{len(self.bench.unknown)} unknown codes"] if self.bench.unknown else []
        safe = " What waits is safe; `cpctl outbox flush` sends it." if self._waiting else ""
        left = f" Without a label: {', '.join(piece.item for piece in self.bench.parcel)}." if self.bench.parcel else ""
        return f"{', '.join(parts)}.{safe}{left}"
