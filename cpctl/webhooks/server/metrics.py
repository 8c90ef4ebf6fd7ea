"""The metrics of a receiver, in the Prometheus text format 0.0.4."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.webhooks.events.deliveries import Backlog

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_Samples = Sequence[tuple[str, float]]  # labels and value


class ReceiverMetrics:
    """Counts since the receiver started."""

    def __init__(self) -> None:
        self.started_at = time.time()
        self.responses: Counter[int] = Counter()
        self.events: Counter[str] = Counter()
        self.duplicates = 0
        self.response_seconds = 0.0
        self.last_event_at = 0.0  # seconds since 1970; 0 for none
        self._attempt_counts: Counter[tuple[str, bool]] = Counter()
        self._lock = threading.Lock()  # delivery attempts are counted by several threads

    def count_event(self, event_type: str, is_new: bool) -> None:
        """Count an event. Unknown types are counted together, so that no sender can create series without limit."""
        self.last_event_at = time.time()
        if is_new:
            self.events[event_type if event_type in WEBHOOK_TYPES else "other"] += 1
        else:
            self.duplicates += 1

    def count_response(self, status: int, seconds: float) -> None:
        self.responses[status] += 1
        self.response_seconds += seconds

    def count_attempt(self, target: str, is_delivered: bool) -> None:
        with self._lock:
            self._attempt_counts[target, is_delivered] += 1

    def render(self, backlogs: Sequence[Backlog], commits: int, connections: int) -> str:
        """All metrics as text; times are in seconds since 1970, UTC."""
        unauthorized = self.responses[HTTPStatus.UNAUTHORIZED]
        targets = [(_render_labels(target=backlog.target), backlog) for backlog in backlogs]
        waiting = [(label, float(backlog.waiting)) for label, backlog in targets]
        failed = [(label, float(backlog.failed)) for label, backlog in targets]
        oldest = [(label, (backlog.oldest_received_ms or 0) / 1000) for label, backlog in targets]
        families: list[tuple[str, str, str, _Samples]] = [
            ("responses_total", "counter", "Responses by HTTP status.", _labeled_samples("code", self.responses)),
            ("response_seconds_total", "counter", "Seconds spent on all responses.", [("", self.response_seconds)]),
            ("events_total", "counter", "Events stored, by type.", _labeled_samples("type", self.events)),
            ("duplicates_total", "counter", "Events that were stored already.", [("", self.duplicates)]),
            ("unauthorized_total", "counter", "Requests with a wrong or missing key.", [("", unauthorized)]),
            ("commits_total", "counter", "Durable commits; one may hold many events.", [("", commits)]),
            ("connections", "gauge", "Open connections.", [("", connections)]),
            ("last_event_timestamp_seconds", "gauge", "When an event last arrived.", [("", self.last_event_at)]),
            ("start_timestamp_seconds", "gauge", "When this receiver started.", [("", self.started_at)]),
            ("delivery_attempts_total", "counter", "Delivery attempts by target and outcome.", self._attempt_samples()),
            ("backlog", "gauge", "Events waiting for a target.", waiting),
            ("failed_deliveries", "gauge", "Events that a target did not accept within seven days.", failed),
            ("backlog_oldest_timestamp_seconds", "gauge", "When the oldest waiting event arrived.", oldest),
        ]
        return "".join(_render_family(*family) for family in families)

    def _attempt_samples(self) -> _Samples:
        with self._lock:
            counts = sorted(self._attempt_counts.items())
        return [
            (_render_labels(target=target, outcome="done" if is_done else "failed"), count)
            for (target, is_done), count in counts
        ]


def _render_family(name: str, kind: str, help_text: str, samples: _Samples) -> str:
    full_name = f"cpctl_webhooks_{name}"
    lines = [f"# HELP {full_name} {help_text}", f"# TYPE {full_name} {kind}"]
    lines += [f"{full_name}{labels} {value:.15g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labeled_samples(label: str, counts: "Counter[int] | Counter[str]") -> _Samples:
    return [(_render_labels(**{label: str(name)}), count) for name, count in sorted(counts.items(), key=str)]


def _render_labels(**values: str) -> str:
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in values.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
