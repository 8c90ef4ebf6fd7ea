"""From signals of the outbox to requests of the client, and from its responses to delivery results."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.config.keys import Key
from cpctl.config.profiles import Profile
from cpctl.masking import MASK
from cpctl.net import is_loopback
from cpctl.outbox.dispatcher import MAX_BUNDLE_SIZE, supports_bundles
from cpctl.outbox.models import DeliveryResult, Disposition, Send
from cpctl.signals.signal import Signal

if TYPE_CHECKING:
    from cpctl.api.client import Client, Response


def find_signal_endpoint(profile: Profile, version: str) -> Endpoint:
    """The endpoint for signals of a version. Version 1.1 has two documented paths; the profile names one."""
    if version == "1.1":
        return next(row for row in ENDPOINTS.values() if row.path == profile["signal_1_1_path"])
    return ENDPOINTS[f"signal-{version}"]


def build_signal_body(signals: Sequence[Signal]) -> dict[str, Any]:
    """One signal as it is, several as a bundle (CloudSignal 2.0, "Bundle signals")."""
    bodies = [signal.body() for signal in signals]
    return dict(bodies[0]) if len(bodies) == 1 else {"items": bodies}


def build_calls(profile: Profile, signals: Sequence[Signal]) -> list[Mapping[str, Any]]:
    """The calls that would send these signals, for --dry-run. The key is masked and not read."""
    bundles: dict[object, list[Signal]] = {}
    for number, signal in enumerate(signals):
        bundles.setdefault(signal.order if supports_bundles(signal.version) else number, []).append(signal)
    return [
        {
            "method": "POST",
            "url": profile["base_url"] + find_signal_endpoint(profile, bundle[0].version).path,
            "body": {"apikey": MASK, **build_signal_body(bundle)},
        }
        for bundle in bundles.values()
    ]


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


def make_client(profile: Profile, key: Key, debug: Callable[[str], None] | None = None) -> "Client":
    """A client for the profile's service. Only here requests is imported: after a signal is safe in the store."""
    from cpctl.api.client import Client

    local = is_loopback(urlsplit(profile["base_url"]).hostname or "")
    return Client(profile["base_url"], key.value, profile.timeout, local, debug)


def make_signal_sender(profile: Profile, client: "Client") -> Send:
    """A function that posts signals of one version and returns the delivery result."""

    def send(signals: Sequence[Signal]) -> DeliveryResult:
        path = find_signal_endpoint(profile, signals[0].version).path
        return to_delivery_result(client.post(path, build_signal_body(signals)))

    return send


def to_delivery_result(response: "Response") -> DeliveryResult:
    """What a response means for the signals that were sent."""
    failure = response.failure
    if failure is None:
        return DeliveryResult(Disposition.DELIVERED, response.status)
    disposition = Disposition(failure.disposition)
    return DeliveryResult(
        disposition,
        response.status,
        response.message,
        response.retry_after,
        failure.affects_service or (disposition is Disposition.RETRY and bool(response.retry_after)),
        failure.maybe_processed,
    )
