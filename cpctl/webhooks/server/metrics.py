"""What a receiver counts, as Prometheus reads it (text format 0.0.4)."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from cpctl.signals.webhook_types import WEBHOOKS
from cpctl.webhooks.events.deliveries import Backlog

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Numbers:
    """Counts since the receiver started."""

    def __init__(self) -> None:
        self.started = time.time()
        self.answers: Counter[int] = Counter()
        self.events: Counter[str] = Counter()
        self.duplicates = 0
        self.seconds = 0.0
        self.last_event = 0.0  # seconds since 1970; 0: none yet
        self._handed_over: Counter[tuple[str, bool]] = Counter()
        self._lock = threading.Lock()  # several threads hand over

    def stored(self, kind: str, is_new: bool) -> None:
        """Count an event. Types that nobody knows are counted together, so that no sender makes series without end."""
        self.last_event = time.time()
        if is_new:
            self.events[kind if kind in WEBHOOKS else "other"] += 1
        else:
            self.duplicates += 1

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.answers[status] += 1
        self.seconds += seconds

    def tried(self, target: str, is_done: bool) -> None:
        """Count an attempt to hand over."""
        with self._lock:
            self._handed_over[target, is_done] += 1

    def text(self, backlogs: Sequence[Backlog], commits: int, connections: int) -> str:
        """All numbers; times are in seconds since 1970, UTC."""
        unauthorised = self.answers[HTTPStatus.UNAUTHORIZED]
        return "".join(
            [
                _family("answers_total", "counter", "Answers by HTTP status.", _by("code", self.answers)),
                _family("answer_seconds_sum", "counter", "Seconds spent on all answers.", [("", self.seconds)]),
                _family("events_total", "counter", "Events stored, by type.", _by("type", self.events)),
                _family("duplicates_total", "counter", "Events that were known already.", [("", self.duplicates)]),
                _family("unauthorised_total", "counter", "Requests with a wrong key or none.", [("", unauthorised)]),
                _family("commits_total", "counter", "Durable commits; each may hold many events.", [("", commits)]),
                _family("connections", "gauge", "Open connections.", [("", connections)]),
                _family("last_event_timestamp_seconds", "gauge", "When an event last came.", [("", self.last_event)]),
                _family("start_timestamp_seconds", "gauge", "When this receiver started.", [("", self.started)]),
                _family("handovers_total", "counter", "Attempts by target and outcome.", self._attempts()),
                *_of_targets(backlogs),
            ]
        )

    def _attempts(self) -> list[tuple[str, float]]:
        with self._lock:
            counts = sorted(self._handed_over.items())
        return [
            (_labels(target=target, outcome="done" if is_done else "failed"), count)
            for (target, is_done), count in counts
        ]


def _of_targets(backlogs: Sequence[Backlog]) -> list[str]:
    waiting = [(_labels(target=each.target), float(each.waiting)) for each in backlogs]
    failed = [(_labels(target=each.target), float(each.failed)) for each in backlogs]
    oldest = [(_labels(target=each.target), (each.oldest or 0) / 1000) for each in backlogs]
    return [
        _family("backlog", "gauge", "Events that wait for a target.", waiting),
        _family("given_up", "gauge", "Events that a target did not take in seven days.", failed),
        _family("backlog_oldest_timestamp_seconds", "gauge", "When the oldest that waits came.", oldest),
    ]


def _family(name: str, kind: str, meaning: str, samples: Sequence[tuple[str, float]]) -> str:
    full = f"cpctl_webhooks_{name}"
    lines = [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}"]
    lines += [f"{full}{labels} {value:.15g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _by(label: str, counts: "Counter[int] | Counter[str]") -> list[tuple[str, float]]:
    return [(_labels(**{label: str(name)}), count) for name, count in sorted(counts.items(), key=str)]


def _labels(**values: str) -> str:
    """Labels, escaped as the format wants it."""
    safe = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in values.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in safe.items()) + "}"
