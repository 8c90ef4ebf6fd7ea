"""The settings of a shop for a bench, and what they alone say about a code."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cpctl.packing.scanned_codes import ScannedCode, repair_layout
from cpctl.signals.carriers import RecognizedTracking, TrackingValidity, is_isbn, recognize_tracking
from cpctl.signals.signal_types import SignalType

DEFAULT_ITEM_PATTERN = re.compile(r"[0-9]{12}")
# The types that a bench can report: those that need nothing but codes.
SCANNABLE_TYPES = ("registered", "produce", "produced", "packed", "shipped")


class ShopRules(NamedTuple):
    """The settings of one run of a bench."""

    signal_type: SignalType
    api_version: str
    station: str = ""
    environment: str = ""
    carriers: tuple[str, ...] = ()
    carrier_options: Mapping[str, str] = {}
    shipping_option: str = ""
    item_pattern: re.Pattern[str] | None = None
    order_rule: Callable[[str], str | None] | None = None
    badge_prefix: str = ""
    order: str = ""  # given for the run
    hold_seconds: float = 0.0

    @property
    def needs_label(self) -> bool:
        """Whether an item needs a second scan: the label of its parcel."""
        return "tracking" in self.signal_type.required[self.api_version]

    @property
    def needs_shipping_option(self) -> bool:
        """Whether the signal needs a shipping option."""
        return "shipping_option" in self.signal_type.required[self.api_version]

    def is_id(self, text: str) -> bool:
        """Return whether a code has the form of an item's or an order's id."""
        return (self.item_pattern or DEFAULT_ITEM_PATTERN).fullmatch(text) is not None

    def is_order(self, text: str) -> bool:
        """Return whether a code has the form of an order id.

        It matches the group `order` of `item_pattern`, or `order_of_item` maps it to itself.
        """
        match = (self.item_pattern or DEFAULT_ITEM_PATTERN).fullmatch(text)
        return match is not None and (bool(match.groupdict().get("order")) or self.find_order(text) == text)

    def find_order(self, item: str) -> str | None:
        """Return the order of an item by the profile's rule, or None."""
        return self.order_rule(item) if self.order_rule else None

    def parse_badge(self, text: str) -> str:
        """Return the name on a badge, or "" if the code is not a badge."""
        prefix = self.badge_prefix
        return text[len(prefix) :].strip() if prefix and text.upper().startswith(prefix.upper()) else ""

    def recognize_label(self, text: str) -> RecognizedTracking:
        """Compare a tracking code with the formats of the shop's carriers."""
        return recognize_tracking(text, self.carriers)

    def is_label(self, text: str) -> bool:
        """Return whether a code is a valid label of one of the shop's carriers."""
        return self.recognize_label(text).validity is TrackingValidity.VALID

    def repair(self, code: ScannedCode, allow_labels: bool) -> tuple[ScannedCode, str]:
        """Return a code as it was before a wrong keyboard layout, and the name of the layout; else the code and "".

        A label counts as a valid code only if `allow_labels` is set.
        """

        def is_valid(text: str) -> bool:
            if self.is_id(text) or is_isbn(text) or self.parse_badge(text):
                return True
            return allow_labels and self.is_label(text)

        if code.has_control or (repaired := repair_layout(code.text, is_valid)) is None:
            return code, ""
        return ScannedCode(repaired[0]), repaired[1]
