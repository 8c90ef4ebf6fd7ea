"""Targets of events: a URL, or a command."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Protocol

from cpctl.net import Unreachable, post
from cpctl.webhooks.events.deliveries import DueDelivery

FORWARD_TIMEOUT_SECONDS = 10.0
COMMAND_TIMEOUT_SECONDS = 60.0
_OUTPUT_WAIT_SECONDS = 1.0
_MAX_OUTPUT_CHARS = 500  # of the end of a failing command's output
_MAX_VARIABLE_CHARS = 4096  # of an environment variable; the JSON has the whole value
_VARIABLE_FIELDS = (
    *("type", "order", "item", "order_reference", "item_reference"),
    *("datetime", "tracking", "shipping_option"),
)


class Target(Protocol):
    """Something that receives events. `name` identifies it, also after a restart."""

    name: str

    def deliver(self, due: DueDelivery) -> str | None:
        """Deliver one event: None if it was accepted, else why not. Raises Unreachable."""

    def stop(self) -> None:
        """End the deliveries in progress, as far as possible."""


class ForwardTarget:
    """A URL: the event is posted as it was received, without its key by default."""

    def __init__(
        self, url: str, read_key: Callable[[], str] | None = None, timeout_seconds: float = FORWARD_TIMEOUT_SECONDS
    ) -> None:
        """`read_key` returns the webhook key to put into the body; without it the body has no key."""
        self.name = f"forward {url}"
        self._url, self._read_key, self._timeout_seconds = url, read_key, timeout_seconds

    def deliver(self, due: DueDelivery) -> str | None:
        """Post the event; any status but 2xx is a failure."""
        headers = {
            "Content-Type": "application/json",
            "Cpctl-Event": str(due.event_id),
            "Cpctl-Attempt": str(due.attempt),
        }
        key = {"apikey": self._read_key()} if self._read_key else {}
        response = post(self._url, json.dumps({**key, **due.payload}).encode(), headers, self._timeout_seconds)
        return None if 200 <= response.status < 300 else f"{response.status} {response.first_line}".strip()

    def stop(self) -> None:
        """Do nothing: a post ends within its time limit."""


class CommandTarget:
    """A command: it gets the event as JSON on standard input, and the most used fields as environment variables."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        command_text: str,
        timeout_seconds: float = COMMAND_TIMEOUT_SECONDS,
    ) -> None:
        """`environment` is what the command inherits; it must not contain a key."""
        self.name = f"exec {command_text}"
        self._argv, self._environment, self._timeout_seconds = list(argv), dict(environment), timeout_seconds
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def deliver(self, due: DueDelivery) -> str | None:
        """Run the command; any exit status but 0 is a failure."""
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
            raise Unreachable(f"cannot run {self._argv[0]}: {error}") from error
        with self._lock:
            self._running.add(child)
        try:
            return _wait_for_outcome(child, body, self._timeout_seconds)
        finally:
            with self._lock:
                self._running.discard(child)

    def stop(self) -> None:
        """Terminate the running commands; they run again after the next start."""
        with self._lock:
            running = list(self._running)
        for child in running:
            if child.poll() is None:
                _terminate(child, force=False)


def _wait_for_outcome(child: "subprocess.Popen[bytes]", body: bytes, timeout_seconds: float) -> str | None:
    assert child.stdin is not None
    assert child.stdout is not None
    threading.Thread(target=_write_input, args=(child.stdin, body), daemon=True).start()
    output = _OutputTail(child.stdout)
    output.start()
    try:
        child.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        _terminate(child, force=True)
        child.wait()
        return f"not finished within {timeout_seconds:g} s"
    if child.returncode == 0:
        return None
    output.join(_OUTPUT_WAIT_SECONDS)
    last_output = output.tail.decode("utf-8", "replace").strip()[-_MAX_OUTPUT_CHARS:]
    return f"status {child.returncode}{': ' if last_output else ''}{last_output}"


def _write_input(stream: IO[bytes], body: bytes) -> None:
    with suppress(OSError), stream:  # a command need not read its input
        stream.write(body)


class _OutputTail(threading.Thread):
    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self.tail = b""

    def run(self) -> None:
        with suppress(OSError), self._stream as stream:
            while chunk := os.read(stream.fileno(), 65536):
                self.tail = (self.tail + chunk)[-4 * _MAX_OUTPUT_CHARS :]  # a character may take four bytes


def _terminate(child: "subprocess.Popen[bytes]", force: bool) -> None:
    with suppress(OSError):
        if sys.platform != "win32":
            os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)  # it leads a session of its own
        else:
            child.kill()


def _event_variables(due: DueDelivery) -> dict[str, str]:
    """Fields as CPCTL_EVENT_… variables: no NUL, which no environment can hold, and of limited length."""
    fields = {name: due.payload.get(name) for name in _VARIABLE_FIELDS}
    texts = {
        name: "" if value is None or isinstance(value, dict | list) else str(value) for name, value in fields.items()
    }
    texts |= {"id": str(due.event_id), "attempt": str(due.attempt)}
    return {
        f"CPCTL_EVENT_{name.upper()}": text.encode("utf-8", "replace").decode().replace("\0", "")[:_MAX_VARIABLE_CHARS]
        for name, text in texts.items()
    }
