"""Introduces the outbox to the client: what one says in answers, the other hears as replies."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.config.keys import Key
from cpctl.config.profiles import Profile
from cpctl.net import is_loopback
from cpctl.outbox.delivery_result import DeliveryResult, Disposition, Send
from cpctl.signals.signal import Signal

if TYPE_CHECKING:
    from cpctl.api.client import Client, Response

_DISPOSITIONS = {"later": Disposition.RETRY, "hold": Disposition.HOLD, "refused": Disposition.REFUSED}


def find_signal_endpoint(profile: Profile, version: str) -> Endpoint:
    """Where signals of a version go: 1.1 has two documented paths, and the profile names one."""
    if version == "1.1":
        return next(row for row in ENDPOINTS.values() if row.path == profile["signal_1_1_path"])
    return ENDPOINTS[f"signal-{version}"]


def build_signal_body(signals: Sequence[Signal]) -> dict[str, Any]:
    """One signal as it is, several as a bundle (CloudSignal 2.0, "Bundle signals")."""
    bodies = [signal.body() for signal in signals]
    return dict(bodies[0]) if len(bodies) == 1 else {"items": bodies}


def make_client(profile: Profile, key: Key, debug: Callable[[str], None] | None = None) -> "Client":
    """A client for a profile's service. Only here is requests imported: a signal is safe in the store before."""
    from cpctl.api.client import Client

    local = is_loopback(urlsplit(profile["base_url"]).hostname or "")
    return Client(profile["base_url"], key.value, profile.timeout, local, debug)


def make_signal_sender(profile: Profile, client: "Client") -> Send:
    """A function that posts signals and says what came back."""

    def send(signals: Sequence[Signal]) -> DeliveryResult:
        return to_delivery_result(
            client.post(find_signal_endpoint(profile, signals[0].version).path, build_signal_body(signals))
        )

    return send


def to_delivery_result(response: "Response") -> DeliveryResult:
    """An answer of the client in the outbox's words."""
    if response.failure is None:
        return DeliveryResult(Disposition.DELIVERED, response.status)
    return DeliveryResult(
        _DISPOSITIONS[response.failure.disposition],
        response.status,
        response.message,
        response.retry_after,
        response.failure.affects_service or (response.failure.disposition == "later" and bool(response.retry_after)),
        response.failure.maybe_processed,
    )
