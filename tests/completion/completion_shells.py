"""Real shells for completion tests: lines are typed at a terminal, and what the shell makes of them is read back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pexpect
import pytest
from worlds import World

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = {"bash": "cpctl.bash", "zsh": "_cpctl", "fish": "cpctl.fish"}
SECONDS = 30.0
READY, DONE = "ready>", "<done>"
# Keys that a shell is told to answer with: all matches, put into the line.
ALL = "\x18"
TAB = "\t"

# `cpctl` is a function here: it writes down the words the shell has read, and runs nothing.
BASH = """
PS1='{ready}' PS2=
bind 'set bell-style none' 'set enable-bracketed-paste off' 'set completion-query-items 0' 'set page-completions off'
bind '"\\C-x": insert-completions'
{package}
source '{script}'
cpctl() {{ printf '%s\\0' "$@" >'{read}'; echo '{done}'; }}
"""
ZSH = """
PS1='{ready}' PS2= RPS1=
unsetopt beep prompt_cr prompt_sp
{functions}
autoload -Uz compinit && compinit -u -D
{package}
zstyle ':completion:*' insert-tab false
every() {{ _main_complete "$@"; compstate[insert]=all; compstate[list]= }}
zle -C all-words complete-word every
bindkey '^X' all-words
cpctl() {{ printf '%s\\0' "$@" >'{read}'; echo '{done}'; }}
"""
FISH = """
function fish_prompt; printf '{ready}'; end
function fish_greeting; end
source '{script}'
function cpctl; printf '%s\\0' $argv >'{read}'; echo '{done}'; end
"""


SHELLS = [
    pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
    for name in ("bash", "zsh", "fish")
]
Offered = Callable[[str], list[str]]


class Shell(NamedTuple):
    """A running shell at a terminal."""

    name: str
    process: "pexpect.spawn[str]"
    read: Path  # where the words of the line that was entered are written

    def entered(self, text: str, key: str = TAB) -> list[str]:
        """Type a text and a key, then Enter: the words that the shell has read then, without the program's name."""
        self.process.send(text + key)
        self.process.send("\r")
        self.process.expect_exact(DONE)
        self.process.expect_exact(READY)
        return self.read.read_bytes().decode().split("\0")[:-1]

    def offered(self, text: str) -> list[str]:
        """All that the shell offers at the end of a line, as it reads it when all of it is entered."""
        words = self.entered(text, ALL)
        given = len([word for word in text.split(" ")[1:] if word])
        return words[given - (0 if text.endswith(" ") else 1) :]


@contextmanager
def shell(name: str, world: World, package: str = "", **changes: str) -> Iterator[Shell]:
    """A shell at a terminal of 200 columns that has cpctl's completion, with nothing of the user's own settings.

    `package` are lines that the shell reads at its start; for zsh they stand for the folder of functions.
    """
    read, script = world.folder / "read", ROOT / "completions" / SCRIPTS[name]
    lines = {"bash": BASH, "zsh": ZSH, "fish": FISH}[name].format(
        ready=READY,
        done=DONE,
        script=script,
        read=read,
        package=package,
        functions="" if package else f"fpath=('{script.parent}' $fpath)",
    )
    start = world.folder / {"bash": "bashrc", "zsh": ".zshrc", "fish": "start.fish"}[name]
    start.write_text(lines, encoding="utf-8")
    arguments = {
        "bash": ["--noprofile", "--rcfile", str(start), "-i"],
        "zsh": ["-d", "-i"],
        "fish": ["--no-config", "-i", "-C", f"source {start}"],
    }[name]
    environment = world.env(TERM="xterm", ZDOTDIR=str(world.folder), LC_ALL="C.UTF-8", **changes)
    process = pexpect.spawn(
        str(shutil.which(name)), arguments, env=environment, cwd=world.folder, encoding="utf-8", timeout=SECONDS
    )
    process.setwinsize(50, 200)
    try:
        process.expect_exact(READY)
        yield Shell(name, process, read)
    finally:
        process.close(force=True)


def by_fish(world: World, line: str) -> dict[str, str]:
    """What fish offers at the end of a line, each with its sentence; by fish's own means, without a terminal."""
    source = f"source '{ROOT / 'completions' / SCRIPTS['fish']}'; complete -C \"$LINE\""
    done = subprocess.run(
        ["fish", "--no-config", "-c", source],
        env=world.env(LINE=line, LC_ALL="C.UTF-8"),
        cwd=world.folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert not done.stderr, done.stderr
    return dict((*row.split("\t"), "")[:2] for row in done.stdout.splitlines())


def offered_by(name: str, world: World, stack: ExitStack) -> Offered:
    """A function that says what a shell offers at the end of a line."""
    if name == "fish":
        return lambda line: list(by_fish(world, line))
    running = stack.enter_context(shell(name, world))
    return running.offered


def install(world: World, recorded: bool = False) -> World:
    """The world with a `cpctl` in its PATH: the real one, or one that only writes down how it was called."""
    folder = world.folder / "bin"
    folder.mkdir()
    program = folder / "cpctl"
    calls = world.folder / "calls"
    body = f"echo \"$@\" >>'{calls}'" if recorded else f'exec "{sys.executable}" -m cpctl "$@"'
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return World(world.folder, world.env(PATH=os.pathsep.join([str(folder), os.environ["PATH"]])))
