"""Sound: the bell of the terminal, a command of the shop, or none. A verdict never waits for it."""

import os
import shlex
import shutil
import time
from collections import deque
from collections.abc import Callable
from subprocess import DEVNULL, Popen

from cpctl.errors import InvalidInput
from cpctl.packing.models import Severity

BELL = "\a"
# Seconds after the verdict: one bell is OK, two are DONE, five are CHECK or STOP.
_BELL_OFFSETS_SECONDS = {"ok": (0.0,), "done": (0.0, 0.25), "stop": (0.0, 0.12, 0.24, 0.36, 0.48)}


class Sound:
    """Plays a sound for each verdict. `ring` writes to the terminal."""

    def __init__(
        self, choice: str, ring: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`choice` is `bell`, `none` or a command line. Raises InvalidInput for a command that does not exist."""
        self._ring = ring
        self._monotonic = monotonic
        self._due_bells: deque[float] = deque()
        self._processes: list[Popen[bytes]] = []
        self._uses_bells = choice == "bell"
        self._command = [] if choice in ("bell", "none") else _parse_command(choice)

    def play(self, severity: Severity) -> None:
        """Start the sound of a verdict; it replaces bells that are still due."""
        name = severity.sound
        if self._uses_bells:
            now = self._monotonic()
            self._due_bells = deque(now + offset for offset in _BELL_OFFSETS_SECONDS.get(name, ()))
            self.ring_due_bells()
        elif self._command:
            self._processes = [process for process in self._processes if process.poll() is None]
            try:
                self._processes.append(Popen([*self._command, name], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL))
            except OSError:
                pass  # it existed at the start; the screen shows the verdict without it

    def ring_due_bells(self) -> float | None:
        """Ring the bells that are due; return the seconds until the next one, or None."""
        while self._due_bells and self._due_bells[0] <= self._monotonic():
            self._due_bells.popleft()
            self._ring(BELL)
        return max(self._due_bells[0] - self._monotonic(), 0.0) if self._due_bells else None


def _parse_command(choice: str) -> list[str]:
    try:
        arguments = _split_command(choice, os.name == "nt")
    except ValueError as error:
        raise InvalidInput(f'--sound "{choice}" is not a valid command line: {error}.') from error
    if not arguments or shutil.which(arguments[0]) is None:
        raise InvalidInput(f'--sound "{choice}": command not found.', "Valid: bell, none, or a command.")
    return arguments


def _split_command(choice: str, is_windows: bool) -> list[str]:
    if is_windows:  # a backslash separates folders here, and does not escape
        return [argument.strip('"') for argument in shlex.split(choice, posix=False)]
    return shlex.split(choice)
