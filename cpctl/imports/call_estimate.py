"""How many calls a file of signals needs, and the first of them."""

from collections import Counter

from cpctl.outbox.dispatcher import MAX_BUNDLE_SIZE, supports_bundles
from cpctl.signals.signal import Signal


class CallEstimate:
    """Counts the calls for signals that are added one by one, in the order of the file.

    Signals of one item go in different calls, one after the other: the nth signal of each item is in the nth wave.
    """

    def __init__(self) -> None:
        self.signal_count = 0
        self.first_waves: dict[int, list[Signal]] = {}
        self._counts: dict[str, Counter[str]] = {}  # signals by order and item

    def add(self, signal: Signal) -> None:
        """Count a signal, and keep the first ones."""
        self.signal_count += 1
        items = self._counts.setdefault(signal.order, Counter())
        items[signal.item] += 1
        if self.signal_count <= MAX_BUNDLE_SIZE:
            self.first_waves.setdefault(items[signal.item], []).append(signal)

    @property
    def call_count(self) -> int:
        """About how many calls the signals need."""
        if not self.first_waves or not supports_bundles(self.first_waves[1][0].version):
            return self.signal_count
        return sum(max(*items.values(), -(-items.total() // MAX_BUNDLE_SIZE)) for items in self._counts.values())
