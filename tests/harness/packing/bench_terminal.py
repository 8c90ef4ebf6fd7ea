"""A bench at a real terminal: scans as a scanner types them, the screen as a person sees it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyte

from harness.cli_environment import TIMEOUT_SECONDS, CliEnvironment

UPS = "1Z5R89390357567127"
OTHER_UPS = "1Z879E930346834440"
ORDER, ITEM, SECOND_ITEM, THIRD_ITEM = "123456780000", "123456780001", "123456780002", "123456780003"
BENCH_SETTINGS = (
    "    shipping_option: GLS\n    station: bench-2\n    operator: Ana\n    badge_prefix: BADGE-\n"
    "    carriers: [ups, dhl-de]\n    carrier_options: {ups: UPS}\n"
    "    order_of_item: {pattern: '(\\d{8})\\d{4}', order: '\\g<1>0000'}\n"
)


class BenchTerminal:
    """`cpctl signal scan` on a terminal of its own."""

    def __init__(
        self, cli: CliEnvironment, *arguments: str, columns: int = 80, lines: int = 24, **changes: str | None
    ) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(columns, lines)
        self.initial_mode = termios.tcgetattr(self.slave)
        self.raw_output = b""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.process = subprocess.Popen(
            cli.command_line("signal", "scan", *arguments),
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={"TERM": "xterm-256color", **cli.process_environment(**changes)},
            cwd=cli.folder,
            start_new_session=True,
            preexec_fn=self._set_controlling_terminal,
        )

    def _set_controlling_terminal(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if hasattr(self, "_screen"):
            self._screen.resize(lines, columns)

    def send_codes(self, *codes: str, suffix: str = "\r") -> None:
        """Type each code and its suffix, as a scanner does."""
        self.write(b"".join(f"{code}{suffix}".encode() for code in codes))

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def scan(self, code: str, shows: str) -> str:
        """Scan, and wait until the screen shows it."""
        self.send_codes(code)
        return self.wait_for(shows)

    def read_output(self, seconds: float) -> bool:
        """Read what was written; False if nothing came in time, or the other side is closed."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw_output += data
        self._stream.feed(data)
        return bool(data)

    @property
    def screen_text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, *shown: str, seconds: float = TIMEOUT_SECONDS) -> str:
        """Wait until the screen shows all of these."""
        deadline = time.monotonic() + seconds
        while not all(text in self.screen_text for text in shown):
            assert time.monotonic() < deadline, f"{shown} not in:\n{self.screen_text}"
            self.read_output(0.05)
        return self.screen_text

    def line_colors(self, word: str) -> set[tuple[str, str]]:
        """The foreground and background colors of the line that contains a word."""
        number = next(index for index, line in enumerate(self._screen.display) if word in line)
        row = self._screen.buffer[number]
        return {(row[column].fg, row[column].bg) for column in range(self._screen.columns)}

    def wait_for_exit(self) -> int:
        """Wait for the exit status."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen_text
            self.read_output(0.02)
        while self.read_output(0.05):
            pass
        return self.process.returncode

    def terminal_mode(self) -> list[Any]:
        return termios.tcgetattr(self.slave)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=TIMEOUT_SECONDS)
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                pass


@contextmanager
def open_bench_terminal(cli: CliEnvironment, *arguments: str, **more: Any) -> Iterator[BenchTerminal]:
    """A bench that is ready for its first scan."""
    bench = BenchTerminal(cli, *arguments, **more)
    try:
        bench.wait_for("NEXT STEP:")
        yield bench
    finally:
        bench.close()


def wait_until(condition: Callable[[], bool], what: str = "the condition was not met") -> None:
    """Poll a condition."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        select.select([], [], [], 0.01)
