"""Sound: bells of the terminal, a command of the shop's own, or none. Never waited for."""

import os
import shlex
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.packing.models import SOUNDS, Severity

BELL = "\a"
# When the bells ring, in seconds after the verdict: one is OK, two are "already done", a row of five is STOP.
_BELL_OFFSETS_SECONDS = {"ok": (0.0,), "done": (0.0, 0.25), "stop": (0.0, 0.12, 0.24, 0.36, 0.48)}


class Sound:
    """Makes a verdict heard. `ring` writes to the terminal."""

    def __init__(
        self, choice: str, ring: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`choice` is `bell`, `none` or a command line. Raises InvalidInput for a command that does not exist."""
        self._ring = ring
        self._monotonic = monotonic
        self._due_bells: deque[float] = deque()
        self._processes: list[subprocess.Popen[Any]] = []
        self._uses_bells = choice == "bell"
        self._command = [] if choice in ("bell", "none") else _parse_command(choice)

    def play(self, severity: Severity) -> None:
        """Begin the sound of a verdict; a new one ends the one before."""
        name = SOUNDS[severity]
        if self._uses_bells:
            now = self._monotonic()
            self._due_bells = deque(now + offset for offset in _BELL_OFFSETS_SECONDS.get(name, ()))
            self.ring_due_bells()
        elif self._command:
            self._processes = [each for each in self._processes if each.poll() is None]
            try:
                self._processes.append(_start_process([*self._command, name]))
            except OSError:
                pass  # it was there at the start; without it the screen says the same

    def ring_due_bells(self) -> float | None:
        """Ring what is due; how many seconds until the next bell, or None."""
        while self._due_bells and self._due_bells[0] <= self._monotonic():
            self._due_bells.popleft()
            self._ring(BELL)
        return max(self._due_bells[0] - self._monotonic(), 0.0) if self._due_bells else None


def _parse_command(choice: str) -> list[str]:
    try:
        words = _split_command(choice, os.name == "nt")
    except ValueError as error:
        raise InvalidInput(f'--sound "{choice}" cannot be read: {error}.') from error
    if not words or shutil.which(words[0]) is None:
        raise InvalidInput(f'--sound "{choice}": there is no such command.', "Valid: bell, none, or a command.")
    return words


def _split_command(choice: str, is_windows: bool) -> list[str]:
    """The words of a command line; on Windows a backslash parts folders, and hides nothing."""
    return [word.strip('"') for word in shlex.split(choice, posix=False)] if is_windows else shlex.split(choice)


def _start_process(arguments: list[str]) -> "subprocess.Popen[Any]":
    nothing = subprocess.DEVNULL
    return subprocess.Popen(arguments, stdin=nothing, stdout=nothing, stderr=nothing)
