"""From a finished parcel to the outbox and back: accept, replace, undo."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.clock import Clock, from_ms
from cpctl.errors import Conflict, InvalidInput, NotFound, StoreError
from cpctl.outbox.acceptance import AcceptedSignal
from cpctl.outbox.models import Origin, QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.packing.bench_store import BenchStore, ScannedItem, join_items
from cpctl.packing.code_identification import Label
from cpctl.packing.models import Severity, Verdict, format_clock_time
from cpctl.packing.scanned_codes import ShopRules
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.signals.signal import Signal, make_signal
from cpctl.signals.signal_types import fill_shipping_option

_HISTORY_LIMIT = 200
_CORRECTION_HINT = "Scan OK. To correct it, scan it again."


class AcceptedScan(NamedTuple):
    """What one scan had accepted, for UNDO."""

    items: tuple[ScannedItem, ...]
    signal_ids: tuple[int, ...]


class BenchReporter:
    """Reports what is scanned at this bench, and remembers what this run has reported."""

    def __init__(self, outbox: Outbox, rules: ShopRules, store: BenchStore, clock: Clock) -> None:
        self.accepted_count = self.override_count = self.undone_count = 0
        self.label_times: dict[str, datetime] = {}  # the last labels, with the time of their scan
        self._outbox = outbox
        self._rules = rules
        self._store = store
        self._clock = clock
        self._undo_stack: deque[AcceptedScan] = deque(maxlen=_HISTORY_LIMIT)

    def accept(
        self, items: Sequence[ScannedItem], label: Label | None, operator: str, force: bool
    ) -> list[AcceptedSignal]:
        """Accept all items, or none: raises InvalidInput, StoreError."""
        signals = [self._build_signal(scanned, label) for scanned in items]
        origins = [self._make_origin(operator, label)] * len(signals)
        accepted = self._outbox.accept(signals, force, origins, self._rules.hold_seconds)
        if label is not None:
            self.label_times[label.tracking] = self._clock()
            while len(self.label_times) > _HISTORY_LIMIT:
                self.label_times.pop(next(iter(self.label_times)))
        if new := [result for result in accepted if result.is_new]:
            new_items = tuple(ScannedItem(result.signal.item, result.signal.order) for result in new)
            self._undo_stack.append(AcceptedScan(new_items, collect_signal_ids(new)))
            self.accepted_count += len(new)
            self.override_count += len(new) if force else 0
        return accepted

    def record_override(self, accepted: Sequence[AcceptedSignal], label: Label, operator: str) -> None:
        """Record that the operator kept a label despite a warning. Raises StoreError."""
        new = [result.signal for result in accepted if result.is_new]
        self.override_count += len(new)
        details = f"{label.warning}: {label.tracking}"
        self._store.record_audit_events("override", new, self._make_origin(operator, label), details)

    def drop_replaced(self, replaced: Sequence[AcceptedSignal]) -> None:
        """Drop replaced signals that were certainly not sent."""
        for result in replaced:
            try:
                (entry,) = self._outbox.get_by_ids([result.queued_signal.id])
                if entry.state in (State.QUEUED, State.HELD) and not entry.maybe_duplicate:
                    self._outbox.drop([entry.id])
            except (Conflict, NotFound, StoreError):
                pass  # it is sent first, and its replacement after it

    def undo(self, operator: str) -> AcceptedScan | None:
        """Drop what was accepted last; None if there is nothing. Raises Conflict, StoreError."""
        if not self._undo_stack:
            return None
        scan = self._undo_stack[-1]
        items = join_items(scan.items)
        try:
            entries = self._outbox.get_by_ids(scan.signal_ids)
        except NotFound as error:  # the store was damaged and quarantined, and a new one created
            raise Conflict(f"NOT UNDONE: {items} is not in this store anymore", "Scan OK.") from error
        if too_late := _explain_too_late(entries):
            raise Conflict(f"TOO LATE: {items} {too_late}", _CORRECTION_HINT)
        try:
            self._outbox.drop(scan.signal_ids)
        except Conflict as error:
            raise Conflict(f"TOO LATE: {items} is being sent right now", _CORRECTION_HINT) from error
        self._undo_stack.pop()
        self.undone_count += len(scan.signal_ids)
        for entry in entries:
            self.label_times.pop(entry.signal.fields.get("tracking", ""), None)
        signals = [entry.signal for entry in entries]
        self._store.record_audit_events("undo", signals, self._make_origin(operator), "undone at the bench")
        return scan

    def _make_origin(self, operator: str, label: Label | None = None) -> Origin:
        return Origin(operator, self._rules.station, label.carrier if label else "")

    def _build_signal(self, scanned: ScannedItem, label: Label | None) -> Signal:
        fields: dict[str, str | None] = {"order": scanned.order, "item": scanned.item}
        if label is not None:
            fields["tracking"] = label.tracking
        rules, now = self._rules, self._clock()
        name, version, carrier = rules.signal_type.name, rules.api_version, label.carrier if label else ""
        fields = fill_shipping_option(fields, name, version, rules.shipping_option, carrier, rules.carrier_options)
        if rules.needs_shipping_option and "shipping_option" not in fields:
            raise InvalidInput("NO SHIPPING OPTION for this label", "Set shipping_option in the profile.")
        return make_signal(name, version, fields, now, now)


def make_verdict(accepted: Sequence[AcceptedSignal], label: Label | None) -> Verdict:
    """The verdict on signals without a conflict."""
    new = [result for result in accepted if result.is_new]
    shown = new or accepted
    items = shown[0].signal.item if len(shown) == 1 else f"{len(shown)} items"
    arrow = f" -> {label.tracking}" if label else ""
    if not new:
        accepted_at = format_clock_time(from_ms(accepted[0].queued_signal.accepted_at))
        message = f"ALREADY DONE {accepted_at}: {items}{arrow}"
        return Verdict(Severity.DONE, message, signal_ids=collect_signal_ids(accepted))
    carrier = f"  {CARRIER_NAMES[label.carrier]}" if label and label.carrier else ""
    return Verdict(Severity.OK, f"{items}{arrow}{carrier}", signal_ids=collect_signal_ids(new))


def collect_signal_ids(accepted: Sequence[AcceptedSignal]) -> tuple[int, ...]:
    return tuple(result.queued_signal.id for result in accepted)


def _explain_too_late(entries: Sequence[QueuedSignal]) -> str:
    for entry in entries:
        if entry.state is State.DELIVERED and entry.settled_at:
            return f"was sent at {format_clock_time(from_ms(entry.settled_at))}"
        if entry.maybe_duplicate:
            return f"may have been sent at {format_clock_time(from_ms(entry.last_attempt_at))}"
    return ""
