"""A shift at a bench: the bench with its last scans, counts and alerts, as a screen or a pipe shows them."""

from collections import deque
from datetime import date, datetime

from cpctl.clock import Clock, utc_now
from cpctl.errors import NotFound, StoreError
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.outbox.queries import read_queue_depth
from cpctl.packing.bench_store import format_signal_status, join_items
from cpctl.packing.controller import Bench
from cpctl.packing.key_input import Scan
from cpctl.packing.models import ConnectionStatus, ScanRow, ScreenView, Severity, Verdict
from cpctl.packing.scanned_codes import COMMAND_MEANINGS

MAX_ROWS = 60

# From the sender: its connection, a signal that failed, a warning, or None: something was delivered.
Notice = ConnectionStatus | QueuedSignal | str | None


class BenchSession:
    """One run of a bench: scans go in, verdicts and views come out."""

    def __init__(self, bench: Bench, outbox: Outbox, environment: str, clock: Clock = utc_now) -> None:
        self.bench = bench
        self.connection = ConnectionStatus()
        self.verdict = Verdict(Severity.STEP, "Hello", time=clock())
        self.waiting_count = 0  # accepted and not delivered
        self.refused_count = 0  # refused or expired, and not fixed
        self._outbox = outbox
        self._environment = environment
        self._clock = clock
        self._verdicts: deque[Verdict] = deque(maxlen=MAX_ROWS)  # those shown, the newest first
        self._signals_by_id: dict[int, QueuedSignal] = {}
        self._count_before_run = 0
        self._day: date | None = None

    def start(self) -> None:
        """Read the store once, so that a store that cannot be used is reported now. Raises StoreError."""
        left = self.bench.recover()
        self.refresh()
        if left is not None:
            self.show(left)
        elif self.refused_count:
            self.show(Verdict(Severity.STEP, f"{self.refused_count} refused and not fixed", "HELP shows them."))

    def scan(self, scan: Scan) -> Verdict | None:
        """Return the verdict on a scan, already shown; None if there is none."""
        return self._show_if_any(self.bench.scan(scan.text, scan.is_typed))

    def show(self, verdict: Verdict) -> None:
        """Make this the verdict that the screen shows large."""
        self.verdict = verdict._replace(time=verdict.time or self._clock())
        self._verdicts.appendleft(self.verdict)
        self.waiting_count += len(verdict.signal_ids) if verdict.severity is Severity.OK else 0

    def receive(self, notice: Notice) -> None:
        """Take in a notice of the sender."""
        if isinstance(notice, ConnectionStatus):
            self.connection = notice
        elif isinstance(notice, QueuedSignal):
            self.bench.interrupt_for(notice)
        elif notice is not None:
            self.bench.interrupt(notice, "Get help, then scan OK.")

    def pop_alert(self) -> Verdict | None:
        """Return the alert that now stops the bench, already shown; None if there is none."""
        return self._show_if_any(self.bench.pop_alert())

    def _show_if_any(self, verdict: Verdict | None) -> Verdict | None:
        if verdict is not None:
            self.show(verdict)
        return verdict

    def refresh(self) -> None:
        """Read counts and the states of the last scans. A store that fails here is reported by the next scan."""
        try:
            self.bench.save_stale_parcel()
            depth = read_queue_depth(self._outbox.store, self._outbox.profile)
            self.waiting_count = depth.waiting_count
            self.refused_count = depth.counts.get(State.REFUSED, 0) + depth.counts.get(State.EXPIRED, 0)
            ids = [signal_id for verdict in self._verdicts for signal_id in verdict.signal_ids]
            self._signals_by_id = {entry.id: entry for entry in self._outbox.get_by_ids(ids[:MAX_ROWS])}
            midnight = self._clock().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
            if midnight.date() != self._day:
                stored_count = self.bench.store.count_signals(self.bench.rules.signal_type.name, midnight)
                self._count_before_run = stored_count - self._net_count
                self._day = midnight.date()
        except (NotFound, StoreError):
            pass

    @property
    def today_count(self) -> int:
        """Signals accepted at this bench since midnight and not undone."""
        return self._count_before_run + self._net_count

    @property
    def _net_count(self) -> int:
        return self.bench.reporter.accepted_count - self.bench.reporter.undone_count

    def build_view(self) -> ScreenView:
        """Everything that the screen shows now."""
        bench, now = self.bench, self._clock()
        return ScreenView(
            self._environment,
            self._outbox.profile,
            bench.rules.station,
            bench.operator,
            self.connection,
            self.waiting_count,
            self.refused_count,
            self.today_count,
            now,
            self.verdict,
            self._find_signal_status(self.verdict, now),
            bench.next_step(),
            [f"{scanned.item} (order {scanned.order})" for scanned in bench.parcel],
            [
                ScanRow(verdict.time or now, verdict.severity, verdict.message, self._find_signal_status(verdict, now))
                for verdict in self._verdicts
            ],
            self._list_help() if bench.is_help_shown else (),
            bench.is_paused,
        )

    def _find_signal_status(self, verdict: Verdict, now: datetime) -> str:
        known = self._signals_by_id
        texts = [format_signal_status(known[signal_id], now) for signal_id in verdict.signal_ids if signal_id in known]
        return next((text for text in texts if text.startswith("REFUSED")), texts[0] if texts else "")

    def _list_help(self) -> list[str]:
        lines = [f"{command:6} {meaning}" for command, meaning in COMMAND_MEANINGS.items()]
        if self.connection.stop_reason:
            lines.append(f"Sending has stopped: {self.connection.stop_reason}. Accepted signals are saved here.")
        try:
            failed = self.bench.store.find_failed_signals()
        except StoreError:
            failed = []
        lines += [f"{entry.state}: item {entry.signal.item}: {entry.message}" for entry in failed[-8:]]
        if self.bench.unknown_codes:
            lines.append(f"Unknown codes: {', '.join(self.bench.unknown_codes[-5:])}")
        return lines

    def summarize(self) -> str:
        """The shift in one line."""
        bench = self.bench
        parts = [f"{self.today_count} today", f"{self.waiting_count} waiting", f"{self.refused_count} refused"]
        parts += [f"{bench.reporter.override_count} overrides"] if bench.reporter.override_count else []
        parts += [f"{len(bench.unknown_codes)} unknown codes"] if bench.unknown_codes else []
        waiting = " Waiting signals are saved; `cpctl outbox flush` sends them." if self.waiting_count else ""
        unlabeled = f" Without a label: {join_items(bench.parcel)}." if bench.parcel else ""
        return f"{', '.join(parts)}.{waiting}{unlabeled}"
