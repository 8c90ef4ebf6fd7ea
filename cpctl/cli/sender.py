"""Introduces the outbox to the client: what one says in answers, the other hears as replies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.cli.run import Run
from cpctl.config.profiles import Profile, is_loopback
from cpctl.config.secrets import MASK
from cpctl.delivery.reply import Reply, Send, Verdict
from cpctl.signals.signal import Signal

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


def make_sender(run: Run) -> Send:
    """A function that posts signals and says what came back. Raises ConfigError where the key cannot be had.

    Only here is requests imported: a signal is safe in the store before.
    """
    profile = run.profile
    key = run.key("signal")
    from cpctl.api.client import Answer, Client

    debug: Callable[[str], None] | None = run.output.note if run.options.debug else None
    local = is_loopback(urlsplit(profile["base_url"]).hostname or "")
    client = Client(profile["base_url"], key.value, profile.timeout, local, debug)

    def send(signals: Sequence[Signal]) -> Reply:
        return _reply(client.post(signal_endpoint(profile, signals[0].version).path, signal_body(signals)))

    def _reply(answer: Answer) -> Reply:
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

    return send


def calls_of(profile: Profile, signals: Sequence[Signal]) -> list[Mapping[str, Any]]:
    """The calls that would carry these signals, for `--dry-run`; the key is masked, not read."""
    from cpctl.delivery.sending import bundles

    together: dict[object, list[Signal]] = {}
    for number, signal in enumerate(signals):
        together.setdefault(signal.order if bundles(signal.version) else number, []).append(signal)
    return [
        {
            "method": "POST",
            "url": profile["base_url"] + signal_endpoint(profile, group[0].version).path,
            "body": {"apikey": MASK, **signal_body(group)},
        }
        for group in together.values()
    ]
