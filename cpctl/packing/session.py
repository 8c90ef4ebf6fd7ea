"""A shift at a bench: the state machine with its last scans, its counts and its news. What a screen or a pipe shows."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.clock import Clock, utc_now
from cpctl.errors import NotFound, StoreError
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import read_queue_depth
from cpctl.packing.bench_store import format_signal_status
from cpctl.packing.controller import Bench
from cpctl.packing.key_input import Scan
from cpctl.packing.models import ConnectionStatus, ScanRow, ScreenView, Severity, Verdict
from cpctl.packing.scan_decoder import COMMAND_MEANINGS

MAX_ROWS = 60


class _ShownVerdict(NamedTuple):
    verdict: Verdict
    at: datetime


class BenchSession:
    """Everything between two ends of a run: scans in, verdicts and views out."""

    def __init__(self, bench: Bench, outbox: Outbox, environment: str, clock: Clock = utc_now) -> None:
        self.bench = bench
        self.connection = ConnectionStatus()
        self.verdict = Verdict(Severity.STEP, "Good day", time=clock())
        self._outbox = outbox
        self._environment = environment
        self._clock = clock
        self._shown_verdicts: deque[_ShownVerdict] = deque(maxlen=MAX_ROWS)
        self._signals_by_id: dict[int, QueuedSignal] = {}
        self._waiting_count = self._refused_count = self._count_before_run = 0
        self._day = ""

    def start(self) -> None:
        """Look at the store once, so that nothing that can be known late is. Raises StoreError."""
        left = self.bench.recover()
        self.refresh()
        if left is not None:
            self.show(left)
        elif self._refused_count:
            self.show(Verdict(Severity.STEP, f"{self._refused_count} refused and not mended", "HELP shows them."))

    def scan(self, scan: Scan) -> Verdict | None:
        """The verdict on a scan, noted as the last one; None where there is none."""
        verdict = self.bench.scan(scan.text, scan.is_typed)
        if verdict is not None:
            self.show(verdict)
        return verdict

    def show(self, verdict: Verdict) -> None:
        """Make this the verdict that stands large on the screen."""
        at = verdict.time or self._clock()
        self.verdict = verdict._replace(time=at)
        self._shown_verdicts.appendleft(_ShownVerdict(self.verdict, at))
        self._waiting_count += len(verdict.signal_ids) if verdict.severity is Severity.OK else 0

    def receive(self, notice: "ConnectionStatus | QueuedSignal | str") -> None:
        """Take news of the courier in."""
        if isinstance(notice, ConnectionStatus):
            self.connection = notice
        elif isinstance(notice, QueuedSignal):
            self.bench.interrupt_for(notice)
        elif not notice.isdecimal():
            self.bench.interrupt(notice, "Call somebody. Answer with OK.")

    def pop_alert(self) -> Verdict | None:
        """News that now hold the bench; already shown."""
        verdict = self.bench.pop_alert()
        if verdict is not None:
            self.show(verdict)
        return verdict

    def refresh(self) -> None:
        """Look again at what waits and what became of the last scans; a store that fails is told by the next scan."""
        try:
            self.bench.save_stale_parcel()
            found = read_queue_depth(self._outbox.store, self._outbox.profile)
            self._waiting_count = found.waiting_count
            self._refused_count = found.counts.get(State.REFUSED, 0) + found.counts.get(State.EXPIRED, 0)
            ids = [key for shown in self._shown_verdicts for key in shown.verdict.signal_ids]
            self._signals_by_id = {entry.id: entry for entry in self._outbox.get_by_ids(ids[:MAX_ROWS])}
            day = f"{self._clock().astimezone():%Y-%m-%d}"
            if day != self._day:
                self._start_day(day)
        except (NotFound, StoreError):
            pass

    @property
    def waiting_count(self) -> int:
        """Accepted and not delivered."""
        return self._waiting_count

    @property
    def refused_count(self) -> int:
        """Refused or expired, and not mended."""
        return self._refused_count

    @property
    def today_count(self) -> int:
        """Accepted at this bench since midnight, without what was taken back."""
        return self._count_before_run + self._net_count

    @property
    def _net_count(self) -> int:
        return self.bench.reporter.accepted_count - self.bench.reporter.undone_count

    def _start_day(self, day: str) -> None:
        midnight = self._clock().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        self._count_before_run = (
            self.bench.store.count_signals(self.bench.rules.signal_type.name, midnight) - self._net_count
        )
        self._day = day

    def build_view(self) -> ScreenView:
        """All that the screen shows now."""
        bench, now = self.bench, self._clock()
        return ScreenView(
            self._environment,
            self._outbox.profile,
            bench.rules.station,
            bench.operator,
            self.connection,
            self._waiting_count,
            self._refused_count,
            self.today_count,
            now,
            self.verdict,
            self._find_signal_status(self.verdict, now),
            bench.next_step(),
            [f"{piece.item} (order {piece.order})" for piece in bench.parcel],
            [
                ScanRow(
                    each.at, each.verdict.severity, each.verdict.message, self._find_signal_status(each.verdict, now)
                )
                for each in self._shown_verdicts
            ],
            self._list_help() if bench.is_help_shown else (),
            bench.is_paused,
        )

    def _find_signal_status(self, verdict: Verdict, now: datetime) -> str:
        words = [
            format_signal_status(self._signals_by_id[key], now)
            for key in verdict.signal_ids
            if key in self._signals_by_id
        ]
        return next((word for word in words if word.startswith("REFUSED")), words[0] if words else "")

    def _list_help(self) -> Sequence[str]:
        lines = [f"{command:6} {meaning}" for command, meaning in COMMAND_MEANINGS.items()]
        if self.connection.stop_reason:
            lines.append(f"Sending is stopped: {self.connection.stop_reason}. What is accepted is safe here.")
        try:
            refused = self.bench.store.find_failed_signals()
        except StoreError:
            refused = []
        lines += [f"{entry.state}: item {entry.signal.item}: {entry.message}" for entry in refused[-8:]]
        if self.bench.unknown_codes:
            lines.append(f"Unknown codes: {', '.join(self.bench.unknown_codes[-5:])}")
        return lines

    def summarize(self) -> str:
        """The shift in a line."""
        reports = self.bench.reporter
        parts = [f"{self.today_count} today", f"{self._waiting_count} waiting", f"{self._refused_count} refused"]
        parts += [f"{reports.override_count} overrides"] if reports.override_count else []
        parts += [f"{len(self.bench.unknown_codes)} unknown codes"] if self.bench.unknown_codes else []
        safe = " What waits is safe; `cpctl outbox flush` sends it." if self._waiting_count else ""
        left = f" Without a label: {', '.join(piece.item for piece in self.bench.parcel)}." if self.bench.parcel else ""
        return f"{', '.join(parts)}.{safe}{left}"
