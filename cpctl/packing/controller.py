"""The packing bench: from a scan to its verdict. Items, parcels, questions and answers; no screen, no keyboard."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from cpctl.clock import Clock, from_ms, utc_now
from cpctl.errors import Conflict, InvalidInput, StoreError
from cpctl.outbox.models import QueuedSignal, State
from cpctl.outbox.outbox import AcceptedSignal, Outbox
from cpctl.packing.bench_store import BenchStore, CodeHistory, ScannedItem
from cpctl.packing.models import Question, Severity, Verdict, format_clock_time
from cpctl.packing.parcel_reports import BenchReporter, Label, collect_signal_ids, verdict_on
from cpctl.packing.scan_decoder import (
    MIN_TRACKING_LENGTH,
    BenchCommand,
    ScannedCode,
    check_test_code,
    clean_scan,
    explain_bare_command,
    is_test_code,
    parse_command,
    repair_layout,
)
from cpctl.packing.shop_rules import ShopRules
from cpctl.signals.carriers import CARRIER_NAMES, TrackingValidity, is_ean, is_isbn
from cpctl.signals.signal import quote_value

REPEAT_WINDOW_SECONDS = 1.5  # seconds in which the same code again is the same scan
NOT_ACCEPTED = "NOT ACCEPTED, do not ship"
ORDER_HINT = "Scan the order's code first, start with --order, or set order_of_item in the profile."


class Bench:
    """One station at work. Every method is called from one thread."""

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
        self._leftover: list[
            ScannedItem
        ] = []  # what an earlier run left on the table, until the first item of this one
        self.order = ""
        self.is_paused = self.is_ended = self.is_help_shown = False
        self.unknown_codes: list[str] = []
        self._clock = clock
        self._monotonic = monotonic
        self._alerts: deque[Verdict] = deque()
        self._last_scan: tuple[str, float] = ("", -REPEAT_WINDOW_SECONDS)
        self._unconfirmed_text = ""
        self._saved_parcel_is_stale = False
        self._last_scan_added = (
            True  # whether the last report added a signal, so that UNDO has something of its own to undo
        )

    # --- scans --------------------------------------------------------------------------

    def scan(self, raw: str, is_typed: bool = False, arrived_at: float | None = None) -> Verdict | None:
        """The verdict on one scan; None where it is no scan, or the one before once more."""
        code = clean_scan(raw)
        if not code.text or self._is_repeat(code.text, self._monotonic() if arrived_at is None else arrived_at):
            return None
        try:
            verdict = self._judge(code, is_typed)
        except StoreError as error:
            verdict = self._stop_for_store_error(error)
        return verdict._replace(time=self._clock(), code=verdict.code or code.text)

    def interrupt(self, message: str, hint: str, signal_ids: Sequence[int] = ()) -> None:
        """Have the bench stopped, as soon as nothing else is asked: news that a person must hear."""
        self._alerts.append(Verdict(Severity.STOP, message, hint, signal_ids=tuple(signal_ids)))

    def interrupt_for(self, entry: QueuedSignal) -> None:
        """Stop for a signal that the service refused, or did not take in time."""
        what = "PULL THE PARCEL" if self.rules.needs_label else "PULL THE ITEM"
        why = entry.message or str(entry.state)
        self.interrupt(f"{what} of item {entry.signal.item}: {entry.state}: {why}", "Answer with OK.", [entry.id])

    def pop_alert(self) -> Verdict | None:
        """News that now hold the bench, if any wait and nothing else is asked."""
        if not self._alerts or self.question is not None:
            return None
        return self._stop(*self._alerts.popleft()[1:3])._replace(time=self._clock())

    def recover(self) -> Verdict | None:
        """Take up what this station left unfinished. Raises StoreError."""
        left = self.store.find_open_parcel(self.rules.signal_type.name) if self.rules.needs_label else None
        if left is None:
            return None
        self.parcel, self._leftover = list(left.items), list(left.items)
        items = ", ".join(piece.item for piece in left.items)
        since = f"{left.since.astimezone():%Y-%m-%d %H:%M}"
        words = f"Item {items} was scanned {since} and has no label yet"
        return Verdict(Severity.STEP, words, "Scan its label, or NEXT to put it aside.", time=self._clock())

    def save_stale_parcel(self) -> None:
        """Tidy up after a verdict was shown: what is accepted waits no longer. Raises StoreError."""
        if self._saved_parcel_is_stale:
            self.store.save_open_parcel(self.parcel, self._clock())
            self._saved_parcel_is_stale = False

    def next_step(self) -> str:
        """What comes next, for the screen."""
        if self.is_paused:
            return "PAUSED: scan a badge, or PAUSE again"
        if self.question is not None:
            return self.question.verdict.hint or "Answer with OK"
        if self.parcel:
            items = "the item" if len(self.parcel) == 1 else f"the {len(self.parcel)} items"
            return f"scan the LABEL of {items}, or another item"
        return f"scan the ITEM ({self.rules.signal_type.command})"

    # --- which kind of code -------------------------------------------------------------

    def _is_repeat(self, text: str, now: float) -> bool:
        last, when = self._last_scan
        self._last_scan = (text, now)
        return text == last and now - when < REPEAT_WINDOW_SECONDS

    def _judge(self, code: ScannedCode, is_typed: bool) -> Verdict:
        command = parse_command(code.text)
        if command is None and (meant := repair_layout(code.text, lambda text: parse_command(text) is not None)):
            command = parse_command(meant[0])
        if command is not None:
            return self._run_command(command)
        if is_test_code(code.text):
            reading = check_test_code(code.text)
            return Verdict(Severity.STEP if reading.is_ok else Severity.CHECK, reading.message, reading.hint)
        if (advice := explain_bare_command(code.text)) and not self.rules.is_id(code.text):
            return Verdict(Severity.CHECK, *advice)
        if is_typed and self._unconfirmed_text != code.text:
            self._unconfirmed_text = code.text
            self._last_scan = ("", -REPEAT_WINDOW_SECONDS)
            return Verdict(
                Severity.CHECK, f"Typed by hand: {quote_value(code.text)}", "Type it once more, just the same."
            )
        self._unconfirmed_text = ""
        mended, layout = self.rules.repair(code, allow_labels=bool(self.parcel))
        return self._route_code(mended)._replace(repaired_layout=layout, code=mended.text)

    def _route_code(self, code: ScannedCode) -> Verdict:
        if name := self.rules.parse_badge(code.text):
            self.operator, self.is_paused = name, False
            return Verdict(Severity.STEP, f"Good day, {name}", self.question.verdict.message if self.question else "")
        if self.is_paused:
            return Verdict(Severity.CHECK, "PAUSED: nothing was accepted", "Scan a badge, or PAUSE again.")
        if self.question is not None and not (self.question.allows_rescan and self._can_be_label(code)):
            held = self.question.verdict
            return held._replace(message=f"Answer first. {held.message.removeprefix('Answer first. ')}")
        self.question, self.is_help_shown = None, False
        return self._read_label_code(code) if self.parcel else self._read_item_code(code)

    def _read_item_code(self, code: ScannedCode) -> Verdict:
        text = code.text
        heard = CodeHistory((), False) if code.has_control else self.store.find_code_history(text)
        if code.has_control:
            return self._stop("This is a 2D code, or two codes read as one", "Answer with OK, then scan the ITEM.")
        if self._is_order(text, heard):
            self.order = text
            return Verdict(Severity.STEP, f"Order {text}", "Now its items.")
        if self.rules.is_id(text) or heard.orders:
            return self._add_item(text, heard)
        if (at := self.reporter.label_times.get(text)) is not None:
            self._last_scan_added = False
            return Verdict(Severity.DONE, f"ALREADY DONE {format_clock_time(at)}: {text}")
        return self._stop(*self._explain_not_item(text))

    def _explain_not_item(self, text: str) -> tuple[str, str]:
        if is_isbn(text) or is_ean(text):
            return "THIS IS THE BOOK'S ISBN" if is_isbn(text) else "THIS IS AN ARTICLE NUMBER", _SCAN_ITEM_HINT
        if self.rules.is_label(text):
            return f"THIS IS A LABEL: {quote_value(text)}", _SCAN_ITEM_HINT
        self.unknown_codes.append(text)
        return f"UNKNOWN CODE {quote_value(text)}", "Answer with OK. If it is an item's code: set item_pattern."

    def _can_be_label(self, code: ScannedCode) -> bool:
        return not (code.has_control or self.rules.is_id(code.text) or is_isbn(code.text))

    def _is_order(self, text: str, history: CodeHistory) -> bool:
        return self.rules.is_order(text) or (history.is_order and not history.orders)

    def _read_label_code(self, code: ScannedCode) -> Verdict:
        text = code.text
        if any(text == piece.item for piece in self.parcel):
            return self._stop("THIS IS THE ITEM AGAIN", _SCAN_LABEL_HINT)
        if code.has_control:
            return self._stop("This is a 2D code, or two codes read as one", _SCAN_LABEL_HINT)
        if is_isbn(text):
            return self._stop("THIS IS THE BOOK'S ISBN", _SCAN_LABEL_HINT)
        if len(text) < MIN_TRACKING_LENGTH:
            return self._stop(f"{quote_value(text)} is too short for a label", _SCAN_LABEL_HINT)
        heard = self.store.find_code_history(text)
        if self._is_order(text, heard):
            return self._stop("THIS IS THE ORDER'S CODE", _SCAN_LABEL_HINT)
        if heard.orders:
            return self._add_item(text, heard)
        if self.rules.is_id(text):
            return self._ask_item_or_label(text, heard) if self.rules.is_label(text) else self._add_item(text, heard)
        return self._check_label(text)

    # --- items --------------------------------------------------------------------------

    def _add_item(self, item: str, history: CodeHistory) -> Verdict:
        try:
            piece = ScannedItem(item, self._resolve_order(item, history))
        except InvalidInput as error:
            return self._stop(error.message, error.hint)
        if not self.rules.needs_label:
            return self._accept_items([piece], None)
        left, self._leftover = self._leftover, []
        if left and left == self.parcel:
            return self._ask(
                f"ITEM {', '.join(each.item for each in left)} was here before, and has no label yet",
                f"NEXT = put it aside and go on with {item}, OK = both are in one parcel",
                lambda: self._add_to_parcel(piece),
                lambda: self._replace_leftover(piece),
                Severity.CHECK,
            )
        return self._add_to_parcel(piece)

    def _replace_leftover(self, item: ScannedItem) -> Verdict:
        order = self.order
        self._set_parcel_aside()
        self.order = order
        return self._add_to_parcel(item)

    def _add_to_parcel(self, item: ScannedItem) -> Verdict:
        self.store.save_open_parcel([*self.parcel, item], self._clock())
        self._saved_parcel_is_stale = False
        self.parcel.append(item)
        number = "" if len(self.parcel) == 1 else f", number {len(self.parcel)} of this parcel"
        return Verdict(Severity.STEP, f"ITEM {item.item} of order {item.order}{number}", "Its label is next.")

    def _resolve_order(self, item: str, history: CodeHistory) -> str:
        """The order of an item, told and never guessed. Raises InvalidInput where it is not, or told twice."""
        given = self.order or self.rules.order
        ruled = self.rules.find_order(item)
        told = [ruled] if ruled else list(history.orders)
        if given and told and given not in told:
            raise InvalidInput(f"ITEM {item} IS OF ORDER {' or '.join(told)}, not of {given}", _PUT_ASIDE_HINT)
        if given or len(told) == 1:
            return given or told[0]
        if told:
            raise InvalidInput(f"ITEM {item} was reported of several orders: {', '.join(told)}", ORDER_HINT)
        raise InvalidInput(f"The ORDER of item {item} is not known", f"Answer with OK. {ORDER_HINT}")

    # --- labels -------------------------------------------------------------------------

    def _ask_item_or_label(self, text: str, history: CodeHistory) -> Verdict:
        words = f"ITEM OR LABEL? {text} can be both"
        more = "OK: it is the label. NEXT: it is another item. (A narrower item_pattern ends this question.)"
        return self._ask(
            words, more, lambda: self._check_label(text), lambda: self._add_item(text, history), Severity.CHECK
        )

    def _check_label(self, text: str) -> Verdict:
        if not self.rules.carriers:
            return (
                self._ask_about_label(text, "This is a web address")
                if "://" in text
                else self._report_parcel(Label(text))
            )
        if self.rules.environment == "sandbox" and text.startswith("SANDBOX_"):
            return self._report_parcel(Label(text))
        known = self.rules.recognize_label(text)
        if known.validity is TrackingValidity.VALID and not known.is_routing_code:
            return self._report_parcel(Label(known.tracking, known.carrier))
        if known.validity is TrackingValidity.VALID:
            return self._ask_about_label(text, "This looks like the routing code, not the parcel's number")
        if known.validity is TrackingValidity.WRONG_CHECK_DIGIT:
            who = CARRIER_NAMES.get(known.carrier, "its")
            return self._ask_about_label(known.tracking, f"The label looks damaged ({who} check digit)", known.carrier)
        if is_ean(text):
            return self._ask_about_label(text, "This looks like an article number (EAN)")
        return self._ask_about_label(text, "No carrier of this shop has such codes")

    def _ask_about_label(self, text: str, message: str, carrier: str = "") -> Verdict:
        return self._ask(
            f"{message}: {text}",
            "Scan the right label, or OK to keep this one, NEXT to forget it.",
            lambda: self._report_parcel(Label(text, carrier, message)),
            lambda: Verdict(Severity.STEP, f"Forgotten: {text}", "Scan the label."),
            Severity.CHECK,
            allows_rescan=True,
        )

    def _report_parcel(self, label: Label) -> Verdict:
        return self._accept_items(list(self.parcel), label)

    # --- accepting ----------------------------------------------------------------------

    def _accept_items(self, items: Sequence[ScannedItem], label: Label | None, force: bool = False) -> Verdict:
        try:
            found = self.reporter.accept(items, label, self.operator, force)
        except InvalidInput as error:
            return self._stop(error.message, error.hint)
        # From here on it is accepted, whatever else goes wrong.
        self.order = ""
        self._last_scan_added = any(one.is_new for one in found)
        if label is not None:
            self.parcel, self._saved_parcel_is_stale = [], True
        if label and label.overruled_warning and any(one.is_new for one in found):
            try:
                self.reporter.record_override(found, label, self.operator)
            except StoreError as error:
                self.interrupt("Accepted, but the override could not be written down", error.message)
        conflicts = [one for one in found if one.state is State.CONFLICT]
        return self._ask_about_conflicts(conflicts, label, len(found)) if conflicts else verdict_on(found, label)

    def _ask_about_conflicts(
        self, conflicts: Sequence[AcceptedSignal], label: Label | None, accepted_count: int
    ) -> Verdict:
        first = conflicts[0]
        known = first.queued_signal.signal.fields.get("tracking", "something else")
        at = format_clock_time(from_ms(first.queued_signal.accepted_at))
        others = ". The others of the parcel are accepted" if len(conflicts) < accepted_count else ""
        kept = Verdict(Severity.DONE, f"Kept: {first.signal.item} -> {known}", signal_ids=collect_signal_ids(conflicts))
        return self._ask(
            f"ITEM {first.signal.item} ALREADY HAS {known} ({at})",
            f"NEXT = keep the old one, OK = replace it{others}",
            lambda: self._replace_conflicts(conflicts, label),
            lambda: kept,
        )

    def _replace_conflicts(self, conflicts: Sequence[AcceptedSignal], label: Label | None) -> Verdict:
        verdict = self._accept_items(
            [ScannedItem(one.signal.item, one.signal.order) for one in conflicts], label, force=True
        )
        if verdict.severity is Severity.OK:
            self.reporter.drop_replaced(conflicts)
        return verdict

    # --- commands -----------------------------------------------------------------------

    def _run_command(self, command: BenchCommand) -> Verdict:
        if command is BenchCommand.PAUSE or (
            self.is_paused and command is BenchCommand.OK and not self.rules.badge_prefix
        ):
            self.is_paused = not self.is_paused
            return Verdict(Severity.STEP, "PAUSED" if self.is_paused else "Go on")
        if self.is_paused:
            return Verdict(Severity.CHECK, "PAUSED: nothing was done", "Scan a badge, or PAUSE again.")
        if command is BenchCommand.HELP:
            self.is_help_shown = not self.is_help_shown
            return self.question.verdict if self.question else Verdict(Severity.STEP, "HELP")
        self.is_help_shown = False
        if self.question is not None:
            if command is BenchCommand.STOP:
                return self.question.verdict
            asked, self.question = self.question, None
            return asked.on_ok() if command is BenchCommand.OK else asked.on_next()
        if command is BenchCommand.UNDO:
            return self._undo()
        if command is BenchCommand.STOP:
            self.is_ended = True
            return Verdict(Severity.STEP, "END OF THE SHIFT")
        if command is BenchCommand.NEXT and self.parcel:
            return self._set_parcel_aside()
        return Verdict(Severity.STEP, "Nothing is asked")

    def _set_parcel_aside(self) -> Verdict:
        items = ", ".join(piece.item for piece in self.parcel)
        self.store.save_open_parcel([], self._clock())
        self.parcel, self.order = [], ""
        return Verdict(Severity.STEP, f"Put aside, not reported: {items}")

    def _undo(self) -> Verdict:
        if self.parcel:
            last = self.parcel[-1]
            self.store.save_open_parcel(self.parcel[:-1], self._clock())
            self.parcel.pop()
            return Verdict(Severity.STEP, f"Taken back: item {last.item}")
        if not self._last_scan_added:
            return Verdict(Severity.STEP, "Nothing to take back", "The last scan added nothing: it was done before.")
        try:
            done = self.reporter.undo(self.operator)
        except Conflict as error:
            return self._stop(error.message, error.hint)
        if done is None:
            return Verdict(Severity.STEP, "Nothing to take back")
        if self.rules.needs_label:
            self.parcel, self._saved_parcel_is_stale = list(done.items), True
        items = ", ".join(piece.item for piece in done.items)
        return Verdict(Severity.STEP, f"TAKEN BACK: {items}", "Scan its label, or NEXT." if self.parcel else "")

    # --- questions ----------------------------------------------------------------------

    def _ask(
        self,
        message: str,
        hint: str,
        on_ok: Callable[[], Verdict],
        on_next: Callable[[], Verdict],
        severity: Severity = Severity.STOP,
        allows_rescan: bool = False,
    ) -> Verdict:
        verdict = Verdict(severity, message, hint)
        self.question = Question(verdict, on_ok, on_next, allows_rescan)
        return verdict

    def _stop(self, message: str, hint: str = "Answer with OK.") -> Verdict:
        def heard() -> Verdict:
            return Verdict(Severity.STEP, "Go on", self.next_step())

        return self._ask(message, hint, heard, heard)

    def _stop_for_store_error(self, error: StoreError) -> Verdict:
        words = error.message.removeprefix("NOT ACCEPTED, nothing sent: ")
        return self._stop(f"{NOT_ACCEPTED}. {words}", f"{error.hint} Then answer with OK, and scan again.".strip())


_SCAN_ITEM_HINT = "Answer with OK, then scan the ITEM."
_SCAN_LABEL_HINT = "Answer with OK, then scan the LABEL."
_PUT_ASIDE_HINT = "Answer with OK, and put it aside."
