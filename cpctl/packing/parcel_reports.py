"""From a finished parcel to the outbox, and back: accepting, replacing, taking back."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cpctl.errors import Conflict, InvalidInput, NotFound, StoreError
from cpctl.outbox.models import Entry, Origin, State, from_ms
from cpctl.outbox.outbox import Accepted, Clock, Outbox
from cpctl.packing.bench_store import Memory, Piece
from cpctl.packing.models import Level, Verdict, local
from cpctl.packing.shop_rules import Rules
from cpctl.signals.carriers import CARRIERS
from cpctl.signals.signal import Signal, make_signal

_REMEMBERED = 200


class Label(NamedTuple):
    """A tracking code that is to be reported."""

    tracking: str
    carrier: str = ""
    overruled: str = ""  # the advice that the operator overruled


class Done(NamedTuple):
    """What one scan had accepted: for UNDO."""

    pieces: tuple[Piece, ...]
    ids: tuple[int, ...]


class Reports:
    """What this run of a bench has reported."""

    def __init__(self, outbox: Outbox, rules: Rules, memory: Memory, clock: Clock) -> None:
        self.accepted = self.overrides = self.taken_back = 0
        self.labels: dict[str, datetime] = {}  # the last ones, with the time of their scan
        self._outbox = outbox
        self._rules = rules
        self._memory = memory
        self._clock = clock
        self._done: deque[Done] = deque(maxlen=_REMEMBERED)

    def accept(self, pieces: Sequence[Piece], label: Label | None, operator: str, force: bool) -> list[Accepted]:
        """Take responsibility for all pieces at once. Raises InvalidInput, StoreError: then for none."""
        signals = [self._signal(piece, label) for piece in pieces]
        origin = self._origin(operator, label)
        found = self._outbox.accept(signals, force, [origin] * len(signals), self._rules.hold)
        if label is not None:
            self.labels[label.tracking] = self._clock()
            while len(self.labels) > _REMEMBERED:
                self.labels.pop(next(iter(self.labels)))
        if new := [one for one in found if one.new]:
            self._done.append(Done(tuple(Piece(one.signal.item, one.signal.order) for one in new), ids_of(new)))
            self.accepted += len(new)
            self.overrides += len(new) if force else 0
        return found

    def note_override(self, found: Sequence[Accepted], label: Label, operator: str) -> None:
        """Write down that the operator overruled an advice. Raises StoreError."""
        new = [one.signal for one in found if one.new]
        self.overrides += len(new)
        self._memory.note("override", new, self._origin(operator, label), f"{label.overruled}: {label.tracking}")

    def withdraw(self, replaced: Sequence[Accepted]) -> None:
        """What was replaced need not be sent any more, where it was not."""
        for one in replaced:
            try:
                (entry,) = self._outbox.entries([one.entry.id])
                if entry.state in (State.QUEUED, State.HELD) and not entry.maybe_duplicate:
                    self._outbox.drop([entry.id])
            except (Conflict, NotFound, StoreError):
                pass  # it goes first, and the new one follows

    def take_back(self, operator: str) -> Done | None:
        """Take back what was accepted last; None where there is nothing. Raises Conflict, StoreError."""
        if not self._done:
            return None
        done = self._done[-1]
        items = ", ".join(piece.item for piece in done.pieces)
        try:
            entries = self._outbox.entries(done.ids)
        except NotFound as error:  # the store was damaged and set aside, and a new one begun
            raise Conflict(f"NOT TAKEN BACK: {items} is not in this store any more", "Answer with OK.") from error
        if too_late := _why_too_late(entries):
            raise Conflict(f"TOO LATE: {items} {too_late}", _CORRECT)
        try:
            self._outbox.drop(done.ids)
        except Conflict as error:
            raise Conflict(f"TOO LATE: {items} is being sent right now", _CORRECT) from error
        self._done.pop()
        self.taken_back += len(done.ids)
        for entry in entries:
            self.labels.pop(entry.signal.fields.get("tracking", ""), None)
        signals = [entry.signal for entry in entries]
        self._memory.note("undo", signals, self._origin(operator), "taken back at the bench")
        return done

    def _origin(self, operator: str, label: Label | None = None) -> Origin:
        return Origin(operator, self._rules.station, label.carrier if label else "")

    def _signal(self, piece: Piece, label: Label | None) -> Signal:
        said: dict[str, str | None] = {"order": piece.order, "item": piece.item}
        if label is not None:
            said["tracking"] = label.tracking
        if self._rules.wants_option:
            named = self._rules.carrier_options.get(label.carrier if label else "")
            said["shipping_option"] = named or self._rules.shipping_option
            if not said["shipping_option"]:
                raise InvalidInput("NO SHIPPING OPTION for this label", "Set shipping_option in the profile.")
        now = self._clock()
        return make_signal(self._rules.kind.name, self._rules.version, said, now, now)


def told(found: Sequence[Accepted], label: Label | None) -> Verdict:
    """The verdict on signals of which none contradicts another."""
    new = [one for one in found if one.new]
    about = new or found
    what = about[0].signal.item if len(about) == 1 else f"{len(about)} items"
    arrow = f" -> {label.tracking}" if label else ""
    if not new:
        at = local(from_ms(found[0].entry.accepted_at))
        return Verdict(Level.DONE, f"ALREADY DONE {at}: {what}{arrow}", ids=ids_of(found))
    carrier = f"  {CARRIERS[label.carrier]}" if label and label.carrier else ""
    return Verdict(Level.OK, f"{what}{arrow}{carrier}", ids=ids_of(new))


def ids_of(accepted: Sequence[Accepted]) -> tuple[int, ...]:
    """The ids of the entries that these came to."""
    return tuple(one.entry.id for one in accepted)


def _why_too_late(entries: Sequence[Entry]) -> str:
    for entry in entries:
        if entry.state is State.DELIVERED and entry.settled_at:
            return f"was sent at {local(from_ms(entry.settled_at))}"
        if entry.maybe_duplicate:
            return f"may have been sent at {local(from_ms(entry.last_attempt_at))}"
    return ""


_CORRECT = "Answer with OK. To correct it, scan it anew."
