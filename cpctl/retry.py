"""Every retry policy of cpctl, side by side."""

import random
from collections.abc import Callable
from typing import NamedTuple

DAY_SECONDS = 86_400.0


class RetryPolicy(NamedTuple):
    """How long to wait after a failed attempt, and when to give up.

    `delays` are the seconds after the first, second, … failure in a row; the last one repeats. `jitter` is the
    largest fraction added at random, so that many clients do not retry at the same moment.
    """

    delays: tuple[float, ...]
    jitter: float = 0.0
    max_attempts: int | None = None
    max_age_seconds: float | None = None

    def delay_seconds(self, failures: int, random_fraction: Callable[[], float] = random.random) -> float:
        """The wait after this many failures in a row, in seconds."""
        delay = self.delays[min(max(failures, 1), len(self.delays)) - 1]
        return delay * (1 + self.jitter * random_fraction())

    def delay_ms(self, failures: int, random_fraction: Callable[[], float] = random.random) -> int:
        """The wait after this many failures in a row, in milliseconds."""
        return int(self.delay_seconds(failures, random_fraction) * 1000)

    def is_too_old(self, age_ms: int) -> bool:
        """Whether something of this age (milliseconds) is too old for another attempt."""
        return self.max_age_seconds is not None and age_ms > self.max_age_seconds * 1000


# Signals in the outbox, until they are `expired`. Any success makes the whole queue due at once.
SIGNALS = RetryPolicy((5, 15, 60, 300, 900, 3600), jitter=0.1, max_age_seconds=7 * DAY_SECONDS)
# The longest `Retry-After` that is honored.
MAX_RETRY_AFTER_SECONDS = DAY_SECONDS
# Calls that are not signals, within their timeout: reads, and changes that certainly were never sent.
CALLS = RetryPolicy((0.25, 0.75), jitter=0.1, max_attempts=3)
# Webhook events that a target refused, until the delivery is `failed`.
TARGETS = RetryPolicy((1, 5, 15, 60, 300, 900, 3600), max_age_seconds=7 * DAY_SECONDS)
# A target that cannot be reached: a pause for all of its events.
UNREACHABLE_TARGETS = RetryPolicy((1, 2, 5, 15, 30, 60))
# Webhooks that the sandbox sends: up to 100 attempts in 7 days (CloudSignal Webhooks 2.0, "Retry").
SANDBOX_WEBHOOKS = RetryPolicy(
    (60, 120, 240, 480, 960, 1920, 3840, 6000), max_attempts=100, max_age_seconds=7 * DAY_SECONDS
)
