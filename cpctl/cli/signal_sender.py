"""What sends the signals of a run, and what it would send."""

from collections.abc import Mapping, Sequence
from typing import Any

from cpctl.cli.context import Run
from cpctl.config.keys import MASK
from cpctl.config.profiles import Profile
from cpctl.outbox.delivery_result import Send
from cpctl.signals.signal import Signal


def make_sender(run: Run) -> Send:
    """A function that posts signals and says what came back. Raises ConfigError where the key cannot be had."""
    key = run.key("signal")
    from cpctl.sdk.sender import client_of, sender_of

    return sender_of(run.profile, client_of(run.profile, key, run.output.note if run.options.debug else None))


def calls_of(profile: Profile, signals: Sequence[Signal]) -> list[Mapping[str, Any]]:
    """The calls that would carry these signals, for `--dry-run`; the key is masked, not read."""
    from cpctl.outbox.dispatcher import bundles
    from cpctl.sdk.sender import signal_body, signal_endpoint

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
