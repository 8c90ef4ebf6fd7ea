"""The packing bench: from a scan to its verdict. Items, parcels, questions and answers; no screen, no keyboard."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from cpctl.errors import Conflict, InvalidInput, StoreError
from cpctl.outbox.models import Entry, State, from_ms
from cpctl.outbox.outbox import Accepted, Clock, Outbox, utc_now
from cpctl.packing.bench_store import Heard, Memory, Piece
from cpctl.packing.models import Level, Question, Verdict, local
from cpctl.packing.parcel_reports import Label, Reports, ids_of, told
from cpctl.packing.scan_decoder import (
    SHORTEST_TRACKING,
    Code,
    Command,
    bare,
    clean,
    command_of,
    is_test,
    read_test,
    repaired,
)
from cpctl.packing.shop_rules import Rules
from cpctl.signals.carriers import CARRIERS, Known, ean, isbn
from cpctl.signals.signal import shorten

BLANKING = 1.5  # seconds in which the same code again is the same scan
NOT_ACCEPTED = "NOT ACCEPTED, do not ship"
HOW_TO_ORDER = "Scan the order's code first, start with --order, or set order_of_item in the profile."


class Bench:
    """One station at work. Every method is called from one thread."""

    def __init__(
        self,
        outbox: Outbox,
        rules: Rules,
        operator: str = "",
        clock: Clock = utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules
        self.operator = operator
        self.memory = Memory(outbox, rules.station)
        self.reports = Reports(outbox, rules, self.memory, clock)
        self.question: Question | None = None
        self.parcel: list[Piece] = []
        self._left: list[Piece] = []  # what an earlier run left on the table, until the first item of this one
        self.order = ""
        self.paused = self.ended = self.help = False
        self.unknown: list[str] = []
        self._clock = clock
        self._ticks = ticks
        self._alerts: deque[Verdict] = deque()
        self._last: tuple[str, float] = ("", -BLANKING)
        self._typed = ""
        self._kept_is_old = False
        self._took = True  # whether the last report added a signal, so that UNDO has something of its own to undo

    # --- scans --------------------------------------------------------------------------

    def scan(self, raw: str, typed: bool = False, arrived: float | None = None) -> Verdict | None:
        """The verdict on one scan; None where it is no scan, or the one before once more."""
        code = clean(raw)
        if not code.text or self._once_more(code.text, self._ticks() if arrived is None else arrived):
            return None
        try:
            verdict = self._judged(code, typed)
        except StoreError as error:
            verdict = self._failed(error)
        return verdict._replace(at=self._clock(), code=verdict.code or code.text)

    def interrupt(self, words: str, more: str, ids: Sequence[int] = ()) -> None:
        """Have the bench stopped, as soon as nothing else is asked: news that a person must hear."""
        self._alerts.append(Verdict(Level.STOP, words, more, ids=tuple(ids)))

    def interrupt_for(self, entry: Entry) -> None:
        """Stop for a signal that the service refused, or did not take in time."""
        what = "PULL THE PARCEL" if self.rules.wants_label else "PULL THE ITEM"
        why = entry.message or str(entry.state)
        self.interrupt(f"{what} of item {entry.signal.item}: {entry.state}: {why}", "Answer with OK.", [entry.id])

    def next_alert(self) -> Verdict | None:
        """News that now hold the bench, if any wait and nothing else is asked."""
        if not self._alerts or self.question is not None:
            return None
        return self._stop(*self._alerts.popleft()[1:3])._replace(at=self._clock())

    def recover(self) -> Verdict | None:
        """Take up what this station left unfinished. Raises StoreError."""
        left = self.memory.unfinished(self.rules.kind.name) if self.rules.wants_label else None
        if left is None:
            return None
        self.parcel, self._left = list(left.pieces), list(left.pieces)
        items = ", ".join(piece.item for piece in left.pieces)
        since = f"{left.since.astimezone():%Y-%m-%d %H:%M}"
        words = f"Item {items} was scanned {since} and has no label yet"
        return Verdict(Level.STEP, words, "Scan its label, or NEXT to put it aside.", at=self._clock())

    def settle(self) -> None:
        """Tidy up after a verdict was shown: what is accepted waits no longer. Raises StoreError."""
        if self._kept_is_old:
            self.memory.keep(self.parcel, self._clock())
            self._kept_is_old = False

    def expected(self) -> str:
        """What comes next, for the screen."""
        if self.paused:
            return "PAUSED: scan a badge, or PAUSE again"
        if self.question is not None:
            return self.question.verdict.more or "Answer with OK"
        if self.parcel:
            items = "the item" if len(self.parcel) == 1 else f"the {len(self.parcel)} items"
            return f"scan the LABEL of {items}, or another item"
        return f"scan the ITEM ({self.rules.kind.command})"

    # --- which kind of code -------------------------------------------------------------

    def _once_more(self, text: str, now: float) -> bool:
        last, when = self._last
        self._last = (text, now)
        return text == last and now - when < BLANKING

    def _judged(self, code: Code, typed: bool) -> Verdict:
        command = command_of(code.text)
        if command is None and (meant := repaired(code.text, lambda text: command_of(text) is not None)):
            command = command_of(meant[0])
        if command is not None:
            return self._obey(command)
        if is_test(code.text):
            reading = read_test(code.text)
            return Verdict(Level.STEP if reading.fine else Level.CHECK, reading.words, reading.hint)
        if (advice := bare(code.text)) and not self.rules.is_id(code.text):
            return Verdict(Level.CHECK, *advice)
        if typed and self._typed != code.text:
            self._typed = code.text
            self._last = ("", -BLANKING)
            return Verdict(Level.CHECK, f"Typed by hand: {shorten(code.text)}", "Type it once more, just the same.")
        self._typed = ""
        mended, layout = self.rules.mended(code, labels=bool(self.parcel))
        return self._taken(mended)._replace(repaired=layout, code=mended.text)

    def _taken(self, code: Code) -> Verdict:
        if name := self.rules.badge(code.text):
            self.operator, self.paused = name, False
            return Verdict(Level.STEP, f"Good day, {name}", self.question.verdict.words if self.question else "")
        if self.paused:
            return Verdict(Level.CHECK, "PAUSED: nothing was accepted", "Scan a badge, or PAUSE again.")
        if self.question is not None and not (self.question.advice and self._is_for_label(code)):
            held = self.question.verdict
            return held._replace(words=f"Answer first. {held.words.removeprefix('Answer first. ')}")
        self.question, self.help = None, False
        return self._for_label(code) if self.parcel else self._for_item(code)

    def _for_item(self, code: Code) -> Verdict:
        text = code.text
        heard = Heard((), False) if code.control else self.memory.heard(text)
        if code.control:
            return self._stop("This is a 2D code, or two codes read as one", "Answer with OK, then scan the ITEM.")
        if self._is_order(text, heard):
            self.order = text
            return Verdict(Level.STEP, f"Order {text}", "Now its items.")
        if self.rules.is_id(text) or heard.orders:
            return self._item(text, heard)
        if (at := self.reports.labels.get(text)) is not None:
            self._took = False
            return Verdict(Level.DONE, f"ALREADY DONE {local(at)}: {text}")
        return self._stop(*self._why_no_item(text))

    def _why_no_item(self, text: str) -> tuple[str, str]:
        if isbn(text) or ean(text):
            return "THIS IS THE BOOK'S ISBN" if isbn(text) else "THIS IS AN ARTICLE NUMBER", _THEN_ITEM
        if self.rules.is_label(text):
            return f"THIS IS A LABEL: {shorten(text)}", _THEN_ITEM
        self.unknown.append(text)
        return f"UNKNOWN CODE {shorten(text)}", "Answer with OK. If it is an item's code: set item_pattern."

    def _is_for_label(self, code: Code) -> bool:
        return not (code.control or self.rules.is_id(code.text) or isbn(code.text))

    def _is_order(self, text: str, heard: Heard) -> bool:
        return self.rules.is_order(text) or (heard.is_order and not heard.orders)

    def _for_label(self, code: Code) -> Verdict:
        text = code.text
        if any(text == piece.item for piece in self.parcel):
            return self._stop("THIS IS THE ITEM AGAIN", _THEN_LABEL)
        if code.control:
            return self._stop("This is a 2D code, or two codes read as one", _THEN_LABEL)
        if isbn(text):
            return self._stop("THIS IS THE BOOK'S ISBN", _THEN_LABEL)
        if len(text) < SHORTEST_TRACKING:
            return self._stop(f"{shorten(text)} is too short for a label", _THEN_LABEL)
        heard = self.memory.heard(text)
        if self._is_order(text, heard):
            return self._stop("THIS IS THE ORDER'S CODE", _THEN_LABEL)
        if heard.orders:
            return self._item(text, heard)
        if self.rules.is_id(text):
            return self._which(text, heard) if self.rules.is_label(text) else self._item(text, heard)
        return self._label(text)

    # --- items --------------------------------------------------------------------------

    def _item(self, item: str, heard: Heard) -> Verdict:
        try:
            piece = Piece(item, self._order_of(item, heard))
        except InvalidInput as error:
            return self._stop(error.message, error.hint)
        if not self.rules.wants_label:
            return self._accept([piece], None)
        left, self._left = self._left, []
        if left and left == self.parcel:
            return self._ask(
                f"ITEM {', '.join(each.item for each in left)} was here before, and has no label yet",
                f"NEXT = put it aside and go on with {item}, OK = both are in one parcel",
                lambda: self._put_down(piece),
                lambda: self._instead(piece),
                Level.CHECK,
            )
        return self._put_down(piece)

    def _instead(self, piece: Piece) -> Verdict:
        order = self.order
        self._put_aside()
        self.order = order
        return self._put_down(piece)

    def _put_down(self, piece: Piece) -> Verdict:
        self.memory.keep([*self.parcel, piece], self._clock())
        self._kept_is_old = False
        self.parcel.append(piece)
        number = "" if len(self.parcel) == 1 else f", number {len(self.parcel)} of this parcel"
        return Verdict(Level.STEP, f"ITEM {piece.item} of order {piece.order}{number}", "Its label is next.")

    def _order_of(self, item: str, heard: Heard) -> str:
        """The order of an item, told and never guessed. Raises InvalidInput where it is not, or told twice."""
        given = self.order or self.rules.order
        ruled = self.rules.order_of(item)
        told = [ruled] if ruled else list(heard.orders)
        if given and told and given not in told:
            raise InvalidInput(f"ITEM {item} IS OF ORDER {' or '.join(told)}, not of {given}", _PUT_ASIDE)
        if given or len(told) == 1:
            return given or told[0]
        if told:
            raise InvalidInput(f"ITEM {item} was reported of several orders: {', '.join(told)}", HOW_TO_ORDER)
        raise InvalidInput(f"The ORDER of item {item} is not known", f"Answer with OK. {HOW_TO_ORDER}")

    # --- labels -------------------------------------------------------------------------

    def _which(self, text: str, heard: Heard) -> Verdict:
        words = f"ITEM OR LABEL? {text} can be both"
        more = "OK: it is the label. NEXT: it is another item. (A narrower item_pattern ends this question.)"
        return self._ask(words, more, lambda: self._label(text), lambda: self._item(text, heard), Level.CHECK)

    def _label(self, text: str) -> Verdict:
        if not self.rules.carriers:
            return self._advise(text, "This is a web address") if "://" in text else self._report(Label(text))
        if self.rules.environment == "sandbox" and text.startswith("SANDBOX_"):
            return self._report(Label(text))
        known = self.rules.recognise(text)
        if known.verdict is Known.OK and not known.routing:
            return self._report(Label(known.tracking, known.carrier))
        if known.verdict is Known.OK:
            return self._advise(text, "This looks like the routing code, not the parcel's number")
        if known.verdict is Known.WRONG_DIGIT:
            who = CARRIERS.get(known.carrier, "its")
            return self._advise(known.tracking, f"The label looks damaged ({who} check digit)", known.carrier)
        if ean(text):
            return self._advise(text, "This looks like an article number (EAN)")
        return self._advise(text, "No carrier of this shop has such codes")

    def _advise(self, text: str, words: str, carrier: str = "") -> Verdict:
        return self._ask(
            f"{words}: {text}",
            "Scan the right label, or OK to keep this one, NEXT to forget it.",
            lambda: self._report(Label(text, carrier, words)),
            lambda: Verdict(Level.STEP, f"Forgotten: {text}", "Scan the label."),
            Level.CHECK,
            advice=True,
        )

    def _report(self, label: Label) -> Verdict:
        return self._accept(list(self.parcel), label)

    # --- accepting ----------------------------------------------------------------------

    def _accept(self, pieces: Sequence[Piece], label: Label | None, force: bool = False) -> Verdict:
        try:
            found = self.reports.accept(pieces, label, self.operator, force)
        except InvalidInput as error:
            return self._stop(error.message, error.hint)
        # From here on it is accepted, whatever else goes wrong.
        self.order = ""
        self._took = any(one.new for one in found)
        if label is not None:
            self.parcel, self._kept_is_old = [], True
        if label and label.overruled and any(one.new for one in found):
            try:
                self.reports.note_override(found, label, self.operator)
            except StoreError as error:
                self.interrupt("Accepted, but the override could not be written down", error.message)
        conflicts = [one for one in found if one.state is State.CONFLICT]
        return self._contradicted(conflicts, label, len(found)) if conflicts else told(found, label)

    def _contradicted(self, conflicts: Sequence[Accepted], label: Label | None, all_of_them: int) -> Verdict:
        first = conflicts[0]
        known = first.entry.signal.fields.get("tracking", "something else")
        at = local(from_ms(first.entry.accepted_at))
        others = ". The others of the parcel are accepted" if len(conflicts) < all_of_them else ""
        kept = Verdict(Level.DONE, f"Kept: {first.signal.item} -> {known}", ids=ids_of(conflicts))
        return self._ask(
            f"ITEM {first.signal.item} ALREADY HAS {known} ({at})",
            f"NEXT = keep the old one, OK = replace it{others}",
            lambda: self._replace(conflicts, label),
            lambda: kept,
        )

    def _replace(self, conflicts: Sequence[Accepted], label: Label | None) -> Verdict:
        verdict = self._accept([Piece(one.signal.item, one.signal.order) for one in conflicts], label, force=True)
        if verdict.level is Level.OK:
            self.reports.withdraw(conflicts)
        return verdict

    # --- commands -----------------------------------------------------------------------

    def _obey(self, command: Command) -> Verdict:
        if command is Command.PAUSE or (self.paused and command is Command.OK and not self.rules.badge_prefix):
            self.paused = not self.paused
            return Verdict(Level.STEP, "PAUSED" if self.paused else "Go on")
        if self.paused:
            return Verdict(Level.CHECK, "PAUSED: nothing was done", "Scan a badge, or PAUSE again.")
        if command is Command.HELP:
            self.help = not self.help
            return self.question.verdict if self.question else Verdict(Level.STEP, "HELP")
        self.help = False
        if self.question is not None:
            if command is Command.STOP:
                return self.question.verdict
            asked, self.question = self.question, None
            return asked.yes() if command is Command.OK else asked.no()
        if command is Command.UNDO:
            return self._undo()
        if command is Command.STOP:
            self.ended = True
            return Verdict(Level.STEP, "END OF THE SHIFT")
        if command is Command.NEXT and self.parcel:
            return self._put_aside()
        return Verdict(Level.STEP, "Nothing is asked")

    def _put_aside(self) -> Verdict:
        items = ", ".join(piece.item for piece in self.parcel)
        self.memory.keep([], self._clock())
        self.parcel, self.order = [], ""
        return Verdict(Level.STEP, f"Put aside, not reported: {items}")

    def _undo(self) -> Verdict:
        if self.parcel:
            last = self.parcel[-1]
            self.memory.keep(self.parcel[:-1], self._clock())
            self.parcel.pop()
            return Verdict(Level.STEP, f"Taken back: item {last.item}")
        if not self._took:
            return Verdict(Level.STEP, "Nothing to take back", "The last scan added nothing: it was done before.")
        try:
            done = self.reports.take_back(self.operator)
        except Conflict as error:
            return self._stop(error.message, error.hint)
        if done is None:
            return Verdict(Level.STEP, "Nothing to take back")
        if self.rules.wants_label:
            self.parcel, self._kept_is_old = list(done.pieces), True
        items = ", ".join(piece.item for piece in done.pieces)
        return Verdict(Level.STEP, f"TAKEN BACK: {items}", "Scan its label, or NEXT." if self.parcel else "")

    # --- questions ----------------------------------------------------------------------

    def _ask(
        self,
        words: str,
        more: str,
        yes: Callable[[], Verdict],
        no: Callable[[], Verdict],
        level: Level = Level.STOP,
        advice: bool = False,
    ) -> Verdict:
        verdict = Verdict(level, words, more)
        self.question = Question(verdict, yes, no, advice)
        return verdict

    def _stop(self, words: str, more: str = "Answer with OK.") -> Verdict:
        def heard() -> Verdict:
            return Verdict(Level.STEP, "Go on", self.expected())

        return self._ask(words, more, heard, heard)

    def _failed(self, error: StoreError) -> Verdict:
        words = error.message.removeprefix("NOT ACCEPTED, nothing sent: ")
        return self._stop(f"{NOT_ACCEPTED}. {words}", f"{error.hint} Then answer with OK, and scan again.".strip())


_THEN_ITEM = "Answer with OK, then scan the ITEM."
_THEN_LABEL = "Answer with OK, then scan the LABEL."
_PUT_ASIDE = "Answer with OK, and put it aside."
