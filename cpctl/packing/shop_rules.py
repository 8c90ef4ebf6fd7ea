"""What a shop has set up for a bench, and what a code can be by that alone."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cpctl.packing.scan_decoder import ScannedCode, repair_layout
from cpctl.signals.carriers import RecognizedTracking, TrackingValidity, is_isbn, recognize_tracking
from cpctl.signals.signal_types import SignalType

DEFAULT_ITEM_PATTERN = re.compile(r"[0-9]{12}")
# What a bench can report: kinds that need no more than codes.
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
        """Whether an item needs a second scan: its tracking code."""
        return "tracking" in self.signal_type.required[self.api_version]

    @property
    def needs_shipping_option(self) -> bool:
        """Whether the signal names who carries the parcel."""
        return "shipping_option" in self.signal_type.required[self.api_version]

    def is_id(self, text: str) -> bool:
        """Whether a code has the form of an item's or an order's id."""
        return (self.item_pattern or DEFAULT_ITEM_PATTERN).fullmatch(text) is not None

    def is_order(self, text: str) -> bool:
        """Whether a code is an order's by its form: the pattern's group `order`, or the rule makes it of itself."""
        match = (self.item_pattern or DEFAULT_ITEM_PATTERN).fullmatch(text)
        named = match is not None and bool(match.groupdict().get("order"))
        return named or (match is not None and self.find_order(text) == text)

    def find_order(self, item: str) -> str | None:
        """The order of an item by the profile's rule, or None."""
        return self.order_rule(item) if self.order_rule else None

    def parse_badge(self, text: str) -> str:
        """Whose badge a code is, or ""."""
        prefix = self.badge_prefix
        return text[len(prefix) :].strip() if prefix and text.upper().startswith(prefix.upper()) else ""

    def recognize_label(self, text: str) -> RecognizedTracking:
        """Hold a tracking code against the carriers that the shop uses."""
        return recognize_tracking(text, self.carriers)

    def is_label(self, text: str) -> bool:
        """Whether a code is certainly of the form of a label of the shop's carriers."""
        return self.recognize_label(text).validity is TrackingValidity.VALID

    def repair(self, code: ScannedCode, allow_labels: bool) -> tuple[ScannedCode, str]:
        """The code as the scanner meant it, with the keyboard layout that spoilt it, or as it is.

        `labels` says whether a label may come now.
        """

        def fits(text: str) -> bool:
            return (
                self.is_id(text)
                or is_isbn(text)
                or bool(self.parse_badge(text))
                or (allow_labels and self.is_label(text))
            )

        if code.has_control or (found := repair_layout(code.text, fits)) is None:
            return code, ""
        return ScannedCode(found[0]), found[1]
