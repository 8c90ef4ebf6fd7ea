"""From a finished parcel to the outbox, and back: accepting, replacing, taking back."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.clock import Clock, from_ms
from cpctl.errors import Conflict, InvalidInput, NotFound, StoreError
from cpctl.outbox.models import Origin, QueuedSignal, State
from cpctl.outbox.outbox import AcceptedSignal, Outbox
from cpctl.packing.bench_store import BenchStore, ScannedItem
from cpctl.packing.models import Severity, Verdict, format_clock_time
from cpctl.packing.shop_rules import ShopRules
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.signals.signal import Signal, make_signal

_HISTORY_LIMIT = 200


class Label(NamedTuple):
    """A tracking code that is to be reported."""

    tracking: str
    carrier: str = ""
    overruled_warning: str = ""  # the advice that the operator overruled


class AcceptedScan(NamedTuple):
    """What one scan had accepted: for UNDO."""

    items: tuple[ScannedItem, ...]
    signal_ids: tuple[int, ...]


class BenchReporter:
    """What this run of a bench has reported."""

    def __init__(self, outbox: Outbox, rules: ShopRules, store: BenchStore, clock: Clock) -> None:
        self.accepted_count = self.override_count = self.undone_count = 0
        self.label_times: dict[str, datetime] = {}  # the last ones, with the time of their scan
        self._outbox = outbox
        self._rules = rules
        self._store = store
        self._clock = clock
        self._undo_stack: deque[AcceptedScan] = deque(maxlen=_HISTORY_LIMIT)

    def accept(
        self, items: Sequence[ScannedItem], label: Label | None, operator: str, force: bool
    ) -> list[AcceptedSignal]:
        """Take responsibility for all pieces at once. Raises InvalidInput, StoreError: then for none."""
        signals = [self._build_signal(piece, label) for piece in items]
        origin = self._make_origin(operator, label)
        found = self._outbox.accept(signals, force, [origin] * len(signals), self._rules.hold_seconds)
        if label is not None:
            self.label_times[label.tracking] = self._clock()
            while len(self.label_times) > _HISTORY_LIMIT:
                self.label_times.pop(next(iter(self.label_times)))
        if new := [one for one in found if one.is_new]:
            self._undo_stack.append(
                AcceptedScan(
                    tuple(ScannedItem(one.signal.item, one.signal.order) for one in new), collect_signal_ids(new)
                )
            )
            self.accepted_count += len(new)
            self.override_count += len(new) if force else 0
        return found

    def record_override(self, found: Sequence[AcceptedSignal], label: Label, operator: str) -> None:
        """Write down that the operator overruled an advice. Raises StoreError."""
        new = [one.signal for one in found if one.is_new]
        self.override_count += len(new)
        self._store.record_audit_events(
            "override", new, self._make_origin(operator, label), f"{label.overruled_warning}: {label.tracking}"
        )

    def drop_replaced(self, replaced: Sequence[AcceptedSignal]) -> None:
        """What was replaced need not be sent any more, where it was not."""
        for one in replaced:
            try:
                (entry,) = self._outbox.get_by_ids([one.queued_signal.id])
                if entry.state in (State.QUEUED, State.HELD) and not entry.maybe_duplicate:
                    self._outbox.drop([entry.id])
            except (Conflict, NotFound, StoreError):
                pass  # it goes first, and the new one follows

    def undo(self, operator: str) -> AcceptedScan | None:
        """Take back what was accepted last; None where there is nothing. Raises Conflict, StoreError."""
        if not self._undo_stack:
            return None
        done = self._undo_stack[-1]
        items = ", ".join(piece.item for piece in done.items)
        try:
            entries = self._outbox.get_by_ids(done.signal_ids)
        except NotFound as error:  # the store was damaged and set aside, and a new one begun
            raise Conflict(f"NOT TAKEN BACK: {items} is not in this store any more", "Answer with OK.") from error
        if too_late := _explain_too_late(entries):
            raise Conflict(f"TOO LATE: {items} {too_late}", _CORRECTION_HINT)
        try:
            self._outbox.drop(done.signal_ids)
        except Conflict as error:
            raise Conflict(f"TOO LATE: {items} is being sent right now", _CORRECTION_HINT) from error
        self._undo_stack.pop()
        self.undone_count += len(done.signal_ids)
        for entry in entries:
            self.label_times.pop(entry.signal.fields.get("tracking", ""), None)
        signals = [entry.signal for entry in entries]
        self._store.record_audit_events("undo", signals, self._make_origin(operator), "taken back at the bench")
        return done

    def _make_origin(self, operator: str, label: Label | None = None) -> Origin:
        return Origin(operator, self._rules.station, label.carrier if label else "")

    def _build_signal(self, item: ScannedItem, label: Label | None) -> Signal:
        said: dict[str, str | None] = {"order": item.order, "item": item.item}
        if label is not None:
            said["tracking"] = label.tracking
        if self._rules.needs_shipping_option:
            named = self._rules.carrier_options.get(label.carrier if label else "")
            said["shipping_option"] = named or self._rules.shipping_option
            if not said["shipping_option"]:
                raise InvalidInput("NO SHIPPING OPTION for this label", "Set shipping_option in the profile.")
        now = self._clock()
        return make_signal(self._rules.signal_type.name, self._rules.api_version, said, now, now)


def verdict_on(found: Sequence[AcceptedSignal], label: Label | None) -> Verdict:
    """The verdict on signals of which none contradicts another."""
    new = [one for one in found if one.is_new]
    about = new or found
    what = about[0].signal.item if len(about) == 1 else f"{len(about)} items"
    arrow = f" -> {label.tracking}" if label else ""
    if not new:
        at = format_clock_time(from_ms(found[0].queued_signal.accepted_at))
        return Verdict(Severity.DONE, f"ALREADY DONE {at}: {what}{arrow}", signal_ids=collect_signal_ids(found))
    carrier = f"  {CARRIER_NAMES[label.carrier]}" if label and label.carrier else ""
    return Verdict(Severity.OK, f"{what}{arrow}{carrier}", signal_ids=collect_signal_ids(new))


def collect_signal_ids(accepted: Sequence[AcceptedSignal]) -> tuple[int, ...]:
    """The ids of the entries that these came to."""
    return tuple(one.queued_signal.id for one in accepted)


def _explain_too_late(entries: Sequence[QueuedSignal]) -> str:
    for entry in entries:
        if entry.state is State.DELIVERED and entry.settled_at:
            return f"was sent at {format_clock_time(from_ms(entry.settled_at))}"
        if entry.maybe_duplicate:
            return f"may have been sent at {format_clock_time(from_ms(entry.last_attempt_at))}"
    return ""


_CORRECTION_HINT = "Answer with OK. To correct it, scan it anew."
