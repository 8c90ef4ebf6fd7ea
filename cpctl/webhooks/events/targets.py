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

from cpctl.webhooks.events.deliveries import DueDelivery
from cpctl.webhooks.events.http_post import TargetUnreachable, post

FORWARD_TIMEOUT_SECONDS = 10.0
COMMAND_TIMEOUT_SECONDS = 60.0
_OUTPUT_WAIT_SECONDS = 1.0
_MAX_OUTPUT_CHARS = 500  # characters of what a failing command said last
_MAX_VARIABLE_CHARS = 4096  # characters of a variable; what is longer stands in the JSON
_VARIABLE_FIELDS = (
    "type",
    "order",
    "item",
    "order_reference",
    "item_reference",
    "datetime",
    "tracking",
    "shipping_option",
)


class Target(Protocol):
    """Something that takes events. `name` tells it from the others, also after a restart."""

    name: str

    def deliver(self, due: DueDelivery) -> str | None:
        """Hand one event over: None where it was taken, else why not. Raises Unreached."""

    def stop(self) -> None:
        """End what is under way, as far as it can be ended."""


class ForwardTarget:
    """A URL: the event is posted to it as it was received, without its key unless that is asked for."""

    def __init__(
        self, url: str, read_key: Callable[[], str] | None = None, timeout_seconds: float = FORWARD_TIMEOUT_SECONDS
    ) -> None:
        """`key` gives the webhook key that is put back into the body; none: it goes without."""
        self.name = f"forward {url}"
        self._url, self._read_key, self._timeout_seconds = url, read_key, timeout_seconds

    def deliver(self, due: DueDelivery) -> str | None:
        """Post it; any answer but 2xx is a failure."""
        headers = {
            "Content-Type": "application/json",
            "Cpctl-Event": str(due.event_id),
            "Cpctl-Attempt": str(due.attempt),
        }
        key = {"apikey": self._read_key()} if self._read_key else {}
        answered = post(self._url, json.dumps({**key, **due.payload}).encode(), headers, self._timeout_seconds)
        return None if 200 <= answered.status < 300 else f"{answered.status} {answered.first_line}".strip()

    def stop(self) -> None:
        """A post ends by itself within its time."""


class CommandTarget:
    """A command: the event on its standard input as JSON, and what scripts need most in its environment."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        command_text: str,
        timeout_seconds: float = COMMAND_TIMEOUT_SECONDS,
    ) -> None:
        """`environment` is what the command inherits; it must hold no key."""
        self.name = f"exec {command_text}"
        self._argv, self._environment, self._timeout_seconds = list(argv), dict(environment), timeout_seconds
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def deliver(self, due: DueDelivery) -> str | None:
        """Run it; any status but 0 is a failure."""
        body = json.dumps({"event": due.event_id, "attempt": due.attempt, **due.payload}).encode()
        try:
            child = subprocess.Popen(
                self._argv,
                env={**self._environment, **_event_variables(due)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise TargetUnreachable(f"{self._argv[0]} cannot be run: {error}") from error
        with self._lock:
            self._running.add(child)
        try:
            return _wait_for_outcome(child, body, self._timeout_seconds)
        finally:
            with self._lock:
                self._running.discard(child)

    def stop(self) -> None:
        """Ask what runs to end; it is run again after the next start."""
        with self._lock:
            running = list(self._running)
        for child in running:
            if child.poll() is None:
                _terminate(child, force=False)


def _wait_for_outcome(child: "subprocess.Popen[bytes]", body: bytes, timeout_seconds: float) -> str | None:
    """How it ended. What it has started and left behind is not waited for."""
    assert child.stdin is not None
    assert child.stdout is not None
    threading.Thread(target=_write_input, args=(child.stdin, body), daemon=True).start()
    said = _OutputTail(child.stdout)
    said.start()
    try:
        child.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        _terminate(child, force=True)
        child.wait()
        return f"it took longer than {timeout_seconds:g} s"
    if child.returncode == 0:
        return None
    said.join(_OUTPUT_WAIT_SECONDS)
    last = said.tail.decode("utf-8", "replace").strip()[-_MAX_OUTPUT_CHARS:]
    return f"status {child.returncode}{': ' if last else ''}{last}"


def _write_input(stream: IO[bytes], body: bytes) -> None:
    with suppress(OSError), stream:  # a command need not read what it has no use for
        stream.write(body)


class _OutputTail(threading.Thread):
    """Reads what a command says, however much it is, and keeps the end of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self.tail = b""

    def run(self) -> None:
        with suppress(OSError), self._stream as stream:
            while piece := os.read(stream.fileno(), 65536):
                self.tail = (self.tail + piece)[-4 * _MAX_OUTPUT_CHARS :]  # a character may take four bytes


def _terminate(child: "subprocess.Popen[bytes]", force: bool) -> None:
    """End a command with all it has started."""
    with suppress(OSError):
        if sys.platform != "win32":
            os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)  # it leads a session of its own
        else:
            child.kill()


def _event_variables(due: DueDelivery) -> dict[str, str]:
    """What a script needs most, as CPCTL_EVENT_…; an environment holds no NUL and no value without end."""
    said: Mapping[str, Any] = due.payload
    values = {name: said.get(name) for name in _VARIABLE_FIELDS}
    plain = {
        name: "" if value is None or isinstance(value, dict | list) else str(value) for name, value in values.items()
    }
    plain |= {"id": str(due.event_id), "attempt": str(due.attempt)}
    return {
        f"CPCTL_EVENT_{name.upper()}": value.encode("utf-8", "replace").decode().replace("\0", "")[:_MAX_VARIABLE_CHARS]
        for name, value in plain.items()
    }
