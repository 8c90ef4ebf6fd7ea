"""Introduces the outbox to the client: what one says in answers, the other hears as replies."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.config.keys import Key
from cpctl.config.profiles import Profile, is_loopback
from cpctl.outbox.delivery_result import Reply, Send, Verdict
from cpctl.signals.signal import Signal

if TYPE_CHECKING:
    from cpctl.api.client import Answer, Client

_VERDICTS = {"later": Verdict.LATER, "hold": Verdict.HOLD, "refused": Verdict.REFUSED}


def signal_endpoint(profile: Profile, version: str) -> Endpoint:
    """Where signals of a version go: 1.1 has two documented paths, and the profile names one."""
    if version == "1.1":
        return next(row for row in ENDPOINTS.values() if row.path == profile["signal_1_1_path"])
    return ENDPOINTS[f"signal-{version}"]


def signal_body(signals: Sequence[Signal]) -> dict[str, Any]:
    """One signal as it is, several as a bundle (CloudSignal 2.0, "Bundle signals")."""
    bodies = [signal.body() for signal in signals]
    return dict(bodies[0]) if len(bodies) == 1 else {"items": bodies}


def client_of(profile: Profile, key: Key, debug: Callable[[str], None] | None = None) -> "Client":
    """A client for a profile's service. Only here is requests imported: a signal is safe in the store before."""
    from cpctl.api.client import Client

    local = is_loopback(urlsplit(profile["base_url"]).hostname or "")
    return Client(profile["base_url"], key.value, profile.timeout, local, debug)


def sender_of(profile: Profile, client: "Client") -> Send:
    """A function that posts signals and says what came back."""

    def send(signals: Sequence[Signal]) -> Reply:
        return reply_of(client.post(signal_endpoint(profile, signals[0].version).path, signal_body(signals)))

    return send


def reply_of(answer: "Answer") -> Reply:
    """An answer of the client in the outbox's words."""
    if answer.fault is None:
        return Reply(Verdict.DELIVERED, answer.status)
    return Reply(
        _VERDICTS[answer.fault.remedy],
        answer.status,
        answer.words,
        answer.retry_after,
        answer.fault.whole_service or (answer.fault.remedy == "later" and bool(answer.retry_after)),
        answer.fault.may_have_landed,
    )
