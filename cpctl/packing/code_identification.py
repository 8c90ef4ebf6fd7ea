"""What a scanned code means at this bench: an order, an item, a label, or none of them."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from cpctl.errors import InvalidInput
from cpctl.packing.bench_store import BenchStore, CodeHistory, ScannedItem
from cpctl.packing.scanned_codes import MIN_TRACKING_LENGTH, ScannedCode, ShopRules
from cpctl.signals.carriers import CARRIER_NAMES, TrackingValidity, is_ean, is_isbn
from cpctl.signals.signal import quote_value

ORDER_HINT = "Scan the order's code first, start with --order, or set order_of_item in the profile."
_SCAN_ITEM_HINT = "Scan OK, then scan the ITEM."
_SCAN_LABEL_HINT = "Scan OK, then scan the LABEL."
_TWO_CODES = "This is a 2D code, or two codes read as one"
_THIS_IS_THE_ISBN = "THIS IS THE BOOK'S ISBN"
_NO_HISTORY = CodeHistory((), False)


class CodeKind(Enum):
    ORDER = auto()
    ITEM = auto()
    LABEL = auto()
    ITEM_OR_LABEL = auto()
    WRONG = auto()
    UNKNOWN = auto()


class IdentifiedCode(NamedTuple):
    """A code and what it is taken for; `message` and `hint` if it is wrong or unknown here."""

    kind: CodeKind
    text: str
    history: CodeHistory = _NO_HISTORY
    message: str = ""
    hint: str = ""


class Label(NamedTuple):
    """A tracking code to report."""

    tracking: str
    carrier: str = ""
    warning: str = ""  # why the operator has to confirm it


class CodeIdentifier:
    """Identifies codes by the rules of the shop, and by the outbox and its history."""

    def __init__(self, rules: ShopRules, store: BenchStore) -> None:
        self._rules = rules
        self._store = store

    def identify_item(self, code: ScannedCode) -> IdentifiedCode:
        """Identify a code that is scanned when an item is expected. Raises StoreError."""
        text, rules = code.text, self._rules
        if code.has_control:
            return IdentifiedCode(CodeKind.WRONG, text, message=_TWO_CODES, hint=_SCAN_ITEM_HINT)
        history = self._store.find_code_history(text)
        if self._is_order(text, history):
            return IdentifiedCode(CodeKind.ORDER, text, history)
        if rules.is_id(text) or history.orders:
            return IdentifiedCode(CodeKind.ITEM, text, history)
        message = _THIS_IS_THE_ISBN if is_isbn(text) else "THIS IS AN ARTICLE NUMBER" if is_ean(text) else ""
        if rules.is_label(text):
            message = message or f"THIS IS A LABEL: {quote_value(text)}"
        if message:
            return IdentifiedCode(CodeKind.WRONG, text, history, message, _SCAN_ITEM_HINT)
        hint = "Scan OK. If it is an item's code: set item_pattern."
        return IdentifiedCode(CodeKind.UNKNOWN, text, history, f"UNKNOWN CODE {quote_value(text)}", hint)

    def identify_label(self, code: ScannedCode, parcel: Sequence[ScannedItem]) -> IdentifiedCode:
        """Identify a code that is scanned when a label, or another item, is expected. Raises StoreError."""
        text, rules = code.text, self._rules
        if message := self._explain_not_label(code, parcel):
            return IdentifiedCode(CodeKind.WRONG, text, message=message, hint=_SCAN_LABEL_HINT)
        history = self._store.find_code_history(text)
        if self._is_order(text, history):
            return IdentifiedCode(CodeKind.WRONG, text, history, "THIS IS THE ORDER'S CODE", _SCAN_LABEL_HINT)
        if history.orders or (rules.is_id(text) and not rules.is_label(text)):
            return IdentifiedCode(CodeKind.ITEM, text, history)
        return IdentifiedCode(CodeKind.ITEM_OR_LABEL if rules.is_id(text) else CodeKind.LABEL, text, history)

    def can_be_label(self, code: ScannedCode) -> bool:
        """Return whether a code may answer a question about a label by replacing it."""
        return not (code.has_control or self._rules.is_id(code.text) or is_isbn(code.text))

    def _explain_not_label(self, code: ScannedCode, parcel: Sequence[ScannedItem]) -> str:
        if any(code.text == scanned.item for scanned in parcel):
            return "THIS IS THE ITEM AGAIN"
        if code.has_control:
            return _TWO_CODES
        if is_isbn(code.text):
            return _THIS_IS_THE_ISBN
        return f"{quote_value(code.text)} is too short for a label" if len(code.text) < MIN_TRACKING_LENGTH else ""

    def _is_order(self, text: str, history: CodeHistory) -> bool:
        return self._rules.is_order(text) or (history.is_order and not history.orders)


def resolve_order(rules: ShopRules, scanned_order: str, item: str, history: CodeHistory) -> str:
    """Return the order of an item. It is never guessed: raises InvalidInput if it is unknown or ambiguous."""
    given = scanned_order or rules.order
    ruled = rules.find_order(item)
    known = [ruled] if ruled else list(history.orders)
    if given and known and given not in known:
        message = f"ITEM {item} BELONGS TO ORDER {' or '.join(known)}, not to {given}"
        raise InvalidInput(message, "Scan OK, and put it aside.")
    if given or len(known) == 1:
        return given or known[0]
    if known:
        raise InvalidInput(f"ITEM {item} was reported for several orders: {', '.join(known)}", ORDER_HINT)
    raise InvalidInput(f"The ORDER of item {item} is not known", f"Scan OK. {ORDER_HINT}")


def read_label(rules: ShopRules, text: str) -> Label:
    """Recognize the carrier of a label; a warning if the operator has to confirm it."""
    if not rules.carriers:
        return Label(text, warning="This is a web address" if "://" in text else "")
    if rules.environment == "sandbox" and text.startswith("SANDBOX_"):
        return Label(text)
    found = rules.recognize_label(text)
    if found.validity is TrackingValidity.VALID:
        if found.is_routing_code:
            return Label(text, warning="This looks like the routing code, not the tracking number")
        return Label(found.tracking, found.carrier)
    if found.validity is TrackingValidity.WRONG_CHECK_DIGIT:
        warning = f"The label looks damaged (wrong {CARRIER_NAMES.get(found.carrier, '')} check digit)"
        return Label(found.tracking, found.carrier, warning.replace("  ", " "))
    if is_ean(text):
        return Label(text, warning="This looks like an article number (EAN)")
    return Label(text, warning="No carrier of this shop uses this kind of code")
