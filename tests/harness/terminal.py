"""cpctl with its streams on a real terminal, in a shell, or on a closed pipe."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence
from dataclasses import dataclass

import pyte

from harness.cli_environment import TIMEOUT_SECONDS, CliEnvironment


@dataclass(frozen=True)
class TerminalResult:
    """The output of a finished cpctl on a terminal, and on a pipe."""

    code: int
    raw: str  # the bytes that reached the terminal, as text
    piped_output: str  # output of the stream that is not on the terminal
    columns: int
    lines: int

    @property
    def screen(self) -> list[str]:
        """The visible lines, without empty ones at the end."""
        screen = pyte.Screen(self.columns, self.lines)
        stream = pyte.Stream(screen)
        stream.feed(self.raw)
        shown = [line.rstrip() for line in screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def text(self) -> str:
        """All visible lines, joined."""
        return "\n".join(self.screen)


def run_on_terminal(
    cli: CliEnvironment,
    *arguments: str,
    stream: str = "both",
    columns: int = 80,
    lines: int = 60,
    encoding: str = "utf-8",
    **changes: str | None,
) -> TerminalResult:
    """Run cpctl with stdout, stderr, or both on a terminal of that size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        cli.command_line(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if stream == "stderr" else slave,
        stderr=subprocess.PIPE if stream == "stdout" else slave,
        env={"TERM": "xterm-256color", **cli.process_environment(**changes)},
        cwd=cli.folder,
    )
    os.close(slave)
    raw = _read_to_end(master)
    out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    os.close(master)
    return TerminalResult(
        process.returncode, raw.decode(encoding), ((out or b"") + (err or b"")).decode(), columns, lines
    )


def _read_to_end(terminal: int) -> bytes:
    """Everything until the other side is closed, which Linux reports as an input/output error."""
    found = b""
    try:
        while piece := os.read(terminal, 65536):
            found += piece
    except OSError:
        pass
    return found


def run_in_shell(
    cli: CliEnvironment, line: str, arguments: Sequence[str] = (), **changes: str | None
) -> tuple[int, str, str]:
    """Run a line of shell in which "$@" is cpctl with its arguments: status, stdout and stderr."""
    done = subprocess.run(
        ["/bin/bash", "-c", line, "bash", *cli.command_line(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=cli.process_environment(**changes),
        cwd=cli.folder,
        timeout=TIMEOUT_SECONDS,
    )
    return done.returncode, done.stdout, done.stderr


def run_with_closed_pipe(cli: CliEnvironment, *arguments: str) -> tuple[int, str]:
    """Run cpctl with a closed pipe as standard output: exit status and standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            cli.command_line(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            env=cli.process_environment(),
            cwd=cli.folder,
            timeout=TIMEOUT_SECONDS,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr
