"""From signals of the outbox to requests of the client, and from its responses to delivery results."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.config.keys import Key
from cpctl.config.profiles import Profile
from cpctl.masking import MASK
from cpctl.net import is_loopback
from cpctl.outbox.delivery_result import DeliveryResult, Disposition, Send
from cpctl.outbox.dispatcher import supports_bundles
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
