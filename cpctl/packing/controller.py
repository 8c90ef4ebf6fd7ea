"""The packing bench: from a scan to its verdict. Parcels, questions and commands; no screen and no keyboard."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from cpctl.clock import Clock, from_ms, utc_now
from cpctl.errors import Conflict, InvalidInput, StoreError
from cpctl.outbox.acceptance import AcceptedSignal
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import Outbox
from cpctl.packing import scanned_codes
from cpctl.packing.bench_store import BenchStore, CodeHistory, ScannedItem, join_items
from cpctl.packing.code_identification import CodeIdentifier, CodeKind, Label, read_label, resolve_order
from cpctl.packing.models import Question, Severity, Verdict, format_clock_time
from cpctl.packing.parcel_reports import BenchReporter, collect_signal_ids, make_verdict
from cpctl.packing.scanned_codes import BenchCommand, ScannedCode, ShopRules
from cpctl.signals.signal import quote_value

REPEAT_WINDOW_SECONDS = 1.5  # the same code again within this time is the same scan
NOT_ACCEPTED = "NOT ACCEPTED, do not ship"
_ANSWER_FIRST = "Answer first. "
_PAUSED_HINT = "Scan a badge, or PAUSE again."


class Bench:
    """One station at work. Call every method from the same thread."""

    def __init__(
        self,
        outbox: Outbox,
        rules: ShopRules,
        operator: str = "",
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules
        self.operator = operator
        self.store = BenchStore(outbox, rules.station)
        self.reporter = BenchReporter(outbox, rules, self.store, clock)
        self.question: Question | None = None
        self.parcel: list[ScannedItem] = []
        self.order = ""
        self.is_paused = self.is_ended = self.is_help_shown = False
        self.unknown_codes: list[str] = []
        self._identifier = CodeIdentifier(rules, self.store)
        self._leftover: list[ScannedItem] = []  # items left by an earlier run, until the first item of this one
        self._clock = clock
        self._monotonic = monotonic
        self._alerts: deque[tuple[str, str]] = deque()
        self._last_scan: tuple[str, float] = ("", -REPEAT_WINDOW_SECONDS)
        self._unconfirmed_text = ""
        self._saved_parcel_is_stale = False
        self._last_scan_added = True  # False: UNDO would undo a signal of an earlier scan, so it does nothing

    # --- scans and alerts ---------------------------------------------------------------

    def scan(self, raw: str, is_typed: bool = False, arrived_at: float | None = None) -> Verdict | None:
        """Return the verdict on a scan; None for an empty scan, or the same one once more."""
        code = scanned_codes.clean_scan(raw)
        if not code.text or self._is_repeat(code.text, self._monotonic() if arrived_at is None else arrived_at):
            return None
        try:
            verdict = self._judge(code, is_typed)
        except StoreError as error:
            reason = error.message.removeprefix("NOT ACCEPTED, nothing sent: ")
            verdict = self._stop(f"{NOT_ACCEPTED}. {reason}", f"{error.hint} Then scan OK, and scan again.".strip())
        return verdict._replace(time=self._clock(), code=verdict.code or code.text)

    def interrupt(self, message: str, hint: str) -> None:
        """Stop the bench with an alert as soon as no question is open."""
        self._alerts.append((message, hint))

    def interrupt_for(self, entry: QueuedSignal) -> None:
        """Stop for a signal that the service refused, or that expired."""
        item = entry.signal.item
        action = f"PULL THE PARCEL with item {item}" if self.rules.needs_label else f"PULL THE ITEM {item}"
        self.interrupt(f"{action}: {entry.state}: {entry.message or entry.state}", "Scan OK.")

    def pop_alert(self) -> Verdict | None:
        """Return the next alert, which now stops the bench; None if there is none, or a question is open."""
        if not self._alerts or self.question is not None:
            return None
        return self._stop(*self._alerts.popleft())._replace(time=self._clock())

    def recover(self) -> Verdict | None:
        """Continue with the parcel that this station left open. Raises StoreError."""
        left = self.store.find_open_parcel(self.rules.signal_type.name) if self.rules.needs_label else None
        if left is None:
            return None
        self.parcel, self._leftover = list(left.items), list(left.items)
        message = f"Item {join_items(left.items)} was scanned {left.since.astimezone():%Y-%m-%d %H:%M}"
        hint = "Scan its label, or NEXT to put it aside."
        return Verdict(Severity.STEP, f"{message} and has no label yet", hint, time=self._clock())

    def save_stale_parcel(self) -> None:
        """Update the saved parcel after its verdict was shown. Raises StoreError."""
        # A verdict does not wait for this write: `find_open_parcel` leaves out what was accepted in the meantime.
        if self._saved_parcel_is_stale:
            self.store.save_open_parcel(self.parcel, self._clock())
            self._saved_parcel_is_stale = False

    def next_step(self) -> str:
        """What to do next, for the screen."""
        if self.is_paused:
            return "PAUSED: scan a badge, or PAUSE again"
        if self.question is not None:
            return self.question.verdict.hint or "Scan OK"
        if self.parcel:
            items = "the item" if len(self.parcel) == 1 else f"the {len(self.parcel)} items"
            return f"scan the LABEL of {items}, or another item"
        return f"scan the ITEM ({self.rules.signal_type.command})"

    # --- codes --------------------------------------------------------------------------

    def _is_repeat(self, text: str, now: float) -> bool:
        last, time_of_last = self._last_scan
        self._last_scan = (text, now)
        return text == last and now - time_of_last < REPEAT_WINDOW_SECONDS

    def _judge(self, code: ScannedCode, is_typed: bool) -> Verdict:
        command = scanned_codes.parse_command(code.text)
        if command is None and (
            repaired := scanned_codes.repair_layout(
                code.text, lambda text: scanned_codes.parse_command(text) is not None
            )
        ):
            command = scanned_codes.parse_command(repaired[0])
        if command is not None:
            return self._run_command(command)
        if verdict := scanned_codes.check_test_code(code.text):
            return verdict
        if (verdict := scanned_codes.explain_bare_command(code.text)) and not self.rules.is_id(code.text):
            return verdict
        if is_typed and self._unconfirmed_text != code.text:
            self._unconfirmed_text = code.text
            self._last_scan = ("", -REPEAT_WINDOW_SECONDS)
            return Verdict(Severity.CHECK, f"Typed by hand: {quote_value(code.text)}", "Type it again to confirm.")
        self._unconfirmed_text = ""
        repaired_code, layout = self.rules.repair(code, allow_labels=bool(self.parcel))
        return self._route_code(repaired_code)._replace(repaired_layout=layout, code=repaired_code.text)

    def _route_code(self, code: ScannedCode) -> Verdict:
        if name := self.rules.parse_badge(code.text):
            self.operator, self.is_paused = name, False
            return Verdict(Severity.STEP, f"Hello, {name}", self.question.verdict.message if self.question else "")
        if self.is_paused:
            return Verdict(Severity.CHECK, "PAUSED: nothing was accepted", _PAUSED_HINT)
        if self.question is not None and not (self.question.allows_rescan and self._identifier.can_be_label(code)):
            asked = self.question.verdict
            return asked._replace(message=f"{_ANSWER_FIRST}{asked.message.removeprefix(_ANSWER_FIRST)}")
        self.question, self.is_help_shown = None, False
        return self._read_label_code(code) if self.parcel else self._read_item_code(code)

    def _read_item_code(self, code: ScannedCode) -> Verdict:
        found = self._identifier.identify_item(code)
        if found.kind is CodeKind.ORDER:
            self.order = found.text
            return Verdict(Severity.STEP, f"Order {found.text}", "Scan its items.")
        if found.kind is CodeKind.ITEM:
            return self._add_item(found.text, found.history)
        if (reported_at := self.reporter.label_times.get(found.text)) is not None:
            self._last_scan_added = False
            return Verdict(Severity.DONE, f"ALREADY DONE {format_clock_time(reported_at)}: {found.text}")
        if found.kind is CodeKind.UNKNOWN:
            self.unknown_codes.append(found.text)
        return self._stop(found.message, found.hint)

    def _read_label_code(self, code: ScannedCode) -> Verdict:
        found = self._identifier.identify_label(code, self.parcel)
        if found.kind is CodeKind.WRONG:
            return self._stop(found.message, found.hint)
        if found.kind is CodeKind.ITEM:
            return self._add_item(found.text, found.history)
        if found.kind is CodeKind.LABEL:
            return self._check_label(found.text)
        message = f"ITEM OR LABEL? {found.text} could be both"
        hint = "OK: it is the label. NEXT: it is another item. (A narrower item_pattern avoids this question.)"
        return self._ask(
            message, hint, lambda: self._check_label(found.text), lambda: self._add_item(found.text, found.history)
        )

    # --- items --------------------------------------------------------------------------

    def _add_item(self, item: str, history: CodeHistory) -> Verdict:
        try:
            scanned = ScannedItem(item, resolve_order(self.rules, self.order, item, history))
        except InvalidInput as error:
            return self._stop(error.message, error.hint)
        if not self.rules.needs_label:
            return self._accept_items([scanned], None)
        left, self._leftover = self._leftover, []
        if left and left == self.parcel:
            message = f"ITEM {join_items(left)} was here before, and has no label yet"
            hint = f"NEXT = put it aside and continue with {item}, OK = both are in one parcel"
            return self._ask(
                message, hint, lambda: self._add_to_parcel(scanned), lambda: self._replace_leftover(scanned)
            )
        return self._add_to_parcel(scanned)

    def _replace_leftover(self, scanned: ScannedItem) -> Verdict:
        order = self.order
        self._set_parcel_aside()
        self.order = order
        return self._add_to_parcel(scanned)

    def _add_to_parcel(self, scanned: ScannedItem) -> Verdict:
        # Saved first: an item that could not be saved must not be shown as on the table.
        self.store.save_open_parcel([*self.parcel, scanned], self._clock())
        self._saved_parcel_is_stale = False
        self.parcel.append(scanned)
        number = "" if len(self.parcel) == 1 else f", number {len(self.parcel)} of this parcel"
        return Verdict(Severity.STEP, f"ITEM {scanned.item} of order {scanned.order}{number}", "Scan its label.")

    # --- labels -------------------------------------------------------------------------

    def _check_label(self, text: str) -> Verdict:
        label = read_label(self.rules, text)
        if not label.warning:
            return self._accept_items(self.parcel, label)
        hint = "Scan the right label, or OK to keep this one, or NEXT to discard it."
        discarded = Verdict(Severity.STEP, f"Discarded: {label.tracking}", "Scan the label.")
        message = f"{label.warning}: {label.tracking}"
        return self._ask(
            message, hint, lambda: self._accept_items(self.parcel, label), lambda: discarded, allows_rescan=True
        )

    def _accept_items(self, items: Sequence[ScannedItem], label: Label | None, force: bool = False) -> Verdict:
        try:
            accepted = self.reporter.accept(items, label, self.operator, force)
        except InvalidInput as error:
            return self._stop(error.message, error.hint)
        # From here on the items are accepted, whatever else fails.
        self.order = ""
        self._last_scan_added = any(signal.is_new for signal in accepted)
        if label is not None:
            self.parcel, self._saved_parcel_is_stale = [], True
        if label and label.warning and self._last_scan_added:
            try:
                self.reporter.record_override(accepted, label, self.operator)
            except StoreError as error:
                self.interrupt("Accepted, but the override could not be recorded", error.message)
        if conflicts := [signal for signal in accepted if signal.state is State.CONFLICT]:
            return self._ask_about_conflicts(conflicts, label, len(accepted))
        return make_verdict(accepted, label)

    def _ask_about_conflicts(
        self, conflicts: Sequence[AcceptedSignal], label: Label | None, accepted_count: int
    ) -> Verdict:
        item, earlier = conflicts[0].signal.item, conflicts[0].queued_signal
        known = earlier.signal.fields.get("tracking", "something else")
        accepted_at = format_clock_time(from_ms(earlier.accepted_at))
        others = ". The other items of the parcel are accepted" if len(conflicts) < accepted_count else ""
        kept = Verdict(Severity.DONE, f"Kept: {item} -> {known}", signal_ids=collect_signal_ids(conflicts))
        message = f"ITEM {item} ALREADY HAS {known} ({accepted_at})"
        hint = f"NEXT = keep the old one, OK = replace it{others}"
        return self._ask(message, hint, lambda: self._replace_conflicts(conflicts, label), lambda: kept, Severity.STOP)

    def _replace_conflicts(self, conflicts: Sequence[AcceptedSignal], label: Label | None) -> Verdict:
        items = [ScannedItem(conflict.signal.item, conflict.signal.order) for conflict in conflicts]
        verdict = self._accept_items(items, label, force=True)
        if verdict.severity is Severity.OK:
            self.reporter.drop_replaced(conflicts)
        return verdict

    # --- commands -----------------------------------------------------------------------

    def _run_command(self, command: BenchCommand) -> Verdict:
        unlocks = self.is_paused and command is BenchCommand.OK and not self.rules.badge_prefix
        if command is BenchCommand.PAUSE or unlocks:
            self.is_paused = not self.is_paused
            return Verdict(Severity.STEP, "PAUSED" if self.is_paused else "Continue")
        if self.is_paused:
            return Verdict(Severity.CHECK, "PAUSED: nothing was done", _PAUSED_HINT)
        if command is BenchCommand.HELP:
            self.is_help_shown = not self.is_help_shown
            return self.question.verdict if self.question else Verdict(Severity.STEP, "HELP")
        self.is_help_shown = False
        if (question := self.question) is not None:
            if command is BenchCommand.END:  # a shift does not end over an open question
                return question.verdict
            self.question = None
            return question.on_ok() if command is BenchCommand.OK else question.on_next()
        if command is BenchCommand.UNDO:
            return self._undo()
        if command is BenchCommand.END:
            self.is_ended = True
            return Verdict(Severity.STEP, "END OF THE SHIFT")
        if command is BenchCommand.NEXT and self.parcel:
            return self._set_parcel_aside()
        return Verdict(Severity.STEP, "There is no question to answer")

    def _set_parcel_aside(self) -> Verdict:
        items = join_items(self.parcel)
        self.store.save_open_parcel([], self._clock())
        self.parcel, self.order = [], ""
        return Verdict(Severity.STEP, f"Put aside, not reported: {items}")

    def _undo(self) -> Verdict:
        if self.parcel:
            self.store.save_open_parcel(self.parcel[:-1], self._clock())
            return Verdict(Severity.STEP, f"Undone: item {self.parcel.pop().item}")
        if not self._last_scan_added:
            return Verdict(Severity.STEP, "Nothing to undo", "The last scan added nothing: it was already done.")
        try:
            undone = self.reporter.undo(self.operator)
        except Conflict as error:
            return self._stop(error.message, error.hint)
        if undone is None:
            return Verdict(Severity.STEP, "Nothing to undo")
        if self.rules.needs_label:
            self.parcel, self._saved_parcel_is_stale = list(undone.items), True
        hint = "Scan its label, or NEXT." if self.parcel else ""
        return Verdict(Severity.STEP, f"UNDONE: {join_items(undone.items)}", hint)

    # --- questions ----------------------------------------------------------------------

    def _ask(
        self,
        message: str,
        hint: str,
        on_ok: Callable[[], Verdict],
        on_next: Callable[[], Verdict],
        severity: Severity = Severity.CHECK,
        allows_rescan: bool = False,
    ) -> Verdict:
        verdict = Verdict(severity, message, hint)
        self.question = Question(verdict, on_ok, on_next, allows_rescan)
        return verdict

    def _stop(self, message: str, hint: str) -> Verdict:
        def resume() -> Verdict:
            return Verdict(Severity.STEP, "Continue", self.next_step())

        return self._ask(message, hint, resume, resume, Severity.STOP)
