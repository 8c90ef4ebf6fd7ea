"""What a receiver counts, as Prometheus reads it (text format 0.0.4)."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.webhooks.events.deliveries import Backlog

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ReceiverMetrics:
    """Counts since the receiver started."""

    def __init__(self) -> None:
        self.started_at = time.time()
        self.responses: Counter[int] = Counter()
        self.events: Counter[str] = Counter()
        self.duplicates = 0
        self.response_seconds = 0.0
        self.last_event_at = 0.0  # seconds since 1970; 0: none yet
        self._attempt_counts: Counter[tuple[str, bool]] = Counter()
        self._lock = threading.Lock()  # several threads hand over

    def count_event(self, event_type: str, is_new: bool) -> None:
        """Count an event. Types that nobody knows are counted together, so that no sender makes series without end."""
        self.last_event_at = time.time()
        if is_new:
            self.events[event_type if event_type in WEBHOOK_TYPES else "other"] += 1
        else:
            self.duplicates += 1

    def count_response(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.responses[status] += 1
        self.response_seconds += seconds

    def count_attempt(self, target: str, is_delivered: bool) -> None:
        """Count an attempt to hand over."""
        with self._lock:
            self._attempt_counts[target, is_delivered] += 1

    def render(self, backlogs: Sequence[Backlog], commits: int, connections: int) -> str:
        """All numbers; times are in seconds since 1970, UTC."""
        unauthorised = self.responses[HTTPStatus.UNAUTHORIZED]
        return "".join(
            [
                _render_family(
                    "answers_total", "counter", "Answers by HTTP status.", _labeled_samples("code", self.responses)
                ),
                _render_family(
                    "answer_seconds_sum", "counter", "Seconds spent on all answers.", [("", self.response_seconds)]
                ),
                _render_family(
                    "events_total", "counter", "Events stored, by type.", _labeled_samples("type", self.events)
                ),
                _render_family(
                    "duplicates_total", "counter", "Events that were known already.", [("", self.duplicates)]
                ),
                _render_family(
                    "unauthorised_total", "counter", "Requests with a wrong key or none.", [("", unauthorised)]
                ),
                _render_family(
                    "commits_total", "counter", "Durable commits; each may hold many events.", [("", commits)]
                ),
                _render_family("connections", "gauge", "Open connections.", [("", connections)]),
                _render_family(
                    "last_event_timestamp_seconds", "gauge", "When an event last came.", [("", self.last_event_at)]
                ),
                _render_family(
                    "start_timestamp_seconds", "gauge", "When this receiver started.", [("", self.started_at)]
                ),
                _render_family(
                    "handovers_total", "counter", "Attempts by target and outcome.", self._attempt_samples()
                ),
                *_render_target_families(backlogs),
            ]
        )

    def _attempt_samples(self) -> list[tuple[str, float]]:
        with self._lock:
            counts = sorted(self._attempt_counts.items())
        return [
            (_render_labels(target=target, outcome="done" if is_done else "failed"), count)
            for (target, is_done), count in counts
        ]


def _render_target_families(backlogs: Sequence[Backlog]) -> list[str]:
    waiting = [(_render_labels(target=each.target), float(each.waiting)) for each in backlogs]
    failed = [(_render_labels(target=each.target), float(each.failed)) for each in backlogs]
    oldest = [(_render_labels(target=each.target), (each.oldest_received_ms or 0) / 1000) for each in backlogs]
    return [
        _render_family("backlog", "gauge", "Events that wait for a target.", waiting),
        _render_family("given_up", "gauge", "Events that a target did not take in seven days.", failed),
        _render_family("backlog_oldest_timestamp_seconds", "gauge", "When the oldest that waits came.", oldest),
    ]


def _render_family(name: str, kind: str, help_text: str, samples: Sequence[tuple[str, float]]) -> str:
    full = f"cpctl_webhooks_{name}"
    lines = [f"# HELP {full} {help_text}", f"# TYPE {full} {kind}"]
    lines += [f"{full}{labels} {value:.15g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labeled_samples(label: str, counts: "Counter[int] | Counter[str]") -> list[tuple[str, float]]:
    return [(_render_labels(**{label: str(name)}), count) for name, count in sorted(counts.items(), key=str)]


def _render_labels(**values: str) -> str:
    """Labels, escaped as the format wants it."""
    safe = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in values.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in safe.items()) + "}"
