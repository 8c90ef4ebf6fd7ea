"""cpctl with its streams on a real terminal, closed, full, or read by somebody who goes away."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence
from dataclasses import dataclass

import pyte
from worlds import SECONDS, World


@dataclass(frozen=True)
class Seen:
    """What a finished cpctl left on a terminal, and the rest of it on a pipe."""

    code: int
    raw: str  # the bytes that reached the terminal, as text
    other: str  # what the stream that was no terminal got
    columns: int
    lines: int

    @property
    def screen(self) -> list[str]:
        """The lines a person sees, without empty ones at the end."""
        screen = pyte.Screen(self.columns, self.lines)
        stream = pyte.Stream(screen)
        stream.feed(self.raw)
        shown = [line.rstrip() for line in screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def text(self) -> str:
        """All lines a person sees, joined."""
        return "\n".join(self.screen)


def on_terminal(
    world: World,
    *arguments: str,
    stream: str = "both",
    columns: int = 80,
    lines: int = 60,
    encoding: str = "utf-8",
    **changes: str | None,
) -> Seen:
    """Run cpctl with stdout, stderr, or both on a terminal of that size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        world.command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if stream == "stderr" else slave,
        stderr=subprocess.PIPE if stream == "stdout" else slave,
        env={"TERM": "xterm-256color", **world.env(**changes)},
        cwd=world.folder,
    )
    os.close(slave)
    raw = _all_of(master)
    out, err = process.communicate(timeout=SECONDS)
    os.close(master)
    return Seen(process.returncode, raw.decode(encoding), ((out or b"") + (err or b"")).decode(), columns, lines)


def _all_of(terminal: int) -> bytes:
    """Everything until the other side is closed, which Linux reports as an input/output error."""
    found = b""
    try:
        while piece := os.read(terminal, 65536):
            found += piece
    except OSError:
        pass
    return found


def in_shell(world: World, line: str, arguments: Sequence[str] = (), **changes: str | None) -> tuple[int, str, str]:
    """Run a line of shell in which "$@" is cpctl with its arguments: status, stdout and stderr."""
    done = subprocess.run(
        ["/bin/bash", "-c", line, "bash", *world.command(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=world.env(**changes),
        cwd=world.folder,
        timeout=SECONDS,
    )
    return done.returncode, done.stdout, done.stderr


def reader_gone(world: World, *arguments: str) -> tuple[int, str]:
    """Run cpctl into a pipe that nobody reads any more: its status, and what it said."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            world.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            env=world.env(),
            cwd=world.folder,
            timeout=SECONDS,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr
