"""Where events are handed over to: a local URL, or a command. Each says what stood in the way, or nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Protocol

from cpctl.webhooks.events.deliveries import Due
from cpctl.webhooks.events.http_post import Unreached, post

FORWARD_SECONDS = 10.0
COMMAND_SECONDS = 60.0
_LAST_WORDS_SECONDS = 1.0
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

    def __init__(self, url: str, key: Callable[[], str] | None = None, seconds: float = FORWARD_SECONDS) -> None:
        """`key` gives the webhook key that is put back into the body; none: it goes without."""
        self.name = f"forward {url}"
        self._url, self._key, self._seconds = url, key, seconds

    def hand_over(self, due: Due) -> str | None:
        """Post it; any answer but 2xx is a failure."""
        headers = {
            "Content-Type": "application/json",
            "Cpctl-Event": str(due.event),
            "Cpctl-Attempt": str(due.attempt),
        }
        key = {"apikey": self._key()} if self._key else {}
        answered = post(self._url, json.dumps({**key, **due.payload}).encode(), headers, self._seconds)
        return None if 200 <= answered.status < 300 else f"{answered.status} {answered.words}".strip()

    def stop(self) -> None:
        """A post ends by itself within its time."""


class Command:
    """A command: the event on its standard input as JSON, and what scripts need most in its environment."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], shown: str, seconds: float = COMMAND_SECONDS
    ) -> None:
        """`environment` is what the command inherits; it must hold no key."""
        self.name = f"exec {shown}"
        self._words, self._environment, self._seconds = list(words), dict(environment), seconds
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
            return _outcome(child, body, self._seconds)
        finally:
            with self._lock:
                self._running.discard(child)

    def stop(self) -> None:
        """Ask what runs to end; it is run again after the next start."""
        with self._lock:
            running = list(self._running)
        for child in running:
            if child.poll() is None:
                _end(child, by_force=False)


def _outcome(child: "subprocess.Popen[bytes]", body: bytes, seconds: float) -> str | None:
    """How it ended. What it has started and left behind is not waited for."""
    assert child.stdin is not None
    assert child.stdout is not None
    threading.Thread(target=_feed, args=(child.stdin, body), daemon=True).start()
    said = _Ending(child.stdout)
    said.start()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(child, by_force=True)
        child.wait()
        return f"it took longer than {seconds:g} s"
    if child.returncode == 0:
        return None
    said.join(_LAST_WORDS_SECONDS)
    last = said.kept.decode("utf-8", "replace").strip()[-_OUTPUT_KEPT:]
    return f"status {child.returncode}{': ' if last else ''}{last}"


def _feed(stream: IO[bytes], body: bytes) -> None:
    with suppress(OSError), stream:  # a command need not read what it has no use for
        stream.write(body)


class _Ending(threading.Thread):
    """Reads what a command says, however much it is, and keeps the end of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self.kept = b""

    def run(self) -> None:
        with suppress(OSError), self._stream as stream:
            while piece := os.read(stream.fileno(), 65536):
                self.kept = (self.kept + piece)[-4 * _OUTPUT_KEPT :]  # a character may take four bytes


def _end(child: "subprocess.Popen[bytes]", by_force: bool) -> None:
    """End a command with all it has started."""
    with suppress(OSError):
        if sys.platform != "win32":
            os.killpg(child.pid, signal.SIGKILL if by_force else signal.SIGTERM)  # it leads a session of its own
        else:
            child.kill()


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
