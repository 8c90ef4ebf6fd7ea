"""What sends the signals of a run, and what it would send."""

from collections.abc import Mapping, Sequence
from typing import Any

from cpctl.cli.context import Context
from cpctl.config.profiles import Profile
from cpctl.masking import MASK
from cpctl.outbox.delivery_result import Send
from cpctl.signals.signal import Signal


def make_sender(context: Context) -> Send:
    """A function that posts signals and says what came back. Raises ConfigError where the key cannot be had."""
    key = context.read_key("signal")
    from cpctl.sdk.sender import make_client, make_signal_sender

    return make_signal_sender(
        context.profile, make_client(context.profile, key, context.output.note if context.options.debug else None)
    )


def build_calls(profile: Profile, signals: Sequence[Signal]) -> list[Mapping[str, Any]]:
    """The calls that would carry these signals, for `--dry-run`; the key is masked, not read."""
    from cpctl.outbox.dispatcher import supports_bundles
    from cpctl.sdk.sender import build_signal_body, find_signal_endpoint

    together: dict[object, list[Signal]] = {}
    for number, signal in enumerate(signals):
        together.setdefault(signal.order if supports_bundles(signal.version) else number, []).append(signal)
    return [
        {
            "method": "POST",
            "url": profile["base_url"] + find_signal_endpoint(profile, group[0].version).path,
            "body": {"apikey": MASK, **build_signal_body(group)},
        }
        for group in together.values()
    ]
