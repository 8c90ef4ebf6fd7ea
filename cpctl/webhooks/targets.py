"""Where events are handed over to: a local URL, or a command. Each says what stood in the way, or nothing."""

import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from cpctl.webhooks.handovers import Due
from cpctl.webhooks.posting import Unreached, post

FORWARD_SECONDS = 10.0
COMMAND_SECONDS = 60.0
_OUTPUT_KEPT = 500  # characters of what a failing command said last
_VALUE_KEPT = 4096  # characters of a variable; what is longer stands in the JSON
_VARIABLES = ("type", "order", "item", "order_reference", "item_reference", "datetime", "tracking", "shipping_option")


class Target(Protocol):
    """Something that takes events. `name` tells it from the others, also after a restart."""

    name: str

    def hand_over(self, due: Due) -> str | None:
        """Hand one event over: None where it was taken, else why not. Raises Unreached."""

    def stop(self) -> None:
        """End what is under way, as far as it can be ended."""


class Forward:
    """A URL: the event is posted to it as it was received, without its key unless that is asked for."""

    def __init__(self, url: str, key: Callable[[], str] | None = None) -> None:
        """`key` gives the webhook key that is put back into the body; none: it goes without."""
        self.name = f"forward {url}"
        self._url, self._key = url, key

    def hand_over(self, due: Due) -> str | None:
        """Post it; any answer but 2xx is a failure."""
        headers = {
            "Content-Type": "application/json",
            "Cpctl-Event": str(due.event),
            "Cpctl-Attempt": str(due.attempt),
        }
        key = {"apikey": self._key()} if self._key else {}
        answered = post(self._url, json.dumps({**key, **due.payload}).encode(), headers, FORWARD_SECONDS)
        return None if 200 <= answered.status < 300 else f"{answered.status} {answered.words}".strip()

    def stop(self) -> None:
        """A post ends by itself within its time."""


class Command:
    """A command: the event on its standard input as JSON, and what scripts need most in its environment."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], shown: str) -> None:
        """`environment` is what the command inherits; it must hold no key."""
        self.name = f"exec {shown}"
        self._words, self._environment = list(words), dict(environment)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def hand_over(self, due: Due) -> str | None:
        """Run it; any status but 0 is a failure."""
        body = json.dumps({"event": due.event, "attempt": due.attempt, **due.payload}).encode()
        try:
            child = subprocess.Popen(
                self._words,
                env={**self._environment, **_variables(due)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Unreached(f"{self._words[0]} cannot be run: {error}") from error
        with self._lock:
            self._running.add(child)
        try:
            return _outcome(child, body)
        finally:
            with self._lock:
                self._running.discard(child)

    def stop(self) -> None:
        """Ask what runs to end; it is run again after the next start."""
        with self._lock:
            running = list(self._running)
        for child in running:
            with suppress(OSError):
                child.terminate()


def _outcome(child: "subprocess.Popen[bytes]", body: bytes) -> str | None:
    try:
        said, _ = child.communicate(body, COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return f"it took longer than {COMMAND_SECONDS:.0f} s"
    if child.returncode == 0:
        return None
    last = said.decode("utf-8", "replace").strip()[-_OUTPUT_KEPT:]
    return f"status {child.returncode}{': ' if last else ''}{last}"


def _variables(due: Due) -> dict[str, str]:
    """What a script needs most, as CPCTL_EVENT_…; an environment holds no NUL and no value without end."""
    said: Mapping[str, Any] = due.payload
    values = {name: said.get(name) for name in _VARIABLES}
    plain = {
        name: "" if value is None or isinstance(value, dict | list) else str(value) for name, value in values.items()
    }
    plain |= {"id": str(due.event), "attempt": str(due.attempt)}
    return {
        f"CPCTL_EVENT_{name.upper()}": value.encode("utf-8", "replace").decode().replace("\0", "")[:_VALUE_KEPT]
        for name, value in plain.items()
    }
