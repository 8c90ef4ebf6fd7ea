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
from cpctl.packing.models import SOUNDS, Level

BELL = "\a"
# When the bells ring, in seconds after the verdict: one is OK, two are "already done", a row of five is STOP.
_BELLS = {"ok": (0.0,), "done": (0.0, 0.25), "stop": (0.0, 0.12, 0.24, 0.36, 0.48)}


class Sound:
    """Makes a verdict heard. `ring` writes to the terminal."""

    def __init__(self, choice: str, ring: Callable[[str], None], ticks: Callable[[], float] = time.monotonic) -> None:
        """`choice` is `bell`, `none` or a command line. Raises InvalidInput for a command that does not exist."""
        self._ring = ring
        self._ticks = ticks
        self._due: deque[float] = deque()
        self._running: list[subprocess.Popen[Any]] = []
        self._bells = choice == "bell"
        self._command = [] if choice in ("bell", "none") else _command(choice)

    def play(self, level: Level) -> None:
        """Begin the sound of a verdict; a new one ends the one before."""
        name = SOUNDS[level]
        if self._bells:
            now = self._ticks()
            self._due = deque(now + offset for offset in _BELLS.get(name, ()))
            self.tick()
        elif self._command:
            self._running = [each for each in self._running if each.poll() is None]
            try:
                self._running.append(_started([*self._command, name]))
            except OSError:
                pass  # it was there at the start; without it the screen says the same

    def tick(self) -> float | None:
        """Ring what is due; how many seconds until the next bell, or None."""
        while self._due and self._due[0] <= self._ticks():
            self._due.popleft()
            self._ring(BELL)
        return max(self._due[0] - self._ticks(), 0.0) if self._due else None


def _command(choice: str) -> list[str]:
    try:
        words = _split(choice, os.name == "nt")
    except ValueError as error:
        raise InvalidInput(f'--sound "{choice}" cannot be read: {error}.') from error
    if not words or shutil.which(words[0]) is None:
        raise InvalidInput(f'--sound "{choice}": there is no such command.', "Valid: bell, none, or a command.")
    return words


def _split(choice: str, windows: bool) -> list[str]:
    """The words of a command line; on Windows a backslash parts folders, and hides nothing."""
    return [word.strip('"') for word in shlex.split(choice, posix=False)] if windows else shlex.split(choice)


def _started(words: list[str]) -> "subprocess.Popen[Any]":
    nothing = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing)
